"""Dense connections and populations in a row that run together, as a learner's network holds them (``network``).

Spikes between the layers of a stack stay bits, and errors stay few rows. Forward, one block (connection and
population) after the other; backward, all blocks for some samples, then for the next: samples do not touch each
other, so only the gradients with respect to weights grow on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np

from ...device.buffers import is_static
from ...device.threads import clear
from ...kernels.population.fused_backward import Errors
from ...random import Draws
from ...spikes.blocks import LINE, add_from_lines, from_lines
from ...spikes.packed import PackedSpikes
from ..layer import Array, Nested
from ..run import Run
from ..sequential import Sequential
from ..spike_trace import LowPass
from .block import FusedBlock
from .block_records import BlockRecords, LoopRecords
from .block_tape import BlockTape, InputTrace, Workspace
from .currents import LISTED
from .memory_plan import PLANS, Budget, Plan, at_rate, least, plan
from .part import Part, injected

u = np.uintp


@dataclass
class StackTape:
    """What a run of a ``FusedStack`` leaves.

    Attributes
    ----------
    plain : dict
        The tapes of layers that ran by themselves, by name.
    first : int
        The first block that ran fused; those before it ran by themselves.
    blocks : list of BlockTape
        What the blocks left; None for one that has not run.
    workspace : Workspace
        What they use in turn.
    again : bool
        Whether the next run has the parameters of the one before.
    """

    plain: Nested
    first: int
    blocks: list[BlockTape | None]
    workspace: Workspace = field(default_factory=Workspace)
    again: bool = False

    def fused(self) -> list[BlockTape]:
        """The tapes of the blocks that ran fused."""
        return [tape for tape in self.blocks[self.first :] if tape is not None]


class NotSpikes(Exception):
    """A population that should spike put out other numbers than 0 and 1."""


class FusedStack(Part):
    """Connections and populations in turn, each pair one block; only the last may put out other numbers than spikes.

    Blocks run by themselves, layer by layer, where an input does not change over time, and up to a population that
    should have spiked but has not. Where only ``whole`` runs are made, ``forward`` returns no state after one, which
    ``continued`` does, and nobody asks for the gradient of that before it.
    """

    checks_numbers, draws, takes_bits = True, False, True
    stated = False  # a population starts from its own initial values

    def __init__(self, net: Sequential, names: list[str], budget: Budget, whole: bool = False):
        super().__init__(net, names)
        self.budget, self.whole, self._plans = budget, whole, dict[tuple[Any, ...], Plan]()
        self.blocks: list[FusedBlock] = []
        for pair in zip(names[::2], names[1::2], strict=True):
            connection, neurons = (net.children[name] for name in pair)
            parts, last = neurons.fused_parts(), pair[1] == names[-1]
            self.blocks.append(FusedBlock(pair, connection, *parts, last))  # type: ignore[arg-type, misc]

    def plan(self, steps: int, batch: int, rate: float | None = None) -> Plan:
        made = self.plan_from(0, steps, batch)
        return made if rate is None else at_rate(made, [block.sizes(steps * batch) for block in self.blocks], rate)

    def least(self, steps: int, batch: int) -> int:
        """Bytes that a batch of this size takes at least."""
        return least([block.sizes(steps * batch) for block in self.blocks], steps, batch)

    def plan_from(self, first: int, steps: int, batch: int) -> Plan:
        """What a batch of this size takes, in blocks from ``first`` on; the same object as long as nothing changes."""
        key = (steps, batch, first, *(block.connection.path for block in self.blocks))
        if key not in self._plans:
            sizes = [block.sizes(steps * batch) for block in self.blocks[first:]]
            made = plan(sizes, steps, batch, self.budget.share(steps, batch), self.budget.max_bytes)
            self._plans = {**dict(list(self._plans.items())[-PLANS:]), key: made}
        return self._plans[key]

    def forward(
        self, x: Array | PackedSpikes, state: Nested, tape: Nested, draws: Draws | None = None
    ) -> tuple[Array, Nested]:
        name = self.blocks[0].names[0]
        kept: StackTape = tape[name] if name in tape else tape.setdefault(name, self._tape())
        names, final = list(self.children), dict[str, Any]()
        kept.first, end = 0, int(is_static(x))
        again, kept.again = kept.again, False
        while True:
            if end > kept.first and names[1] not in state:  # that of other parts alone
                state = self.initial(x.shape[1])
            if end > kept.first and isinstance(x, PackedSpikes):
                x = x.dense(self.setting.dtype)
            for name in names[2 * kept.first : 2 * end]:
                x = self._forward(name, cast(Array, x), state, kept.plain, draws, final)
            kept.first = end
            if end == len(self.blocks):
                return cast(Array, x), final
            try:
                return self._run(x, state, kept, final, again), final
            except NotSpikes as found:
                end = found.args[0] + 1

    def _tape(self) -> StackTape:
        """One whose blocks have not run yet."""
        return StackTape({}, 0, [None] * len(self.blocks))

    def _run(self, x: Array | PackedSpikes, state: Nested, kept: StackTape, final: Nested, again: bool) -> Array:
        """Run ``x`` [T, B, N] through the blocks from ``kept.first`` on, ``again`` with the same parameters."""
        made = self.plan_from(kept.first, len(x), x.shape[1])
        given: Any = x
        if not isinstance(x, LISTED):  # a read-only array would be a type of its own to the compiler: one more
            given = np.require(x, self.setting.dtype, ["C", "W"])
        for k in range(kept.first, len(self.blocks)):
            block, tape = self.blocks[k], kept.blocks[k]
            if tape is None or tape.plan is not made:
                kept.blocks[k] = tape = None  # gives its memory back first
                kept.blocks[k] = tape = block.tape(made, kept.workspace, k > kept.first)
            tape.arranged, tape.records = tape.arranged and again, {}
            own = state.get(block.names[1])  # None where the population starts from its initial values
            own = own["neurons"] if own and block.feedback is not None else own
            given = block.forward(given, own, tape)
            if given is None:
                raise NotSpikes(k)
            if not self.whole:
                after = block.final(tape)
                final[block.names[1]] = after if block.feedback is None else {"neurons": after}
        return given.reshape(*given.shape[:2], *self.shape)

    def backward(
        self,
        gy: Array,
        tape: Nested,
        grads: Nested,
        *,
        after: Nested | None = None,
        inject: Nested | None = None,
        wanted: bool = True,
    ) -> tuple[Array | None, Nested]:
        if after:
            raise NotImplementedError("a stack takes no gradient with respect to its final state: use compact=False")
        kept: StackTape = tape[self.blocks[0].names[0]]
        names, before = list(self.children), dict[str, Any]()
        if kept.first < len(self.blocks):
            gy = self._back(gy, kept, grads, before, inject, wanted or kept.first > 0, "backward")  # type: ignore[assignment]
        for name in reversed(names[: 2 * kept.first]):
            passed: dict[str, Any] = {"after": None, "inject": inject, "wanted": wanted or name != names[0]}
            gy = self._backward(name, gy, kept.plain, grads, before, **passed)  # type: ignore[assignment]
        return gy, before

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        """As ``Layer.trace``; of what comes in and is no ``LowPass``, the forward pass has the numbers."""
        kept: StackTape = tape[self.blocks[0].names[0]]
        for block in self.blocks[: kept.first]:
            x, neurons = self._trace(block.names[0], x, kept.plain, traces), block.names[1]
            y = block.population.output(kept.plain[neurons])
            spiking = block.population.neuron.output == "spikes"
            x = _offered(block, y, traces.setdefault(neurons, {})) if spiking else y
        blocks, tapes = self.blocks[kept.first :], kept.fused()
        if not blocks:
            return x
        given = InputTrace(x.decay, x.before) if isinstance(x, LowPass) else None
        own = [traces.setdefault(block.names[1], {}) for block in blocks]
        for block, left, kept_there in zip(blocks, tapes, own, strict=True):
            left.trace, given = given, InputTrace(float(block.leak()[0]), kept_there.get("trace"))
        population, y = blocks[-1].population, tapes[-1].output
        y = y.reshape(*y.shape[:2], *population.shape)
        return _offered(blocks[-1], y, own[-1]) if population.neuron.output == "spikes" else y

    def traces(self, handed_on: bool) -> bool:
        """True if what comes in is spikes, and units leak alike."""
        return handed_on and all(len(block.leak()) == 1 for block in self.blocks)

    def hands_on(self) -> bool:
        return True

    def continued(self, tape: Nested, state: Nested, traces: Nested, same: bool) -> Nested:
        kept: StackTape = tape[self.blocks[0].names[0]]
        kept.again, found, tapes = same, super().continued(tape, state, traces, same), kept.fused()
        for k, (block, left) in enumerate(zip(self.blocks[kept.first :], tapes, strict=True)):
            after = block.final(left)
            found[block.names[1]] = after if block.feedback is None else {"neurons": after}
            if k and left.trace is not None:  # of the spikes of the block before
                before = self.blocks[kept.first + k - 1]
                own = block.drive.trace_after(left).reshape(-1, *before.population.shape)
                traces[before.names[1]]["trace"] = own
        return found

    def trace_after(self, trace: LowPass, tape: Nested) -> Array:
        """The trace of the input after its window; where the first block has its events, these alone are counted."""
        kept: StackTape = tape[self.blocks[0].names[0]]
        if kept.first:
            return trace.after()
        return self.blocks[0].drive.trace_after(kept.fused()[0]).reshape(-1, *self.in_shape)

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        kept: StackTape = tape[self.blocks[0].names[0]]
        names = list(self.children)
        if kept.first < len(self.blocks):
            gy = self._back(gy, kept, grads, {}, None, wanted or kept.first > 0, "within")  # type: ignore[assignment]
        for name in reversed(names[: 2 * kept.first]):
            more = wanted or name != names[0]
            gy = self.children[name].backward_within(gy, kept.plain[name], grads[name], more)  # type: ignore[assignment]
        return gy

    def _back(
        self, gy: Array, kept: StackTape, grads: Nested, before: Nested, inject: Nested | None, wanted: bool,
        direction: str,
    ) -> Array | None:  # fmt: skip
        """The reverse of ``_run``; gradients with respect to the initial states are put into ``before``."""
        blocks, tapes = self.blocks[kept.first :], kept.fused()
        made = tapes[0].plan
        extra = [_extra(block, inject, made) for block in blocks]
        for left in tapes:
            clear(left.back.sums)
        gy = np.require(gy, self.setting.dtype, ["C", "W"]).reshape(-1, blocks[-1].units)
        if len(extra[-1]):
            gy = gy + extra[-1]
        gx = kept.workspace.matrix("gx", made.steps * made.batch, blocks[0].n_pre, gy.dtype) if wanted else None
        for b0, b1 in made.chunks:
            errors = Errors(gy, u(made.batch), u(1), u(b0), gy[:0], gy[:0])
            for k in reversed(range(len(blocks))):
                block, left = blocks[k], tapes[k]
                block.backward(b0, b1, errors, left, direction)
                if k:
                    errors = block.errors(b0, b1, left, extra[k - 1])
                elif gx is not None:
                    block.pull(b0, b1, left, gx.reshape(made.steps, made.batch, -1))
            for block, left in zip(blocks, tapes, strict=True):
                if left.trace is not None:
                    block.drive.learn(b0, b1, left)
        for block, left in zip(blocks, tapes, strict=True):
            own, after, back = grads[block.names[0]], grads[block.names[1]], left.back
            add_from_lines(back.weight, own["weight"])
            if block.connection.bias:
                own["bias"] += back.bias.reshape(-1)[: block.units]
            if block.feedback is not None:
                add_from_lines(back.loop, after["feedback"]["weight"])
                if block.feedback.bias:
                    after["feedback"]["bias"] += back.bias.reshape(-1)[: block.units]
        nobody = self.whole or direction == "within"  # asks for the gradient with respect to the initial state
        for block, left in zip(blocks, tapes, strict=True):
            if block.population.params or not nobody:
                _finish(block, left, grads[block.names[1]], None if nobody else before)
        return None if gx is None else gx.reshape(made.steps, made.batch, *blocks[0].connection.in_shape)

    def record(self, tape: Nested, name: str) -> Any:
        kept: StackTape = tape.get(self.blocks[0].names[0]) or self._tape()
        first, _, rest = name.partition("/")
        for block, left in zip(self.blocks[kept.first :], kept.blocks[kept.first :], strict=True):
            if first == block.names[1] and left is not None:
                kind = BlockRecords if block.feedback is None else LoopRecords
                records = kind(block.population, partial(block.outputs, left), partial(block.unfold, left))
                run = Run(records, np.empty(0), {}, left.records)
                return run[rest] if rest else run
        return super().record(kept.plain, name)


def _inner(block: FusedBlock, nested: Nested) -> Nested:
    """Where a nested dict holds what belongs to the unit's population."""
    own = nested.setdefault(block.names[1], {})
    return own.setdefault("neurons", {}) if block.feedback is not None else own


