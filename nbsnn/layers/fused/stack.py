"""Dense connections and populations in a row that run together, as a learner's network holds them (``network``).

Spikes between the layers of a stack stay bits, and errors stay few rows. Forward, one block (connection and
population) after the other; backward, all blocks for some samples, then for the next: samples do not touch each
other, so only the gradients with respect to weights grow on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...device.profile import span
from ...random import Draws
from ...spikes.blocks import LINE, rows_of
from ...spikes.spike_input import SpikeInput
from ..container import Container
from ..layer import Array, Layer, Nested, Start
from ..run import Run
from ..sequential import Sequential
from .block import FusedBlock
from .layout import from_lines, in_lines, room
from .memory_plan import NARROW, Plan, plan


@dataclass
class Budget:
    """The memory that the stacks of a network share.

    Attributes
    ----------
    max_bytes : int or None
        For the whole network; None is no bound.
    stacks : int
        How many there are.
    others : dict
        The layers in none of them, which always keep all.
    """

    max_bytes: int | None
    stacks: int = 0
    others: dict[str, Layer] = field(default_factory=dict)

    def share(self, steps: int, batch: int) -> int | None:
        """What each stack may take for a batch of this size, if other layers take what they need.

        Raises
        ------
        ValueError
            ``max_bytes`` is less than what the other layers take.
        """
        if self.max_bytes is None:
            return None
        taken = sum(layer.tape_bytes(steps, batch) for layer in self.others.values())
        if taken > self.max_bytes:
            raise ValueError(
                f"max_bytes is {self.max_bytes}, but at T = {steps} and a batch of {batch} the layers that always keep "
                f"all, {', '.join(self.others)}, take about {taken} bytes: use a smaller batch, or chunk="
            )
        return (self.max_bytes - taken) // max(self.stacks, 1)


@dataclass
class StackTape:
    """What a run of a ``FusedStack`` leaves.

    Attributes
    ----------
    plain : dict
        The tapes of layers that ran by themselves, by name.
    first : int
        The first block that ran fused; those before it ran by themselves.
    blocks : list of dict
        For each block what its population leaves: under "small" the compact form, and what is made of it on demand.
    """

    plain: Nested
    first: int
    blocks: list[Nested]


class NotSpikes(Exception):
    """A population that should spike put out other numbers than 0 and 1."""


class FusedStack(Sequential):
    """Connections and populations in turn, each pair one block; only the last may put out other numbers than spikes.

    Blocks run by themselves, layer by layer, where an input does not change over time, and up to a population that
    should have spiked but has not.
    """

    def __init__(self, net: Sequential, names: list[str], budget: Budget):
        share_layers(self, net, {name: net.children[name] for name in names})
        self.budget, self.blocks = budget, list[FusedBlock]()
        for pair in zip(names[::2], names[1::2], strict=True):
            connection, neurons = (net.children[name] for name in pair)
            self.blocks.append(FusedBlock(pair, connection, *neurons.fused_parts()))  # type: ignore[arg-type, misc]

    def plan(self, steps: int, batch: int, first: int = 0) -> Plan:
        """What a batch of this size takes, in blocks from ``first`` on."""
        sizes = [block.sizes(steps * batch) for block in self.blocks[first:]]
        return plan(sizes, steps, batch, self.budget.share(steps, batch))

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        name = self.blocks[0].names[0]
        kept: StackTape = tape[name] if name in tape else tape.setdefault(name, self._tape())
        names, final = list(self.children), dict[str, Any]()
        kept.first, end = 0, int(self.arrays.constant(x))
        while True:
            for name in names[2 * kept.first : 2 * end]:
                x = self._forward(name, x, state, kept.plain, draws, final)
            kept.first = end
            if end == len(self.blocks):
                return x, final
            try:
                return self._run(x, state, kept, final), final
            except NotSpikes as found:
                end = found.args[0] + 1

    def _tape(self) -> StackTape:
        """One whose blocks have not run yet, and share what they use in turn."""
        shared: Nested = {}
        return StackTape({}, 0, [{"small": {"shared": shared}} for _ in self.blocks])

    def _run(self, x: Array, state: Nested, kept: StackTape, final: Nested) -> Array:
        """Run ``x`` [T, B, N] through the blocks from ``kept.first`` on."""
        made = self.plan(len(x), x.shape[1], kept.first)
        given: Any = x
        if not isinstance(x, SpikeInput):  # a read-only array would be a type of its own to the compiler: one more
            given = np.require(x, self.setting.dtype, ["C", "W"])
        for k in range(kept.first, len(self.blocks)):
            block, inner = self.blocks[k], kept.blocks[k]
            for name in ("record", "x", "params"):  # as somebody may have looked at after the last run
                inner.pop(name, None)
            own = _inner(block, state)
            inner["start"], small = isinstance(own, Start), inner["small"]
            given = block.forward(given, own, made, small, last=k == len(self.blocks) - 1)
            if given is None:
                raise NotSpikes(k)
            shape, neuron = (x.shape[1], *block.population.shape), block.population.neuron
            lines = dict(zip(neuron.state, block.final(small), strict=True))
            lines[neuron.output] = _last(block, small)
            _inner(block, final).update({name: line.reshape(shape) for name, line in lines.items()})
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
            gy = self._back(gy, kept, grads, before, inject, wanted or kept.first > 0)  # type: ignore[assignment]
        for name in reversed(names[: 2 * kept.first]):
            passed: dict[str, Any] = {"after": None, "inject": inject, "wanted": wanted or name != names[0]}
            gy = self._backward(name, gy, kept.plain, grads, before, **passed)  # type: ignore[assignment]
        return gy, before

    def _back(
        self, gy: Array, kept: StackTape, grads: Nested, before: Nested, inject: Nested | None, wanted: bool
    ) -> Array | None:
        """The reverse of ``_run``; gradients with respect to the initial states are put into ``before``."""
        blocks, inners = self.blocks[kept.first :], kept.blocks[kept.first :]
        smalls = [inner["small"] for inner in inners]
        made: Plan = smalls[0]["plan"]
        with span("arrange"):
            sums = [_room_for_gradients(block, small, made) for block, small in zip(blocks, smalls, strict=True)]
        extra = [_extra(block, inject, made) for block in blocks]
        gy = np.require(gy, self.setting.dtype, ["C", "W"]).reshape(-1, blocks[-1].units)
        if len(extra[-1]):
            gy = gy + extra[-1]
        gx = np.empty((made.steps, made.batch, blocks[0].n_pre), gy.dtype) if wanted else None
        for b0, b1 in made.chunks():
            errors, strides, narrow, across = gy, (made.batch, 1, b0), gy[:0], gy[:0]
            for k in reversed(range(len(blocks))):
                block = blocks[k]
                G = block.backward(b0, b1, errors, strides, narrow, across, smalls[k], sums[k])
                if k:
                    errors, strides, narrow, across = _pull(block, b0, b1, G, smalls[k], extra[k - 1], made)
                elif gx is not None:
                    back = np.empty(((b1 - b0) * made.steps, block.n_pre), gy.dtype)
                    block.drive.back(G, back)
                    gx[:, b0:b1] = back.reshape(b1 - b0, made.steps, -1).transpose(1, 0, 2)
        for block, inner, weights in zip(blocks, inners, sums, strict=True):
            with span("arrange"):
                _finish(block, inner, weights, grads, before)
        return None if gx is None else gx.reshape(*gx.shape[:2], *blocks[0].connection.in_shape)

    def record(self, tape: Nested, name: str) -> Any:
        kept: StackTape = tape.get(self.blocks[0].names[0]) or self._tape()
        first, _, rest = name.partition("/")
        for block, inner in zip(self.blocks[kept.first :], kept.blocks[kept.first :], strict=True):
            if first == block.names[1] and "plan" in inner["small"]:
                records = BlockRecords(block) if block.feedback is None else LoopRecords(block)
                run = Run(records, np.empty(0), {}, inner)
                return run[rest] if rest else run
        return super().record(kept.plain, name)


class BlockRecords:
    """The records of a block's population, for a ``Run``: what the block did not keep is worked out when it is
    asked for."""

    def __init__(self, block: FusedBlock):
        self.block, self.setting = block, block.population.setting

    def recorded(self) -> list[str]:
        """See ``Layer.recorded``."""
        return self.block.population.recorded()

    def record(self, tape: Nested, name: str) -> Any:
        """See ``Layer.record``."""
        if name == self.block.population.neuron.output:
            return self.block.output(tape["small"])
        if "record" not in tape:
            self.block.unfold(tape)
        return self.block.population.record(tape, name)


class LoopRecords(BlockRecords):
    """The same of a ``Recurrent``, whose population is called "neurons"."""

    def recorded(self) -> list[str]:
        return ["neurons"]

    def record(self, tape: Nested, name: str) -> Any:
        first, _, rest = name.partition("/")
        if first != "neurons":
            raise KeyError(f"recurrent records nothing called {name!r}; it has {self.recorded()}")
        run = Run(BlockRecords(self.block), np.empty(0), {}, tape)
        return run[rest] if rest else run


def share_layers(part: Sequential, net: Sequential, children: dict[str, Layer]) -> Sequential:
    """Make ``part`` a part of ``net`` that holds some of its layers."""
    Container.__init__(part)
    part.children, part.setting, part.arrays, part.built = children, net.setting, net.arrays, True
    layers = list(children.values())
    part.in_shape, part.shape = layers[0].in_shape, layers[-1].shape
    return part


def _inner(block: FusedBlock, nested: Nested) -> Nested:
    """Where a nested dict holds what belongs to the unit's population."""
    own = nested.setdefault(block.names[1], {})
    return own.setdefault("neurons", {}) if block.feedback is not None else own


