"""The event simulator: populations, and sparse, delayed, plastic synapses between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..device import DEVICES
from ..neuron import Neuron
from ..plasticity.rule import Rule
from ..random import Draws
from ..sparse import Rows, Sparse
from ..sparse import Rule as Pattern
from ..synapses import Delta, Synapse, TsodyksMarkram
from ..validate import choice, count, finite, float_dtype, number
from . import running, sources
from .connection import Connection
from .group import Group
from .layout import Layout
from .loop import Loop
from .recording import Recording
from .state import ARRAYS, State

Array = np.ndarray


class Network:
    """Populations of neurons, their inputs, and the synapses between them, simulated in steps of ``dt``.

    A network is described first, by ``population``, ``poisson``, ``spikes``, ``connect``, ``drive`` and ``inject``; the
    first ``run`` builds it. It holds its state: ``run`` goes on from it, ``reset`` returns to the start, ``state``
    gives a copy and ``restore`` puts one back. Results do not depend on the number of threads, nor on how a run is cut
    into pieces.

    Parameters
    ----------
    dt : float, ms
        Time step.
    seed : int
        All random numbers, of synapses, initial values and noise, are functions of this, of names and of places.
    dtype : {float32, float64}
        Precision of variables and weights.
    device : {"cpu", "python"}
        Compiled, or interpreted for debuggers.

    Examples
    --------
    >>> import nbsnn
    >>> from nbsnn.neurons import LIF
    >>> net = nbsnn.Network(dt=0.1, seed=1)
    >>> cells = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)
    >>> exc = net.population(cells, 80, name="exc", v=nbsnn.values.Uniform(-60.0, -50.0))
    >>> inh = net.population(cells, 20, name="inh", v=nbsnn.values.Uniform(-60.0, -50.0))
    >>> for target in (exc, inh):
    ...     _ = net.connect(exc, target, nbsnn.Sparse(probability=0.1), weight=1.6, synapse=nbsnn.synapses.Exponential(5.0))
    ...     _ = net.connect(inh, target, nbsnn.Sparse(probability=0.1), weight=-9.0, synapse=nbsnn.synapses.Exponential(10.0))
    >>> recording = net.run(100.0)
    >>> times, units = recording.spikes(exc)
    """

    def __init__(self, dt: float = 0.1, seed: int = 0, *, dtype: Any = np.float32, device: str = "cpu"):
        self.dt, self.seed = number("dt", dt, above=0.0), seed
        self.draws = Draws(seed, "network")
        self.dtype, self.device = float_dtype(dtype), choice("device", device, DEVICES)
        if device == "cuda":
            raise NotImplementedError('networks of sparse synapses run on device="cpu" only')
        self.groups: list[Group] = []
        self.connections: list[Connection] = []
        self._layout: Layout | None = None
        self._loop: Loop | None = None
        self._history: list = []
        self._drives = 0
        self.step = 0

    def __repr__(self) -> str:
        lines = [f"Network(dt={self.dt:g} ms, seed={self.seed})", *map(repr, self.groups), *map(repr, self.connections)]
        return "\n  ".join(lines)

    @property
    def time(self) -> float:
        """How far the network has run, ms."""
        return self.step * self.dt

    @property
    def units(self) -> int:
        """Number of units of all populations."""
        return sum(group.n for group in self.groups)

    def group(self, name: Group | str) -> Group:
        """The population of this name."""
        for group in self.groups:
            if group is name or group.name == name:
                return group
        raise KeyError(f"this network has no population {name!r}; it has {[group.name for group in self.groups]}")

    def first(self, group: Group) -> int:
        """The number of the group's first unit among all units."""
        return sum(other.n for other in self.groups[: group.index])

    def population(self, neuron: Neuron, n: int, *, name: str | None = None, **initial: Any) -> Group:
        """Add units of one model.

        Parameters
        ----------
        neuron : Neuron
            The model, from ``nbsnn.neurons`` or of one's own.
        n : int
            Number of units.
        name : str, optional
            "population1", "population2", ... by default.
        **initial : number, array [n] or distribution
            Where variables of the model start, instead of at its own values: ``v=nbsnn.values.Uniform(-60, -50)``.

        Returns
        -------
        Group

        Raises
        ------
        ValueError, TypeError
            If a variable is unknown, values do not fit, or the network has been built.
        """
        if not isinstance(neuron, Neuron):
            raise TypeError(f"a population is made of a Neuron, not of {neuron!r}")
        group = self._add(neuron, n, name, "population")
        for variable, values in initial.items():
            if variable not in neuron.state:
                self.groups.pop()
                raise ValueError(f"{neuron!r} has no variable {variable!r}; it has {list(neuron.state)}")
            group.initial[variable] = values
        return group

    def poisson(self, n: int, rate: Any, *, name: str | None = None) -> Group:
        """Add units that fire at random, independently, at ``rate`` Hz (a number, or one per unit)."""
        from ..neurons import PoissonNeuron

        return self._add(PoissonNeuron(rate), n, name, "poisson")

    def spikes(self, times: Any, units: Any, n: int, *, name: str | None = None) -> Group:
        """Add units that fire at given times: lists, event streams, another run's recording.

        Parameters
        ----------
        times : array [spikes], ms
            In any order; a spike belongs to the step that ends nearest to it, in the time of the network.
        units : int array [spikes]
            From 0 to n - 1; a unit fires at most once in a step.
        n : int
            Number of units.
        name : str, optional
        """
        listed = sources.spike_list(times, units, count("n", n), self.dt)
        group = self._add(None, n, name, "spikes")
        group.list = listed
        return group

    def _add(self, neuron: Neuron | None, n: int, name: str | None, kind: str) -> Group:
        self._unbuilt("a population")
        count("n", n)
        name = name or f"{kind}{1 + sum(group.name.startswith(kind) for group in self.groups)}"
        if any(group.name == name for group in self.groups):
            raise ValueError(f"this network has a population {name!r} already")
        self.groups.append(Group(self, name, n, neuron, len(self.groups)))
        return self.groups[-1]

    def connect(
        self, source: Group | str, target: Group | str, pattern: Pattern | Rows, *, weight: Any = None,
        delay: Any = None, synapse: Synapse | None = None, plasticity: Rule | None = None,
        short_term: TsodyksMarkram | None = None, coordinates: Any = None, name: str | None = None,
    ) -> Connection:  # fmt: skip
        """Connect two populations, or one with itself.

        Parameters
        ----------
        source, target : Group or str
        pattern : rule
            Who is connected to whom: ``Sparse``, ``AllToAll``, ``OneToOne``, ``Distance``, ``Explicit``, ``from_scipy``.
        weight : number, array [synapses] or distribution
            In the unit of the synapse: mV for a membrane of ``LIF`` (a current of 1 mV holds it 1 mV above rest), nS for
            conductances, pA for neurons with a capacitance. 1 by default, or what the pattern brings.
        delay : number, array [synapses] or distribution, ms
            From the end of the step in which a spike is fired to its arrival, at least one step: that by default.
        synapse : Synapse
            What arriving spikes do; ``synapses.Delta()`` by default.
        plasticity : rule of nbsnn.plasticity, optional
            How weights change. The source's spikes count when they arrive.
        short_term : TsodyksMarkram, optional
            How the effect of a spike depends on the spikes before it.
        coordinates : pair of arrays, or array
            Positions of units, for ``Distance``.
        name : str, optional

        Returns
        -------
        Connection
        """
        self._unbuilt("a connection")
        source, target = self.group(source), self.group(target)
        if not isinstance(pattern, Pattern):
            raise TypeError(f"a connection needs a pattern, Sparse(probability=0.1) say, not {pattern!r}")
        synapse = Delta() if synapse is None else synapse
        for what, given, wanted in (
            ("synapse", synapse, Synapse), ("plasticity", plasticity, Rule), ("short_term", short_term, TsodyksMarkram),
        ):  # fmt: skip
            if given is not None and not isinstance(given, wanted):
                raise TypeError(f"{what} must be a {wanted.__name__}, not {given!r}")
        if plasticity is not None:
            sources.check_rule(plasticity)
        if isinstance(weight, (int, float)):
            number("weight", weight)
        name = name or f"{source.name} to {target.name}"
        alike = sum(c.name == name or c.name.startswith(f"{name} ") for c in self.connections)
        made = Connection(
            self, f"{name} {alike + 1}" if alike else name, source, target, pattern, weight, delay, synapse,
            plasticity, short_term, coordinates,
        )  # fmt: skip
        self.connections.append(made)
        return made

    def drive(self, target: Group | str, rate: float, weight: float, synapse: Synapse | None = None) -> None:
        """Let every unit of ``target`` receive Poisson spikes of its own, at ``rate`` Hz altogether, of one weight."""
        self._unbuilt("a drive")
        group = self.group(target)
        mean = number("rate", rate, least=0.0) * self.dt / 1000.0
        port = group.port(Delta() if synapse is None else synapse)
        port.drives.append((mean, number("weight", weight), self._drives))
        self._drives += 1

    def inject(self, target: Group | str, current: Any, *, every: float | None = None, start: float = 0.0) -> None:
        """Inject a current: a number, an array [n] for the whole run, or [rows, n] or [rows, 1] of ``every`` ms each.

        Parameters
        ----------
        target : Group or str
        current : number or array
            In the unit of the neuron's input: mV for ``LIF`` (what it adds to the resting membrane), pA for neurons with
            a capacitance. An array of two axes changes in time.
        every : float, ms, optional
            How long a row lasts; one step by default.
        start : float, ms
            When the first row begins, in the network's time. After the last row the current is 0.
        """
        self._unbuilt("a current")
        group = self.group(target)
        if group.neuron is None:
            raise ValueError(f"{group.name} is a list of spikes: it takes no current")
        group.currents.append(sources.current(current, group.n, every, start, self.dt, self.dtype))

    def _unbuilt(self, what: str) -> None:
        if self._layout is not None:
            raise ValueError(f"this network has been built: {what} must be added before the first run")

    @property
    def layout(self) -> Layout:
        """The arrays of the network, which is built if need be."""
        self.build()
        if self._layout is None:
            raise RuntimeError("a network is being built: its arrays are not there yet")
        return self._layout

    def estimate(self) -> int:
        """About how many bytes the synapses of this network take."""
        return sum(c.estimate() * c.bytes_each() for c in self.connections)

    def build(self) -> Network:
        """Make synapses and arrays; ``run`` does it when needed.

        Raises
        ------
        MemoryError
            If synapses would take more memory than this machine has free.
        """
        if self._layout is not None:
            return self
        if not self.groups:
            raise ValueError("this network has no population")
        needed, largest = self.estimate(), max((c.estimate() * 16 for c in self.connections), default=0)
        free = _free_memory()
        if free is not None and needed + largest > free:
            raise MemoryError(
                f"{sum(c.estimate() for c in self.connections):,} synapses take {needed / 1e9:.1f} GB, and building them "
                f"up to {largest / 1e9:.1f} GB more; {free / 1e9:.1f} GB are free"
            )
        self._layout = Layout(self)
        self.reset()
        return self

    def reset(self) -> None:
        """Return to time 0: variables at their initial values, nothing under way, traces at 0. Weights stay."""
        layout = self.layout
        self.step, self._history = 0, []
        for array in (layout.states, layout.ring, layout.traces):
            array[...] = 0
        layout.resources[...] = layout.start_resources
        for group in self.groups:
            for name, values in group.initial.items():
                group[name] = values

    def variable(self, group: Group, name: str) -> Array:
        """The array of a variable of a population, [n], or of one of its ports, named as "exponential.y"."""
        layout = self.layout
        for owner, label, variable in self._variables(group):
            if label == name:
                place, n = layout.place[owner, variable]
                return layout.states[place : place + n]
        known = [label for _, label, _ in self._variables(group)]
        raise KeyError(f"{group.name} has no variable {name!r}; it has {known}")

    def _variables(self, group: Group) -> Iterator[tuple[Any, str, str]]:
        for name in group.neuron.state if group.neuron else ():
            yield group, name, name
        for port in group.ports:
            for name in port.synapse.variables:
                yield port, port.label(name), name

    def state(self) -> State:
        """A copy of the state."""
        layout = self.layout
        arrays = {name: getattr(layout, name).copy() for name in ARRAYS}
        return State(self.step, arrays, [(pops.copy(), units.copy()) for pops, units in self._history])

    def restore(self, state: State) -> None:
        """Go back, or on, to a state of this network or of one that is built alike.

        Raises
        ------
        ValueError
            If the arrays do not fit; nothing is changed then.
        """
        layout = self.layout
        for name in ARRAYS:
            mine, given = getattr(layout, name), state.arrays.get(name)
            if given is None or given.shape != mine.shape or given.dtype != mine.dtype:
                found = "nothing" if given is None else f"{given.dtype} {list(given.shape)}"
                raise ValueError(f"{name} of this network is {mine.dtype} {list(mine.shape)}, the state has {found}")
        for name in ARRAYS:
            getattr(layout, name)[...] = state.arrays[name]
        self.step, self._history = state.step, list(state.history)

    def run(
        self, duration: float, *, record: Mapping[Any, Any] | None = None, every: float | None = None,
        to: Any = None, progress: bool = False, callback: Callable[[Network], Any] | None = None,
        callback_every: float | None = None,
    ) -> Recording:  # fmt: skip
        """Simulate ``duration`` ms from the present state on.

        Parameters
        ----------
        duration : float, ms
            A whole number of steps.
        record : mapping, optional
            What to record: {group: ["spikes", "v"], connection: ["weight"]}; {group: {"v": [0, 5]}} records chosen
            units. By default the spikes of all populations.
        every : float, ms, optional
            Interval at which variables and weights are recorded; ``dt`` for variables by default.
        to : path, optional
            File to which spikes are written as they come, instead of being kept in memory.
        progress : bool
            Show a bar on a terminal.
        callback : callable, optional
            Called with the network after every ``callback_every`` ms (one step by default); it may read and change
            state and weights.

        Returns
        -------
        Recording

        Raises
        ------
        ValueError, KeyError
            If a time is not a whole number of steps, or what is to be recorded is unknown.
        """
        return running.run(self, duration, record, every, to, progress, callback, callback_every)

    def steps(self, duration: float, **options: Any) -> Iterator[float]:
        """Run step by step: yields the time after each step; state may be read and changed in between."""
        for _ in range(running.whole(duration, self.dt, "duration")):
            self.run(self.dt, **options)
            yield self.time

    def loop(self) -> Loop:
        """The compiled loop; a new one after the number of threads has changed."""
        from ..device import threads

        if self._loop is None or self._loop_threads != threads():
            self._loop, self._loop_threads = Loop(self), threads()
        return self._loop


def _free_memory() -> int | None:
    """Bytes that can be had, or None where the system does not tell."""
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable"):
                    return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None
