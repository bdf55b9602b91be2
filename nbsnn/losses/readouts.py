"""Readouts: from all steps of an output to one number, and from that one's gradient back to all steps.

Each is a pair of functions for the CPU and for GPUs alike, in the words of ``scalar.words``. In ``y[t, i]`` lane i is
one unit of one sample on a GPU; on the CPU ``i`` is ``...``, all units of all samples at once.

    read(y, i)            one number, in float64
    write(y, i, g, gy)    fill ``gy[:, i]`` with the gradient of ``g read(y, i)`` with respect to ``y[:, i]``
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device.buffers import Array
from ..scalar.words import Lane, Values, added, everywhere, larger, where, wide


@dataclass(frozen=True)
class Readout:
    """A readout and its reverse, and how NumPy arrays go through them.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0], [3.0, 0.0]])   # two steps of two units
    >>> MEAN(y).tolist(), MEAN.back(y, np.ones(2)).tolist()
    ([2.0, 1.0], [[0.5, 0.5], [0.5, 0.5]])
    """

    read: Callable[..., Any]
    write: Callable[..., Any]

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """Read ``y [T, ...]``: float64 ``[...]``."""
        return self.read(y, ...)

    def back(self, y: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Gradient with respect to ``y``, from that with respect to what was read ``[...]``."""
        gy = np.empty(y.shape, y.dtype)
        self.write(y, ..., g, gy)
        return gy


def total(y: Array, i: Lane) -> Any:
    """Sum over time."""
    return added(y, i)


def total_back(y: Array, i: Lane, g: Values, gy: Array) -> None:
    """The reverse of ``total``."""
    everywhere(gy, i, g)


def mean(y: Array, i: Lane) -> Any:
    """Mean over time."""
    return total(y, i) / y.shape[0]


def mean_back(y: Array, i: Lane, g: Values, gy: Array) -> None:
    """The reverse of ``mean``."""
    everywhere(gy, i, g / y.shape[0])


def largest(y: Array, i: Lane) -> Any:
    """Maximum over time."""
    most = wide(y[0, i])
    for t in range(1, y.shape[0]):
        most = larger(most, y[t, i])
    return most


def at_largest(y: Array, i: Lane, g: Values, gy: Array) -> None:
    """The reverse of ``largest``: the first step that reaches the maximum gets all."""
    most, left = largest(y, i), g
    for t in range(y.shape[0]):
        given = where(y[t, i] == most, left, 0.0)
        gy[t, i] = given
        left = left - given


def last(y: Array, i: Lane) -> Any:
    """The last step."""
    return wide(y[y.shape[0] - 1, i])


def at_last(y: Array, i: Lane, g: Values, gy: Array) -> None:
    """The reverse of ``last``."""
    for t in range(y.shape[0] - 1):
        gy[t, i] = 0.0
    gy[y.shape[0] - 1, i] = g


def first_spike(y: Array, i: Lane) -> Any:
    """Time of the first spike, by the extension to real numbers that ``losses.first_spike`` explains."""
    survived, s = 1.0, 0.0
    for t in range(y.shape[0]):
        survived = survived * (1.0 - wide(y[t, i]))
        s = s + survived
    return s


def at_first_spikes(y: Array, i: Lane, g: Values, gy: Array) -> None:
    """The reverse of ``first_spike``: times -survived left, of which gy holds ``survived`` first."""
    survived = 1.0
    for t in range(y.shape[0]):
        gy[t, i] = survived
        survived = survived * (1.0 - wide(y[t, i]))
    left, following = 0.0, 0.0
    for t in range(y.shape[0] - 1, -1, -1):
        left = 1.0 + following * left
        gy[t, i] = -g * gy[t, i] * left
        following = 1.0 - wide(y[t, i])


TOTAL = Readout(total, total_back)
MEAN = Readout(mean, mean_back)
LARGEST = Readout(largest, at_largest)
LAST = Readout(last, at_last)
