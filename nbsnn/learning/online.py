"""Learning while time passes: the loop that SLTT, OTTT and e-prop share.

At every step: run it, ask the loss for its gradient at that step's output, and go back through the layers, but not
through time. What is kept does not grow with the number of steps, and the input may come step by step. As long as no
parameter changes in between, a window of steps goes through each layer at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..device.exclusive import exclusive
from ..layers.fused.network import fuse
from ..layers.layer import Array, Layer, Nested
from ..losses import StepCrossEntropy
from ..losses.checks import Target
from ..optim.optimizer import Optimizer
from ..random import Draws
from ..validate import choice, count, switch
from . import windows
from .learner import Learner, Loss


class Online(Learner):
    """A learner that goes forward in time; subclasses say whether a trace stands for presynaptic activity.

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
    window : int, optional
        How many steps go through each layer at once; by default up to 20, or 50 in such stacks, as far as
        their arrays are not too large.
        Steps go one by one where parameters change after each, and where a layer is recurrent or delays.
    compact : bool, default True
        Whether stacks of dense connections and populations run as one, as in ``BPTT``, where they can.

    Notes
    -----
    Errors stay within their step, so none gets past a ``Delay``: layers in front of one do not learn.
    ``output`` is the mean over the steps of the last batch, [1, B, ...]: all outputs would grow with time.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LI(), seed=0)
    >>> learner = nbsnn.OTTT(net, update="step")
    >>> isinstance(learner, nbsnn.learning.Online)
    True
    """

    input_decay: float | None = None  # of a trace of the input; None where activity itself is multiplied with errors

    def __init__(
        self,
        net: Layer,
        loss: Loss | str | None = None,
        optimizer: Optimizer | str | None = None,
        *,
        update: str = "sample",
        clip: float | None = None,
        seed: int = 0,
        window: int | None = None,
        compact: bool = True,
    ):
        super().__init__(net, StepCrossEntropy(reduction="sum") if loss is None else loss, optimizer, clip, seed)
        for name, layer in net.layers().items():
            if layer.over_time:
                raise NotImplementedError(
                    f"{name}, {layer!r}, belongs to all steps at once, which an online learner does not have: use BPTT"
                )
        self.update = choice("update", update, ("sample", "step"))
        self.window = None if window is None else count("window", window)
        self.windows = windows.Windows(self.net)
        if switch("compact", compact) and self.update == "sample" and self.windows.at_once:
            fused = fuse(self.net, convolutions=False, whole=True)
            if fused is not None and (self.input_decay is None or fused.traceable):
                self.net, self.fused, self.windows = fused, fused, windows.Windows(fused, True)
        self.close(Online)

    def offer(self, x: Array, traces: Nested) -> None:
        """Put into the tape what stands for presynaptic activity: itself, or with an ``input_decay`` its traces."""
        if self.input_decay is None:
            return
        net, own = self.net, traces.setdefault("net", {})
        if not self.input_decay:
            net.trace(x, self.tape, own)
            return
        trace = self.place.low_pass(x, self.input_decay, traces.get("input"), net.setting.device)
        net.trace(trace if net.lowpass and (len(x) > 1 or self.fused) else trace.array(), self.tape, own)
        traces["input"] = self.fused.trace_after(trace, self.tape) if self.fused else trace.after()

    def reverse(self, x: Array, gy: Array, traces: Nested) -> None:
        """Add the gradients of the steps just made: their input is ``x`` [T, B, ...], the loss's derivative ``gy``."""
        self.offer(x, traces)
        if len(x) == 1 and self.fused is None:
            self.net.backward(gy, self.tape, self.grads, wanted=False)
        else:
            self.net.backward_within(gy, self.tape, self.grads, wanted=False)

    @exclusive
    def step(self, x: Any, target: Target | Iterator[Target]) -> float:
        """One pass over a batch; returns the sum of the steps' losses.

        Parameters
        ----------
        x : array [T, B, ...] or iterable of arrays [B, ...]
            Input; a generator is consumed step by step and never stored.
        target : array, or iterator of arrays
            The same for all steps ([B] labels, or [B, C] numbers), or one for each: an array [T, B] of labels or
            [T, B, C] of numbers, or an iterator that gives one at every step.
        """
        if self.update == "sample":
            total, grads = self._gradients(x, target)
            self.change(grads)
        else:
            total = 0.0
            for value, grads in self.passes(x, target):
                total += value
                self.change(self.place.checked(grads))
        self.past.iteration += 1
        return total

    def _gradients(self, x: Any, target: Target | Iterator[Target]) -> tuple[float, dict[str, Array]]:
        total = sum(self._passes(x, target, True, self.window, True))
        return self.result(total)

    def passes(
        self, x: Any, target: Target | Iterator[Target], accumulate: bool | None = None
    ) -> Iterator[tuple[float, dict[str, Array]]]:
        """Go through time; yields each step's loss and gradients (with ``accumulate``, their sum so far).

        Parameters may be changed between steps: the state then continues from that of the old ones.
        """
        together = self.update == "sample" if accumulate is None else accumulate
        passes = self._passes(x, target, together, 1)
        while True:
            with self.exclusive:
                value = next(passes, None)
                if value is None:
                    return
                value = self.place.read(value)
            yield value, dict(self.by_name)

    def _passes(
        self, x: Any, target: Target | Iterator[Target], accumulate: bool, window: int | None, held: bool = False
    ) -> Iterator[float]:
        """The losses, as of ``passes``, for windows of steps; parameters are ``held`` if nobody can change them in
        between."""
        self.check_layers()
        self.place.clear(self.by_name)
        draws = Draws(self.seed, "training", self.past.iteration) if self.net.draws else None
        state: Nested | None = None
        traces: Nested = {}
        output: Any = None
        targets, t = windows.Targets(target), 0
        for now in self.windows.of(x, window):
            if state is None:
                state = self.net.initial(now.shape[1])
            elif self.fused is not None:
                state = self.fused.continued(self.tape, state, traces.get("net", {}), held)
            y, state = self.net.forward(now, state, self.tape, draws)
            value, gy = self._loss(y, targets, t)
            output = self.place.add_over_time(y, output)
            if t and not accumulate:
                self.place.clear(self.by_name)
            self.reverse(now, gy, traces)
            t += len(now)
            yield value
        targets.check()
        self.past.output = self.place.mean(output, t)

    def _loss(self, y: Array, targets: windows.Targets, t: int) -> tuple[float, Array]:
        """The losses of steps by themselves, added up, and their derivative; ``t`` is the first of the steps."""
        found = targets.take(len(y))
        if len(y) > 1 and (summed := getattr(self.loss, "summed", None)) is not None:
            value, gy = self.place.loss(summed, y, targets.together(found))
            if np.isfinite(value):
                return value, gy
        losses = (self.place.loss(self.loss, y[k : k + 1], target) for k, target in enumerate(found))
        values, parts = zip(*losses, strict=True)
        for k, value in enumerate(values):
            if not np.isfinite(value):
                raise ValueError(f"the loss of step {t + k} is {value}")
        return sum(values), self.net.arrays.concatenated(parts)