def _extra(block: FusedBlock, inject: Nested | None, made: Plan) -> Array:
    """The loss's own gradient with respect to a population's output, [T B, N]; no rows if there is none."""
    given = (inject or {}).get(block.names[1], {})
    given = given.get("neurons", {}) if block.feedback is not None else given
    if set(given) - {block.population.neuron.output}:
        raise ValueError(f"in compact form a loss may depend on outputs, not on {sorted(given)} of {block.names[1]}")
    if not given:
        return np.empty((0, block.units), block.dtype)
    g = np.ascontiguousarray(given[block.population.neuron.output], block.dtype)
    return g.reshape(made.steps * made.batch, block.units)


def _last(block: FusedBlock, small: Nested) -> Array:
    """The outputs at the last step, [B, N]."""
    if small["spikes"] is None:
        return small["output"][-1].copy()
    return small["spikes"].at(small["plan"].steps - 1).astype(block.dtype)


def _pull(block: FusedBlock, b0: int, b1: int, G: Array, small: Nested, extra: Array, made: Plan) -> tuple:
    """What a block hands to the one before, of the gradient ``G`` of its currents in samples [b0, b1)."""
    if block.units <= NARROW:
        return extra, (made.batch, 1, b0), G, small["across"]
    shape = (made.chunk * made.steps, block.n_pre)
    errors = room(small["shared"], f"errors {block.n_pre}", shape, block.dtype)[: (b1 - b0) * made.steps]
    block.drive.back(G, errors)
    if len(extra):
        given = extra.reshape(made.steps, made.batch, -1)[:, b0:b1].transpose(1, 0, 2)
        errors += given.reshape(len(errors), -1)
    return errors, (1, made.steps, 0), G[:0], G[:0]


