"""Windows: input that comes step by step, taken a few steps at a time.

Where errors stay within their step, nothing is lost by running some steps through each layer at once: the arrays are
larger and the calls fewer. Memory grows with the window, not with the number of steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np

from ..device.constant_input import stored
from ..layers.layer import Array, Layer
from ..losses.checks import Target, Weighted
from ..spikes.spike_input import SpikeInput
from ..validate import array_of

STEPS, IN_BLOCKS = 20, 50
"""Steps in a window, at most; and where blocks keep little but bits."""

BYTES = 2**26
"""Bytes of a window's arrays, roughly; beyond them a window has fewer steps."""


class Windows:
    """How many steps a network takes at once, and its input cut accordingly."""

    def __init__(self, net: Layer, compact: bool = False):
        layers = net.layers().values()
        shapes = [net.in_shape, *(layer.shape for layer in layers)]
        self.net = net
        self.at_once = net.at_once and all(layer.at_once for layer in layers)
        self.steps, arrays = (IN_BLOCKS, 2) if compact else (STEPS, 3)
        self.bytes = arrays * sum(map(math.prod, shapes)) * net.setting.dtype.itemsize  # of a step of one sample

    def length(self, batch: int, wanted: int | None = None) -> int:
        """Number of steps in a window."""
        if not self.at_once:
            return 1
        return max(1, min(self.steps, BYTES // (batch * self.bytes))) if wanted is None else wanted

    def of(self, x: Any, wanted: int | None) -> Iterator[Array]:
        """The input, an array [T, B, ...] or an iterable of arrays [B, ...], as checked windows of ``wanted`` steps."""
        net = self.net
        if not net.arrays.numpy and hasattr(x, "shape"):
            whole: Any = net.check_input(x)  # sent to the GPU at once
            size = self.length(whole.shape[1], wanted)
            yield from (stored(whole[t : t + size], {}, "x") for t in range(0, len(whole), size))
        elif isinstance(x, SpikeInput):  # an array of each window, never of all steps
            x, size = x.fitting(net.in_shape), self.length(x.shape[1], wanted)
            yield from (net.check_input(x[t : t + size].dense(net.setting.dtype)) for t in range(0, len(x), size))
        elif isinstance(x, np.ndarray) and x.ndim > 1 and x.size:
            array = cast(Array, x)
            size = self.length(array.shape[1], wanted)
            yield from (net.check_input(np.ascontiguousarray(array[t : t + size])) for t in range(0, len(array), size))
        elif not isinstance(x, Iterable) or (isinstance(x, np.ndarray) and not x.ndim):
            raise TypeError(f"input must be an array [T, B, ...] or an iterable of arrays [B, ...], not {x!r}")
        else:
            yield from self._stacked(map(np.asarray, cast(Iterable[Any], x)), wanted)

    def _stacked(self, steps: Iterator[np.ndarray], wanted: int | None) -> Iterator[Array]:
        """Windows of steps that come one by one."""
        first = next(steps, None)
        if first is None:
            raise ValueError("the input has no steps")
        batch = self.net.check_input(first[None]).shape[1]
        steps, t = itertools.chain([first], steps), 0
        while window := list(itertools.islice(steps, self.length(batch, wanted))):
            for k, step in enumerate(window):
                if step.shape != first.shape and self.net.check_input(step[None]).shape[1] != batch:
                    raise ValueError(f"step {t + k} of the input has a batch of {len(step)}, but step 0 one of {batch}")
            t += len(window)
            yield self.net.check_input(np.stack(window))


class Targets:
    """The targets of an online learner: the same for all steps, or one for each.

    Parameters
    ----------
    target : array, Weighted, or iterator of arrays
        What ``Online.step`` is given.

    Attributes
    ----------
    steps : int or None
        How many there are, if there is one for each: labels [T, B] or numbers [T, B, C].
    """

    def __init__(self, target: Target | Iterator[Target]):
        self.weight: np.ndarray | None = None
        if isinstance(target, Weighted):
            target, self.weight = target.target, target.weight
        self.steps, self.taken = None, 0
        self._moving: bool | None = None  # known of an array alone
        if isinstance(target, Iterator):
            self._each: Iterator[Any] = target
            return
        array = array_of("target", target)
        self._moving = array.ndim == _axes(array)
        self.steps = len(array) if self._moving else None
        self._each = (array[t : t + 1] for t in range(len(array))) if self._moving else itertools.repeat(array)

    def take(self, count: int) -> list[Any]:
        """Those of the next steps, as the loss wants them for one step."""
        found = list(itertools.islice(self._each, count))
        if len(found) < count:
            raise ValueError(f"target has {self.taken + len(found)} steps, but the input has more")
        self.taken += count
        return found if self.weight is None else [Weighted(each, self.weight) for each in found]

    def together(self, found: list[Any]) -> Any:
        """What ``take`` has returned as one array, [T, B] or [T, B, C]."""
        if isinstance(found[0], Weighted):
            return Weighted(self.together([each.target for each in found]), found[0].weight)
        moving = is_moving(found[0]) if self._moving is None else self._moving
        return np.concatenate([target if moving else np.asarray(target)[None] for target in found])

    def check(self) -> None:
        """Raise if there are targets of more steps than were taken."""
        if self.steps is not None and self.steps != self.taken:
            raise ValueError(f"target has {self.steps} steps, but the input has {self.taken}")


def is_moving(target: object) -> bool:
    """True if this holds a target for each step: labels [T, B] or numbers [T, B, C]."""
    array = array_of("target", target)
    return array.ndim == _axes(array)


def _axes(target: np.ndarray) -> int:
    """How many axes one for each step has, labels [T, B] or numbers [T, B, C]."""
    return 2 if target.dtype.kind in "iu" else 3
