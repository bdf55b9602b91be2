"""Losses on the time of the first spike (time to first spike, TTFS).

A first-spike time jumps when a spike comes or goes, so its derivative is a convention. Here it is the derivative of
the multilinear extension (Owen 1972): with ``survived[t]`` the product of ``1 - y[s]`` over ``s < t``,

    t_first = sum_{t < T} t y[t] survived[t] + T survived[T] = sum_{t = 1 .. T} survived[t]

For spikes 0/1 that is the time of the first one, and ``T`` for a unit that stays silent; for values between 0 and 1
it is the expected time if ``y[t]`` were the probability to fire. Its derivative

    d t_first / d y[k] = -survived[k] left[k],     left[T - 1] = 1,     left[k] = 1 + (1 - y[k + 1]) left[k + 1]

is, for spikes 0/1, exactly what adding or removing the one spike at ``k`` would change, with its sign. It reaches
the first spike itself (minus the wait for the next one) and every step ``k`` before it (``-(t_first - k)``), and is
zero afterwards. A silent unit gets ``-(T - k)`` at every step ``k``: it is drawn to fire, most of all early.

G. Owen, "Multilinear extensions of games", Management Science 18 (1972). The cross-entropy of minus first-spike
times is that of H. Mostafa (IEEE TNNLS 29, 2018) and J. Goeltz et al. (Nature Machine Intelligence 3, 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..validate import number
from . import checks, on_gpu
from .cross_entropy import CrossEntropy


def first_spike_time(y: np.ndarray) -> np.ndarray:
    """Time of each unit's first spike in steps, ``T`` if there is none, by the extension to real ``y`` above.

    Parameters
    ----------
    y : float array [T, B, C]
        Spikes.

    Returns
    -------
    array [B, C], float64

    Raises
    ------
    ValueError
        The product over time overflows: ``y`` holds membranes rather than spikes.

    Examples
    --------
    >>> y = np.zeros((5, 1, 2))
    >>> y[3:, 0, 1] = 1.0
    >>> first_spike_time(y).tolist()
    [[5.0, 3.0]]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        time = np.cumprod(1.0 - y, axis=0, dtype=np.float64).sum(axis=0)
    if not np.isfinite(time).all():
        raise ValueError("first-spike times need spikes, 0 or 1; y holds values so large that their product overflows")
    return time


def first_spike_slope(y: np.ndarray) -> np.ndarray:
    """Derivative of each unit's ``first_spike_time`` by its spikes, ``[T, B, C]``, float64.

    Examples
    --------
    >>> first_spike_slope(np.array([0.0, 0.0, 1.0, 0.0]).reshape(4, 1, 1)).ravel().tolist()
    [-2.0, -1.0, -2.0, -0.0]
    """
    quiet = 1.0 - y.astype(np.float64)
    slope = np.ones(y.shape)
    np.cumprod(quiet[:-1], axis=0, out=slope[1:])  # survived
    left = np.zeros(y.shape[1:])
    following = np.zeros(y.shape[1:])
    for k in range(len(y) - 1, -1, -1):
        left = 1.0 + following * left
        slope[k] *= -left
        following = quiet[k]
    return slope


class FirstSpikeCrossEntropy(CrossEntropy):
    """Cross-entropy with minus the first-spike time as logit: the class that fires first wins.

        logits = -scale * t_first

    The gradient is that of the module's extension. Parameters as in ``CrossEntropy``; ``scale`` is per step, and the
    softmax tells times apart that differ by about ``1 / scale`` steps.

    Examples
    --------
    >>> y = np.zeros((10, 1, 2), np.float32)
    >>> y[2, 0, 0] = y[6, 0, 1] = 1.0
    >>> value, gradient = first_spike_cross_entropy(y, [1])
    >>> round(value, 3)                          # class 0 comes 4 steps too early
    4.018
    """

    by: ClassVar[str] = "first"
    loops = ("earlier", "at_first_spikes_earlier")

    def readout(self, y: np.ndarray) -> np.ndarray:
        return -first_spike_time(y)

    def spread(self, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        return (-g * first_spike_slope(y)).astype(y.dtype)


@dataclass(frozen=True)
class FirstSpikeMSE:
    """Squared distance of first-spike times to wanted times, averaged over batch and outputs, in steps squared.

        value = mean_{b, c} (t_first[b, c] - target[b, c])^2

    Parameters
    ----------
    correct : float, steps, default 0
        Wanted time of the labelled class.
    wrong : float or None, steps, default None
        Wanted time of every other class; None means ``T``, no spike at all.

    Examples
    --------
    >>> y = np.zeros((10, 1, 2), np.float32)
    >>> y[2, 0, 0] = y[6, 0, 1] = 1.0
    >>> first_spike_mse(y, [0])[0]               # (2^2 + 4^2) / 2
    10.0
    >>> first_spike_mse(y, np.array([[2, 5]]))[0]
    0.5
    """

    correct: float = 0.0
    wrong: float | None = None
    by: ClassVar[str] = "first"
    loops: ClassVar[tuple[str, str]] = ("first_spike", "at_first_spikes")

    def __post_init__(self) -> None:
        number("correct", self.correct, least=0.0)
        if self.wrong is not None:
            number("wrong", self.wrong, least=0.0)

    def __call__(self, y: np.ndarray, target: Any) -> tuple[float, np.ndarray]:
        """Value, and gradient by ``y`` ``[T, B, C]``; the target is labels ``[B]``, or times ``[B, C]`` in steps.

        Raises
        ------
        TypeError, ValueError
            A wrong dtype or shape, a label out of range, NaN or infinity.
        """
        name = type(self).__name__
        steps, batch, classes = checks.output(name, y).shape
        wrong = float(steps) if self.wrong is None else self.wrong
        error = first_spike_time(y) - checks.labels_or_dense(name, target, (batch, classes), self.correct, wrong)
        gradient = first_spike_slope(y) * (error * (2.0 / error.size))
        return float(np.mean(error**2)), gradient.astype(y.dtype, copy=False)

    def on_gpu(self, y: Any, target: Any, total: Any, room: dict[str, Any]) -> Any:
        """As a call, of outputs on a GPU: see ``losses.on_gpu``."""
        name = type(self).__name__
        steps, *shape = on_gpu.outputs(name, y)
        wrong = float(steps) if self.wrong is None else self.wrong
        wanted = checks.labels_or_dense(name, target, (shape[0], shape[1]), self.correct, wrong)
        return on_gpu.readout_squares(self, y, wanted, total, room)


first_spike_cross_entropy = FirstSpikeCrossEntropy()
first_spike_mse = FirstSpikeMSE()
