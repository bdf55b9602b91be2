"""Learning while time passes: the loop that SLTT and OTTT share.

At every step: run it, ask the loss for its derivative by that step's output, and go back through the layers, but not
through time. What is kept does not grow with the number of steps, and the input may come step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from ..layers.layer import Array, Layer, Nested, flatten
from ..losses import StepCrossEntropy
from ..optim import Adam, clip_by_norm
from ..random import Draws
from ..validate import choice, finite


class Online:
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
    """

    def __init__(
        self,
        net: Layer,
        loss: Callable[..., tuple[float, Array]] | None = None,
        optimizer: Any = None,
        *,
        update: str = "sample",
        clip: float | None = None,
        seed: int = 0,
    ):
        self.net = net
        self.loss = StepCrossEntropy(reduction="sum") if loss is None else loss
        if not callable(self.loss):
            raise TypeError(f"loss must be callable, loss(output, target), not {loss!r}")
        self.optimizer = Adam() if optimizer is None else optimizer
        self.update = choice("update", update, ("sample", "step"))
        self.clip, self.seed, self.iteration = clip, seed, 0
        self.grads = net.zeros()
        self.tape: Nested = {}
        self.output: Array = np.empty(0)

    def offer(self, x: Array, traces: Nested) -> None:
        """Put into the tape what stands for presynaptic activity; by default the activity itself."""

    def step(self, x: Any, target: Any) -> float:
        """One pass over a batch; returns the sum of the steps' losses.

        Parameters
        ----------
        x : array [T, B, ...] or iterable of arrays [B, ...]
            Input; a generator is consumed step by step and never stored.
        target : array
            The same for all steps ([B] labels, or [B, C] numbers), or one for each ([T, B] or [T, B, C]).
        """
        total = 0.0
        for value, grads in self.passes(x, target):
            total += value
            if self.update == "step":
                self._change(grads)
        if self.update == "sample":
            self._change(flatten(self.grads))
        self.iteration += 1
        return total

    def gradients(self, x: Any, target: Any) -> tuple[float, dict[str, Array]]:
        """Value of the loss and the sum of the steps' gradients, without a training step.

        The arrays are the learner's own and are overwritten by the next call.
        """
        total = sum(value for value, _ in self.passes(x, target, accumulate=True))
        return total, flatten(self.grads)

    def passes(self, x: Any, target: Any, accumulate: bool | None = None) -> Iterator[tuple[float, dict[str, Array]]]:
        """Go through time; yields each step's loss and gradients (with ``accumulate``, their sum so far).

        Parameters may be changed between steps: the state then goes on from what the older ones made.
        """
        accumulate = self.update == "sample" if accumulate is None else accumulate
        draws = Draws(self.seed, "training", self.iteration)
        state: Nested | None = None
        traces: Nested = {}
        outputs = []
        self._clear()
        for t, given in enumerate(_steps(x)):
            now = self.net.check_input(given[None])
            state = self.net.initial(now.shape[1]) if state is None else self.net.check_state(state, now.shape[1])
            y, state = self.net.forward(now, state, self.tape, draws)
            value, gy = self.loss(y, _at(target, t))
            outputs.append(y[0].copy())
            if not accumulate:
                self._clear()
            self.offer(now, traces)
            self.net.backward(gy, self.tape, self.grads, wanted=False)
            yield value, flatten(self.grads)
        if not outputs:
            raise ValueError("the input has no steps")
        self.output = np.stack(outputs)

    def state(self) -> dict[str, Array]:
        """All that a later process needs to go on bit for bit, apart from the network's parameters."""
        arrays = {f"optimizer/{name}": array for name, array in self.optimizer.state.items()}
        return {
            **arrays,
            "optimizer_iteration": np.array(self.optimizer.iteration),
            "iteration": np.array(self.iteration),
        }

    def load_state(self, state: Any) -> None:
        """Go on from what ``state`` returned."""
        slots = {name.removeprefix("optimizer/"): a for name, a in state.items() if name.startswith("optimizer/")}
        self.optimizer.load(slots, int(state["optimizer_iteration"]))
        self.iteration = int(state["iteration"])

    def _clear(self) -> None:
        for array in flatten(self.grads).values():
            array[...] = 0.0

    def _change(self, grads: dict[str, Array]) -> None:
        for name, array in grads.items():
            finite(f"the gradient of {name}", array)
        if self.clip is not None:
            clip_by_norm(grads, self.clip)
        self.optimizer.step(self.net.parameters(), grads)


def _steps(x: Any) -> Iterator[Array]:
    """The steps of an array [T, ...] or of an iterable."""
    if not isinstance(x, Iterable):
        raise TypeError(f"input must be an array [T, B, ...] or an iterable of arrays [B, ...], not {x!r}")
    return (np.asarray(step) for step in x)


def _at(target: Any, t: int) -> Array:
    """The target of step ``t``: that step's, if there is one for each, else the same."""
    target = np.asarray(target)
    moving = target.ndim == (2 if target.dtype.kind in "iu" else 3)
    if moving and t >= len(target):
        raise ValueError(f"target has {len(target)} steps, but the input has more")
    return target[t : t + 1] if moving else target
