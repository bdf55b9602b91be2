"""What can be changed of a population at any time: its parameters, the rate of Poisson units, a list of spikes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron
from ..synapses import Membrane
from ..validate import array_of
from ..validate.sealed import Sealed
from .course import Course, Given
from .home import Home, Whole
from .inputs import spike_list
from .membrane import Response, response
from .off_grid import check_neuron
from .parameters import changed, per_step, per_unit, same_loop
from .port import Port
from .running import mine
from .stimuli import Current, at_most_one

Array = np.ndarray


class Adjustable(Sealed):
    """What ``Group`` lets be changed between runs and in a callback."""

    network: Home
    name: str
    n: int
    neuron: Neuron | None
    list: tuple[Array, ...] | None
    index: int
    ports: list[Port]
    gates: list[Whole]
    currents: list[Current]
    initial: dict[str, Any]
    values: dict[str, Array]
    _found: dict[str, Any]
    _rate: Given | None
    _course: Current | None

    @property
    def driven(self) -> bool:
        """True if synapses conduct onto this neuron, which takes a current alone."""
        return any("driving" in port.modes for port in self.ports)

    @property
    def response(self) -> Response | None:
        """Linear response of the membrane to a current, if it is linear."""
        if "response" not in self._found:
            self._found["response"] = self.neuron and response(self.neuron, self.values, self.n)
        return self._found["response"]

    @property
    def membrane(self) -> Membrane | tuple[Membrane, ...] | None:
        """The linear membrane whose factor per step the neuron names as its ``leak``; of each unit if they differ."""
        if "membrane" not in self._found:
            self._found["membrane"] = self._linear()
        return self._found["membrane"]

    def __getitem__(self, what: str) -> Array: ...

    def _linear(self) -> Membrane | tuple[Membrane, ...] | None:
        neuron = self.neuron
        if neuron is None or not neuron.leak or {"conductance", "jump"} & set(neuron.inputs):
            return None
        leak = np.ravel(self.values[neuron.leak])
        if np.ptp(leak) > 0.0:
            return self._of_each(neuron, leak)
        found = self.response
        if found is None or found.decay is None or not np.isclose(found.decay, leak[0]):
            return None
        return Membrane(float(leak[0]), found.gain)

    def _of_each(self, neuron: Neuron, leak: Array) -> tuple[Membrane, ...] | None:
        """The linear membranes of units whose leaks differ, which set the gain."""
        first = {name: np.ravel(value)[:1] for name, value in self.values.items()}
        kinds = dict[float, Membrane]()
        for value in np.unique(leak):
            found = response(neuron, {**first, neuron.leak: np.array([value])}, 1)
            if found is None or found.decay is None or not np.isclose(found.decay, value):
                return None
            kinds[value] = Membrane(float(value), found.gain)
        return tuple(kinds[value] for value in leak)

    @property
    def injected(self) -> bool:
        """True if the loop has room for currents, as it has once there was one."""
        return self._injected

    def given(self) -> list[Any]:
        """Currents and drives."""
        return [*self.currents, *(drive for port in self.ports for drive in port.drives)]

    def take_currents(self) -> None:
        """Let the loop have room for currents if there are any."""
        self._injected = self._injected or bool(self.currents)

    def parameters(self, **values: object) -> None:
        """Set parameters of the model, also between runs and in a callback; several are checked together.

        Parameters
        ----------
        **values : number, array [n], distribution or function
            By the names of the model's arguments; a function takes the number of a unit. In a network that has been
            built the loop stays as it is, but for the first array where there was a number.

        Raises
        ------
        ValueError, TypeError, KeyError
            If a value cannot be, a parameter is unknown, or needs equations other than those that the network was
            built with, as ``v_reset=None`` does. Nothing is changed then.
        """
        network, old = self.network, self.neuron
        if old is None:
            raise ValueError(f"{self.name} is a list of spikes: it has no parameters")
        mine(network, "parameters")
        given = {name: per_unit(network, self, name, value) for name, value in values.items()}
        if network.built:  # where each unit has its own value it keeps one, be they equal
            each = [name for name in given if np.size(old.params.get(name, 0.0)) > 1]
            given |= {name: np.broadcast_to(given[name], self.n).copy() for name in each}
        new = changed(old, given)
        if not same_loop(old, new) and (network.built or self.ports or self.currents):
            raise ValueError(
                f"{self.name}: {', '.join(values)} asks for other equations than those of {old!r}; make it so when "
                "the population is made"
            )
        if network.off_grid:
            check_neuron(self.name, new, self.n, network.dt)
        steps = {name: per_step(network, self, new, name) for name in new.params}
        kept = self.values
        self._take(new, steps)
        try:
            for port in self.ports:
                port.check()
        except BaseException:
            self._take(old, kept)
            raise
        fresh = {key: value for key, value in new.state.items() if self.initial.get(key) is old.state.get(key)}
        self.__dict__["initial"] = (
            {key: self.initial[key] for key in new.state if key in self.initial}
            | {key: value for key, value in self.initial.items() if key not in old.state}
            | fresh
        )
        if network.built:
            network.layout.take_parameters(self)
            network.changed()

    def _take(self, neuron: Neuron, values: dict[str, Array]) -> None:
        """Have this model, and these parameters per step."""
        self.__dict__.update(neuron=neuron, values=values)
        self._found.clear()

    @property
    def rate(self) -> Any:
        """Rate of Poisson units, Hz: a number, an array [n], or as it was set: rows, or a function of time."""
        self._poisson()
        return self["rate"] if self._rate is None else self._rate

    @rate.setter
    def rate(self, rate: Given) -> None:
        self.set_rate(rate)

    def _poisson(self) -> None:
        if self.neuron is None or self.neuron.kind != "PoissonNeuron":
            raise AttributeError(f"{self!r} has no rate: these are no Poisson units")

    def set_rate(
        self, rate: Given, *, every: float | None = None, start: float = 0.0, stop: float | None = None
    ) -> None:
        """Replace the rate of Poisson units from now on, also between runs and in a callback.

        The arguments are those of ``Network.poisson``. Rates are at most one spike per step.
        """
        self._poisson()
        mine(self.network, "a rate")
        course = None
        if callable(rate) or array_of("rate", rate).ndim > 1 or every is not None or start or stop is not None:
            course = Course(
                "rate", rate, self.n, self.network, every, start, stop, partial(at_most_one, self.network.dt)
            )
        self.parameters(rate=0.0 if course else rate)
        self.currents[:] = [current for current in self.currents if current is not self._course]
        self._rate, self._course = (rate, Current(self, course)) if course else (None, None)
        if self._course:
            self.currents.append(self._course)
        self.network.changed()

    def set_spikes(self, times: ArrayLike, units: ArrayLike, *, add: bool = False) -> None:
        """Replace a list of spikes, or add to it, also between runs and in a callback.

        The arguments are those of ``Network.spikes``; what is earlier than the network's time counts after a ``reset``.
        """
        if self.list is None:
            raise ValueError(f"{self!r} fires by itself: spikes are set of what network.spikes made")
        mine(self.network, "a list of spikes")
        dt, off_grid = self.network.dt, self.network.off_grid
        made = spike_list(times, units, self.n, dt, off_grid)
        if add:
            steps, numbers, *before = (np.concatenate(pair) for pair in zip(self.list, made, strict=True))
            made = spike_list((steps + 1 - sum(before)) * dt, numbers, self.n, dt, off_grid)
        self.__dict__["list"] = made
        self.network.changed()