def _offered(block: FusedBlock, y: Array, traces: Nested) -> LowPass:
    """What a population offers to the connection behind: the trace of its spikes, which goes on in ``traces``; never as
    numbers, even of a single step, as a stack would take those for the activity."""
    window = LowPass(y, float(block.leak()[0]), traces.get("trace"), block.population.setting.device)
    traces["trace"] = window.after()
    return window


def _extra(block: FusedBlock, inject: Nested | None, made: Plan) -> Array:
    """The loss's own gradient with respect to a population's output, [T B, N]; no rows if there is none."""
    given = (inject or {}).get(block.names[1], {})
    given = given.get("neurons", {}) if block.feedback is not None else given
    if not given:
        return np.empty((0, block.units), block.dtype)
    name, shape = block.names[1], (made.steps * made.batch, block.units)
    return injected({name: given}, name, block.population, shape)


def _finish(block: FusedBlock, tape: BlockTape, grads: Nested, before: Nested | None) -> None:
    """Add the population's sums to its ``grads``, and put the gradient of the initial state into ``before``, unless
    nobody asks for it."""
    lines, units, population = block.lines, block.units, block.population
    shape = tape.plan.batch, lines.blocks
    gS = from_lines(tape.back.gS.reshape(*shape, lines.states, LINE), units)
    gP = from_lines(tape.back.gP.reshape(*shape, lines.learned, LINE), units)
    learned = grads if block.feedback is None else grads["neurons"]
    population.add_gradients(gP, gS if tape.start else None, learned, {})
    start = population.before(gS)
    if block.feedback is not None:
        start[population.neuron.output] += block.drive.fed_back(tape)
        if tape.start:
            population.first_reverse(start[population.neuron.output], learned)
    if before is not None:
        _inner(block, before).update(start)
