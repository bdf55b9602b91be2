"""Windows: input that comes step by step, taken a few steps at a time.

Where errors stay within their step, nothing is lost by running some steps through each layer at once: the arrays are
larger and the calls fewer. Memory grows with the window, not with the number of steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..device.constant_input import stored
from ..layers.layer import Array, Layer
from ..losses.targets import Target, Weighted
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
            size = self.length(x.shape[1], wanted)
            yield from (net.check_input(np.ascontiguousarray(x[t : t + size])) for t in range(0, len(x), size))
        elif not isinstance(x, Iterable) or (isinstance(x, np.ndarray) and not x.ndim):
            raise TypeError(f"input must be an array [T, B, ...] or an iterable of arrays [B, ...], not {x!r}")
        else:
            yield from self._stacked((np.asarray(step) for step in x), wanted)

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


def is_moving(target: Target | Iterator[Target]) -> bool:
    """True if this holds a target for each step: labels [T, B] or numbers [T, B, C]."""
    target = target.target if isinstance(target, Weighted) else target
    if isinstance(target, Iterator):
        return False
    target = array_of("target", target)
    return target.ndim == (2 if target.dtype.kind in "iu" else 3)


def steps(target: ArrayLike | Weighted) -> int:
    """How many steps a moving target has."""
    return len(array_of("target", target.target if isinstance(target, Weighted) else target))


def targets(target: Target | Iterator[Target]) -> Iterator[Any]:
    """The target of each step, as the loss wants it for one step."""
    if isinstance(target, Weighted):
        return (Weighted(each, target.weight) for each in targets(target.target))
    if isinstance(target, Iterator):
        return target
    target = array_of("target", target)
    if is_moving(target):
        return (target[t : t + 1] for t in range(len(target)))
    return itertools.repeat(target)


def take(targets: Iterator[Any], t: int, count: int) -> list[Any]:
    """The targets of ``count`` steps from ``t`` on."""
    found = list(itertools.islice(targets, count))
    if len(found) < count:
        raise ValueError(f"target has {t + len(found)} steps, but the input has more")
    return found


def together(targets: list[Any]) -> Any:
    """The targets of some steps as one array, [T, B] or [T, B, C]."""
    if isinstance(targets[0], Weighted):
        return Weighted(together([each.target for each in targets]), targets[0].weight)
    moving = is_moving(targets[0])
    return np.concatenate([target if moving else np.asarray(target)[None] for target in targets])
