"""A population of a network: units of one model, and the arrays of their state."""
# pyright: reportUnnecessaryIsInstance=false, reportOverlappingOverload=false

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron, Value, value_for
from ..sparse.values import Distribution
from ..synapses import Synapse
from ..validate import cast, finite, numbers, real
from .adjustable import Adjustable
from .course import Given
from .home import Home
from .parameters import options_of, per_step
from .port import GatePort, Port
from .section import Chosen, Section
from .stimuli import Current

Array = np.ndarray


def places_of(name: str, values: ArrayLike, n: int) -> Array:
    """Positions of ``n`` units: a copy [n, dimensions]."""
    array = np.array(finite(f"positions of {name}", real(f"positions of {name}", values)), np.float64)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != n or array.shape[1] < 1:
        raise ValueError(f"positions of {name} must have shape [{n}, dimensions], not {list(array.shape)}")
    array.flags.writeable = False
    return array


class Group(Adjustable):
    """Units of one model in a network. Made by ``Network.population``, ``poisson`` and ``spikes``.

    ``group[:800]``, ``group[::2]`` and ``group[[1, 5, 9]]`` are some of its units: see ``Section``. ``group["v"]`` is
    the array of a variable, [n], and can be written to; so can ``group["v"] = values``, where values are a number, an
    array or a distribution of ``nbsnn.values``. On a GPU ``group["v"]`` is a copy that cannot be written to. Parameters
    likewise: ``group["tau"] = values``, and ``group["tau"]`` is what they are, which cannot be written to.

    Attributes
    ----------
    name : str
    n : int
        Number of units.
    neuron : Neuron or None
        The model; None for a list of spikes.
    positions : float64 array [n, dimensions] or None
        Where units are. It can be set.
    merged : int
        Of recorded events, how many fell on a spike of the same unit and step, and are no spikes of their own.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(v_rest=-70.0), 4, name="cells")
    >>> cells["v"][:2] = -60.0
    >>> cells["v"].tolist(), cells[1:3].n
    ([-60.0, -60.0, -70.0, -70.0], 2)
    """

    CAN_BE_SET = "rate", "positions"
    INSTEAD = '; variables and parameters are set with group["v"] = values, lists of spikes with group.set_spikes'

    def __init__(
        self, network: Home, name: str, n: int, neuron: Neuron | None, index: int,
        listed: tuple[Array, ...] | None = None, merged: int = 0,
    ):  # fmt: skip
        self.network, self.name, self.n, self.neuron, self.index = network, name, n, neuron, index
        self.group, self.lo = self, 0  # as a section says it
        self.ports: list[Port] = []
        self.gates: list[GatePort] = []
        self.currents: list[Any] = []
        self._injected, self._found = False, {}
        self._rate: Given | None = None  # of Poisson units, and the current that brings it if it changes in time
        self._course: Current | None = None
        self._positions: Array | None = None
        self.initial: dict[str, Any] = dict(neuron.state) if neuron else {}
        # A readout such as ``LI`` puts out no spikes.
        self.spiking = neuron is None or neuron.output == "spikes"
        self.merged = merged
        self.list = listed  # step and unit of each spike of a list, and off the grid its time before the step's end
        self.values = {} if neuron is None else {name: per_step(network, self, neuron, name) for name in neuron.params}
        self.seal(Group)

    @property
    def own_rest(self) -> bool:
        """True if the membranes that are driven rest at values of their own."""
        return self.driven and self.response is not None and np.size(self.response.constant) > 1

    @property
    def positions(self) -> Array | None:
        """Where units are, float64 [n, dimensions], which cannot be written to; None if they are nowhere.

        ``Distance`` takes them where ``connect`` is given no coordinates. They can be set at any time; synapses stay.
        """
        return self._positions

    @positions.setter
    def positions(self, values: ArrayLike | None) -> None:
        self._positions = None if values is None else places_of(self.name, values, self.n)

    def __repr__(self) -> str:
        what = repr(self.neuron) if self.neuron else "spikes of a list"
        return f"{self.name}: {self.n} x {what}"

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, what: str) -> Array: ...
    @overload
    def __getitem__(self, what: Chosen) -> Section: ...
    def __getitem__(self, what: str | Chosen) -> Array | Section:
        if not isinstance(what, str):
            return Section(self, what)
        name, neuron = self._named(what), self.neuron
        if neuron is not None and name not in neuron.state and name in options_of(neuron):
            return self._given(name)
        return self.network.variable(self, name)

    def _given(self, name: str) -> Array:
        """A parameter as it was given, [n]; it cannot be written to."""
        neuron = self.neuron
        assert neuron is not None
        value = neuron.options[name] if name in neuron.options else neuron.params[name]
        array = np.asarray(value_for(name, value, (self.n,)))
        return np.broadcast_to(array.astype(np.float64) if array.dtype.kind in "iuf" else array, self.n)

    def _named(self, what: object) -> str:
        if not isinstance(what, str):
            raise TypeError(f"{self.name}: a variable or parameter is named by a text, not by {what!r}")
        return what

    def __setitem__(self, name: str, values: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(
                f"{self.name}: a section cannot be set; a variable or parameter of it can, {self.name}[3:6]['v'] = 0.5"
            )
        name = self._named(name)
        if self.neuron is not None and name not in self.neuron.state and name in options_of(self.neuron):
            self.parameters(**{name: values})
            return
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
        if not isinstance(synapse, Synapse | None):
            raise TypeError(f"synapse must be a Synapse, synapses.Exponential(5.0) say, not {synapse!r}")
        port = None if synapse is None else self.port(synapse)
        known = [*(self.neuron.state if self.neuron else ())] if port is None else [*port.synapse.variables]
        for name in values:
            if name not in known:
                raise ValueError(f"{synapse or self.neuron!r} has no variable {name!r}; it has {known}")
        self.initial.update(
            {
                name if port is None else port.label(name): value
                if isinstance(value, Distribution)
                else self.drawn(name, value, self.network.dtype)  # a copy: reset returns to what was given
                for name, value in values.items()
            }
        )

    def drawn(self, name: str, values: Value | Distribution, dtype: np.dtype) -> Any:
        """Values for each unit: a number, an array [n], or drawn from a distribution."""
        if isinstance(values, Distribution):
            return values.draw(np.empty(self.n, dtype), self.network.draws.fold("initial", self.name, name))
        name = f"{name} of {self.name}"
        array = cast(name, numbers(name, value_for(name, values, (self.n,))), dtype)
        if array.shape not in ((), (1,), (self.n,)):
            raise ValueError(f"{name} must be a number or have shape [{self.n}], not {list(array.shape)}")
        return array

    def port(self, synapse: Synapse) -> Port:
        """The port of this kind of synapse, which is made if there is none."""
        for port in self.ports:
            if port.synapse == synapse:
                return port
        self.network.unbuilt("synapses of a new kind")
        synapse.check(self.network.dt, self.network.dtype)
        self.ports.append(Port(self, synapse))
        port = self.ports[-1]
        self.initial.update({port.label(name): value for name, value in synapse.start if value})
        return port

    def gate(self, synapse: Synapse) -> GatePort:
        """The gates of the units for this kind of synapse, which are made if there are none."""
        for gate in self.gates:
            if (gate.gate, gate.kind) == (synapse.gate, synapse.kind):
                return gate
        self.gates.append(gate := GatePort(self, synapse))
        self.initial.update({gate.label(name): value for name, value in gate.gate.start if value})
        return gate
