"""A convolution, the population after it and a maximum over windows, run as one where the input is spikes.

Neither currents nor states are kept, nor the spikes before the maximum but as bits: see
``kernels.population.fused_conv``. Where the input is other numbers, or too many of its places spike, the layers run by
themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np

from ...compile.simd import CHUNK, LINE
from ...device.buffers import aligned, buffer, copied, zeros
from ...device.profile import span
from ...device.threads import run_threaded, threads, windows
from ...kernels.population import fused_conv as loops
from ...random import Draws
from ...spikes.blocks import blocks, to_lines
from ...spikes.packed import PackedSpikes
from ...spikes.spike_input import SpikeInput
from ..conv2d import Conv2d
from ..conv_events import PIECES
from ..layer import Array, Layer, Nested, Start
from ..pool2d import MaxPool2d
from ..population import Population
from ..run import Run
from ..sequential import Sequential
from .block_records import BlockRecords
from .image_layout import ImageLayout
from .memory_plan import Budget, Plan, alone
from .part import Part, injected

u = np.uintp

Pair = tuple[int, int]

EVERY = 7
"""Steps between two checkpoints of states: currents and states of so many stay in a cache."""


def in_one(names: list[str], children: Mapping[str, Layer]) -> list[str]:
    """The first of ``names`` if they make a ``FusedConvolution``: two layers, or three with a maximum."""
    connection, *after = (children[name] for name in names[:3])
    parts = after[0].fused_parts() if after and connection.fuses_as == "convolution" else None
    if parts is None or parts[1] is not None or parts[0].neuron.output != "spikes":
        return []
    if len(after) < 2 or after[1].fuses_as != "maximum":
        return names[:2]
    pool = cast(MaxPool2d, after[1])
    return names[: 2 + (pool.places == _maxima(cast(Conv2d, connection), pool.kernel_size))]


def _maxima(connection: Conv2d, window: Pair) -> Pair:
    """Rows and columns of windows."""
    return connection.places[0] // window[0], connection.places[1] // window[1]


@dataclass
class ImageTape:
    """What a run of a ``FusedConvolution`` leaves.

    Attributes
    ----------
    plain : dict
        The tapes of its layers where they ran by themselves.
    spikes : PackedSpikes or None
        The input of the last run; None if the layers ran by themselves.
    x : array [T, B, C, H, W] or SpikeInput
        The same as it was given.
    arrays : dict
        Memory: states at checkpoints "S" [B marks, .], output spikes "bits" [B T, .], lines of parameters "Z".
    P : array
        Parameters that all units share.
    fed : array
        The outputs before the first step.
    start : bool
        Whether the run began where ``initial`` says.
    records : dict
        The population's own tape, as far as somebody has asked for its records.
    """

    plain: Nested = field(default_factory=Nested)
    spikes: PackedSpikes | None = None
    x: Array | SpikeInput = field(init=False)
    arrays: Nested = field(default_factory=Nested)
    P: Array = field(init=False)
    fed: Array = field(init=False)
    start: bool = False
    records: Nested = field(default_factory=Nested)

    @property
    def ran(self) -> PackedSpikes:
        """The input of the last run, which was one."""
        assert self.spikes is not None
        return self.spikes


class FusedConvolution(Part):
    """A ``Conv2d``, a population and perhaps a ``MaxPool2d``, the layers of ``net`` under these names.

    Where only ``whole`` runs are made, nobody asks for the state after one, nor for the gradient of that before it.
    """

    def __init__(self, net: Sequential, names: list[str], budget: Budget, whole: bool = False):
        super().__init__(net, names)
        self.names, self.budget, self.whole = names, budget, whole
        connection, population, *pool = self.children.values()
        self.connection, self.population = cast(Conv2d, connection), cast(Population, population)
        assert self.connection.by_spikes is not None
        self.events, self.dtype = self.connection.by_spikes, population.setting.dtype
        self.window: Pair = cast(MaxPool2d, pool[0]).kernel_size if pool else (1, 1)
        self.maxima, self.lines = _maxima(self.connection, self.window), ImageLayout(self.population, self.window)

    @property
    def takes_events(self) -> bool:
        return True

    def forward(
        self, x: Array | SpikeInput, state: Nested, tape: Nested, draws: Draws | None = None
    ) -> tuple[Array, Nested]:
        kept: ImageTape = tape.setdefault(self.names[0], ImageTape())
        kept.spikes = None
        if isinstance(x, SpikeInput) or not self.arrays.constant(x):
            given = x if isinstance(x, SpikeInput) else np.require(x, self.dtype, ["C", "W"])
            kept.spikes = self.events.find(given, kept.arrays, len(x))
        if kept.spikes is not None:
            kept.x = x
            y = self._run(kept, state[self.names[1]])
            if y is not None:
                kept.plain.clear()
                return y, {} if self.whole else {self.names[1]: self._final(kept)}
            kept.spikes = None
        self._check_budget(len(x), x.shape[1])
        if isinstance(x, SpikeInput):
            x = x.dense(self.dtype)
        final: Nested = {}
        for name in self.children:
            x = self._forward(name, x, state, kept.plain, draws, final)
        return x, final

    def _check_budget(self, steps: int, batch: int) -> None:
        """Refuse to run layer by layer where that takes more than the whole network may."""
        others = [planned for name, planned in self.budget.others.items() if name != self.names[0]]
        taken = sum(plan.bytes for plan in (self._layers(steps, batch), *(planned(steps, batch) for planned in others)))
        if self.budget.max_bytes is not None and taken > self.budget.max_bytes:
            raise ValueError(
                f"max_bytes is {self.budget.max_bytes}, but the input of {self.names[0]} is no spikes, or too many, so "
                f"that layers keep all, about {taken} bytes: use a smaller batch, or chunk="
            )

    def _run(self, kept: ImageTape, state: Nested) -> Array | None:
        """The maxima of all samples; None if outputs that should be spikes are other numbers."""
        packed, lines, arrays, neuron = kept.ran, self.lines, kept.arrays, self.population.neuron
        steps, batch, (every, marks) = packed.steps, packed.batch, _marks(packed.steps)
        with span("arrange"):
            Z = buffer(arrays, "Z", (lines.blocks, lines.depth, LINE), self.dtype)
            Z[...] = 0.0
            kept.P, kept.fed = lines.parameters(Z), state[neuron.output]
            S = buffer(arrays, "S", (batch * marks, lines.blocks * lines.states * LINE), self.dtype)
            for k, name in enumerate(neuron.state):
                first, value = S.reshape(batch, marks, lines.blocks, lines.states, LINE)[:, 0, :, k], state[name]
                if (value == value.flat[0]).all():  # as most runs begin
                    first[...] = value.flat[0]
                else:
                    to_lines(lines.arranged(value.reshape(1, batch, -1)), first[:, :, None])
            kept.start, kept.records = isinstance(state, Start), {}
            image = self._image(arrays)
        bits = buffer(arrays, "bits", (steps * batch, lines.blocks), np.uint64)
        y = buffer(arrays, "y", (steps * batch, lines.channels, math.prod(self.maxima)), self.dtype)
        spikes, compiled = _spikes(packed, every), lines.kernel("forward")

        def part(lo: int, hi: int) -> int:
            return compiled(u(lo), u(hi), spikes, image, kept.P, S, self._room(Z, 1, False), bits, y)

        size = steps * batch * lines.width
        with span(f"{self.names[0]}, {self.names[1]} forward", ops=size):
            other = sum(run_threaded(part, batch, size))
        return None if other else y.reshape(steps, batch, *self.shape)

    def _image(self, arrays: Nested) -> loops.Image:
        """The convolution as the loops take it."""
        c, weight, events = self.connection, self.connection.params["weight"], self.events
        bias = buffer(arrays, "bias", (math.lcm(events.sides, LINE),), self.dtype)
        bias[...] = 0.0
        if c.bias:
            bias.reshape(-1, events.sides)[:, : c.c_post] = c.params["bias"]
        sizes = map(u, (*c.places, c.c_post))
        return loops.Image(events.met, events.turned(weight, arrays), events.rows(weight, arrays), bias, *sizes)

    def _room(self, Z: Array, every: int, wanted: bool) -> loops.Room:
        """What a thread works in; for errors of the input if they are ``wanted``."""
        width = self.lines.blocks * LINE
        sizes = every * width, every * width * self.lines.states, width, math.prod(self.maxima) * self.events.sides
        (X, H, G), turned = (aligned((size,), self.dtype) for size in sizes[:3]), zeros(sizes[3:], self.dtype)
        seen = np.empty(turned.size // CHUNK, np.uint32)
        return loops.Room(copied(Z), X, H, G, turned, self.events.scratch(wanted), self.events.lists(), seen)

    def _states(self, kept: ImageTape, mark: int) -> Nested:
        """The states at a checkpoint, [B, C H W] each."""
        lines, S, (_, marks) = self.lines, kept.arrays["S"], _marks(kept.ran.steps)
        at = S.reshape(kept.ran.batch, marks, lines.blocks, lines.states, LINE)[:, mark]
        return dict(zip(self.population.neuron.state, lines.images(at), strict=True))

    def _final(self, kept: ImageTape) -> Nested:
        """State and output after the last step."""
        steps, batch, shape = kept.ran.steps, kept.ran.batch, self.population.shape
        final = {name: value.reshape(batch, *shape) for name, value in self._states(kept, -1).items()}
        return {**final, self.population.neuron.output: self._outputs(kept, steps - 1)[0]}

    def _outputs(self, kept: ImageTape, first: int) -> Array:
        """Outputs from step ``first`` on, [T, B, C, H, W]."""
        steps, batch, lines = kept.ran.steps, kept.ran.batch, self.lines
        bits = kept.arrays["bits"].reshape(batch, steps, -1)[:, first:].swapaxes(0, 1)
        words = np.ascontiguousarray(bits).astype("<u8", copy=False)
        found = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little", count=lines.width)
        places = found.reshape(*words.shape[:2], lines.area, -1)[..., : lines.channels]
        return places.swapaxes(-1, -2).reshape(*words.shape[:2], *self.population.shape).astype(self.dtype)

    def _unfold(self, kept: ImageTape) -> None:
        """Make in ``kept.records`` the record that the population's own run would have left."""
        state = {**self._states(kept, 0), self.population.neuron.output: kept.fed}
        x = kept.x.dense(self.dtype) if isinstance(kept.x, SpikeInput) else kept.x
        run = self.population.begin(self.connection.forward(x, {}, {})[0], state, kept.records)
        self.population.advance(run, 0, kept.ran.steps)

    def record(self, tape: Nested, name: str) -> Any:
        kept: ImageTape = tape.get(self.names[0]) or ImageTape()
        first, _, rest = name.partition("/")
        if kept.spikes is None or first != self.names[1]:
            return super().record(kept.plain, name)
        records = BlockRecords(self.population, partial(self._outputs, kept, 0), partial(self._unfold, kept))
        run = Run(records, np.empty(0), {}, kept.records)
        return run[rest] if rest else run

    def rate(self, tape: Nested, name: str) -> float:
        kept: ImageTape = tape.get(self.names[0]) or ImageTape()
        if kept.spikes is None or name != self.names[1]:
            return super().rate(tape, name)
        bits, lane = kept.arrays["bits"], np.arange(self.lines.blocks * LINE)
        units = (lane < self.lines.width) & (lane % self.events.sides < self.lines.channels)
        words = np.packbits(units, bitorder="little").view("<u8").astype(np.uint64)
        return int(np.bitwise_count(bits & words).sum(dtype=np.int64)) / (len(bits) * self.population.units)

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
        kept: ImageTape = tape[self.names[0]]
        if kept.spikes is None:
            return super().backward(gy, kept.plain, grads, after=after, inject=inject, wanted=wanted)
        if after:
            raise NotImplementedError(
                "a fused convolution takes no gradient with respect to its final state: use compact=False"
            )
        packed, c, lines, Z, S = kept.spikes, self.connection, self.lines, kept.arrays["Z"], kept.arrays["S"]
        rows, (every, _) = packed.steps * packed.batch, _marks(packed.steps)
        with span("arrange"):
            edges = np.array([0, *(b for _, b in windows(packed.batch, PIECES))], u)
            pieces, lanes, sides = len(edges) - 1, lines.blocks * LINE, self.events.sides
            shapes = (packed.batch, lanes * lines.states), (packed.batch, lanes * lines.learned)
            each = (pieces * c.fan_in * sides,), (pieces, 2, math.lcm(sides, LINE))
            gS, gP, weight, bias = (zeros(shape, self.dtype) for shape in (*shapes, *each))
            gx = buffer(kept.arrays, "gx", (rows if wanted else 0, *c.image), self.dtype)
            sums, source = loops.Sums(gS, gP, edges, weight, bias), self.events.source(c.params["weight"], gx)
            given = np.require(gy, self.dtype, ["C", "W"]).reshape(rows, lines.channels, -1)
            extra = injected(inject, self.names[1], self.population, (rows, lines.channels, lines.area))
            errors = loops.Errors(given, extra)
            image = self._image(kept.arrays)
        spikes, bits, compiled = _spikes(packed, every), kept.arrays["bits"], lines.kernel("backward")

        def part(lo: int, hi: int) -> None:
            room = self._room(Z, every, wanted)
            compiled(u(lo), u(hi), spikes, image, kept.P, S, room, bits, errors, source, sums)

        with span(f"{self.names[0]}, {self.names[1]} backward", ops=rows * lines.width):
            run_threaded(part, pieces, rows * lines.width)
        own = grads[self.names[0]]
        own["weight"] += self.events.gradient(weight)
        if c.bias:
            own["bias"] += bias[:, 0].sum(axis=0).reshape(-1, sides).sum(axis=0)[: c.c_post]
        start: Nested = {}
        if not self.whole or self.population.start_learned or lines.learned:
            gS, gP = lines.images(gS), lines.images(gP)
            self.population.add_gradients(gP, gS if kept.start else None, grads[self.names[1]], {})
            start = {self.names[1]: self.population.before(gS)}
        return gx.reshape(packed.steps, packed.batch, *c.in_shape) if wanted else None, start

    def _layers(self, steps: int, batch: int) -> Plan:
        """What a batch of this size takes where the layers run one by one."""
        table: dict[str, int] = {}
        for layer in self.children.values():
            for name, size in alone(layer, steps, batch).table.items():
                table[name] = table.get(name, 0) + size
        return Plan(steps, batch, batch, steps, True, {}, table)

    def plan(self, steps: int, batch: int, rate: float | None = None) -> Plan:
        """What a batch of this size takes where the layers run as one."""
        if rate is not None and rate > self.events.limit:
            return self._layers(steps, batch)
        share = self.events.limit if rate is None else rate
        c, lines, size, (every, marks) = self.connection, self.lines, self.dtype.itemsize, _marks(steps)
        rows, image, lanes = steps * batch, math.prod(c.image), lines.blocks * LINE
        weights, pieces = c.fan_in * self.events.sides, min(batch, PIECES)
        room = lanes * (every * (1 + lines.states) + lines.depth + 2) + self.events.room
        begin, listed, beside = self.events.listed
        lists = self.events.whole * (8 * begin + 4 * listed + beside * LINE * size)
        table = {
            "checkpoints of states": batch * lanes * ((marks + 1) * lines.states + lines.learned) * size,
            "spikes": rows * (lines.blocks + blocks(image) + 2) * 8,
            "positions of spikes": int(share * 1.125 * rows * image) * 4,
            "outputs and errors": 2 * rows * lines.channels * math.prod(self.maxima) * size,
            "room of threads": min(threads(), batch) * (room * size + lists),
            "weights and their gradients": (pieces + 5) * weights * size,
        }
        return Plan(steps, batch, batch, every, True, {}, table)


def _marks(steps: int) -> Pair:
    """Steps between checkpoints of states, and how many of these there are."""
    every = min(EVERY, steps)
    return every, -(-steps // every) + 1


def _spikes(packed: PackedSpikes, every: int) -> loops.Spikes:
    start, index = packed.rows(0, packed.steps * packed.batch)
    return loops.Spikes(start, index, u(packed.steps), u(every), u(packed.batch))
