"""A convolution, the population after it and a maximum over windows, run as one where the input is spikes.

Neither currents nor states are kept, nor spikes before the maximum but as bits: see ``kernels.population.fused_conv``.
Where the input is other numbers, or too many of its places spike, the layers run by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...compile.simd import CHUNK, LINE
from ...device.buffers import buffer
from ...device.profile import span
from ...device.threads import run_threaded, threads, windows
from ...kernels.population import fused_conv as loops
from ...random import Draws
from ...spikes.blocks import blocks, in_lines
from ...spikes.packed import PackedSpikes
from ..conv2d import Conv2d
from ..conv_events import BREAK_EVEN, PIECES, SMALLEST
from ..layer import Array, Layer, Nested, Start
from ..pool2d import MaxPool2d
from ..population import Population
from ..run import Run
from ..sequential import Sequential
from .layout import BlockLayout, aligned, copied, from_lines, to_lines
from .memory_plan import EVERY, Plan
from .stack import BlockRecords, share_layers

u = np.uintp


def filled(channels: int) -> int:
    """As many channels, or more, as make whole vectors."""
    return -(-channels // CHUNK) * CHUNK


def in_one(names: list[str], children: Mapping[str, Layer]) -> list[str]:
    """The first of ``names`` if they make a ``FusedConvolution``: two layers, or three with a maximum."""
    connection, population, *more = [*(children[name] for name in names[:3]), None, None, None][:3]
    if type(connection) is not Conv2d or connection.by_spikes is None or type(population) is not Population:
        return []
    if population.fused_parts() is None or population.neuron.output != "spikes":
        return []
    pool = more[0]
    usual = type(pool) is MaxPool2d and pool.stride == pool.kernel_size and pool.dilation == (1, 1)
    if not usual or any(pool.padding) or pool.places != _places(connection, pool.kernel_size):
        return names[:2]
    return names[:3]


def _places(connection: Conv2d, window: tuple[int, int]) -> tuple[int, int]:
    return connection.places[0] // window[0], connection.places[1] // window[1]


class ImageLayout(BlockLayout):
    """A population whose units are the places of an image, each with all its channels, as lines of 64 units."""

    name = "image"
    loops = {"forward": loops.forward, "backward": loops.backward}

    def __init__(self, population: Population, window: tuple[int, int]):
        super().__init__(population, False)
        self.constants = {"HIGH": window[0], "WIDE": window[1]}
        self.channels, self.area = population.shape[0], math.prod(population.shape[1:])
        self.width = self.area * filled(self.channels)
        self.blocks = -(-self.width // LINE)

    def arranged(self, values: Array) -> Array:
        """Values [K, ..., C H W] as [K, ..., H W C]; channels that fill up repeat the last one's values."""
        turned = values.reshape(*values.shape[:-1], self.channels, self.area).swapaxes(-1, -2)
        around = [(0, 0)] * (turned.ndim - 1) + [(0, filled(self.channels) - self.channels)]
        return np.pad(turned, around, "edge").reshape(*values.shape[:-1], self.width)

    def images(self, lines: Array) -> Array:
        """The reverse, of lines of all samples: [K, B, C H W]."""
        many, batch = lines[0].size // (self.blocks * LINE), len(lines)
        found = from_lines(lines.reshape(batch, self.blocks, many, LINE), self.width)
        places = found.reshape(many, batch, self.area, filled(self.channels))[..., : self.channels]
        return places.swapaxes(-1, -2).reshape(many, batch, self.population.units)

    def table(self) -> Array:
        return self.arranged(super().table())


@dataclass
class ImageTape:
    """What a run of a ``FusedConvolution`` leaves.

    Attributes
    ----------
    plain : dict
        The tapes of its layers where they ran by themselves.
    arrays : dict
        Memory of the fused run.
    spikes : PackedSpikes or None
        The input of the last run as events; None if the layers ran by themselves.
    x : array [T, B, ...]
        The input.
    P : array
        Parameters that all units share.
    fed : array
        The outputs before the first step.
    records : dict
        The population's own tape, as far as somebody has asked for its records.
    """

    plain: Nested = field(default_factory=dict)
    arrays: Nested = field(default_factory=dict)
    spikes: PackedSpikes | None = None
    x: Array = field(default_factory=lambda: np.empty(0))
    P: Array = field(default_factory=lambda: np.empty(0))
    fed: Array = field(default_factory=lambda: np.empty(0))
    records: Nested = field(default_factory=dict)


