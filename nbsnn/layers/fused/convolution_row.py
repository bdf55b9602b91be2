"""Convolutions in a row of a network with a budget, which go through a batch in pieces where all of it takes more.

Samples do not touch each other, so any of them can run alone; and each of the sums that make a gradient gets its
samples in the same order, however the batch is cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ...device.buffers import buffer
from ...device.threads import windows
from ...kernels.population.fused_conv import Sums
from ...kernels.products.windows import Source
from ...random import Draws
from ...spikes.blocks import blocks
from ...spikes.packed import PackedSpikes
from ...spikes.spike_input import SpikeInput
from ..conv_events import PIECES
from ..layer import Array, Nested
from ..sequential import Sequential
from .convolution import FusedConvolution
from .image_tape import ImageTape
from .memory_plan import LINE_BYTES, Budget, Plan
from .part import Part

Given = Array | SpikeInput | PackedSpikes


def in_rows(net: Sequential, parts: list[Part], budget: Budget) -> list[Part]:
    """The same parts, those that make a ``ConvolutionRow`` in one."""
    found, k = list[Part](), 0
    while k < len(parts):
        end = k
        while end < len(parts) and parts[end].in_pieces:
            end += 1
        if end == k:
            found.append(parts[k])
            k += 1
            continue
        while end < len(parts) and all(
            layer.takes_events is None and layer.ours for layer in parts[end].children.values()
        ):
            end += 1
        stack = end < len(parts) and parts[end].takes_bits
        found.append(ConvolutionRow(net, parts[k:end], budget, stack))
        k = end
    return found


def cut(batch: int, cuts: int) -> list[Array]:
    """The samples of each piece of a batch, ascending; each has some of all parts of the sums, as threads share these,
    and none is after others of its part that come later."""
    parts = windows(batch, PIECES)
    turns = sorted(range(len(parts)), key=lambda k: f"{k:08b}"[::-1])
    longest = max(b - a for a, b in parts)
    order = [parts[k][0] + p for p in range(longest) for k in turns if parts[k][0] + p < parts[k][1]]
    return [np.sort(order[lo:hi]) for lo, hi in windows(batch, cuts)]


@dataclass
class RowTape:
    """What a run of a ``ConvolutionRow`` in pieces leaves.

    Attributes
    ----------
    pieces : list of array
        Samples that went together.
    whole : dict
        What is kept of all samples, by the name of a convolution: spikes that come in and go out as bits, an
        ``ImageTape``.
    arrays : dict
        Memory for a piece.
    """

    pieces: list[Array] = field(default_factory=list[Array])
    whole: dict[str, ImageTape] = field(default_factory=dict[str, ImageTape])
    arrays: Nested = field(default_factory=Nested)


class ConvolutionRow(Part):
    """Parts of ``net``, each a ``FusedConvolution``, and layers after them that flatten; a ``stack`` may follow.

    All samples go through one convolution, piece by piece, then through the next; their spikes are kept as bits, and
    nothing else. Back, a piece runs once more through each convolution before it goes back through it.
    """

    def __init__(self, net: Sequential, parts: list[Part], budget: Budget, stack: bool):
        super().__init__(net, [name for part in parts for name in part.children])
        self.parts, self.budget, self.stack = parts, budget, stack
        self.convolutions = [cast(FusedConvolution, part) for part in parts if part.in_pieces]
        self.key = f"{self.convolutions[0].names[0]} in pieces"
        self.begins = self.convolutions[0].names[0] == next(iter(net.children))
        budget.rows.append(self.bytes)

    @property
    def takes_events(self) -> bool:
        return True

    def initial(self, batch: int) -> Nested:
        return {name: state for part in self.convolutions for name, state in part.initial(batch).items()}

    def forward(self, x: Given, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        steps, batch = x.shape[:2]
        final, cuts = dict[str, Any](), self.budget.cuts(steps, batch)
        if cuts > 1:
            for part in self.parts:  # gives memory back
                tape.pop(next(iter(part.children)), None)
            kept: RowTape = tape.setdefault(self.key, RowTape())
            kept.pieces, given = cut(batch, cuts), x
            for k in range(len(self.convolutions)):
                given = self._run(k, given, state, kept, final)
                if given is None:
                    break
            else:
                y = given.reshape(steps, batch, *self.shape) if isinstance(given, np.ndarray) else given
                return cast(Array, y), final
            final.clear()
        tape.pop(self.key, None)
        for part in self.parts:
            x, after = part.forward(cast(Array, x), state, tape, draws)
            final |= after
        return cast(Array, x), final

    def _run(self, k: int, given: Given, state: Nested, kept: RowTape, final: Nested) -> Array | PackedSpikes | None:
        """The outputs of convolution ``k``, as bits if something takes them so; None if it has to run layer by
        layer."""
        part, last = self.convolutions[k], k == len(self.convolutions) - 1
        steps, batch = given.shape[:2]
        whole = kept.whole.setdefault(part.names[0], ImageTape())
        whole.spikes = None
        if not (isinstance(given, np.ndarray) and self.arrays.constant(given)):
            if isinstance(given, np.ndarray):
                given = np.require(given, part.dtype, ["C", "W"])
            whole.spikes = part.events.find(given, whole.arrays, steps, listed=False)
        if whole.spikes is None:
            return self._apart(part, steps, batch)
        part.arrange(whole)
        whole.x, whole.state, whole.records = given, state[part.names[1]], {}
        bits = buffer(whole.arrays, "bits", (batch * steps, part.lines.blocks), np.uint64).reshape(batch, steps, -1)
        out: Array | PackedSpikes
        if last and not self.stack:
            out = buffer(whole.arrays, "y", (steps, batch, *part.shape), part.dtype)
        else:
            out = PackedSpikes(steps, batch, math.prod(part.shape), whole.arrays.setdefault("out", {}))
            out.as_numbers = True
        for samples in kept.pieces:
            piece = self._piece(k, samples, kept)
            found = part.outputs_of(piece, _state(whole.state, samples), "forward")
            if found is None:
                whole.spikes = None
                return self._apart(part, steps, batch)
            bits[samples] = piece.arrays["bits"].reshape(len(samples), steps, -1)
            if isinstance(out, PackedSpikes):
                out.put(samples, found.reshape(steps, len(samples), -1), kept.arrays.setdefault("out", {}))
            else:
                out[:, samples] = found
            if not part.whole:
                after = final.setdefault(part.names[1], {})
                for name, value in part.final(piece).items():
                    after.setdefault(name, np.empty((batch, *value.shape[1:]), value.dtype))[samples] = value
        return out

    def _apart(self, part: FusedConvolution, steps: int, batch: int) -> None:
        """Refuse to run ``part`` layer by layer, unless there is memory for that."""
        self.budget.check(part.names[0], part.apart(steps, batch))

    def _piece(self, k: int, samples: Array, kept: RowTape) -> ImageTape:
        """A tape for some samples with their spikes; its memory is that of other pieces and convolutions."""
        name = self.convolutions[k].names[0]
        whole, room = kept.whole[name], kept.arrays.setdefault(f"packed {name}", {})
        spikes = whole.ran.some(samples, room)
        return ImageTape(spikes=spikes, arrays=kept.arrays, P=whole.P, Z=whole.Z, image=whole.image)

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
        before, kept = dict[str, Any](), tape.get(self.key)
        if kept is None:
            for part in reversed(self.parts):
                passed: dict[str, Any] = {
                    "after": after,
                    "inject": inject,
                    "wanted": wanted or part is not self.parts[0],
                }
                gy, start = part.backward(gy, tape, grads, **passed)  # type: ignore[assignment]
                before |= start
            return gy, before
        if after:
            raise NotImplementedError("pieces take no gradient with respect to their final state: use compact=False")
        steps, batch = gy.shape[:2]
        sums = [part.sums(batch, batch * part.asked) for part in self.convolutions]
        extra = [part.extra(inject, steps * batch) for part in self.convolutions]
        gx = np.empty((steps, batch, *self.in_shape), gy.dtype) if wanted else None
        sources = [
            part.events.source(part.connection.params["weight"], np.empty((0, *part.connection.image), gy.dtype))
            for part in self.convolutions
        ]
        for samples in kept.pieces:
            g = np.take(gy, samples, axis=1)
            for k in reversed(range(len(self.convolutions))):
                own = extra[k]
                if len(own):
                    own = np.take(own.reshape(steps, batch, *own.shape[1:]), samples, axis=1).reshape(
                        -1, *own.shape[1:]
                    )
                rows = steps * len(samples) * (wanted or k > 0)
                pulled = buffer(kept.arrays, f"gx {k % 2}", (rows, *self.convolutions[k].connection.image), gy.dtype)
                self._back(k, g, own, samples, kept, sources[k]._replace(gx=pulled), sums[k])
                g = pulled.reshape(-1, len(samples), *self.convolutions[k].in_shape)
            if gx is not None:
                gx[:, samples] = g
        for part, total in zip(self.convolutions, sums, strict=True):
            before |= part.add(total, kept.whole[part.names[0]].state, grads)
        return gx, before

    def _back(self, k: int, gy: Array, extra: Array, samples: Array, kept: RowTape, source: Source, sums: Sums) -> None:
        """Some samples forward once more and back through convolution ``k``."""
        part, piece = self.convolutions[k], self._piece(k, samples, kept)
        part.outputs_of(piece, _state(kept.whole[part.names[0]].state, samples), "forward again")
        gS, gP = part.sample_sums(len(samples))
        edges = np.searchsorted(samples, sums.edges).astype(np.uintp)
        part.back(piece, gy, extra, source, Sums(gS, gP, edges, sums.weight, sums.bias))
        if part.asked:
            sums.gS[samples], sums.gP[samples] = gS, gP

    def record(self, tape: Nested, name: str) -> Any:
        held = tape[self.key].whole if self.key in tape else tape
        for part in self.parts:
            if name.partition("/")[0] in part.children:
                return part.record(held, name)
        return super().record(tape, name)

    def rate(self, tape: Nested, name: str) -> float:
        held = tape[self.key].whole if self.key in tape else tape
        for part in self.parts:
            if name in part.children:
                return part.rate(held, name)
        return super().rate(tape, name)

    def plans(self, steps: int, batch: int, rate: float | None = None) -> dict[tuple[str, ...], Plan]:
        cuts, most = self.budget.cuts(steps, batch), min(part.events.limit for part in self.convolutions)
        if cuts > 1 and (rate or 0.0) <= most:
            return {tuple(self.children): self.planned(steps, batch, cuts, rate)}
        return {tuple(part.children): part.plan(steps, batch, rate) for part in self.parts}

    def bytes(self, steps: int, batch: int, cuts: int) -> int:
        """What a batch takes in so many pieces."""
        if cuts > 1:
            return self.planned(steps, batch, cuts).bytes
        return sum(part.plan(steps, batch).bytes for part in self.convolutions)

    def planned(self, steps: int, batch: int, cuts: int, rate: float | None = None) -> Plan:
        """The same as a plan, if that share of all places are ones; at most, without."""
        chunk, parts = -(-batch // cuts), self.convolutions
        whole, few = ([part.planned(steps, n, rate) for part in parts] for n in (batch, chunk))
        size, rows, last, images = parts[0].dtype.itemsize, steps * batch, math.prod(parts[-1].shape), self.in_shape
        outputs = [table["outputs and errors"] // 2 for table in few]
        asked = sum(part.asked * (2 * part.lines.states + part.lines.learned) * part.lines.blocks for part in parts)
        table = {
            "states before and after": 64 * asked * batch * size,
            "checkpoints of states": max(table["checkpoints of states"] for table in few),
            "spikes": sum(table["spikes"] for table in (*whole, *few)),
            "positions of spikes": sum(table["positions of spikes"] for table in few),
            "outputs and errors": rows * last * size * (1 if self.stack else 2),
            "outputs and errors of a piece": max(outputs) + sum(outputs),
            "room of threads": max(table["room of threads"] for table in few),
            "weights and their gradients": sum(table["weights and their gradients"] for table in whole),
        }
        if self.stack:
            table["spikes"] += rows * (blocks(last) + 2) * 8
            pulled = max(steps * last * size, min(rows * last * size, LINE_BYTES))  # a few samples' from the stack
            table["outputs and errors of a piece"] += pulled
        if not self.begins:
            table["outputs and errors of a piece"] += chunk * steps * math.prod(images) * size
        return Plan(steps, batch, chunk, parts[0].plan(steps, batch).every, False, {}, table)


def _state(state: Nested, samples: Array) -> Nested:
    """The state of some samples; of values that are the same for all, a view."""
    found = {k: value[samples] if value.strides[0] else value[: len(samples)] for k, value in state.items()}
    return type(state)(found)
