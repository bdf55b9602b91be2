"""A batch normalisation, the population after it and a maximum over windows, run as one.

Neither normalised numbers are kept, nor states, nor outputs before the maximum: see ``kernels.population.normalized``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np

from ...compile.simd import LINE
from ...device.buffers import buffer, zeros
from ...device.profile import span
from ...device.threads import run_threaded, threads
from ...kernels.population import normalized as loops
from ...kernels.population import normalized_backward
from ...random import Draws
from ...spikes.blocks import blocks
from ..batch_norm import BatchNorm
from ..layer import Array, Layer, Nested, Start
from ..pool2d import MaxPool2d
from ..population import Population
from ..run import Run
from ..sequential import Sequential
from .block_records import BlockRecords
from .layout import BlockLayout
from .memory_plan import Plan
from .part import Part, injected

LANES, ROOM = 4096, 2**18
"""A group of samples has at most this many lanes, and this many numbers of all steps, if one sample has fewer: they
should fit a near cache."""

u = np.uintp


def normalized_in_one(names: list[str], children: Mapping[str, Layer]) -> list[str]:
    """The first of ``names`` if they make a ``FusedNormalization``: two layers of images, or three with a maximum."""
    norm, *after = (children[name] for name in names[:3])
    parts = after[0].fused_parts() if after and norm.fuses_as == "normalization" else None
    if parts is None or parts[1] is not None:
        return []
    if len(after) < 2 or after[1].fuses_as != "maximum":
        return names[:2]
    sizes = zip(norm.in_shape[1:], cast(MaxPool2d, after[1]).kernel_size, strict=True)
    return names[: 2 + (not any(size % window for size, window in sizes))]


class NormLayout(BlockLayout):
    """A population whose units are images, each channel by itself, as lines of 64 lanes of a group of samples."""

    name = "normalized"
    loops: ClassVar[dict[str, Callable[..., Any]]] = {
        "forward": loops.forward,
        "backward": normalized_backward.backward,
    }

    def __init__(self, population: Population, window: tuple[int, int]):
        super().__init__(population, False)
        places = dict(zip(("CURRENT", "ERROR", "SUM"), range(self.depth, self.depth + 3), strict=True))
        self.constants = {"HIGH": window[0], "WIDE": window[1], "LEARNED": self.learned, **places}
        self.constants["OWN"], self.depth = self.shared.count(False), self.depth + 3
        self.constants["SPAN"] = 8 if population.shape[-1] // window[1] <= 8 else 16


@dataclass
class NormTape:
    """What a run of a ``FusedNormalization`` leaves.

    Attributes
    ----------
    arrays : dict
        Memory that later runs use again.
    x : array [T, B, C, H, W]
        The input, one step if it does not change.
    steps : int
        How many steps there were.
    norm : Norm
        Moments of the input.
    new : (array, array) or None
        Mean and variance that running statistics will move towards, if they do.
    state : dict
        States before the first step.
    fired : array [C]
        Sums of outputs.
    records : dict
        The population's own tape, as far as somebody has asked for its records.
    """

    arrays: Nested = field(default_factory=Nested)
    x: Array = field(init=False)
    steps: int = 0
    norm: loops.Norm = field(init=False)
    new: tuple[Array, Array] | None = None
    state: Nested = field(default_factory=Nested)
    fired: Array = field(init=False)
    records: Nested = field(default_factory=Nested)


class FusedNormalization(Part):
    """A ``BatchNorm``, a population and perhaps a ``MaxPool2d``, the layers of ``net`` under these names.

    Where only ``whole`` runs are made, nobody asks for the state after one, nor for the gradient of that before it.
    """

    def __init__(self, net: Sequential, names: list[str], whole: bool = False):
        super().__init__(net, names)
        self.names, self.whole = names, whole
        norm, population, *pool = self.children.values()
        self.norm, self.population, self.dtype = cast(BatchNorm, norm), cast(Population, population), norm.setting.dtype
        window = cast(MaxPool2d, pool[0]).kernel_size if pool else (1, 1)
        self.layout, (self.channels, *places) = NormLayout(self.population, window), population.shape
        self.high, self.wide = places[0] // window[0], places[1] // window[1]
        self.area, self.places = math.prod(places), math.prod(window)

    def initial(self, batch: int) -> Nested:
        return {self.names[1]: self.population.shared_initial(batch)}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        kept: NormTape = tape.setdefault(self.names[0], NormTape())
        kept.steps, kept.state, kept.records = len(x), state[self.names[1]], {}
        kept.x = np.require(x[:1] if self.arrays.constant(x) else x, self.dtype, ["C", "W"])
        batch, kept.norm = x.shape[1], self._moments(kept, draws is not None)
        y = buffer(kept.arrays, "y", (len(x) * batch, self.channels, self.high * self.wide), self.dtype)
        rows = 0 if self.whole else len(self.population.variables)
        final, kept.fired = np.empty((rows, batch, self.channels, self.area), self.dtype), np.empty(self.channels)
        images, units, compiled = self._images(kept), self._units(kept), self.layout.kernel("forward")

        def part(lo: int, hi: int) -> None:
            room = self._room(images, 0)
            compiled(u(lo), u(hi), images, kept.norm, units, room, y, final, kept.fired)

        size = len(x) * batch * self.population.units
        with span(f"{self.names[0]}, {self.names[1]} forward", ops=size):
            run_threaded(part, self.channels, size)
        self._note(kept, draws is not None)
        names = (*self.population.neuron.state, self.population.neuron.output)
        after = {name: line.reshape(batch, *self.population.shape) for name, line in zip(names, final, strict=False)}
        return y.reshape(len(x), batch, *self.shape), {self.names[1]: after} if after else {}

    def _moments(self, kept: NormTape, training: bool) -> loops.Norm:
        """The normalisation as the loops take it, its moments yet to be found if they are the input's own."""
        norm, channels = self.norm, self.channels
        own = training or not norm.running
        if own and self._numbers(kept) < 2:
            raise ValueError(f"{norm!r} needs more than one number of each channel for a variance, in a batch")
        names = ("running_mean", "running_var")
        mean, variance = (np.zeros(channels) if own else norm.buffers[name].astype(np.float64) for name in names)
        weight = norm.params["weight"] if norm.affine else np.ones(channels, self.dtype)
        bias = norm.params["bias"] if norm.affine and norm.bias else np.zeros(channels, self.dtype)
        return loops.Norm(mean, variance, own, norm.eps, weight, bias, np.empty((6, channels), self.dtype))

    def _numbers(self, kept: NormTape) -> int:
        """Of how many numbers of each channel moments are, those of a constant input counted at all its steps."""
        return kept.steps * kept.x.shape[1] * self.area

    def _note(self, kept: NormTape, training: bool) -> None:
        """Note what running statistics will move towards."""
        n = self._numbers(kept)
        moving = training and self.norm.running
        kept.new = (kept.norm.mean, kept.norm.variance * (n / (n - 1))) if moving else None

    def _images(self, kept: NormTape) -> loops.Images:
        """The input, and how its samples go together: in groups that leave few lanes without a unit."""
        windows, batch = self.high * self.wide, kept.x.shape[1]
        most = max(1, min(LANES, ROOM // kept.steps) // (windows * self.places))
        lines = {g: blocks(g * windows) for g in range(1, min(most, batch) + 1)}
        together = min(lines, key=lambda g: lines[g] / g)
        x = kept.x.reshape(-1, self.channels, self.area)
        return loops.Images(x, *map(u, (kept.steps, batch, self.high, self.wide, together, lines[together])))

    def _units(self, kept: NormTape) -> loops.Units:
        """Parameters and initial states."""
        table, shared = self.population.step_parameters(), np.array(self.layout.shared, bool)
        lines = [_shortest(kept.state[name]) for name in self.population.neuron.state]
        shape = np.broadcast_shapes((1, 1), *(line.shape for line in lines))
        start = np.empty((len(lines), *shape), self.dtype)
        for k, line in enumerate(lines):
            start[k] = line
        each = (self.channels, self.area) if shape[1] > 1 else (1, 1)
        own = table[~shared].reshape(-1, 1, self.channels, self.area)
        return loops.Units(np.ascontiguousarray(table[shared, :1]), own, start.reshape(len(lines), shape[0], *each))

    def _room(self, images: loops.Images, steps: int) -> loops.Room:
        """What a thread works in, with room for so many steps."""
        lanes, layout = int(images.lines) * LINE, self.layout
        each = lanes * self.places
        sizes = each * layout.depth, steps * each * (layout.states + 2), max(2, self.places) * lanes
        Z, H, flat = (zeros((size,), self.dtype) for size in sizes)
        return loops.Room(Z, H, flat, zeros((2, self.area), np.float64))

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
            raise NotImplementedError(
                "a fused normalisation takes no gradient with respect to its final state: use compact=False"
            )
        kept: NormTape = tape[self.names[0]]
        population, batch, rows = self.population, kept.x.shape[1], kept.steps * kept.x.shape[1]
        shape = kept.x.size // self.channels // self.area, self.channels, self.area
        gx = buffer(kept.arrays, "gx", shape, self.dtype)
        total, along = np.empty((2, self.channels))
        asked = not self.whole or population.start_learned
        gS = zeros((self.layout.states * asked, batch, self.channels, self.area), self.dtype)
        gP = zeros((self.layout.learned, 1, self.channels, self.area), self.dtype)
        given = np.require(gy, self.dtype, ["C", "W"]).reshape(rows, self.channels, -1)
        extra = injected(inject, self.names[1], population, (rows, self.channels, self.area))
        errors = normalized_backward.Errors(given, extra)
        gradients = normalized_backward.Gradients(gx, wanted, total, along, gS, gP)
        images, units, compiled = self._images(kept), self._units(kept), self.layout.kernel("backward")

        def part(lo: int, hi: int) -> None:
            room = self._room(images, kept.steps)
            compiled(u(lo), u(hi), images, kept.norm, units, room, errors, gradients)

        size = rows * population.units
        with span(f"{self.names[0]}, {self.names[1]} backward", ops=size):
            run_threaded(part, self.channels, size)
        own = grads[self.names[0]]
        if self.norm.affine:
            own["weight"] += along / np.sqrt(kept.norm.variance + self.norm.eps)
            if self.norm.bias:
                own["bias"] += total
        if kept.new is not None:
            self.norm.follow(*kept.new, {})
            kept.new = None
        gS, gP = (g.reshape(*g.shape[:2], population.units) for g in (gS, gP))
        learned = gS if asked and isinstance(kept.state, Start) else None
        population.add_gradients(gP, learned, grads[self.names[1]], {})
        start = {self.names[1]: population.before(gS)} if asked else {}
        return gx.reshape(kept.x.shape) if wanted else None, start

    def _unfold(self, kept: NormTape) -> None:
        """Make in ``kept.records`` the record that the population's own run would have left."""
        shift, factor, offset = (line[:, None, None] for line in kept.norm.table[:3])
        x = (kept.x - shift) * factor + offset
        run = self.population.begin(x if len(x) > 1 else self.arrays.repeated(x, kept.steps), kept.state, kept.records)
        self.population.advance(run, 0, kept.steps)

    def _outputs(self, kept: NormTape) -> Array:
        if "run" not in kept.records:
            self._unfold(kept)
        return self.population.output(kept.records)

    def record(self, tape: Nested, name: str) -> Any:
        kept: NormTape | None = tape.get(self.names[0])
        first, _, rest = name.partition("/")
        if kept is None or first != self.names[1]:
            return super().record({}, name)
        records = BlockRecords(self.population, partial(self._outputs, kept), partial(self._unfold, kept))
        run = Run(records, np.empty(0), {}, kept.records)
        return run[rest] if rest else run

    def rate(self, tape: Nested, name: str) -> float:
        kept: NormTape | None = tape.get(self.names[0])
        if kept is None or name != self.names[1]:
            return super().rate(tape, name)
        return float(kept.fired.sum() / (kept.steps * kept.x.shape[1] * self.population.units))

    def plan(self, steps: int, batch: int, rate: float | None = None) -> Plan:
        """What a batch of this size takes if its input changes from step to step."""
        rows, size, layout = steps * batch, self.dtype.itemsize, self.layout
        units, windows = self.population.units, self.high * self.wide
        group = max(1, min(LANES, ROOM // steps) // (windows * self.places))
        lanes = min(group, batch) * windows * self.places
        asked = (layout.states + 1) * batch * units * 2 * (not self.whole or self.population.start_learned)
        table = {
            "outputs and errors": rows * (units + self.channels * windows) * size,
            "states before and after": asked * size,
            "room of threads": threads() * lanes * (layout.depth + steps * (2 + layout.states) + 2) * size,
            "weights and their gradients": 2 * sum(array.nbytes for array in self.parameters().values()),
        }
        return Plan(steps, batch, batch, steps, True, {}, table)


def _shortest(value: Array) -> Array:
    """Values [B, ...] as [B, units], or as one sample or one unit that stands for all."""
    if not value.strides[0]:
        value = value[:1]
    if not any(value.strides[1:]):
        value = value.reshape(len(value), -1)[:, :1] if len(value) == 1 else value
    return value.reshape(len(value), -1)
