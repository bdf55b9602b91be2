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
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..validate import number
from . import checks
from .cross_entropy import CrossEntropy
from .mse import ReadoutDistance
from .readouts import Readout, at_first_spikes, first_spike


class _FirstSpike(Readout):
    """Readout that refuses arrays that are clearly no spikes."""

    def __call__(self, y: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            time = super().__call__(y)
        if not np.isfinite(time).all():
            raise ValueError(
                "first-spike times need spikes, 0 or 1; y holds values so large that their product overflows"
            )
        return time


FIRST_SPIKE = _FirstSpike(first_spike, at_first_spikes)


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
    checks.output("first_spike_time", y)
    return FIRST_SPIKE(y)


class FirstSpikeCrossEntropy(CrossEntropy):
    """Cross-entropy with minus the first-spike time as logit: the class that fires first wins.

        logits = -scale * t_first

    The gradient is that of the module's extension.

    Parameters
    ----------
    scale : float, default 1
        Per step: the softmax tells times apart that differ by about ``1 / scale`` steps.
    label_smoothing, class_weight, ignore
        As in ``CrossEntropy``.

    Examples
    --------
    >>> y = np.zeros((10, 1, 2), np.float32)
    >>> y[2, 0, 0] = y[6, 0, 1] = 1.0
    >>> value, gradient = first_spike_cross_entropy(y, [1])
    >>> round(value, 3)                          # class 0 comes 4 steps too early
    4.018
    """

    decision: ClassVar[str] = "first"
    readout = FIRST_SPIKE
    sign: ClassVar[float] = -1.0


@dataclass(frozen=True)
class FirstSpikeMSE(ReadoutDistance):
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
    decision: ClassVar[str] = "first"
    readout: ClassVar[Readout] = FIRST_SPIKE

    def __post_init__(self) -> None:
        number("correct", self.correct, least=0.0)
        if self.wrong is not None:
            number("wrong", self.wrong, least=0.0)

    def wanted(self, target: ArrayLike, steps: int, batch: int, classes: int) -> np.ndarray:
        wrong = float(steps) if self.wrong is None else self.wrong
        return checks.labels_or_dense(type(self).__name__, target, (batch, classes), self.correct, wrong)


first_spike_cross_entropy = FirstSpikeCrossEntropy()
first_spike_mse = FirstSpikeMSE()
