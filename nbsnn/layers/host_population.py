"""Populations on the CPU: a kernel over all steps, units and samples, forward and in reverse.

``record[k, t]`` is variable ``k`` before step ``t`` of a run; row 0 is the output, the others are the state. So the
record is history, tape of the backward pass and, at its end, the final state. ``layers.cuda.population`` has the same
methods for a GPU, and ``Population.ops`` is the one or the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..compile.unroll import row, row_sum, store, zeros
from ..device.profile import span
from ..device.threads import launch
from ..kernels.population import loops as cpu
from ..kernels.population.loops import Gradients
from ..neuron import Neuron
from .initial_output import summed_where_shared
from .layer import Array, Layer, Nested, Start, buffer
from .population_tape import PopulationTape
from .spike_trace import LowPass, traced


class HostPopulation(Layer):
    """The steps of a population with NumPy's arrays."""

    neuron: Neuron
    variables: list[str]
    units: int
    values: dict[str, Array]
    starts: dict[str, Array]
    step_parameters: Callable[[], Array]
    start_learned: bool
    trained: tuple[str, ...]
    kernels: dict[str, Callable[..., Any]]
    _places: tuple[int, ...]
    _step: Callable[..., Any]

    def start(self, batch: int, first: Array) -> Start:
        """The state from which a run starts, with the output before it; see ``Layer.initial``."""
        start, values = Start(), {**self.starts, self.neuron.output: first}
        for name in self.variables:
            start[name] = np.full((batch, *self.shape), values[name], self.setting.dtype)
        if self.start_learned:
            for array in start.values():
                array.flags.writeable = False
        return start

    def shared_initial(self, batch: int) -> Start:
        """As ``initial``, of which one sample stands for all: nobody may write to it."""
        values = {**self.starts, self.neuron.output: self.first()}
        lines = {name: np.asarray(values[name], self.setting.dtype) for name in self.variables}
        return Start({name: np.broadcast_to(line, (batch, *self.shape)) for name, line in lines.items()})

    def begin(self, x: Array, state: Nested, tape: Nested) -> PopulationTape:
        """Make room for the steps of ``x`` and put the state before them."""
        (steps, batch), room = x.shape[:2], tape.setdefault("/room", {})
        record = buffer(room, "record", (len(self.variables), steps + 1, batch, self.units), self.setting.dtype)
        for line, name in zip(record, self.variables, strict=True):
            line[0] = state[name].reshape(batch, self.units)
        if self.arrays.constant(x):
            x = x[:1]
        # A read-only or strided array would be a type of its own to the compiler, and cost a compilation.
        x = np.require(x, self.setting.dtype, ["C", "W"])
        x, start = x.reshape(len(x), batch, self.units), isinstance(state, Start)
        run = tape["run"] = PopulationTape(record, x, self.step_parameters(), start, room)
        return run

    def advance(self, run: PopulationTape, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        record, x = run.record, run.x
        arrays = (x, run.params, record[1:], record[0])
        with span("neurons", ops=(t1 - t0) * x.shape[1] * self.units):
            launch(self._forward_kernel(), self.setting.device, t0, t1, x.shape[1], self.units, *arrays)

    def final(self, run: PopulationTape) -> Nested:
        """The state after the last step, as arrays of its own."""
        lines = zip(self.variables, run.record, strict=True)
        return {name: line[-1].reshape(-1, *self.shape).copy() for name, line in lines}

    def begin_reverse(
        self, gy: Array, run: PopulationTape, after: Nested | None, inject: Nested | None
    ) -> tuple[Array, Gradients]:
        """Make room for the gradients; returns ``gy`` with all that the loss adds to the output's gradient, too."""
        steps, batch = gy.shape[:2]
        lanes, dtype, output = (batch, self.units), self.setting.dtype, self.neuron.output
        after, inject = after or {}, dict(inject or {})
        for name in inject:
            if name not in self.variables:
                raise KeyError(f"the loss's gradient names {name!r}, but this {self.kind} has {self.variables}")
        gy = gy.reshape(steps, *lanes)
        if output in inject or output in after:
            gy = gy.copy()
            if output in inject:
                gy += inject.pop(output).reshape(gy.shape)
            if output in after:
                gy[-1] += after[output].reshape(lanes)
        gS = buffer(run.room, "gS", (len(self.neuron.state), *lanes), dtype)
        for line, name in zip(gS, self.neuron.state, strict=True):
            line[...] = after[name].reshape(lanes) if name in after else 0.0
        gV = np.zeros((len(self.neuron.state), steps if inject else 0, *lanes), dtype)
        for name, g in inject.items():
            gV[list(self.neuron.state).index(name)] += g.reshape(steps, *lanes)
        gx = buffer(run.room, "gx", (len(run.x), *lanes), dtype)
        if len(gx) < steps:
            gx[...] = 0.0
        gP = np.zeros((len(self.trained), *lanes), dtype)
        return np.require(gy, dtype, ["C", "W"]), Gradients(gV, gS, gx, gP)

    def retreat(self, gy: Array, run: PopulationTape, back: Gradients, t0: int, t1: int) -> None:
        """Run the reverse of steps [t0, t1)."""
        second, static = ("t, b, n" if back.gV.shape[1] else None), len(back.gx) < len(gy)
        cotangent = row_sum(len(self.neuron.state), "b, n", second, "t, b, n")
        compiled = self._reverse_kernel("backward", f"{second} {static}", cotangent, STATIC=int(static))
        arrays, batch = (run.x, run.params, run.record[1:], gy, back), gy.shape[1]
        with span("neurons, reverse", ops=(t1 - t0) * batch * self.units):
            launch(compiled, self.setting.device, t0, t1, batch, self.units, *arrays)

    def retreat_within(self, gy: Array, run: PopulationTape) -> Gradients:
        """Run the reverse of each step by itself; may write over ``gy``."""
        lanes, dtype, states = (gy.shape[1], self.units), self.setting.dtype, len(self.neuron.state)
        gy, gS = np.require(gy.reshape(-1, *lanes), dtype, ["C", "W"]), buffer(run.room, "gS", (states, *lanes), dtype)
        back = Gradients(gy, gS, gy, np.zeros((len(self.trained), *lanes), dtype))
        compiled = self._reverse_kernel("within", "", zeros(states, "t, b, n"))
        arrays = (run.x, run.params, run.record[1:], gy, gS, back.gP)
        with span("neurons, reverse", ops=gy.size):
            launch(compiled, self.setting.device, 0, len(gy), *lanes, *arrays)
        return back

    def traced(self, output: Array, run: PopulationTape, before: Array | None) -> tuple[Array | LowPass, Array]:
        """The trace of the output, and where it ends."""
        place = list(self.values).index(self.neuron.leak) if self.neuron.leak else None
        leak = 1.0 if place is None else run.params[place].reshape(self.shape)
        return traced(output, leak, before, self.setting.device)

    def over_samples(self, lanes: Array, room: Nested) -> Array:
        """The sum of ``lanes`` [B, ...] over samples."""
        return lanes.sum(0)

    def fold(self, name: str, units: Array, slope: Array | None, grads: Nested) -> None:
        """Add ``units``, one number for each, to the gradient of a parameter that they may share, times its slope."""
        g = summed_where_shared(units.reshape(self.shape), self.params[name])
        grads[name] += g if slope is None else g * slope

    def before(self, gS: Array) -> Nested:
        """Gradient of the loss with respect to the initial state. Only feedback sees the initial output."""
        batch = gS.shape[1]
        result = {self.neuron.output: np.zeros((batch, *self.shape), self.setting.dtype)}
        for line, name in zip(gS, self.neuron.state, strict=True):
            result[name] = line.reshape(batch, *self.shape).copy()
        return result

    def _forward_kernel(self) -> Callable[..., Any]:
        if "forward" not in self.kernels:
            self.kernels["forward"] = self._make("forward", step=self._step, keep=store(self._places, "t, b, n"))
        return self.kernels["forward"]

    def _reverse_kernel(
        self, direction: str, variant: str, cotangent: Callable[..., Any], **filling: Any
    ) -> Callable[..., Any]:
        """A loop back; ``cotangent`` says what comes from the step after it and from a loss that sees states."""
        model, key = self.neuron, f"{direction} {variant}"
        if key not in self.kernels:
            if model.vjp is None:
                raise ValueError(f"{model!r} has no vjp: it can be simulated, but no gradient flows through it")
            learned = tuple(1 + len(model.state) + list(model.params).index(name) for name in model.trained)
            stores = {"carry": store(self._places, "b, n"), "learn": store(learned, "b, n", add=True)}
            self.kernels[key] = self._make(direction, vjp=model.vjp, cotangent=cotangent, **stores, **filling)
        return self.kernels[key]

    def _make(self, direction: str, **filling: Any) -> Callable[..., Any]:
        model, setting = self.neuron, self.setting
        rows: dict[str, Any] = {"state": row(len(model.state), "t, b, n"), "param": row(len(model.params), "n")}
        holes = {**rows, **model.filling(setting.smooth), **filling}
        return kernel(getattr(cpu, direction), device=setting.device, dtype=setting.dtype, **holes)
