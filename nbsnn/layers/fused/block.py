"""A dense connection with the population after it, run as one: forward over all samples, in reverse over some.

    x[t] = W s[t] + b (+ V y[t-1] in a loop),    y[t], v[t] = step(x[t], v[t-1])

Currents come from events or from BLAS, whichever costs less at the activity that is counted; what is kept for the
backward pass, the ``Plan`` says. Rows are ordered by sample first: ``b T + t``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...device.profile import span
from ...device.threads import run_threaded, threads
from ...kernels.population import fused, fused_backward
from ...spikes.blocks import LINE, lines_of, rows_of
from ...spikes.packed import PackedSpikes
from ...spikes.spike_input import SpikeInput
from ..dense import Dense
from ..layer import Array, Nested
from ..population import Population
from .currents import NO_INDEX, NOTHING, InputCurrents
from .layout import BlockLayout, aligned, copied, from_lines, room, to_lines
from .memory_plan import Plan, Sizes

GROUP = 16
"""Samples whose backward pass advances together in recurrent layers."""

EVEN = 1.2
"""Threads split lines; if that is unbalanced by more than this factor, they split samples."""

u = np.uintp


class FusedBlock:
    """A connection and its population.

    Attributes
    ----------
    names : tuple of str
        What the container calls the two layers.
    feedback : Dense or None
        From the population back to itself.
    """

    def __init__(self, names: tuple[str, str], connection: Dense, population: Population, feedback: Dense | None):
        self.names, self.connection, self.population, self.feedback = names, connection, population, feedback
        self.lines, self.dtype = BlockLayout(population), population.setting.dtype
        self.drive = InputCurrents(names[0], connection, feedback)
        self.n_pre, self.units, self.width = self.drive.n_pre, self.drive.units, self.drive.width

    def sizes(self, rows: int) -> Sizes:
        """Sizes that the memory for ``rows``, T B, depends on."""
        share, looped = self.drive.largest_rate(rows), self.feedback is not None
        size = self.dtype.itemsize
        return Sizes(self.names, self.n_pre, self.units, self.width, self.lines.states, size, looped, share)

    def forward(
        self, x: Array | PackedSpikes | SpikeInput, state: Nested, plan: Plan, tape: Nested, last: bool
    ) -> Array | PackedSpikes | None:
        """Run all samples; spikes for the next unit, or numbers [T, B, N] of the ``last``.

        None if outputs that should be spikes were other numbers than 0 and 1.
        """
        steps, batch = plan.steps, plan.batch
        tape |= {"plan": plan, "given": x}
        self.drive.choose(x, plan, tape)
        with span("arrange"):
            tape["P"], tape["Z"] = self.lines.parameters()
            self.drive.arrange(state[self.population.neuron.output].reshape(batch, self.units), tape)
            to_lines(self._stacked(state, batch), self._states(tape)[:, 0])
        spikes = tape["spikes"] = None if last and not self.feedback else PackedSpikes(steps, batch, self.units, tape)
        tape["output"] = np.empty((steps if last else 0, batch, self.units), self.dtype)
        tape["kept"] = plan.kept[self.names]
        tape["X"] = self._currents(plan, tape)
        if self._run(plan, tape):
            return None
        if self.feedback is not None and spikes is not None:
            with span("events", bytes=spikes.bits.nbytes):
                spikes.find(1.0, plan.listed)
        return tape["output"] if last else spikes

    def final(self, tape: Nested) -> Array:
        """The states after the last step, [K, B, N]."""
        return from_lines(self._states(tape)[:, -1], self.units)

    def output(self, tape: Nested) -> Array:
        """The outputs of the last run, [T, B, ...]."""
        y = tape["output"] if len(tape["output"]) else tape["spikes"].dense(self.dtype)
        return y.reshape(*y.shape[:2], *self.population.shape)

    def unfold(self, inner: Nested) -> None:
        """Make in the population's tape ``inner`` the record that its own run would have left."""
        small = inner["small"]
        state = dict(zip(self.population.neuron.state, from_lines(self._states(small)[:, 0], self.units), strict=True))
        start = inner["start"]
        self.population.begin(self._replay(small), {**state, self.population.neuron.output: small["fed"]}, inner)
        self.population.advance(inner, 0, small["plan"].steps)
        inner["start"] = start

    def _replay(self, tape: Nested) -> Array:
        """The currents of the last run, [T, B, N]."""
        plan: Plan = tape["plan"]
        if not tape["kept"]:
            tape = {**tape, "kept": True}
            del tape["X room"]
            tape["X"] = self._currents(plan, tape)
            self._run(plan, tape)
        rows = rows_of(tape["X"], self.lines.blocks)[:, : self.units]
        return np.ascontiguousarray(rows.reshape(plan.batch, plan.steps, -1).transpose(1, 0, 2))

    def _states(self, tape: Nested) -> Array:
        """The checkpoints of states, [B, checkpoints, Q, K, 64]: the first is the initial, the last the final one."""
        plan: Plan = tape["plan"]
        shape = (plan.batch, -(-plan.steps // plan.every) + 1, self.lines.blocks, self.lines.states, LINE)
        return room(tape, "S", (shape[0] * shape[1], math.prod(shape[2:])), self.dtype).reshape(shape)

    def _currents(self, plan: Plan, tape: Nested) -> Array:
        """Room for currents: all that are kept, those of a few samples for BLAS, or one row for each of these."""
        kept, dense = tape["kept"], _dense(tape)
        rows = plan.batch * plan.steps if kept else plan.chunk * plan.steps if dense else plan.batch
        return room(tape, "X room", (self.lines.blocks * rows, LINE), self.dtype)

    def _run(self, plan: Plan, tape: Nested) -> int:
        """All samples from their initial states; returns how many outputs are no spikes but should be."""
        steps, dense, other = plan.steps, _dense(tape), 0
        for b0, b1 in plan.chunks() if dense or not plan.listed or self.feedback is None else [(0, plan.batch)]:
            first = b0 * steps if tape["kept"] else 0
            if dense:
                self.drive.multiply(b0, b1, tape, tape["X"], first)
            other += self._run_forward(b0, b1, first, tape)
        return other

    def _run_forward(self, b0: int, b1: int, row: int, tape: Nested) -> int:
        """Samples [b0, b1), whose currents have, or are, the rows of ``X`` from ``row`` on."""
        steps, every, X, whole = tape["plan"].steps, tape["plan"].every, tape["X"], tape["kept"] or _dense(tape)
        compiled, template = self.lines.kernel("forward"), tape["Z"]
        first, last, marks = b0 * steps, b1 * steps, -(-steps // every) + 1
        start, index = self.drive.events(first, last, tape)
        spikes, y, others = tape["spikes"], tape["output"], []
        bits = _NO_BITS if spikes is None else spikes.bits[first:last]
        looped = len(tape["V"]) > 0
        entry, S = tape["entry"][b0:b1] if looped else tape["entry"], tape["S"][b0 * marks : b1 * marks]

        sizes = fused.Sizes(u(steps), u(every), self._together)
        given = fused.Currents(start, index, tape["W"], tape["bias"], X, u(row), whole, False)
        loop = fused.Feedback(tape["V"], tape["V across"], entry, NOTHING, NO_INDEX)
        out = fused.Outputs(bits, y.reshape(-1, self.units), u(y.shape[1]), u(b0))
        nothing = np.empty(0, self.dtype)

        def call(lo: int, hi: int, q0: int, q1: int) -> None:
            lanes = fused.Lanes(tape["P"], copied(template), S, nothing)
            own = np.empty(self.width if looped else 0, np.uint32)
            others.append(compiled(u(lo), u(hi), u(q0), u(q1), sizes, given, loop, own, lanes, out))

        size = (last - first) * self.width
        with span(f"{self.names[1]} forward", bytes=X.itemsize * size if whole else 0, ops=size):
            self._share(call, b1 - b0, size)
        return sum(others)

    def backward(
        self,
        b0: int,
        b1: int,
        gy: Array,
        strides: tuple[int, int, int],
        narrow: Array,
        across: Array,
        tape: Nested,
        sums: Nested,
    ) -> Array:
        """Backward pass of samples [b0, b1): their gradient with respect to the current, in lines, [Q chunk T, 64].

        gy: row ``t strides[0] + (b + strides[2]) strides[1]`` is the gradient of the output; ``narrow @ across``
        is added. ``sums`` collects the gradients of weights and biases.
        """
        plan: Plan = tape["plan"]
        steps, every, X, kept, dense = plan.steps, plan.every, tape["X"], tape["kept"], _dense(tape)
        first, last, marks, lines = b0 * steps, b1 * steps, -(-steps // plan.every) + 1, self.lines.blocks
        G = room(tape, "G", (lines * plan.chunk * steps, LINE), self.dtype)
        if dense and not kept:
            self.drive.multiply(b0, b1, tape, X, 0)
        start, index = self.drive.events(first, last, tape)
        own, looped = tape["spikes"], len(tape["V"]) > 0
        back_start, back_index = own.rows(first, last) if looped else (NOTHING, NO_INDEX)
        entry = tape["entry"][b0:b1] if looped else tape["entry"]
        by_input = self.drive.by_input(b0, b1, tape)
        with_lines = by_input if self._by_lines(b1 - b0) else (NOTHING, NO_INDEX)
        compiled, template, lanes = self.lines.kernel("backward"), tape["Z"], self.lines.states * self.width
        sizes = fused.Sizes(u(steps), u(every), self._together)
        row, whole = u(first if kept else 0), kept or dense
        currents = fused.Currents(start, index, tape["W"], tape["bias"], X, row, whole, kept)
        loop = fused.Feedback(tape["V"], tape["V across"], entry, back_start, back_index)
        after = fused_backward.Errors(gy, u(strides[0]), u(strides[1]), u(strides[2]), narrow, across)
        gradients = fused_backward.Gradients(G, tape["gS"][b0:b1], tape["gP"][b0:b1], *with_lines, sums["W"])
        S = tape["S"][b0 * marks : b1 * marks]

        def call(lo: int, hi: int, q0: int, q1: int) -> None:
            group = min(GROUP, hi - lo) if looped else 1
            own = fused.Lanes(tape["P"], copied(template, group), S, aligned((group * every * lanes,), self.dtype))
            given = currents if whole else currents._replace(X=aligned((lines * group * every, LINE), self.dtype))
            compiled(u(lo), u(hi), u(q0), u(q1), u(group), sizes, given, loop, own, after, gradients)

        size, added = (b1 - b0) * steps * self.width, len(with_lines[1]) * self.units
        name = f"{self.names[1]} backward" + f", {self.names[0]} gradient" * bool(added)
        with span(name, bytes=(2 * size + added) * X.itemsize, ops=size + added):
            self._share(call, b1 - b0, size)
        self.drive.accumulate(b0, b1, G, (NOTHING, NO_INDEX) if added else by_input, tape, sums)
        if looped:
            entered = room(tape, "g entry", (lines * plan.batch, LINE), self.dtype)
            lines_of(entered, lines, b0, b1)[...] = lines_of(G, lines, 0, last - first)[:, ::steps]
        return G

    @property
    def _together(self) -> np.uintp:
        """How many lines go through all samples together: those of a loop, as each of them acts on all."""
        return u(1 if self.feedback is None else self.lines.blocks)

    def _by_lines(self, samples: int) -> bool:
        """True if threads share lines, not samples."""
        if self.feedback is not None:
            return False
        busiest = -(-self.lines.blocks // threads()) * threads()
        return busiest <= EVEN * self.lines.blocks or samples < threads()

    def _share(self, call: Callable[[int, int, int, int], Any], samples: int, work: int) -> None:
        """``call(b0, b1, q0, q1)`` over lines or samples."""
        if self._by_lines(samples):
            run_threaded(lambda lo, hi: call(0, samples, lo, hi), self.lines.blocks, work)
        else:
            run_threaded(lambda lo, hi: call(lo, hi, 0, self.lines.blocks), samples, work)

    def _stacked(self, state: Nested, batch: int) -> Array:
        names = self.population.neuron.state
        arrays = [state[name].reshape(batch, self.units) for name in names]
        return np.stack(arrays) if arrays else np.empty((0, batch, self.units), self.dtype)


_NO_BITS = np.empty((0, 0), np.uint64)


def _dense(tape: Nested) -> bool:
    """True if BLAS makes the currents."""
    return tape["events"] is None
