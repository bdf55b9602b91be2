"""Random numbers of a unit in a step, for neurons that ask for one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..hole import hole
from ..kernels.cpu.values import inverse_normal
from ..random import counter, squares32


@hole
def real(x) -> Any:
    """In the precision of the kernel."""
    return float(x)


def uniform_of(key, t, i) -> Any:
    """A number from 0 to 1, 1 excluded: 24 bits."""
    return real(np.int32(squares32(counter(t, i), key) >> np.uint64(8))) * 5.9604644775390625e-08


def normal_of(key, t, i) -> Any:
    """A standard normal number, from 32 bits."""
    return real(inverse_normal((np.float64(squares32(counter(t, i), key)) + 0.5) * 2.3283064365386963e-10))
