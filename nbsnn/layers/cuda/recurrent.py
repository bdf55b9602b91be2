"""A loop in time on a GPU: one population with dense feedback in one launch for all steps, anything else step by step.

A block of threads has a sample there, so the population may have as many units as a block has threads, and what a unit
needs must fit into its share of the block's registers; any other takes some launches for each step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import gpu
from ..layer import Nested
from ..low_pass import as_array
from . import loop
from .counterpart import Counterpart
from .population import PopulationOnGpu
from .still import stored

WIDEST = 1024
"""Threads of a block."""


class RecurrentOnGpu(Counterpart):
    """A layer with feedback of one step."""

    def initial(self, batch: int) -> Nested:
        """As ``Layer.initial``."""
        layer = self.layer
        return {"neurons": layer.population.initial(batch)} if layer.windowed else loop.initial(layer, batch)

    def tape_of(self, tape: Nested, name: str) -> Nested:
        """As ``Container.tape_of``."""
        return tape.get(name, {}) if self.layer.windowed else loop.tape_of(tape, name)

    def forward(self, x: Any, state: Nested, tape: Nested, draws: Any = None) -> tuple[Any, Nested]:
        """As ``Layer.forward``."""
        layer = self.layer
        if not layer.windowed:
            return loop.forward(layer, stored(x, tape, "x"), state, tape, draws)
        population, steps = layer.population, len(x)
        inner, back = tape.setdefault("neurons", {}), tape.setdefault("feedback", {})
        drive = gpu.buffer(inner, "drive", (*x.shape[:2], *layer.shape), self._dtype)
        population.begin(drive, state["neurons"], inner)
        record = inner["record"]
        if not self._forward_at_once(x, inner):
            gpu.copy(stored(x, inner, "stored"), drive)
            for t in range(steps):
                gpu.add(layer.feedback.apply(record[0, t : t + 1], back, None), drive[t])
                population.advance(inner, t, t + 1)
        layer.feedback.offer(record[0, :steps], back)
        return population.output(inner), {"neurons": population.final(inner)}

    def backward(
        self, gy: Any, tape: Nested, grads: Nested, *, after: Any = None, inject: Any = None, wanted: bool = True
    ) -> tuple[Any, Nested]:
        """As ``Layer.backward``."""
        layer = self.layer
        if not layer.windowed:
            return loop.backward(layer, gy, tape, grads, after, inject)
        population, inner, back = layer.population, tape["neurons"], tape["feedback"]
        gy = population.begin_reverse(gy, inner, (after or {}).get("neurons"), (inject or {}).get("neurons"))
        gx, fed = inner["gx"], gpu.buffer(inner, "g fed", (gy.shape[1], *layer.shape), self._dtype)
        if not self._backward_at_once(gy, fed, inner):
            self._backward_by_step(gy, fed, inner, back)
        population.end_reverse(inner, grads["neurons"])
        layer.feedback.accumulate(gx, back, grads["feedback"])
        if inner["start"] and population.starts_learned():
            population.first_reverse(fed, grads["neurons"])
        before = {**population.before(inner), population.neuron.output: fed}
        return gx.reshape(len(gx), gx.shape[1], *layer.in_shape), {"neurons": before}

    def backward_within(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """Only steps by themselves: learners take one step at a time where there is feedback."""
        return self.layer.backward(gy, tape, grads, wanted=wanted)[0]

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        """As ``Layer.trace``."""
        layer = self.layer
        if not layer.windowed:
            return loop.trace(layer, as_array(x), tape, traces)
        inner = traces.setdefault("neurons", {})
        before = inner.get("trace")
        if before is None:
            before = gpu.zeros((x.shape[1], *layer.shape), self._dtype)
        layer.feedback.offer(before.reshape(1, *before.shape), tape["feedback"])  # of the step before, as its spikes
        return as_array(layer.population.trace(x, tape["neurons"], inner))

    def _forward_at_once(self, x: Any, inner: Nested) -> bool:
        if self.layer.population.units > WIDEST:
            return False
        side, params, record = self._side, self.layer.feedback.params, inner["record"]
        x = getattr(x, "array", x)
        x = x.reshape(len(x), x.shape[1], self.layer.population.units)
        c = params.get("bias")
        c = self._nothing() if c is None else c
        arrays = x, params["weight"], c, inner["x"], inner["params"], side.states(record), record[0]
        return self._start(side.made("forward", "recurrent", SPIKES=self._spikes, **self._block), inner, *arrays)

    def _backward_at_once(self, gy: Any, fed: Any, inner: Nested) -> bool:
        side, weight = self._side, self.layer.feedback.params["weight"]
        if self.layer.population.units > WIDEST:
            return False
        across = gpu.buffer(inner, "across", weight.shape, self._dtype)
        arguments = weight.shape[1], gpu.flat(weight), gpu.flat(across)
        gpu.launch("arrays", "across", self._dtype, weight.size, *arguments)
        second = "t, b, n" if inner["gV"].shape[1] else None
        states, gradients = side.states(inner["record"]), (inner["gV"], inner["gS"], inner["gx"], inner["gP"])
        arrays = inner["x"], inner["params"], states, across, gy, *gradients, fed.reshape(len(fed), across.shape[0])
        return self._start(side.made_reverse("backward", "recurrent", second, **self._block), inner, *arrays)

    def _backward_by_step(self, gy: Any, fed: Any, inner: Nested, back: Nested) -> None:
        feedback, population, gx = self.layer.feedback, self.layer.population, inner["gx"]
        own = gpu.buffer(inner, "gy of loop", gy.shape, self._dtype)
        gpu.copy(gy, own)
        for t in reversed(range(len(gy))):
            population.retreat(own, inner, t, t + 1)
            g = feedback.pull(gx[t : t + 1], back)
            if t:
                gpu.add(g, own[t - 1])
            else:
                gpu.copy(g, fed)

    @property
    def _side(self) -> PopulationOnGpu:
        return self.layer.population.counterpart

    @property
    def _block(self) -> dict[str, int | None]:
        return {"block": gpu.bound(self.layer.population.units)}

    @property
    def _spikes(self) -> int:
        return int(self.layer.population.neuron.output == "spikes" and not self.layer.setting.smooth)

    def _nothing(self) -> Any:
        if "nothing" not in self.cache:
            self.cache["nothing"] = gpu.zeros(self.layer.population.units, self._dtype)
        return self.cache["nothing"]

    def _start(self, compiled: Any, inner: Nested, *arrays: Any) -> bool:
        """Launch a block for each sample, a thread for each unit, if such a block fits; whether it did."""
        (steps, batch), units = inner["x"].shape[:2], self.layer.population.units
        if not gpu.fits(compiled, units, steps, units, *arrays):
            return False
        shared = max(3 * 4 * (-(-units // 32)), 2 * np.dtype(self._dtype).itemsize * units)
        gpu.start(compiled, batch * units, steps, units, *arrays, block=units, shared=shared)
        return True
