"""A convolution, the population after it and a maximum over windows, run as one where the input is spikes.

Neither currents nor states are kept, nor the spikes before the maximum but as bits: see
``kernels.population.fused_conv``. Where the input is other numbers, or too many of its places spike, the layers run by
themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import numpy as np

from ...compile.simd import CHUNK, LINE
from ...device.buffers import buffer, zeros
from ...device.profile import span
from ...device.threads import run_each, shares, threads, windows
from ...kernels.population import fused_conv as loops
from ...kernels.products.windows import Source
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
from .image_tape import ImageTape
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


class FusedConvolution(Part):
    """A ``Conv2d``, a population and perhaps a ``MaxPool2d``, the layers of ``net`` under these names.

    Where only ``whole`` runs are made, nobody asks for the state after one, nor for the gradient of that before it.
    """

    in_pieces = True

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

    def initial(self, batch: int) -> Nested:
        return {self.names[1]: self.population.shared_initial(batch)}

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
            self.arrange(kept)
            y = self.outputs_of(kept, state[self.names[1]], "forward")
            if y is not None:
                kept.plain.clear()
                return y, {} if self.whole else {self.names[1]: self.final(kept)}
            kept.spikes = None
        self.budget.check(self.names[0], self.apart(len(x), x.shape[1]))
        if isinstance(x, SpikeInput):
            x = x.dense(self.dtype)
        final: Nested = {}
        for name in self.children:
            x = self._forward(name, x, state, kept.plain, draws, final)
        return x, final

    def arrange(self, kept: ImageTape) -> None:
        """Arrange parameters as the loops take them, for runs to come and their backward passes."""
        with span("arrange"):
            kept.Z = buffer(kept.arrays, "Z", (self.lines.blocks, self.lines.depth, LINE), self.dtype)
            kept.Z[...] = 0.0
            kept.P, kept.image = self.lines.parameters(kept.Z), self._image(kept.arrays)

    def outputs_of(self, kept: ImageTape, state: Nested, called: str) -> Array | None:
        """The maxima of all samples; None if outputs that should be spikes are other numbers. Profiles name it as it is
        ``called``."""
        packed, lines, arrays, neuron = kept.ran, self.lines, kept.arrays, self.population.neuron
        steps, batch, (every, marks) = packed.steps, packed.batch, _marks(packed.steps)
        with span("arrange"):
            kept.state, kept.records = state, {}
            S = buffer(arrays, "S", (batch * marks, lines.blocks * lines.states * LINE), self.dtype)
            for k, name in enumerate(neuron.state):
                first, value = S.reshape(batch, marks, lines.blocks, lines.states, LINE)[:, 0, :, k], state[name]
                few = value if value.strides[0] else value[:1]  # one that stands for all
                if (few == few.flat[0]).all():  # as most runs begin
                    first[...] = value.flat[0]
                else:
                    to_lines(lines.arranged(value.reshape(1, batch, -1)), first[:, :, None])
        bits = buffer(arrays, "bits", (steps * batch, lines.blocks), np.uint64)
        y = buffer(arrays, "y", (steps * batch, lines.channels, math.prod(self.maxima)), self.dtype)
        run, size = lines.kernel("forward"), steps * batch * lines.width
        given = _spikes(packed, every), kept.image, kept.P, S
        with span(f"{self.names[0]}, {self.names[1]} {called}", ops=size):
            other = sum(run_each(run, [(*part, bits, y) for part in self._parts(kept, batch, size, False, *given)]))
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

    def _room(self, kept: ImageTape, k: int, wanted: bool) -> loops.Room:
        """What the thread ``k`` of a run or its backward pass works in, for errors of the input if they are ``wanted``;
        memory that the next one uses again."""
        width, own, (every, _) = self.lines.blocks * LINE, kept.Z.reshape(-1), _marks(kept.ran.steps)
        maxima = math.prod(self.maxima) * self.events.sides
        sizes = own.size, every * width, every * width * self.lines.states, width, maxima
        room = buffer(kept.arrays, f"room {k}", (sum(sizes),), self.dtype)
        room[: own.size], room[-maxima:] = own, 0.0
        Z, X, H, G, turned = np.split(room, np.cumsum(sizes[:-1]))
        seen = np.empty(maxima // CHUNK, np.uint32)
        return loops.Room(Z, X, H, G, turned, self.events.scratch(wanted), self.events.lists(), seen)

    def _parts(self, kept: ImageTape, count: int, work: int, wanted: bool, *given: Any) -> list[tuple[Any, ...]]:
        """What each thread of a run or its backward pass does of so many samples, or parts of sums; what it is
        ``given``, and its room."""
        return [(u(lo), u(hi), *given, self._room(kept, k, wanted)) for k, (lo, hi) in enumerate(shares(count, work))]

    def final(self, kept: ImageTape) -> Nested:
        """State and output after the last step."""
        steps, batch, lines, neuron = kept.ran.steps, kept.ran.batch, self.lines, self.population.neuron
        last = kept.arrays["S"].reshape(batch, _marks(steps)[1], lines.blocks, lines.states, LINE)[:, -1]
        values = (value.reshape(batch, *self.population.shape) for value in lines.images(last))
        return {**dict(zip(neuron.state, values, strict=True)), neuron.output: self._outputs(kept, steps - 1)[0]}

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
        x = kept.x if isinstance(kept.x, np.ndarray) else kept.x.dense(self.dtype)
        current, _ = self.connection.forward(x.reshape(*x.shape[:2], *self.in_shape), {}, {})
        run = self.population.begin(current, kept.state, kept.records)
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
        steps, batch = kept.spikes.steps, kept.spikes.batch
        with span("arrange"):
            gx = buffer(kept.arrays, "gx", (steps * batch if wanted else 0, *self.connection.image), self.dtype)
            sums, extra = self.sums(batch), self.extra(inject, steps * batch)
            source = self.events.source(self.connection.params["weight"], gx)
        self.back(kept, gy, extra, source, sums)
        return gx.reshape(steps, batch, *self.in_shape) if wanted else None, self.add(sums, kept.state, grads)

    def extra(self, inject: Nested | None, rows: int) -> Array:
        """The loss's own gradient with respect to the population's outputs, [T B, C, H W]; no rows if there is none."""
        return injected(inject, self.names[1], self.population, (rows, self.lines.channels, self.lines.area))

    @property
    def asked(self) -> bool:
        """Whether gradients with respect to states and parameters are asked for."""
        return not self.whole or self.population.start_learned or self.lines.learned > 0

    def sums(self, batch: int, samples: int | None = None) -> loops.Sums:
        """What a backward pass adds up, from zero on; with rows for so many ``samples``, all of them if not given."""
        edges = np.array([0, *(b for _, b in windows(batch, PIECES))], u)
        pieces, sides = len(edges) - 1, self.events.sides
        each = (pieces * self.connection.fan_in * sides,), (pieces, 2, math.lcm(sides, LINE))
        weight, bias = (zeros(shape, self.dtype) for shape in each)
        return loops.Sums(*self.sample_sums(batch if samples is None else samples), edges, weight, bias)

    def sample_sums(self, samples: int) -> tuple[Array, Array]:
        """Those of them that each sample has for itself."""
        lanes = self.lines.blocks * LINE
        gS, gP = (zeros((samples, lanes * many), self.dtype) for many in (self.lines.states, self.lines.learned))
        return gS, gP

    def back(self, kept: ImageTape, gy: Array, extra: Array, source: Source, sums: loops.Sums) -> None:
        """The backward pass of the last run: adds to ``sums`` and fills ``source.gx``, if it has rows."""
        packed, lines, S = kept.ran, self.lines, kept.arrays["S"]
        rows, pieces, (every, _) = packed.steps * packed.batch, len(sums.edges) - 1, _marks(packed.steps)
        with span("arrange"):
            errors = loops.Errors(np.require(gy, self.dtype, ["C", "W"]).reshape(rows, lines.channels, -1), extra)
        run, size, bits = lines.kernel("backward"), rows * lines.width, kept.arrays["bits"]
        given = _spikes(packed, every), kept.image, kept.P, S
        parts = self._parts(kept, pieces, size, len(source.gx) > 0, *given)
        with span(f"{self.names[0]}, {self.names[1]} backward", ops=size):
            run_each(run, [(*part, bits, errors, source, sums) for part in parts])

    def add(self, sums: loops.Sums, state: Nested, grads: Nested) -> Nested:
        """Add the ``sums`` of a run from ``state`` on to ``grads``; returns the gradient with respect to that state."""
        own, c, lines = grads[self.names[0]], self.connection, self.lines
        own["weight"] += self.events.gradient(sums.weight)
        if c.bias:
            bias = sums.bias[:, 0].sum(axis=0)
            own["bias"] += bias.reshape(-1, self.events.sides).sum(axis=0)[: c.c_post]
        if not self.asked:
            return {}
        gS, gP = lines.images(sums.gS), lines.images(sums.gP)
        self.population.add_gradients(gP, gS if isinstance(state, Start) else None, grads[self.names[1]], {})
        return {self.names[1]: self.population.before(gS)}

    def apart(self, steps: int, batch: int) -> Plan:
        """What a batch of this size takes where the layers run one by one."""
        table: dict[str, int] = {}
        for layer in self.children.values():
            for name, size in alone(layer, steps, batch).table.items():
                table[name] = table.get(name, 0) + size
        return Plan(steps, batch, batch, steps, True, {}, table)

    def plan(self, steps: int, batch: int, rate: float | None = None) -> Plan:
        """What a batch of this size takes where the layers run as one."""
        if rate is not None and rate > self.events.limit:
            return self.apart(steps, batch)
        return Plan(steps, batch, batch, _marks(steps)[0], True, {}, self.planned(steps, batch, rate))

    def planned(self, steps: int, batch: int, rate: float | None) -> dict[str, int]:
        """The bytes of that, by what they are for."""
        share = self.events.limit if rate is None else rate
        c, lines, size, (every, marks) = self.connection, self.lines, self.dtype.itemsize, _marks(steps)
        rows, image, lanes = steps * batch, math.prod(c.image), lines.blocks * LINE
        weights, pieces = c.fan_in * self.events.sides, min(batch, PIECES)
        room = lanes * (every * (1 + lines.states) + lines.depth + 2) + self.events.room
        begin, listed, beside = self.events.listed
        lists = self.events.whole * (8 * begin + 4 * listed + beside * LINE * size)
        return {
            "checkpoints of states": batch * lanes * ((marks + 1) * lines.states + lines.learned) * size,
            "spikes": rows * (lines.blocks + blocks(image) + 2) * 8,
            "positions of spikes": int(share * 1.125 * rows * image) * 4,
            "outputs and errors": 2 * rows * lines.channels * math.prod(self.maxima) * size,
            "room of threads": min(threads(), batch) * (room * size + lists),
            "weights and their gradients": (pieces + 5) * weights * size,
        }


def _marks(steps: int) -> Pair:
    """Steps between checkpoints of states, and how many of these there are."""
    every = min(EVERY, steps)
    return every, -(-steps // every) + 1


def _spikes(packed: PackedSpikes, every: int) -> loops.Spikes:
    start, index = packed.rows(0, packed.steps * packed.batch)
    return loops.Spikes(start, index, u(packed.steps), u(every), u(packed.batch))