def _room_for_gradients(block: FusedBlock, small: Nested, made: Plan) -> Nested:
    """Zeros for the sums over all samples."""
    lines, dtype = block.lines, block.dtype
    small["gS"] = room(small, "gS", (made.batch, lines.blocks * lines.states * LINE), dtype)
    small["gP"] = room(small, "gP", (made.batch, lines.blocks * lines.learned * LINE), dtype)
    if block.units <= NARROW:
        small["across"] = in_lines(small, "across room", block.connection.params["weight"].T)
    weights = {"W": room(small, "gW", (lines.blocks * block.n_pre, LINE), dtype)}
    if block.connection.bias or (block.feedback is not None and block.feedback.bias):
        weights["b"] = room(small, "gb", (lines.blocks, LINE), dtype)
    if block.feedback is not None:
        weights["V"] = room(small, "gV", (lines.blocks * block.units, LINE), dtype)
    for array in (small["gS"], small["gP"], *weights.values()):
        array[...] = 0.0
    return weights


def _finish(block: FusedBlock, inner: Nested, weights: Nested, grads: Nested, before: Nested) -> None:
    """Add the sums to ``grads``: of the connection, the loop and the population."""
    small, own, population = inner["small"], grads[block.names[0]], block.population
    own["weight"] += rows_of(weights["W"], block.lines.blocks)[:, : block.units]
    if block.connection.bias:
        own["bias"] += weights["b"].reshape(-1)[: block.units]
    made: Plan = small["plan"]
    inner["gS"] = from_lines(small["gS"].reshape(made.batch, block.lines.blocks, block.lines.states, LINE), block.units)
    inner["gP"] = from_lines(
        small["gP"].reshape(made.batch, block.lines.blocks, block.lines.learned, LINE), block.units
    )
    after = grads[block.names[1]]
    looped = block.feedback is not None
    population.end_reverse(inner, after["neurons"] if looped else after)
    start = population.before(inner)
    if block.feedback is not None:
        after["feedback"]["weight"] += rows_of(weights["V"], block.lines.blocks)[:, : block.units]
        if block.feedback.bias:
            after["feedback"]["bias"] += weights["b"].reshape(-1)[: block.units]
        start[population.neuron.output] += block.drive.fed_back(small)
        if inner["start"]:
            population.first_reverse(start[population.neuron.output], after["neurons"])
    _inner(block, before).update(start)
