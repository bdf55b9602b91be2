"""Van Rossum's distance of spike trains: each train is smeared by an exponential, then compared.

With ``f(t)`` the sum of ``exp(-(t - t_i) / tau)`` over the spikes ``t_i <= t`` of a train, and ``g`` likewise,

    D^2 = 1 / tau  integral_0^infinity (f - g)^2 dt

The difference of two trains on a grid is one trace ``r[t] = a r[t - 1] + y[t] - target[t]``, ``a = exp(-dt / tau)``,
that decays freely between steps and after the last one. So the integral is exact in closed form, without error from
the grid and without losing the tail:

    D^2 = 1/2 sum_t w[t] r[t]^2,     w[t] = 1 - a^2,  and  w[T - 1] = 1

The gradient is the same filter run backwards: ``l[t] = w[t] r[t] + a l[t + 1]``.

M. C. W. van Rossum, "A novel spike distance", Neural Computation 13 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1
from types import EllipsisType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..device.buffers import Array
from ..scalar.words import wide
from ..validate import number, scale
from . import checks, on_gpu
from .checks import Weighted, mean_weights, split


@dataclass(frozen=True)
class VanRossum:
    """Squared van Rossum distance of output and target spike trains, summed over outputs, averaged over the batch.

    One spike too many or too few costs 1/2; a spike that is ``d`` late or early costs ``1 - exp(-d / tau)``. Small
    ``tau`` counts coincidences, large ``tau`` compares spike counts.

    Parameters
    ----------
    tau : float, same unit as ``dt``, default 10
        Time constant of the kernel.
    dt : float, default 1
        Length of a step.

    Examples
    --------
    >>> y, target = np.zeros((2, 50, 1, 1))
    >>> y[10] = 1.0
    >>> round(van_rossum(y, target)[0], 12)                    # one spike too many
    0.5
    >>> target[17] = 1.0
    >>> round(van_rossum(y, target)[0], 12) == round(1.0 - exp(-7.0 / 10.0), 12)
    True
    """

    tau: float = 10.0
    dt: float = 1.0
    decision: ClassVar[str] = "count"
    target_axes: ClassVar[int] = 3

    def __post_init__(self) -> None:
        number("tau", self.tau, above=0.0)
        scale("dt", self.dt)

    def __call__(self, y: np.ndarray, target: ArrayLike | Weighted) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y``.

        Parameters
        ----------
        y : float array [T, B, C]
        target : real array [T, B, C]
            Wanted spikes, 0 or 1.

        Raises
        ------
        TypeError, ValueError
            A wrong dtype or shape, NaN or infinity.
        """
        name = type(self).__name__
        shape = checks.output(name, y).shape
        aim, given = split(name, target, shape[1])
        wanted, gradient = checks.dense(name, aim, shape), np.empty(y.shape, y.dtype)
        share = 1.0 / y.shape[1] if given is None else mean_weights(given)[:, None]
        values = train_distance(y, wanted, ..., *self._numbers, share, np.empty(y.shape), gradient)
        return float(values.sum()), gradient

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        name = type(self).__name__
        wanted = checks.dense(name, target, on_gpu.outputs(name, y))
        return on_gpu.van_rossum(train_distance, y, wanted, *self._numbers, total, room)

    @property
    def _numbers(self) -> tuple[float, float]:
        """The trace's decay, and the weight of all steps but the last."""
        return exp(-self.dt / self.tau), -expm1(-2.0 * self.dt / self.tau)


def train_distance(
    y: Array, target: Array, i: int | EllipsisType, decay: float, inner: float, share: float | np.ndarray,
    trace: Array, gy: Array,
) -> Any:  # fmt: skip
    """``share D^2`` of the trains in lane i, and its derivative in ``gy``; the other arguments as in ``readouts``."""
    r, value, end = 0.0, 0.0, y.shape[0] - 1
    for t in range(y.shape[0]):
        r = decay * r + (wide(y[t, i]) - target[t, i])
        trace[t, i] = r
        value = value + 0.5 * share * (1.0 if t == end else inner) * r * r
    back = 0.0
    for t in range(end, -1, -1):
        back = (1.0 if t == end else inner) * trace[t, i] + decay * back
        gy[t, i] = back * share
    return value


van_rossum = VanRossum()