class FusedConvolution(Sequential):
    """A ``Conv2d``, a population and perhaps a ``MaxPool2d``, which share their layers with ``net``."""

    def __init__(self, net: Sequential, names: list[str]):
        share_layers(self, net, {name: net.children[name] for name in names})
        connection, population, *pool = self.children.values()
        assert isinstance(connection, Conv2d) and isinstance(population, Population)
        self.names, self.connection, self.population = names, connection, population
        self.window = pool[0].kernel_size if pool else (1, 1)
        self.maxima, self.dtype = _places(connection, self.window), population.setting.dtype
        self.lines = ImageLayout(population, self.window)
        kh, kw = connection.kernel_size
        self.sides, self.window_size = filled(connection.c_post), kh * filled(kw * connection.c_pre)
        self.padded = connection.c_pre * (connection.places[0] + kh - 1) * (connection.places[1] + kw - 1) + CHUNK
        self.table, self.corners = _meetings(connection), _corners(connection)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        kept: ImageTape = tape.setdefault(self.names[0], ImageTape())
        final: Nested = {}
        kept.spikes = None if self.arrays.constant(x) else self._find(x, kept)
        if kept.spikes is None:
            for name in self.children:
                x = self._forward(name, x, state, kept.plain, draws, final)
            return x, final
        kept.plain.clear()
        y = self._run(kept.spikes, state[self.names[1]], kept)
        if y is None:  # outputs that should be spikes are other numbers
            kept.spikes = None
            for name in self.children:
                x = self._forward(name, x, state, kept.plain, draws, final)
            return x, final
        kept.x = x
        final[self.names[1]] = self._final(kept)
        return y, final

    def _find(self, x: Array, kept: ImageTape) -> PackedSpikes | None:
        """The input as events, if it is spikes, and few enough."""
        connection = self.connection
        windows = connection.by_spikes
        if connection.path == "auto" and x.size * math.prod(connection.kernel_size) * connection.c_post < SMALLEST:
            return None
        limit = 1.0 if windows is None or connection.path == "events" else BREAK_EVEN
        x = np.require(x, self.dtype, ["C", "W"])
        return PackedSpikes.of(x.reshape(*x.shape[:2], -1), kept.arrays.setdefault("packed", {}), limit)

    def _marks(self, steps: int) -> tuple[int, int]:
        """Steps between checkpoints of states, and how many of these there are."""
        every = min(EVERY, steps)
        return every, -(-steps // every) + 1

    def _run(self, packed: PackedSpikes, state: Nested, kept: ImageTape) -> Array | None:
        steps, batch, lines, neuron, arrays = packed.steps, packed.batch, self.lines, self.population.neuron, kept.arrays
        every, marks = self._marks(steps)
        with span("arrange"):
            Z = buffer(arrays, "Z", (lines.blocks, lines.depth, LINE), self.dtype)
            Z[...] = 0.0
            kept.P = lines.parameters(Z)
            S = buffer(arrays, "S", (batch * marks, lines.blocks * lines.states * LINE), self.dtype)
            stacked = [state[name].reshape(batch, -1) for name in neuron.state]
            if stacked:
                first = S.reshape(batch, marks, lines.blocks, lines.states, LINE)[:, 0]
                to_lines(lines.arranged(np.stack(stacked)), first)
            kept.fed = state[neuron.output]
            kept.records = {"start": isinstance(state, Start)}
            image = self._image(kept)
        bits = buffer(arrays, "bits", (steps * batch, lines.blocks), np.uint64)
        y = buffer(arrays, "y", (steps * batch, self.connection.c_post, math.prod(self.maxima)), self.dtype)
        spikes, compiled = self._events(packed, every), lines.kernel("forward")

        def part(lo: int, hi: int) -> int:
            return compiled(u(lo), u(hi), spikes, image, kept.P, S, self._room(Z, 1), bits, y)

        size = steps * batch * lines.width
        with span(f"{self.names[0]}, {self.names[1]} forward", ops=size):
            other = sum(run_threaded(part, batch, size))
        return None if other else y.reshape(steps, batch, *self.shape)

    def _events(self, packed: PackedSpikes, every: int) -> loops.Spikes:
        start, index = packed.rows(0, packed.steps * packed.batch)
        return loops.Spikes(start, index, u(packed.steps), u(every), u(packed.batch))

    def _image(self, kept: ImageTape) -> loops.Image:
        """The convolution as the loops take it."""
        c, (rows, columns), arrays = self.connection, self.connection.places, kept.arrays
        weight = buffer(arrays, "weight", (c.c_pre, *c.kernel_size, self.sides), self.dtype)
        bias = buffer(arrays, "bias", (self.lines.blocks * LINE,), self.dtype)
        weight[...], bias[...] = 0.0, 0.0
        weight[..., : c.c_post] = c.params["weight"][:, :, ::-1]
        if (offset := c.offset) is not None:
            bias[: self.lines.width].reshape(-1, self.sides)[:, : c.c_post] = offset
        apart, ahead = u(columns * self.sides), u(c.kernel_size[1] * self.sides)
        return loops.Image(self.table, weight.reshape(-1), bias, apart, ahead, u(rows), u(columns), u(c.c_post))

    def _source(self, kept: ImageTape, rows: int) -> loops.Source:
        """Where errors of the input go: the gradients of so many images, none if nobody asks for them."""
        c, (kh, kw) = self.connection, self.connection.kernel_size
        turned = np.zeros((self.sides, kh, self.window_size // kh), self.dtype)
        turned[: c.c_post, :, : kw * c.c_pre] = c.params["weight"].transpose(3, 1, 2, 0).reshape(c.c_post, kh, -1)
        apart = (c.places[1] + kw - 1) * c.c_pre
        start, gx = c.before[0] * apart + c.before[1] * c.c_pre, np.empty((rows, *c.image), self.dtype)
        sizes = u(kh), u(self.window_size // kh), self.corners, u(apart), u(start)
        return loops.Source(in_lines(turned.reshape(self.sides, -1)), *sizes, gx)

    def _room(self, Z: Array, every: int) -> loops.Room:
        """What a thread works in."""
        width, places = self.lines.blocks * LINE, len(self.corners)
        made = (aligned((size,), self.dtype) for size in (every * width, every * width * self.lines.states, width, CHUNK))
        windows = aligned((places * blocks(self.window_size), LINE), self.dtype)
        padded, begin = aligned((self.padded,), self.dtype), np.empty(places + 1, np.uintp)
        return loops.Room(copied(Z), *made, windows, padded, begin, np.empty(width + 1, np.uint32))

    def _final(self, kept: ImageTape) -> Nested:
        """The state after the last step."""
        assert kept.spikes is not None
        population, steps, batch = self.population, kept.spikes.steps, kept.spikes.batch
        S = kept.arrays["S"].reshape(batch, -1, self.lines.blocks, self.lines.states, LINE)
        values = dict(zip(population.neuron.state, self.lines.images(S[:, -1]), strict=True))
        values[population.neuron.output] = self._outputs(kept, steps - 1, steps)[0]
        return {name: value.reshape(batch, *population.shape) for name, value in values.items()}

    def _outputs(self, kept: ImageTape, t0: int, t1: int) -> Array:
        """Outputs of steps [t0, t1), [T, B, C H W]."""
        assert kept.spikes is not None
        bits, batch = kept.arrays["bits"].reshape(kept.spikes.batch, kept.spikes.steps, -1), kept.spikes.batch
        words = np.ascontiguousarray(bits[:, t0:t1].swapaxes(0, 1)).astype("<u8", copy=False)
        found = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little", count=self.lines.width)
        places = found.reshape(t1 - t0, batch, self.lines.area, -1)[..., : self.lines.channels]
        return places.swapaxes(-1, -2).reshape(t1 - t0, batch, -1).astype(self.dtype)

    def outputs(self, kept: ImageTape) -> Array:
        """The spikes of the last run, [T, B, C, H, W]."""
        assert kept.spikes is not None
        y = self._outputs(kept, 0, kept.spikes.steps)
        return y.reshape(*y.shape[:2], *self.population.shape)

    def unfold(self, kept: ImageTape) -> None:
        """Make in ``kept.records`` the record that the population's own run would have left."""
        assert kept.spikes is not None
        neuron, start, batch = self.population.neuron, kept.records["start"], kept.spikes.batch
        S = kept.arrays["S"].reshape(batch, -1, self.lines.blocks, self.lines.states, LINE)
        state = {**dict(zip(neuron.state, self.lines.images(S[:, 0]), strict=True)), neuron.output: kept.fed}
        self.population.begin(self.connection.forward(kept.x, {}, {})[0], state, kept.records)
        self.population.advance(kept.records, 0, kept.spikes.steps)
        kept.records["start"] = start

    def record(self, tape: Nested, name: str) -> Any:
        kept: ImageTape = tape.get(self.names[0]) or ImageTape()
        first, _, rest = name.partition("/")
        if kept.spikes is None or first != self.names[1]:
            return super().record(kept.plain, name)
        run = Run(BlockRecords(self, kept), np.empty(0), {}, kept.records)
        return run[rest] if rest else run

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
            raise NotImplementedError("a fused convolution takes no gradient of its final state: use compact=False")
        packed, c, lines, Z, S = kept.spikes, self.connection, self.lines, kept.arrays["Z"], kept.arrays["S"]
        rows, batch, every = packed.steps * packed.batch, packed.batch, self._marks(packed.steps)[0]
        with span("arrange"):
            edges = np.array([0, *(b for _, b in windows(batch, PIECES))], np.uintp)
            pieces, size, units = len(edges) - 1, c.fan_in * self.sides, lines.blocks * LINE
            shapes = (batch, lines.blocks * lines.states * LINE), (batch, lines.blocks * lines.learned * LINE)
            gS, gP = (aligned(shape, self.dtype) for shape in shapes)
            weight, bias = aligned((pieces * size,), self.dtype), aligned((pieces, units), self.dtype)
            sums, source = loops.Sums(gS, gP, edges, weight, bias), self._source(kept, rows if wanted else 0)
            given = np.require(gy, self.dtype, ["C", "W"]).reshape(rows, c.c_post, -1)
            errors = loops.Errors(given, self._extra(inject, rows))
        spikes, image, compiled = self._events(packed, every), self._image(kept), lines.kernel("backward")
        bits = kept.arrays["bits"]

        def part(lo: int, hi: int) -> None:
            room = self._room(Z, every)
            compiled(u(lo), u(hi), spikes, image, kept.P, S, room, bits, errors, source, sums)

        with span(f"{self.names[0]}, {self.names[1]} backward", ops=rows * lines.width):
            run_threaded(part, pieces, rows * lines.width)
        found = weight.reshape(pieces, c.c_pre, *c.kernel_size, self.sides).sum(axis=0)
        grads[self.names[0]]["weight"] += found[:, :, ::-1, : c.c_post]
        if c.bias:
            by_place = bias.sum(axis=0)[: lines.width].reshape(-1, self.sides)
            grads[self.names[0]]["bias"] += by_place.sum(axis=0)[: c.c_post]
        kept.records["gS"], kept.records["gP"] = lines.images(gS), lines.images(gP)
        self.population.end_reverse(kept.records, grads[self.names[1]])
        start = {self.names[1]: self.population.before(kept.records)}
        gx = source.gx.reshape(packed.steps, batch, *c.in_shape) if wanted else None
        return gx, start

    def _extra(self, inject: Nested | None, rows: int) -> Array:
        """The loss's own gradient with respect to the outputs, [T B, C', H' W']; no rows if there is none."""
        given, output = (inject or {}).get(self.names[1], {}), self.population.neuron.output
        if set(given) - {output}:
            raise ValueError(f"in compact form a loss may depend on outputs, not on {sorted(given)} of {self.names[1]}")
        g = np.ascontiguousarray(given[output], self.dtype) if given else np.empty(0, self.dtype)
        return g.reshape(rows if given else 0, self.connection.c_post, self.lines.area)

    def plan(self, steps: int, batch: int) -> Plan:
        """What a batch of this size takes where it runs as one."""
        c, lines, rows, size = self.connection, self.lines, steps * batch, self.dtype.itemsize
        every, marks = self._marks(steps)
        image, weights = math.prod(c.image), c.fan_in * self.sides + lines.blocks * LINE
        limit = 1.0 if c.path == "events" else BREAK_EVEN
        room = lines.blocks * LINE * (every * (1 + lines.states) + lines.depth + 2) + self.padded
        room += len(self.corners) * blocks(self.window_size) * LINE
        table = {
            "checkpoints of states": batch * lines.blocks * LINE * ((marks + 1) * lines.states + lines.learned) * size,
            "spikes": rows * (lines.blocks + -(-image // LINE) + 2) * 8,
            "positions of spikes": int(limit * 1.125 * rows * image) * 4,
            "outputs and errors": rows * (2 * c.c_post * math.prod(self.maxima) + image) * size,
            "work of threads": min(threads(), batch) * room * size,
            "weights and their gradients": (min(batch, PIECES) + 4) * weights * size,
        }
        return Plan(steps, batch, batch, every, True, {}, table)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return self.plan(steps, batch).bytes


def _meetings(c: Conv2d) -> Array:
    """For each input unit where its rows begin in the output image and in the weights, how many and how long they are:
    see ``kernels.products.windows.give``."""
    (_, height, width), (kh, kw), (rows, columns), sides = c.image, c.kernel_size, c.places, filled(c.c_post)
    channel, h, w = (axis.ravel() for axis in np.indices(c.image))
    h, w = h + c.before[0], w + c.before[1]
    i0, i1 = np.maximum(h - (rows - 1), 0), np.minimum(kh, h + 1)
    j0, j1 = np.maximum(w - (columns - 1), 0), np.minimum(kw, w + 1)
    begin, weight = ((h - i0) * columns + w + 1 - j1) * sides, ((channel * kh + i0) * kw + kw - j1) * sides
    found = np.stack([begin, weight, i1 - i0, (j1 - j0) * sides], axis=1)
    found[(i1 <= i0) | (j1 <= j0)] = 0
    return found.astype(np.uint32)


def _corners(c: Conv2d) -> Array:
    """Where the window of each place begins in a padded image with channels last."""
    rows, columns = np.indices(c.places).reshape(2, -1)
    return ((rows * (c.places[1] + c.kernel_size[1] - 1) + columns) * c.c_pre).astype(np.uint32)
