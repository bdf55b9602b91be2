"""A population's parameters on a GPU: their values per step, and the gradients of those that are learned.

What a kernel reads is worked out by NumPy from the parameters (``nbsnn.per_step``), and sent only if it has changed.
Learned parameters are read back for that at every run: few numbers, but the only place where training waits for the
GPU before its end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import gpu
from ...gpu import sums as gpu_sums
from ..first import first_vjp
from ..layer import Nested
from .counterpart import Leaf


class LearnedOnGpu(Leaf):
    """What is learned in a population: parameters of its neurons, and initial values."""

    def host_table(self) -> np.ndarray:
        """All parameters as the step uses them, [params, N], not on the GPU."""
        self._refresh()
        return self.layer._per_step()

    def table(self) -> Any:
        """The same on the GPU."""
        return self._kept("table", self.host_table())

    def first(self) -> np.ndarray:
        """As ``Layer.first``; not on the GPU."""
        self._refresh()
        return type(self.layer).first(self.layer)

    def first_reverse(self, g: Any, grads: Nested) -> None:
        """As ``Layer.first_reverse``."""
        layer, sums = self.layer, gpu.zeros((self.layer.units,), self._dtype)
        gpu_sums.add_columns(g.reshape(g.shape[0], sums.size), sums, {})
        lines = gpu.get(sums).reshape(layer.shape)
        for name, line in first_vjp(layer.neuron, layer.starts, layer.values, lines).items():
            name = layer.source(name.removeprefix("initial_")) if name.startswith("initial_") else name
            if name in layer.params:
                self._fold(name, gpu.put(np.ascontiguousarray(line, self._dtype)), None, grads)

    def end_reverse(self, tape: Nested, grads: Nested) -> None:
        """As ``Population.end_reverse``."""
        layer = self.layer
        for k, name in enumerate(layer.neuron.trained):
            way = layer.neuron.way(name)
            value = layer.values[name].astype(np.float64)
            slope = None if way is None else way.slope(value, layer.setting.dt)
            self._fold(name, self._over_samples(tape["gP"][k], tape), slope, grads)
        if tape["start"]:
            for k, name in enumerate(layer.neuron.state):
                if layer.source(name) in layer.params:
                    self._fold(layer.source(name), self._over_samples(tape["gS"][k], tape), None, grads)

    def _start(self, name: str) -> np.ndarray:
        """The initial value of a state."""
        self._refresh()
        return self.layer.starts[name]

    def _room(self, tape: Nested, batch: int) -> None:
        """Zeros for what the reverse carries, ``gS``, and adds up, ``gP``: lines of one array."""
        layer = self.layer
        states, learned, lanes = len(layer.neuron.state), len(layer.neuron.trained), (batch, layer.units)
        both = gpu.buffer(tape, "g", (states + learned, *lanes), self._dtype)
        none = gpu.empty((0, *lanes), self._dtype) if not (states and learned) else None
        if both.size:
            gpu.fill(both, 0)
        tape["gS"], tape["gP"] = (both[:states] if states else none), (both[states:] if learned else none)

    def _over_samples(self, lanes: Any, tape: Nested) -> Any:
        """The sum of ``lanes`` [B, N] over samples, [N]."""
        sums = gpu.buffer(tape, "g units", (lanes.shape[1],), self._dtype)
        gpu.fill(sums, 0)
        gpu_sums.add_columns(lanes, sums, tape)
        return sums

    def _fold(self, name: str, units: Any, slope: Any, grads: Nested) -> None:
        """Add ``units`` [N] to the gradient of a parameter that units may share, times its slope."""
        layer, size = self.layer, self.layer.units
        value = layer.starts[name.removeprefix("initial_")] if name.startswith("initial_") else layer.values[name]
        place = np.broadcast_to(np.arange(value.size).reshape(value.shape), layer.shape).reshape(size)
        order = np.argsort(place, kind="stable").reshape(value.size, size // value.size)
        factor = np.ones(value.size) if slope is None else slope.reshape(value.size)
        arrays = self._kept(f"order {name}", order), gpu.flat(units), self._kept(f"slope {name}", factor)
        gpu.launch("record", "fold", self._dtype, value.size, *arrays, gpu.flat(grads[name]))

    def _refresh(self) -> None:
        """Read learned parameters back: their values per step are worked out by NumPy."""
        layer = self.layer
        for name, array in layer.params.items():
            own = layer.starts if name.startswith("initial_") else layer.values
            own[name.removeprefix("initial_") if own is layer.starts else name][...] = gpu.get(array)

    def _kept(self, name: str, array: np.ndarray) -> Any:
        """``array`` on the GPU, sent only if it is another one than before."""
        before = self.cache.get(name)
        if before is None or not np.array_equal(before[0], array):
            before = self.cache[name] = (array.copy(), gpu.put(array))
        return before[1]
