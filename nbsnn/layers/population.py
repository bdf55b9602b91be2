"""A population: neurons of one model, and their whole history as one array.

``record[k, t]`` is variable ``k`` before step ``t`` of a run; row 0 is the output, the others are the state. So the
record is history, tape of the backward pass and, at its end, the final state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile import kernel
from ..device import launch
from ..gpu import assign, get
from ..kernels.cpu import neurons as cpu
from ..neuron import Neuron, value_for
from ..per_step import WAYS, held_in
from ..profile import span
from ..random import Draws
from ..spell import row, row_sum, store, zeros
from ..validate import affordable, cast, shape_of
from .first import first_output, first_vjp, summed_where_shared
from .layer import Array, Layer, Nested, Setting, Start, buffer, is_static
from .low_pass import LowPass, traced


class Population(Layer):
    """Neurons of one model.

    Parameters
    ----------
    neuron : Neuron
        The model, from ``nbsnn.neurons`` or of one's own.
    shape : int or tuple of int, optional
        Number of units, or their arrangement (channels, height, width). In a network it follows from the layer
        before.
    dt, dtype, device
        Setting of a population that stands alone; in a network that of the network holds.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> population = nbsnn.Population(nbsnn.neurons.LIF(tau=20.0), 5)
    >>> run = population.run(np.full((100, 1, 5), 0.06, np.float32))
    >>> run["v"].shape, run["spikes"].shape
    ((100, 1, 5), (100, 1, 5))
    """

    at_once = True

    def __init__(
        self,
        neuron: Neuron,
        shape: int | tuple[int, ...] | None = None,
        *,
        dt: float = 1.0,
        dtype: Any = np.float32,
        device: str = "cpu",
    ):
        super().__init__()
        if not isinstance(neuron, Neuron):
            raise TypeError(f"neuron: a population is made of a Neuron, not of {neuron!r}")
        self.neuron, self.kind = neuron, neuron.kind.lower() or "neuron"
        self.variables = [neuron.output, *neuron.state]
        setting = Setting(dt, dtype, device)
        if shape is not None:
            if not (shape := shape_of("shape", shape)):
                raise ValueError("shape must have at least one length, not ()")
            self.build(shape, setting, Draws(0))

    def __repr__(self) -> str:
        return repr(self.neuron)

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if self.shape and self.shape != in_shape:
            raise ValueError(f"this {self.kind} has shape {list(self.shape)}, but its input has {list(in_shape)}")
        self.in_shape = self.shape = in_shape
        self.setting, self.units = setting, math.prod(in_shape)
        affordable(f"{self.units} units", 8.0 * self.units * (1 + len(self.neuron.params)))
        self._step = self.neuron.of_current()
        self.values = {name: self._value(name, value) for name, value in self.neuron.params.items()}
        self.starts = {name: self._start(name, value) for name, value in self.neuron.starts.items()}
        self.starts |= {name: self.values[param] for name, param in self.neuron.tied.items()}  # the same arrays
        both = {**{f"initial_{name}": start for name, start in self.starts.items()}, **self.values}
        self.params = {name: both[name] for name in self.neuron.learn}
        limits = {name: self._limits_of(name) for name in self.neuron.trained}
        self._limits = {name: pair for name, pair in limits.items() if pair != (-np.inf, np.inf)}
        self._kernels: dict[str, Callable] = {}
        self._places = tuple(range(1, len(self.variables)))  # of the states among the results of step and vjp
        self._per_step()  # a parameter that is not allowed shows here, not in the middle of a run
        for name, kind in self.neuron.per_step.items():  # what is given; what is learned may wander on
            way = WAYS[kind]
            held_in(
                way, way(self.values[name].astype(np.float64), setting.dt, name), setting.dtype, f"{name} of {self!r}"
            )
        self.settle(setting)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_kernels": {}, "_step": None}  # made again where they are needed

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        if self.built:
            self._step = self.neuron.of_current()

    def on_gpu(self) -> Any:
        from .cuda.population import PopulationOnGpu

        return PopulationOnGpu(self)

    def _value(self, name: str, value: Any) -> Array:
        """A parameter in the population's precision: a scalar is shared, an array must fit the units."""
        array = cast(f"parameter {name}", value_for(f"parameter {name}", value, self.shape), self.setting.dtype)
        try:
            np.broadcast_to(array, self.shape)
        except ValueError:
            raise ValueError(
                f"parameter {name} of shape {list(array.shape)} does not fit units of shape {list(self.shape)}"
            ) from None
        return array

    def _start(self, name: str, value: Any) -> Array:
        """An initial value; one that is trained is by default one per unit."""
        array = self._value(f"initial_{name}", value)
        if f"initial_{name}" in self.neuron.learn and not array.ndim:
            return np.full(self.shape, array)
        return array

    def confine(self) -> None:
        for name, (low, high) in self._limits.items():
            value = get(self.params[name])
            if value.min() < low or value.max() > high:
                assign(self.params[name], np.clip(value, low, high))

    def _limits_of(self, name: str) -> tuple[float, float]:
        """Between what training keeps a parameter; what the neuron was given always lies within."""
        way, given = self.neuron.way(name), self.values[name]
        low, high = way.limits(self.setting.dt) if way else (-np.inf, np.inf)
        low = max(low, self.neuron.least.get(name, -np.inf))
        return min(low, float(given.min())), max(high, float(given.max()))

    def _per_step(self) -> Array:
        """All parameters as the step uses them, [params, N]."""
        table = np.empty((len(self.values), *self.shape), self.setting.dtype)
        for line, (name, value) in zip(table, self.values.items(), strict=True):
            way = self.neuron.way(name)
            line[...] = value if way is None else way(value.astype(np.float64), self.setting.dt, name)
        return table.reshape(len(table), self.units)

    def _forward_kernel(self) -> Callable:
        if "forward" not in self._kernels:
            self._kernels["forward"] = self._make("forward", step=self._step, keep=store(self._places, "t, b, n"))
        return self._kernels["forward"]

    def _reverse_kernel(self, direction: str, variant: str, cotangent: Callable, **filling: Any) -> Callable:
        """A loop back; ``cotangent`` says what comes from the step after it and from a loss that sees states."""
        model, key = self.neuron, f"{direction} {variant}"
        if key not in self._kernels:
            if model.vjp is None:
                raise ValueError(f"{model!r} has no vjp: it can be simulated, but no gradient flows through it")
            learned = tuple(1 + len(model.state) + list(model.params).index(name) for name in model.trained)
            stores = {"carry": store(self._places, "b, n"), "learn": store(learned, "b, n", add=True)}
            self._kernels[key] = self._make(direction, vjp=model.vjp, cotangent=cotangent, **stores, **filling)
        return self._kernels[key]

    def _make(self, direction: str, **filling: Any) -> Callable:
        model, setting = self.neuron, self.setting
        rows = {"state": row(len(model.state), "t, b, n"), "param": row(len(model.params), "n")}
        holes = {**rows, **model.filling(setting.smooth), **filling}
        return kernel(getattr(cpu, direction), device=setting.device, dtype=setting.dtype, **holes)

    def initial(self, batch: int) -> Nested:
        shape, values = (batch, *self.shape), {**self.starts, self.neuron.output: self.first()}
        start = Start((name, np.full(shape, values[name], self.setting.dtype)) for name in self.variables)
        if self.starts_learned():
            for array in start.values():
                array.flags.writeable = False
        return start

    def starts_learned(self) -> bool:
        """Whether the state at the start depends on something that is trained."""
        depends = self.neuron.first[1:] if isinstance(self.neuron.first, tuple) else ()
        depends = (*depends, *self.neuron.tied.values())
        return any(name not in self.values or name in depends for name in self.params)

    def source(self, state: str) -> str:
        """The name in ``params`` of what a state starts at, if that is trained."""
        return self.neuron.tied.get(state, f"initial_{state}")

    def first(self) -> Array:
        return first_output(self.neuron, self.starts, self.values, self.shape, self.setting.smooth)

    def first_reverse(self, g: Array, grads: Nested) -> None:
        for name, line in first_vjp(self.neuron, self.starts, self.values, g.sum(axis=0)).items():
            name = self.source(name.removeprefix("initial_")) if name.startswith("initial_") else name
            if name in self.params:
                grads[name] += summed_where_shared(line, self.params[name])

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        self.begin(x, state, tape)
        self.advance(tape, 0, len(x))
        return self.output(tape), self.final(tape)

    def begin(self, x: Array, state: Nested, tape: Nested) -> None:
        """Make room for the steps of ``x`` and put the state before them."""
        steps, batch = x.shape[:2]
        record = buffer(tape, "record", (len(self.variables), steps + 1, batch, self.units), self.setting.dtype)
        for line, name in zip(record, self.variables, strict=True):
            line[0] = state[name].reshape(batch, self.units)
        tape["start"] = isinstance(state, Start)
        if is_static(x):
            x = x[:1]
        # A read-only or strided array would be a type of its own to the compiler, and cost a compilation.
        x = np.require(x, self.setting.dtype, ["C", "W"])
        tape["x"] = x.reshape(len(x), batch, self.units)
        tape["params"] = self._per_step()

    def advance(self, tape: Nested, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        record, x = tape["record"], tape["x"]
        arrays = (x, tape["params"], record[1:], record[0])
        with span("neurons", ops=(t1 - t0) * x.shape[1] * self.units):
            launch(self._forward_kernel(), self.setting.device, t0, t1, x.shape[1], self.units, *arrays)

    def output(self, tape: Nested) -> Array:
        """The output at every step, [T, B, ...]."""
        return self.record(tape, self.neuron.output)

    def final(self, tape: Nested) -> Nested:
        """The state after the last step, as arrays of its own."""
        lines = zip(self.variables, tape["record"], strict=True)
        return {name: line[-1].reshape(-1, *self.shape).copy() for name, line in lines}

    def tape_bytes(self, steps: int, batch: int) -> int:
        lines = (len(self.variables) + 2) * (steps + 1) + len(self.neuron.state) + len(self.neuron.trained)
        return lines * batch * self.units * self.setting.dtype.itemsize

    def record(self, tape: Nested, name: str) -> Array:
        if name not in self.variables:
            return super().record(tape, name)
        if "record" not in tape and "unit" in tape:  # as a stack left it
            if name == self.neuron.output:
                return tape["unit"].output(tape["small"])
            tape["unit"].unfold(tape)
        line = tape["record"][self.variables.index(name), 1:]
        return line.reshape(*line.shape[:2], *self.shape)

    def recorded(self) -> list[str]:
        return self.variables

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
        gy = self.begin_reverse(gy, tape, after, inject)
        self.retreat(gy, tape, 0, len(gy))
        self.end_reverse(tape, grads)
        return tape["gx"].reshape(*tape["gx"].shape[:2], *self.shape), self.before(tape)

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        lanes, dtype, states = (gy.shape[1], self.units), self.setting.dtype, len(self.neuron.state)
        gy, gS = np.require(gy.reshape(-1, *lanes), dtype, ["C", "W"]), buffer(tape, "gS", (states, *lanes), dtype)
        gP = tape["gP"] = np.zeros((len(self.neuron.trained), *lanes), dtype)
        compiled = self._reverse_kernel("within", "", zeros(states, "t, b, n"))
        arrays = (tape["x"], tape["params"], tape["record"][1:], gy, gS, gP)
        with span("neurons, reverse", ops=gy.size):
            launch(compiled, self.setting.device, 0, len(gy), *lanes, *arrays)
        self.end_reverse(tape, grads)
        return gy.reshape(-1, lanes[0], *self.shape)

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array | LowPass:
        """The spikes of this population, low-passed with the leak of its membrane: a[t] = decay a[t-1] + s[t]."""
        output = self.output(tape)
        if self.neuron.output != "spikes":
            return output
        place = list(self.values).index(self.neuron.leak) if self.neuron.leak else None
        leak = 1.0 if place is None else tape["params"][place].reshape(self.shape)
        offered, traces["trace"] = traced(output, leak, traces.get("trace"), self.setting.device)
        return offered

    def begin_reverse(self, gy: Array, tape: Nested, after: Nested | None, inject: Nested | None) -> Array:
        """Make room for the gradients; returns ``gy`` with all that the loss adds to the output's gradient."""
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
        carried = buffer(tape, "gS", (len(self.neuron.state), *lanes), dtype)
        for line, name in zip(carried, self.neuron.state, strict=True):
            line[...] = after[name].reshape(lanes) if name in after else 0.0
        tape["gV"] = np.zeros((len(self.neuron.state), steps if inject else 0, *lanes), dtype)
        for name, g in inject.items():
            tape["gV"][list(self.neuron.state).index(name)] += g.reshape(steps, *lanes)
        gx = buffer(tape, "gx", (len(tape["x"]), *lanes), dtype)
        if len(gx) < steps:
            gx[...] = 0.0
        tape["gP"] = np.zeros((len(self.neuron.trained), *lanes), dtype)
        return np.require(gy, dtype, ["C", "W"])

    def retreat(self, gy: Array, tape: Nested, t0: int, t1: int) -> None:
        """Run the reverse of steps [t0, t1)."""
        record, x, gx = tape["record"], tape["x"], tape["gx"]
        second, static = ("t, b, n" if tape["gV"].shape[1] else None), len(gx) < len(gy)
        cotangent = row_sum(len(self.neuron.state), "b, n", second, "t, b, n")
        compiled = self._reverse_kernel("backward", f"{second} {static}", cotangent, STATIC=int(static))
        arrays = (x, tape["params"], record[1:], gy, tape["gV"], tape["gS"], gx, tape["gP"])
        with span("neurons, reverse", ops=(t1 - t0) * x.shape[1] * self.units):
            launch(compiled, self.setting.device, t0, t1, x.shape[1], self.units, *arrays)

    def end_reverse(self, tape: Nested, grads: Nested) -> None:
        """Add the gradients of learned parameters: summed over samples, and over units where they share a value."""
        for name, lanes in zip(self.neuron.trained, tape["gP"], strict=True):
            value, way = self.params[name], self.neuron.way(name)
            g = summed_where_shared(lanes.sum(0).reshape(self.shape), value)
            grads[name] += g if way is None else g * way.slope(value.astype(np.float64), self.setting.dt)
        if not tape["start"]:
            return
        for name, lanes in zip(self.neuron.state, tape["gS"], strict=True):
            if self.source(name) in self.params:
                g = summed_where_shared(lanes.sum(0).reshape(self.shape), self.starts[name])
                grads[self.source(name)] += g

    def before(self, tape: Nested) -> Nested:
        """The loss's derivative by the initial state. The initial output is only seen by a recurrent connection."""
        batch = tape["gS"].shape[1]
        result = {self.neuron.output: np.zeros((batch, *self.shape), self.setting.dtype)}
        for line, name in zip(tape["gS"], self.neuron.state, strict=True):
            result[name] = line.reshape(batch, *self.shape).copy()
        return result
