"""A population: neurons of one model, and their whole history as one array, ``record`` (see ``host_population``)."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import DTypeLike

from ..device.gpu import get
from ..device.threads import DEVICES
from ..kernels.population.loops import Gradients
from ..neuron import Neuron, Value, value_for
from ..random import Draws
from ..scalar.per_step import WAYS, held_in
from ..validate import affordable, cast, shape_of, shown
from ..validate.kinds import is_tuple
from .host_population import HostPopulation
from .initial_output import first_output, first_vjp
from .layer import Array, Layer, Nested, Setting
from .population_tape import PopulationTape
from .spike_trace import LowPass


class Population(HostPopulation):
    """Neurons of one model.

    Parameters
    ----------
    neuron : Neuron
        The model, from ``nbsnn.neurons`` or custom.
    shape : int or tuple of int, optional
        Number of units, or their arrangement (channels, height, width). In a network it follows from the layer
        before.
    dt, dtype, device
        Setting of a population that stands alone; in a network that of the network holds.

    Attributes
    ----------
    values, starts : dict of str to array
        Parameters, and initial values of variables, by name; those that are not learned cannot be changed.
    steady : bool
        Whether no parameter is learned, so that those of a step stay as they are.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> population = nbsnn.Population(nbsnn.neurons.LIF(tau=20.0), 5)
    >>> run = population.run(np.full((100, 1, 5), 0.06, np.float32))
    >>> run["v"].shape, run["spikes"].shape
    ((100, 1, 5), (100, 1, 5))
    """

    at_once, connects = True, False
    devices = DEVICES

    def __init__(
        self,
        neuron: Neuron,
        shape: int | tuple[int, ...] | None = None,
        *,
        dt: float = 1.0,
        dtype: DTypeLike = np.float32,
        device: str = "cpu",
    ):
        super().__init__()
        if not isinstance(neuron, Neuron):
            raise TypeError(f"neuron: a population is made of a Neuron, not of {shown(neuron)}")
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
        self.sources = {name: self.neuron.tied.get(name, f"initial_{name}") for name in self.starts}
        self.trained = self.neuron.trained
        self.steady = not self.trained
        for array in both.values():  # what is worked out of the others once holds for good
            array.flags.writeable = any(array is learned for learned in self.params.values())
        depends = (*self.neuron.tied.values(), *(self.neuron.first[1:] if is_tuple(self.neuron.first) else ()))
        self.start_learned = any(name not in self.values or name in depends for name in self.params)
        self.ways = {name: WAYS[kind] for name, kind in self.neuron.per_step.items()}
        limits = {name: self._limits_of(name) for name in self.trained}
        self.limits = {name: pair for name, pair in limits.items() if pair != (-np.inf, np.inf)}
        self.kernels: dict[str, Callable[..., Any]] = {}
        self._places = tuple(range(1, len(self.variables)))  # of the states among the results of step and vjp
        self.step_parameters()  # a parameter that is not allowed shows here, not in the middle of a run
        for name, way in self.ways.items():  # what is given; what is learned may wander on
            held_in(
                way, way(self.values[name].astype(np.float64), setting.dt, name), setting.dtype, f"{name} of {self!r}"
            )
        self.settle(setting)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "kernels": {}, "_step": None}  # recreated where they are needed

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        if self.built:
            self._step = self.neuron.of_current()

    def on_gpu(self) -> Any:
        from .cuda.population import CudaPopulation

        return CudaPopulation(self)

    def _value(self, name: str, value: Value) -> Array:
        """A parameter in the population's precision: a scalar is shared, an array must fit the units."""
        array = cast(f"parameter {name}", value_for(f"parameter {name}", value, self.shape), self.setting.dtype)
        try:
            np.broadcast_to(array, self.shape)
        except ValueError:
            raise ValueError(
                f"parameter {name} of shape {list(array.shape)} does not fit units of shape {list(self.shape)}"
            ) from None
        return array

    def _start(self, name: str, value: Value) -> Array:
        """An initial value; one that is trained is by default one per unit."""
        array = self._value(f"initial_{name}", value)
        if f"initial_{name}" in self.neuron.learn and not array.ndim:
            return np.full(self.shape, array)
        return array

    def _limits_of(self, name: str) -> tuple[float, float]:
        """Between what training keeps a parameter; what the neuron was given always lies within."""
        way, given = self.ways.get(name), self.values[name]
        low, high = way.limits(self.setting.dt) if way else (-np.inf, np.inf)
        low = max(low, self.neuron.least.get(name, -np.inf))
        return min(low, float(given.min())), max(high, float(given.max()))

    def refresh(self) -> None:
        """Read learned parameters back from a GPU; on the CPU they are the arrays in ``values`` and ``starts``."""
        for name, array in self.params.items():
            own = self.starts[name.removeprefix("initial_")] if name.startswith("initial_") else self.values[name]
            if own is not array:
                own[...] = get(array)

    def step_parameters(self) -> Array:
        """All parameters as the step uses them, [params, N], worked out by NumPy."""
        self.refresh()
        table = np.empty((len(self.values), *self.shape), self.setting.dtype)
        for line, (name, value) in zip(table, self.values.items(), strict=True):
            way = self.ways.get(name)
            line[...] = value if way is None else way(value.astype(np.float64), self.setting.dt, name)
        return table.reshape(len(table), self.units)

    def initial(self, batch: int) -> Nested:
        return self.ops.start(batch, self.first())

    def first(self) -> Array:
        self.refresh()
        return first_output(self.neuron, self.starts, self.values, self.shape, self.setting.smooth)

    def first_reverse(self, g: Array, grads: Nested) -> None:
        if not self.start_learned:
            return
        lines = get(self.ops.over_samples(g, {})).reshape(self.shape)
        for name, line in first_vjp(self.neuron, self.starts, self.values, lines).items():
            name = self.sources[name.removeprefix("initial_")] if name.startswith("initial_") else name
            if name in self.params:
                self.ops.fold(name, line, None, grads)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        ops = self.ops
        run = ops.begin(x, state, tape)
        ops.advance(run, 0, len(x))
        return self.output(tape), ops.final(run)

    def output(self, tape: Nested) -> Array:
        """The output at every step, [T, B, ...]."""
        return self.record(tape, self.neuron.output)

    def driven(self) -> str | None:
        return ""

    def fused_parts(self) -> tuple[Any, Any] | None:
        return (self, None) if type(self) is Population and self.neuron.vjp is not None else None

    def tape_bytes(self, steps: int, batch: int) -> int:
        lines = (len(self.variables) + 1) * (steps + 1) + len(self.neuron.state) + len(self.neuron.trained)
        return lines * batch * self.units * self.setting.dtype.itemsize

    def record(self, tape: Nested, name: str) -> Array:
        if name not in self.variables:
            return super().record(tape, name)
        run: PopulationTape = tape["run"]
        line = run.record[self.variables.index(name), 1:]
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
        ops, run = self.ops, tape["run"]
        gy, back = ops.begin_reverse(gy, run, after, inject)
        ops.retreat(gy, run, back, 0, len(gy))
        self.end_reverse(run, back, grads)
        return back.gx.reshape(*back.gx.shape[:2], *self.shape), ops.before(back.gS)

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        back = self.ops.retreat_within(gy, tape["run"])
        self.end_reverse(tape["run"], back, grads)
        return back.gx.reshape(*back.gx.shape[:2], *self.shape)

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array | LowPass:
        """The spikes of this population, low-passed with the leak of its membrane: a[t] = decay a[t-1] + s[t]."""
        output = self.output(tape)
        if self.neuron.output == "spikes":
            output, traces["trace"] = self.ops.traced(output, tape["run"], traces.get("trace"))
        return output

    def end_reverse(self, run: PopulationTape, back: Gradients, grads: Nested) -> None:
        """Add the gradients of what is learned."""
        self.add_gradients(back.gP, back.gS if run.start else None, grads, run.room)

    def add_gradients(self, gP: Array, gS: Array | None, grads: Nested, room: Nested) -> None:
        """Add the gradients of learned parameters and initial values (``gS``, if the run began there): summed over
        samples, and over units where they share a value."""
        ops = self.ops
        for k, name in enumerate(self.trained):
            way = self.ways.get(name)
            slope = None if way is None else way.slope(self.values[name].astype(np.float64), self.setting.dt)
            ops.fold(name, ops.over_samples(gP[k], room), slope, grads)
        if gS is not None:
            for k, name in enumerate(self.neuron.state):
                if (source := self.sources[name]) in self.params:
                    ops.fold(source, ops.over_samples(gS[k], room), None, grads)


def is_population(layer: Layer) -> TypeGuard[Population]:
    """True of a population, whatever attributes a custom layer has."""
    return layer.driven() == ""
