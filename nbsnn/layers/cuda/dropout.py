"""Dropout over time on a GPU: the units that drop are those that drop on the CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...device import gpu
from ...device.buffers import GpuArray
from ...random import Draws
from ..layer import Nested
from .ops import CudaOps


class CudaDropout(CudaOps):
    """Dropout without a mask: whether a unit drops is worked out anew in each direction."""

    def apply(self, x: GpuArray, tape: Nested, draws: Draws | None) -> Any:
        """See ``Dropout.apply``."""
        tape["key"] = None if draws is None or not self.layer.p else draws.key
        return self.dropped(x, tape, "y")

    def reverse(self, gy: GpuArray, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """See ``Dropout.reverse``."""
        return self.dropped(gy, tape, "gx") if wanted else None

    def dropped(self, x: GpuArray, tape: Nested, name: str) -> Any:
        """See ``Dropout.dropped``."""
        if tape["key"] is None:
            return x
        y, p = gpu.buffer(tape, name, x.shape, x.dtype), self.layer.p
        threshold = math.ceil(float(np.float32(p)) * 2**24)  # uniform numbers in float32 have 24 bits
        numbers = np.uint64(tape["key"]), np.uint64(threshold), x.dtype.type(1.0 / (1.0 - p))
        gpu.launch("arrays.dropout_cuda", "drop", x.dtype, x.size, x.size // len(x), *numbers, gpu.flat(x), gpu.flat(y))
        return y
