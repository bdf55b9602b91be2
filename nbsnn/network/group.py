"""A population of a network: units of one model, and the arrays of their state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..neuron import Neuron, value_for
from ..per_step import WAYS
from ..sparse.values import Distribution
from ..synapses import Membrane, Synapse
from ..validate import finite, numbers
from .membrane import membrane

if TYPE_CHECKING:
    from .simulation import Simulation

Array = np.ndarray


class Group:
    """Units of one model in a network. Made by ``Network.population``, ``poisson`` and ``spikes``.

    ``group[:800]`` are some of its units, as source or target of a connection. ``group["v"]`` is the array of a
    variable, [n], and can be written to; so can ``group["v"] = values``, where values are a number, an array or a
    distribution of ``nbsnn.values``. On a GPU ``group["v"]`` is a copy that cannot be written to.

    Attributes
    ----------
    name : str
    n : int
        Number of units.
    neuron : Neuron or None
        The model; None for a list of spikes.
    """

    def __init__(self, network: Simulation, name: str, n: int, neuron: Neuron | None, index: int):
        self.network, self.name, self.n, self.neuron, self.index = network, name, n, neuron, index
        self.ports: list[Port] = []
        self.currents: list[Any] = []
        self.initial: dict[str, Any] = dict(neuron.state) if neuron else {}
        self.list: tuple[Array, Array] | None = None  # step and unit of each spike of a list
        self.values = {} if neuron is None else {name: self._parameter(name) for name in neuron.params}
        self.membrane = None if neuron is None else membrane(neuron, self.values)

    def __repr__(self) -> str:
        what = repr(self.neuron) if self.neuron else "spikes of a list"
        return f"{self.name}: {self.n} x {what}"

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, what: str) -> Array: ...
    @overload
    def __getitem__(self, what: slice) -> Section: ...
    def __getitem__(self, what: str | slice) -> Array | Section:
        if isinstance(what, slice):
            return Section(self, what)
        return self.network.variable(self, what)

    def __setitem__(self, name: str, values: Any) -> None:
        place, n = self.network.place(self, name)
        drawn = self.drawn(name, values, self.network.dtype)
        self.network.layout.memory.write("states", drawn, place, place + n)

    def start(self, synapse: Synapse | None = None, **values: Any) -> None:
        """Say where variables start, at time 0 and after ``reset``: those of the model, or of one kind of synapse.

        Parameters
        ----------
        synapse : Synapse, optional
            Whose variables are meant: ``cells.start(Exponential(5.0), y=1.0)``. By default those of the model.
        **values : number, array [n] or distribution
            By the names of the variables.

        Raises
        ------
        ValueError
            If a variable is unknown, or the network has been built.
        """
        self.network.unbuilt("initial values")
        port = None if synapse is None else self.port(synapse)
        known = [*(self.neuron.state if self.neuron else ())] if port is None else [*port.synapse.variables]
        for name in values:
            if name not in known:
                raise ValueError(f"{synapse or self.neuron!r} has no variable {name!r}; it has {known}")
        self.initial |= values if port is None else {port.label(name): value for name, value in values.items()}

    def drawn(self, name: str, values: Any, dtype: Any) -> Any:
        """Values for each unit: a number, an array [n], or drawn from a distribution."""
        if isinstance(values, Distribution):
            return values.draw(np.empty(self.n, dtype), self.network.draws.fold("initial", self.name, name))
        array = numbers(f"{name} of {self.name}", value_for(f"{name} of {self.name}", values, (self.n,))).astype(dtype)
        if array.shape not in ((), (1,), (self.n,)):
            raise ValueError(
                f"{name} of {self.name} must be a number or have shape [{self.n}], not {list(array.shape)}"
            )
        return finite(f"{name} of {self.name}", array)

    def _parameter(self, name: str) -> Array:
        """A parameter as a step uses it: a number, or one per unit; in float64."""
        neuron = self.neuron
        if neuron is None:
            raise ValueError("a list of spikes has no parameters")
        value = neuron.params[name]
        array = np.asarray(value_for(f"parameter {name}", value, (self.n,)), np.float64)
        if array.shape not in ((), (1,), (self.n,)):
            raise ValueError(
                f"parameter {name} of {self.name} must be a number or have shape [{self.n}], not {list(array.shape)}"
            )
        way = WAYS[neuron.per_step[name]] if name in neuron.per_step else None
        return array if way is None else np.asarray(way(array, self.network.dt, f"{name} of {self.name}"))

    def port(self, synapse: Synapse) -> Port:
        """The port of this kind of synapse, which is made if there is none."""
        if self.neuron is None:
            raise ValueError(f"{self.name} is a list of spikes: nothing can be connected to it")
        for port in self.ports:
            if port.synapse == synapse:
                return port
        self.ports.append(Port(self, synapse))
        return self.ports[-1]


class Section:
    """Neighbouring units of a population, as source or target of a connection: ``group[:800]``.

    Attributes
    ----------
    group : Group
    lo, hi : int
        The first unit, and the one after the last.
    """

    def __init__(self, group: Group, units: slice | None = None):
        self.group, self.name = group, group.name
        self.lo, self.hi, step = (units or slice(None)).indices(group.n)
        if step != 1 or self.hi <= self.lo:
            raise ValueError(f"a section of {group.name} is some of its {group.n} units, in order, not {units}")
        if units is not None:
            self.name = f"{group.name}[{self.lo}:{self.hi}]"

    @property
    def n(self) -> int:
        """Number of units."""
        return self.hi - self.lo

    def __len__(self) -> int:
        return self.n

    def named(self, name: str) -> Section:
        """This section, which the network and its recordings know by ``name`` from now on."""
        network = self.group.network
        if name in network.sections or any(group.name == name for group in network.groups):
            raise ValueError(f"this network has units called {name!r} already")
        self.name = name
        network.sections[name] = self
        return self

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Section) and (self.group, self.lo, self.hi) == (other.group, other.lo, other.hi)

    def __hash__(self) -> int:
        return hash((self.group.name, self.lo, self.hi))


class Port:
    """Where all synapses of one kind end at a population: their common variables, and the Poisson drives they have."""

    def __init__(self, group: Group, synapse: Synapse):
        self.group, self.synapse = group, synapse
        self.drives: list[tuple[float, float, int]] = []  # events per step, weight, number of the drive
        neuron = group.neuron
        takes = neuron is not None and "conductance" in neuron.inputs
        self.mode = "current" if synapse.reversal is None else "conductance" if takes else "driving"
        if self.mode == "driving" and neuron is not None and "v" not in neuron.state:
            raise ValueError(f"{synapse!r} pulls at a membrane, but {neuron!r} has no variable v")

    def label(self, variable: str) -> str:
        """What a variable of this port is called in its population: "exponential.y", then "exponential2.y"."""
        kind = self.synapse.kind.lower()
        alike = [port for port in self.group.ports if port.synapse.kind == self.synapse.kind]
        number = alike.index(self) + 1
        return f"{kind}{number if number > 1 else ''}.{variable}"

    def numbers(self, dt: float) -> list[float]:
        """Reversal potential and the numbers of the synapse's step."""
        group, membrane = self.group, self.group.membrane
        numbers = self.synapse.numbers(dt, membrane)
        if self.mode == "driving" and membrane is not None:
            numbers = _scaled(numbers, self.synapse, held(membrane))
        return [self.synapse.reversal or 0.0, *numbers] if group else numbers


def held(membrane: Membrane | None) -> float:
    """The input of a step that a current, held constant during it, is to the neuron."""
    return 1.0 if membrane is None else (1.0 - membrane.decay) / membrane.gain


def _scaled(numbers: list[float], synapse: Synapse, factor: float) -> list[float]:
    """The numbers of a synapse whose output is ``factor`` times as large: the shares come last."""
    first = len(numbers) - max(1, len(synapse.variables))
    return numbers[:first] + [factor * value for value in numbers[first:]]
