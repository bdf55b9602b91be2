"""A dense connection with the population after it, run as one: forward over all samples, in reverse over some.

    x[t] = W s[t] + b (+ V y[t-1] in a loop),    y[t], v[t] = step(x[t], v[t-1])

Currents come from events or from BLAS, whichever costs less at the activity that is counted; what is kept for the
backward pass, the ``Plan`` says. Rows are ordered by sample first: ``b T + t``.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from ...device.buffers import zeros
from ...device.threads import run_each, shares_lines, tiles
from ...kernels.population import fused, fused_backward
from ...kernels.population.fused_backward import Errors
from ...kernels.products.bits import AT_ONCE
from ...spikes.blocks import LINE, from_lines, lines_of, rows_of, to_lines
from ...spikes.packed import PackedSpikes
from ...spikes.spike_input import SpikeInput
from ..dense import Dense
from ..layer import Array, Nested, Start
from ..population import Population
from .block_tape import BlockGradients, BlockTape, Workspace
from .currents import NO_INDEX, NO_SECTIONS, NOTHING, InputCurrents, listed
from .layout import BlockLayout
from .memory_plan import LINE_BYTES, NARROW, Plan, Sizes

GROUP = 8
"""Samples whose backward pass advances together in recurrent layers."""

FEW_EVENTS, FAR = 12.0, 2**22
"""Currents made of at most this many events a row, on average, are made again in the backward pass, if all of them take
more than so many bytes: to write and read them takes longer."""

u = np.uintp


class FusedBlock:
    """A connection and its population.

    Attributes
    ----------
    names : tuple of str
        What the container calls the two layers.
    feedback : Dense or None
        From the population back to itself.
    last : bool
        Whether its outputs leave the stack, as numbers.
    together : int
        How many lines go through all samples together: those of a loop, as each of them acts on all.
    """

    def __init__(
        self, names: tuple[str, str], connection: Dense, population: Population, feedback: Dense | None, last: bool
    ):
        self.names, self.connection, self.population, self.feedback = names, connection, population, feedback
        self.last = last
        self.lines, self.dtype = BlockLayout(population, feedback is not None), population.setting.dtype
        self.drive = InputCurrents(names[0], connection, feedback)
        self.n_pre, self.units, self.width = self.drive.n_pre, self.drive.units, self.drive.width
        self._leak = self._leak_now()
        self.together = u(1 if feedback is None else self.lines.blocks)

    def sizes(self, rows: int) -> Sizes:
        """Sizes that the memory for ``rows``, T B, depends on."""
        share, looped = self.drive.largest_rate(rows), self.feedback is not None
        size = self.dtype.itemsize
        return Sizes(self.names, self.n_pre, self.units, self.width, self.lines.states, size, looped, share)

    def tape(self, plan: Plan, workspace: Workspace, wanted: bool) -> BlockTape:
        """A tape for batches under ``plan``; ``wanted`` says whether a block before this one gets its errors."""
        looped, rows = self.feedback is not None, plan.steps * plan.batch
        tape = BlockTape(self.lines, plan, plan.kept[self.names], self.n_pre, looped, workspace)
        if not self.last or looped:
            tape.spikes = PackedSpikes(plan.steps, plan.batch, self.units, tape.lists)
        tape.kernels["forward"], tape.back = self.lines.kernel("forward"), BlockGradients(tape, wanted)
        tape.limit, tape.counted = self.drive.largest_rate(rows), self.drive.counts(rows)
        if self.population.steady:
            tape.P = self.lines.parameters(tape.Z)
        return tape

    def forward(
        self, x: Array | PackedSpikes | SpikeInput, state: Nested | None, tape: BlockTape
    ) -> Array | PackedSpikes | None:
        """Run all samples, from initial values if there is no ``state``; spikes for the next unit, or numbers [T, B, N]
        of the last.

        None if outputs that should be spikes were other numbers than 0 and 1.
        """
        steps, batch = tape.plan.steps, tape.plan.batch
        if not (tape.arranged or self.population.steady):
            tape.P = self.lines.parameters(tape.Z)
        if state is not None or not tape.begun or self.population.params:
            given = self.population.initial(batch) if state is None else state
            tape.fed = given[self.population.neuron.output].reshape(batch, self.units)
            to_lines(self._stacked(given, batch), tape.states[:, 0])
        tape.start, tape.begun = state is None or isinstance(state, Start), state is None
        self.drive.arrange(tape)
        self.drive.choose(x, tape)
        tape.kept = tape.plan.kept[self.names] and not self._cheap(tape)
        spikes, tape.output = tape.spikes, np.empty((steps if self.last else 0, batch, self.units), self.dtype)
        if spikes is not None:
            spikes.start, spikes.index = NOTHING, None  # of the run before
        if self._run(tape):
            return None
        if self.feedback is not None and spikes is not None:
            spikes.find(1.0, tape.plan.listed)
        return tape.output if self.last else spikes

    def final(self, tape: BlockTape) -> Nested:
        """State and output after the last step, [B, ...] by name."""
        neuron, shape = self.population.neuron, (tape.plan.batch, *self.population.shape)
        found = dict(zip(neuron.state, from_lines(tape.states[:, -1], self.units), strict=True))
        if tape.spikes is None:
            found[neuron.output] = tape.output[-1].copy()
        else:
            found[neuron.output] = tape.spikes.at(tape.plan.steps - 1).astype(self.dtype)
        return {name: line.reshape(shape) for name, line in found.items()}

    def outputs(self, tape: BlockTape) -> Array:
        """The outputs of the last run, [T, B, ...]."""
        y: Array = tape.output if tape.spikes is None or len(tape.output) else tape.spikes.dense(self.dtype)
        return y.reshape(*y.shape[:2], *self.population.shape)

    def unfold(self, tape: BlockTape) -> None:
        """Make in ``tape.records`` the record that the population's own run would have left."""
        initial, neuron = from_lines(tape.states[:, 0], self.units), self.population.neuron
        state = {**dict(zip(neuron.state, initial, strict=True)), neuron.output: tape.fed}
        run = self.population.begin(self._replay(tape), state, tape.records)
        self.population.advance(run, 0, tape.plan.steps)

    def _replay(self, tape: BlockTape) -> Array:
        """The currents of the last run, [T, B, N]."""
        plan = tape.plan
        if not tape.kept:
            tape = copy(tape)
            tape.kept = True
            self._run(tape)
        rows = rows_of(tape.X, self.lines.blocks)[:, : self.units]
        return np.ascontiguousarray(rows.reshape(plan.batch, plan.steps, -1).transpose(1, 0, 2))

    def _run(self, tape: BlockTape) -> int:
        """All samples from their initial states; returns how many outputs are no spikes but should be."""
        plan, dense, other = tape.plan, tape.events is None, 0
        X = self._currents(tape)
        for b0, b1 in plan.chunks if dense or not plan.listed or self.feedback is None else [(0, plan.batch)]:
            first = b0 * plan.steps if tape.kept else 0
            if dense:
                self.drive.multiply(b0, b1, tape, X, first)
            other += self._run_forward(b0, b1, first, tape)
        return other

    def _currents(self, tape: BlockTape) -> Array:
        """Room for currents, as many as this run keeps."""
        plan = tape.plan
        rows = plan.batch if tape.events is not None else plan.chunk * plan.steps
        size = self.lines.blocks * (plan.batch * plan.steps if tape.kept else rows)
        if len(tape.room) < size:
            tape.room = zeros((size, LINE), self.dtype)
        tape.X = tape.room[:size]
        return tape.X

    def _run_forward(self, b0: int, b1: int, row: int, tape: BlockTape) -> int:
        """Samples [b0, b1), whose currents have, or are, the rows of ``X`` from ``row`` on."""
        steps, every, marks, X = tape.plan.steps, tape.plan.every, tape.marks, tape.X
        compiled, whole, first, last = tape.kernels["forward"], tape.kept or tape.events is None, b0 * steps, b1 * steps
        start, index = (NOTHING, NO_INDEX) if tape.events is None else tape.events.rows(first, last)
        spikes, y = tape.spikes, tape.output
        bits = _NO_BITS if spikes is None else spikes.bits[first:last]
        looped, S = self.feedback is not None, tape.S[b0 * marks : b1 * marks]

        sizes = fused.Sizes(u(steps), u(every), self.together)
        given = fused.Currents(start, index, tape.W, tape.bias, X, u(row), whole, False)
        loop = fused.Feedback(tape.V, tape.across, tape.entry[b0:b1], NOTHING, NO_INDEX)
        out = fused.Outputs(bits, y.reshape(-1, self.units), u(y.shape[1]), u(b0))

        size = (last - first) * self.width
        calls, lines = list[tuple[Any, ...]](), self.lines.blocks
        for lo, hi, q0, q1 in tiles(b1 - b0, lines, not looped and shares_lines(b1 - b0, lines), size):
            Z, H, _ = tape.lanes.get(key := (lo, q0, 1, 0, True)) or self._lanes(tape, key)
            Z[...] = tape.Z.reshape(-1)
            own = np.empty((self.width + AT_ONCE) * looped, np.uint32)
            lanes = fused.Lanes(tape.P, Z.reshape(-1), S, H)
            calls.append((u(lo), u(hi), u(q0), u(q1), sizes, given, loop, own, lanes, out))
        additions = int(start[-1] - start[0]) * self.units if len(start) else 0
        part = f"{self.names[1]} forward", X.itemsize * size if whole else 0, size + additions
        return sum(run_each(compiled, calls, part))

    def backward(self, b0: int, b1: int, errors: Errors, tape: BlockTape, direction: str) -> None:
        """Backward pass of samples [b0, b1): puts their gradient with respect to the currents into ``tape.back.G``, and
        adds to the sums; those of weights whose input is traced, ``drive.learn`` adds."""
        steps, every, X, kept, dense = tape.plan.steps, tape.plan.every, tape.X, tape.kept, tape.events is None
        first, last, marks, lines, back = b0 * steps, b1 * steps, tape.marks, self.lines.blocks, tape.back
        if dense and not kept:
            self.drive.multiply(b0, b1, tape, X, 0)
        start, index, back_start, back_index = NOTHING, NO_INDEX, NOTHING, NO_INDEX
        looped, G = self.feedback is not None, back.G
        if not kept:  # the currents are made again
            if tape.events is not None:
                start, index = tape.events.rows(first, last)
            if looped and tape.spikes is not None:
                back_start, back_index = tape.spikes.rows(first, last)
        by_input, by_lines, added = (NO_SECTIONS, NO_INDEX), not looped and shares_lines(b1 - b0, lines), 0
        if tape.trace is None and not dense:
            by_input = self.drive.by_input(b0, b1, tape)
            added = listed(by_input[0]) * self.units if by_lines else 0
        with_lines = by_input if by_lines else (NO_SECTIONS, NO_INDEX)
        if direction not in tape.kernels:
            tape.kernels[direction] = self.lines.kernel(direction)
        sizes = fused.Sizes(u(steps), u(every), self.together)
        row, whole = u(first if kept else 0), kept or dense
        currents = fused.Currents(start, index, tape.W, tape.bias, X, row, whole, kept)
        loop = fused.Feedback(tape.V, tape.across, tape.entry[b0:b1], back_start, back_index)
        gradients = fused_backward.Gradients(G, back.gS[b0:b1], back.gP[b0:b1], *with_lines, back.weight)
        S = tape.S[b0 * marks : b1 * marks]

        size = (b1 - b0) * steps * self.width
        calls = list[tuple[Any, ...]]()
        for lo, hi, q0, q1 in tiles(b1 - b0, lines, by_lines, size + added):
            group = min(GROUP, hi - lo) if looped else 1
            Z, H, room = tape.lanes.get(key := (lo, q0, group, every, whole)) or self._lanes(tape, key)
            Z[...] = tape.Z.reshape(-1)
            own, given = fused.Lanes(tape.P, Z.reshape(-1), S, H), currents if whole else currents._replace(X=room)
            calls.append((u(lo), u(hi), u(q0), u(q1), u(group), sizes, given, loop, own, errors, gradients))
        name = f"{self.names[1]} backward" + f", {self.names[0]} gradient" * bool(added)
        product = (b1 - b0) * (steps - 1) * self.units * self.width * looped
        part = name, (2 * size + added) * X.itemsize, size + added + product
        run_each(tape.kernels[direction], calls, part)
        if tape.trace is None:
            self.drive.accumulate(b0, b1, (NO_SECTIONS, NO_INDEX) if added else by_input, tape)
        if looped:
            lines_of(back.entry, lines, b0, b1)[...] = lines_of(G, lines, 0, last - first)[:, ::steps]

    def errors(self, b0: int, b1: int, tape: BlockTape, extra: Array) -> Errors:
        """What the block hands to the one before, of the gradient of its currents in samples [b0, b1); with ``extra``,
        the loss's own gradient with respect to that one's output."""
        plan, G = tape.plan, tape.back.G
        if self.units <= NARROW:
            return Errors(extra, u(plan.batch), u(1), u(b0), G, tape.back.across)
        errors = tape.errors[: (b1 - b0) * plan.steps]
        self.drive.back(G, errors)
        if len(extra):
            given = extra.reshape(plan.steps, plan.batch, -1)[:, b0:b1].transpose(1, 0, 2)
            errors += given.reshape(len(errors), -1)
        return Errors(errors, u(1), u(plan.steps), u(0), G[:0], G[:0])

    def pull(self, b0: int, b1: int, tape: BlockTape, gx: Array) -> None:
        """Fill gx [T, B, M] in samples [b0, b1) with the gradient of the input; a few at a time, which stay in a near
        cache."""
        steps = tape.plan.steps
        few = min(b1 - b0, max(1, LINE_BYTES // (steps * self.n_pre * self.dtype.itemsize)))
        for b in range(b0, b1, few):
            end = min(b + few, b1)
            pulled = tape.workspace.matrix("pulled", few * steps, self.n_pre, self.dtype)[: (end - b) * steps]
            self.drive.back(tape.back.G, pulled, (b - b0) * steps)
            gx[:, b:end] = pulled.reshape(end - b, steps, -1).transpose(1, 0, 2)

    def _lanes(self, tape: BlockTape, key: tuple[int, int, int, int, bool]) -> tuple[Array, Array, Array]:
        """What a thread works in: lines and states of a group of samples, ``every`` steps of them, and their currents
        unless ``whole``."""
        _, _, group, every, whole = key
        shapes = (group, tape.Z.size), (group * every * self.lines.states * self.width,)
        Z, H = (zeros(shape, self.dtype) for shape in shapes)
        X = zeros((0 if whole else self.lines.blocks * group * every, LINE), self.dtype)
        tape.lanes[key] = Z, H, X
        return Z, H, X

    def _cheap(self, tape: BlockTape) -> bool:
        """Whether it takes less time to make the currents again than to keep them."""
        rows, events = tape.plan.steps * tape.plan.batch, tape.events
        if events is None or self.feedback is not None or rows * self.width * self.dtype.itemsize < FAR:
            return False
        return events.rate * self.n_pre <= FEW_EVENTS

    def leak(self) -> Array:
        """Factors per step of the traces that the population's spikes leave, one for all units or one for each."""
        return self._leak if self.population.steady else self._leak_now()

    def _leak_now(self) -> Array:
        values, leak = self.population.values, self.population.neuron.leak
        return self.lines.table()[list(values).index(leak), : values[leak].size] if leak else np.ones(1, self.dtype)

    def _stacked(self, state: Nested, batch: int) -> Array:
        names = self.population.neuron.state
        arrays = [state[name].reshape(batch, self.units) for name in names]
        return np.stack(arrays) if arrays else np.empty((0, batch, self.units), self.dtype)


_NO_BITS = np.empty((0, 0), np.uint64)
