"""Dropout over time: a unit that is dropped is silent for the whole sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device.threads import DEVICES
from ..random import Draws
from ..validate import number
from .layer import Array, Nested, Setting
from .stateless import Stateless


class Dropout(Stateless):
    """Silence units at random while training, the same ones at every step of a sample; scale up the others.

    Parameters
    ----------
    p : float
        Probability of being dropped, 0 <= p < 1.

    References
    ----------
    Srivastava et al. 2014; one mask for all steps as in Lee et al. 2020 (arXiv:1903.06379).

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.Dropout(0.5)
    Dropout(0.5)
    """

    kind = "dropout"
    devices = DEVICES

    def __init__(self, p: float):
        super().__init__()
        self.p = number("p", p, least=0.0)
        if self.p >= 1.0:
            raise ValueError(f"p must be below 1, not {p!r}")

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"

    def options(self) -> dict[str, Any]:
        return {"p": self.p}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.dropout import CudaDropout

        return CudaDropout(self)

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        return self.ops.dropped(x, tape, "trace")

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        tape["mask"] = None
        if draws is not None and self.p:
            keep = draws.uniform(x.shape[1:], dtype=np.float32) >= self.p
            tape["mask"] = keep.astype(x.dtype) * x.dtype.type(1.0 / (1.0 - self.p))
        return self.dropped(x, tape, "y")

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return self.dropped(gy, tape, "gx") if wanted else None

    def dropped(self, x: Array, tape: Nested, name: str) -> Array:
        """``x`` without the units that the last ``apply`` has dropped."""
        return x if tape["mask"] is None else x * tape["mask"]
