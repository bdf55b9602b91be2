"""Learning while time passes: the loop that SLTT, OTTT and e-prop share.

At every step: run it, ask the loss for its derivative by that step's output, and go back through the layers, but not
through time. What is kept does not grow with the number of steps, and the input may come step by step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..layers.layer import Array, Layer, Nested, flatten
from ..losses import StepCrossEntropy
from ..random import Draws
from ..validate import choice
from .learner import Learner, Loss


class Online(Learner):
    """A learner that goes forward in time; subclasses say what stands for presynaptic activity.

    Parameters
    ----------
    net : Layer
        The network to train.
    loss : callable, optional
        ``loss(output [1, B, C], target) -> (value, derivative)`` of one step; values of all steps are added.
        Cross-entropy of each step by default.
    optimizer : optional
        From ``nbsnn.optim``; Adam with its defaults when not given.
    update : {"sample", "step"}
        Whether parameters change once after the last step, by the sum of all steps' gradients, or after every step.
    clip : float, optional
        Largest global norm of the gradient of an update.
    seed : int
        Seed of what is random in training (dropout).

    Notes
    -----
    Errors stay within their step, so none gets past a ``Delay``: layers in front of one do not learn.
    ``output`` is the mean over the steps of the last batch, [1, B, ...]: all outputs would grow with time.
    """

    def __init__(
        self,
        net: Layer,
        loss: Loss | None = None,
        optimizer: Any = None,
        *,
        update: str = "sample",
        clip: float | None = None,
        seed: int = 0,
    ):
        super().__init__(net, StepCrossEntropy(reduction="sum") if loss is None else loss, optimizer, clip, seed)
        self.update = choice("update", update, ("sample", "step"))

    def offer(self, x: Array, traces: Nested) -> None:
        """Put into the tape what stands for presynaptic activity; by default the activity itself."""

    def reverse(self, x: Array, gy: Array, traces: Nested) -> None:
        """Add the gradients of the step just made: its input is ``x`` [1, B, ...], the loss's derivative ``gy``."""
        self.offer(x, traces)
        self.net.backward(gy, self.tape, self.grads, wanted=False)

    def step(self, x: Any, target: Any) -> float:
        """One pass over a batch; returns the sum of the steps' losses.

        Parameters
        ----------
        x : array [T, B, ...] or iterable of arrays [B, ...]
            Input; a generator is consumed step by step and never stored.
        target : array, or iterator of arrays
            The same for all steps ([B] labels, or [B, C] numbers), or one for each: an array [T, B] of labels or
            [T, B, C] of numbers, or an iterator that gives one at every step.
        """
        total = 0.0
        for value, grads in self.passes(x, target):
            total += value
            if self.update == "step":
                self.change(self.checked(grads))
        if self.update == "sample":
            self.change(self.checked(flatten(self.grads)))
        self.iteration += 1
        return total

    def gradients(self, x: Any, target: Any) -> tuple[float, dict[str, Array]]:
        total = sum(value for value, _ in self.passes(x, target, accumulate=True))
        return total, self.checked(flatten(self.grads))

    def passes(self, x: Any, target: Any, accumulate: bool | None = None) -> Iterator[tuple[float, dict[str, Array]]]:
        """Go through time; yields each step's loss and gradients (with ``accumulate``, their sum so far).

        Parameters may be changed between steps: the state then goes on from what the older ones made.
        """
        accumulate = self.update == "sample" if accumulate is None else accumulate
        draws = Draws(self.seed, "training", self.iteration)
        state: Nested | None = None
        traces: Nested = {}
        targets, output, t, batch = _targets(target), None, -1, 0
        self.clear()
        for t, given in enumerate(_steps(x)):
            now = self.net.check_input(given[None])
            if state is None:
                batch, state = now.shape[1], self.net.initial(now.shape[1])
            if now.shape[1] != batch:
                raise ValueError(f"step {t} of the input has a batch of {now.shape[1]}, but step 0 one of {batch}")
            y, state = self.net.forward(now, state, self.tape, draws)
            value, gy = self.loss(y, _next(targets, t))
            if not np.isfinite(value):
                raise ValueError(f"the loss of step {t} is {value}")
            output = y.copy() if output is None else np.add(output, y, out=output)
            if t and not accumulate:
                self.clear()
            self.reverse(now, gy, traces)
            yield value, flatten(self.grads)
        if output is None:
            raise ValueError("the input has no steps")
        if is_moving(target) and len(target) != t + 1:
            raise ValueError(f"target has {len(target)} steps, but the input has {t + 1}")
        self.output = output / (t + 1)


def _steps(x: Any) -> Iterator[Array]:
    """The steps of an array [T, ...] or of an iterable."""
    if not isinstance(x, Iterable):
        raise TypeError(f"input must be an array [T, B, ...] or an iterable of arrays [B, ...], not {x!r}")
    return (np.asarray(step) for step in x)


def is_moving(target: Any) -> bool:
    """Whether this holds a target for each step: labels [T, B] or numbers [T, B, C]."""
    if isinstance(target, Iterator):
        return False
    target = np.asarray(target)
    return target.ndim == (2 if target.dtype.kind in "iu" else 3)


def _targets(target: Any) -> Iterator[Any]:
    """The target of each step, as the loss wants it for one step."""
    if isinstance(target, Iterator):
        return target
    target = np.asarray(target)
    if is_moving(target):
        return (target[t : t + 1] for t in range(len(target)))
    return itertools.repeat(target)


def _next(targets: Iterator[Any], t: int) -> Any:
    try:
        return next(targets)
    except StopIteration:
        raise ValueError(f"target has {t} steps, but the input has more") from None
