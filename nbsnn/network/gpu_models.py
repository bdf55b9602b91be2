"""The loop of a network as a kernel for a GPU, made of the same neurons, synapses and rules as the CPU's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile import bind, kernel
from ..spell import switch
from ..synapses.short_term import released
from .update import GPU_ARGUMENTS, update

if TYPE_CHECKING:
    from .models import Models


def loop(models: Models) -> Callable:
    """The kernel; its modules are imported here, as they import Numba."""
    from ..kernels.cuda import network as cuda
    from ..kernels.cuda import short_term

    filling: dict[str, Any] = {
        "update": switch([update(group, "cuda") for group in models.neurons.first], GPU_ARGUMENTS),
        "real": np.dtype(models.dtype).type,
        "SHORT": int(models.short),
    }
    if models.short:
        filling["release"] = bind(short_term.release, released=released)
    return kernel(cuda.simulate, device="cuda", dtype=models.dtype, **filling)
