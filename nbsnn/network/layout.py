"""The arrays of a network: what ``kernels.network.loop`` runs on, and where in them everything is.

All variables of all populations lie in one array, likewise all numbers, synapses and weights; tables of integers point
into them. So a state is a handful of arrays that can be copied, and one kernel runs any network.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..device.buffers import zeros
from ..kernels.network import tables as at
from ..kernels.network.arrays import Plastic, Tables, Values
from ..random import Draws
from ..sparse import AllToAll
from ..sparse.delay import CHUNK
from . import off_grid
from .arrays import ARRAYS
from .conducted import driving_numbers
from .connection import Connection
from .estimate import shortest
from .group import Group
from .home import Home
from .kernel import NetworkKernel, unsigned
from .membrane import membrane_of
from .outside import laid
from .plastic_table import PlasticTable, rounding
from .pool import Numbers, Pool, padded, room, table
from .port import GatePort, Port
from .shares import Shares
from .state import digest
from .unit_step import checked, own_parameters, story
from .wiring import Wired

Array = np.ndarray


def parameters_of(group: Group) -> tuple[list[float], list[Array]]:
    """Numbers that all units share, and arrays of those of which each has its own."""
    if group.network.off_grid:
        return [], off_grid.parameters_of(checked(group.neuron), group.values, group.n, group.network.dt)
    own = own_parameters(group)
    more, rests = driving_numbers(group)
    shared = [float(value.reshape(-1)[0]) for name, value in group.values.items() if name not in own]
    ports = [values for port in group.ports for values in port.own(group.network.dt)]
    return [*shared, *more], [group.values[name] for name in own] + rests + ports


def _one_sum(c: Connection) -> bool:
    """True if the gates of all sources of all-to-all synapses are one sum for all targets."""
    alike = not c.own_weights and c.late is not None and not c.rewired
    return c.sources.neighbours and c.targets.neighbours and alike


class Layout:
    """The arrays and tables of a network that is built.

    Attributes
    ----------
    states, numbers, weights : float array
        All variables; all parameters that are shared; the weights of synapses that have their own.
    index : uint16 or uint32 array [synapses]
        Targets; with delays of their own, places in the ring.
    ring : float array [rows, places]
        What arrives in each of the coming steps at each port of each unit; off the grid when each unit has fired in
        each of the latest steps.
    """

    def __init__(self, network: Home, wired: dict[Connection, Wired] | None = None, coming: int = 0):
        """``wired`` are the synapses of connections that need not be built; ``coming`` steps have a row in the ring."""
        self.network, self.dtype = network, network.dtype
        self._wired, self._coming = wired or {}, coming
        groups, connections = network.groups, network.connections
        self._kernel: NetworkKernel | None = None
        self.pool = Pool(self.dtype)
        self.place = self.pool.place
        self.rows: dict[Port, int] = {}
        self.gates: dict[GatePort, int] = {}
        self._populations(groups)
        transposed = self._synapses(connections)
        self.learning = PlasticTable(connections, transposed, self.wires, self.models.rules, self.pool, network.dt)
        self._finish()
        self._wired = {}

    def _finish(self) -> None:
        pool = self.pool
        self.numbers = pool.numbers.array()
        given, drives, currents = laid(self.network, self.pops, self.port_table, pool.keys.array())
        self.values = Values(
            states=self.states, numbers=self.numbers, own=self._own(), resources=self.resources, **given
        )  # fmt: skip
        learning = self.learning
        self.traces, self.eligible, self.since = learning.traces, learning.eligible, learning.since
        self.rates, self.tallies = learning.rates, learning.tallies
        self.aims, self.integers = learning.aims, learning.integers
        self.plastic = Plastic(
            learning.table, self.traces, learning.others, *learning.columns, self.eligible, self.since, self.rates,
            self.tallies, self.aims, self.integers, np.zeros((1, 2, 0), np.uintp),
        )  # fmt: skip
        arrays = {name: getattr(self, name) for name in ARRAYS}
        self.memory = self.network.backend.memory(arrays, self.network.device)
        lines = {c: k for k, c in enumerate(learning.connections)}
        for c in self.network.connections:
            c.keep(self.memory, self.index, learning.table, lines.get(c, -1))
        self.tables = Tables(self.pops, self.port_table, drives, currents, self.wires, self.short)

    def renew(self) -> None:
        """Lay out again what is given from outside; where there was no current before, the loop is another one."""
        given, drives, currents = laid(self.network, self.pops, self.port_table, self.pool.keys.array())
        self.values = self.values._replace(**given)
        self.tables = self.tables._replace(drives=drives, currents=currents)
        if any(group.currents and not group.injected for group in self.network.groups):
            self._renumber()

    def _own(self) -> Array:
        """The parameters of which each unit has its own."""
        own = Numbers(self.dtype)
        for pop, group in zip(self.pops, self.network.groups, strict=True):
            pop[at.VECTORS] = own.size
            for values in parameters_of(group)[1] if group.neuron else []:
                own.put(np.pad(np.broadcast_to(values, group.n), (0, padded(group.n) - group.n), mode="edge"))
        return own.array()

    def take_parameters(self, group: Group) -> None:
        """Take the parameters that a group has been given; an array in the place of a number needs another loop."""
        pop, memory, dt = self.pops[group.index], self.memory, self.network.dt
        shared, vectors = parameters_of(group)
        memory.write("numbers", np.asarray(shared, self.dtype), place := int(pop[at.SCALARS]), place + len(shared))
        for line, port in zip(self.port_table[pop[at.PORT] :], group.ports, strict=False):
            place, numbers = int(line[at.SCALARS]), np.asarray(port.numbers(dt), self.dtype)
            memory.write("numbers", numbers, place, place + len(numbers))
        if story(group) in self.models.neurons.numbers and not (len(vectors) and memory.whole):
            place = int(pop[at.VECTORS])
            for values in vectors:
                self.values.own[place : place + group.n] = values
                place += padded(group.n)
            return
        self.values = self.values._replace(own=self._own())
        self._renumber()

    def _key(self, group: Group) -> int:
        """The key of a population's noise."""
        return Draws(self.network.noise, "network", "noise", group.name).key

    def take_noise(self) -> None:
        """Take the seed of noise that the network has been given."""
        keys = self.pool.keys.array()
        for pop, group in zip(self.pops, self.network.groups, strict=True):
            if group.neuron is not None:
                keys[pop[at.KEY]] = self._key(group)
        for line, c in zip(self.learning.table, self.learning.connections, strict=True):
            if c.integer is not None:
                keys[line[at.ROUNDING] + np.arange(2)] = rounding(c)
        self.pool.keys.parts = [keys]

    def _renumber(self) -> None:
        """Read the models again."""
        self._kernel = None
        for pop, group in zip(self.pops, self.network.groups, strict=True):
            pop[at.MODEL] = -1 if group.neuron is None else self.models.neurons[group]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kernel": None}  # which holds functions that a pickle may not

    def share_models(self, other: Layout) -> None:
        """Take the models of the layout of which this is a copy."""
        self._kernel = other.models

    @property
    def models(self) -> NetworkKernel:
        """The models of the network, with room for currents where there are any."""
        if self._kernel is None:
            self._kernel = self._models()
        return self._kernel

    def _models(self) -> NetworkKernel:
        network = self.network
        for group in network.groups:
            group.take_currents()
        plastic, short = [c for c in network.connections if c.changes], any(c.short_term for c in network.connections)
        return network.backend.kernel(network.groups, plastic, short, self.dtype, network.device)

    def _populations(self, groups: list[Group]) -> None:
        pool = self.pool
        self.pops = np.zeros((len(groups), at.POPULATION_COLUMNS), np.int64)
        ports: list[Array] = []
        first, row = 0, 0
        for pop, group in zip(self.pops, groups, strict=True):
            pop[at.UNITS], pop[at.FIRST], pop[at.STRIDE] = group.n, first, padded(group.n)
            first += group.n
            if group.list is not None:
                pop[at.MODEL] = -1
                continue
            neuron = checked(group.neuron)
            pop[at.MODEL] = self.models.neurons[group]
            pop[at.VARIABLES] = len(neuron.state)
            for k, name in enumerate(neuron.state):
                place = pool.variable(group, name, group.n)
                if k == 0:
                    pop[at.STATE] = place
                if name == membrane_of(neuron):
                    pop[at.MEMBRANE] = place
            shared, _ = parameters_of(group)
            pop[at.SCALARS] = pool.numbers.put(shared)
            pop[at.KEY] = pool.keys.put(self._key(group))
            pop[at.PORT], pop[at.PORTS] = len(ports), len(group.ports)
            for port in group.ports:
                self.rows[port] = row
                ports.append(self._port(port, row))
                row += padded(group.n) * port.synapse.arrivals
        self.units, self._row = first, max(first if self.network.off_grid else row, 1)
        for gate in (gate for group in groups for gate in group.gates):
            self.gates[gate] = len(ports)
            ports.append(self._gate(gate))
        self.port_table = table(ports, at.PORT_COLUMNS)
        self.states = zeros((max(pool.size, 1),), self.dtype)

    def _gate(self, gate: GatePort) -> Array:
        """The row of gates in the table of ports."""
        line, kind, n = np.zeros(at.PORT_COLUMNS, np.int64), gate.gate, gate.group.n
        places = [self.pool.variable(gate, name, n) for name in kind.variables]
        out = [self.pool.variable(gate, f"output {m}", n) for m in range(kind.outputs)]
        line[at.MODEL], line[at.STATE], line[at.ROW] = self.models.gates[gate], (places or [0])[0], out[0]
        line[at.VARIABLES], line[at.OPENS] = kind.outputs, gate.group.index
        line[at.SCALARS] = self.pool.numbers.put(kind.stepped(self.network.dt))
        return line

    def _port(self, port: Port, row: int) -> Array:
        """The row of a port in its table."""
        line, pool = np.zeros(at.PORT_COLUMNS, np.int64), self.pool
        line[at.ROW], line[at.OPENS] = row, -1
        line[at.VARIABLES] = len(port.synapse.variables)
        for k, name in enumerate(port.synapse.variables):
            place = pool.variable(port, name, port.group.n)
            if k == 0:
                line[at.STATE] = place
        line[at.SCALARS] = pool.numbers.put(port.numbers(self.network.dt))
        return line

    def _synapses(self, connections: list[Connection]) -> dict[Connection, tuple[Any, ...]]:
        """Build all connections into one list of targets, one at a time; returns what plastic ones are by target."""
        total = sum(c.held() for c in connections)
        own = sum(c.held() for c in connections if c.own_weights)
        # Half the bytes of targets to read at each spike, where their numbers fit into two.
        short_numbers = all((c.one_delay or c.changes) and c.target.n <= 1 << 16 for c in connections)
        index = np.empty(total, np.uint16 if short_numbers else np.uint32)
        weights = np.empty(own, self.dtype)
        self.wires = np.full((len(connections), at.WIRE_COLUMNS), -1, np.int64)
        short, resources = list[list[int]](), Numbers(np.float64)
        transposed: dict[Connection, tuple[Any, ...]] = {}
        used, weighed, longest, late = 0, 0, 0, dict[Connection, Any]()
        for number, (c, wire) in enumerate(zip(connections, self.wires, strict=True)):
            rows, weight, late[c] = self._wired[c][:3] if c in self._wired else c.build(number)
            index = room(index, used + len(rows))
            weights = room(weights, weighed + (len(rows) if c.own_weights else 0))
            index[used : used + len(rows)] = unsigned(rows.post)
            lates = late[c] if (c.changes or self.network.off_grid) and np.ndim(late[c]) else np.zeros(1, np.int64)
            one = int(np.min(late[c])) if len(lates) > 1 or not np.ndim(late[c]) else None
            longest = max(longest, int(np.max(late[c], initial=0)))
            if c.own_weights:
                place = weighed
                weights[weighed : weighed + len(rows)] = weight
                wire[at.SHIFT] = weighed - used
                weighed += len(rows)
            else:
                place = wire[at.WEIGHT] = self.pool.numbers.put([weight])
            c.laid(rows, used, one, place, lates)
            wire[at.SOURCE], wire[at.TARGET] = c.source.index, c.target.index
            wire[at.FROM], wire[at.TO] = c.sources.lo, c.sources.hi
            wire[at.TARGET_ROW] = self.rows[c.port]
            if c.late is not None:
                wire[at.DELAY] = c.late
            if c.gate is not None:
                wire[at.RULE], wire[at.GATE] = at.GATED, self.gates[c.gate]
                if isinstance(c.pattern, AllToAll) and _one_sum(c):
                    wire[at.SPREAD : at.APART + 1] = c.targets.lo, c.targets.hi, not c.pattern.autapses
            if c.short_term is not None:
                n = c.source.n
                gone = np.concatenate([np.zeros(2 * n), np.full(n, np.inf)])  # a last spike in the future: none yet
                numbers = resources.put([*c.short_term.numbers(self.network.dt), 0.0])
                short.append([number, numbers, resources.put(gone)])
            if c.changes:
                start, sources, places = rows.transposed()
                if len(lates) > 1:  # where what is known of them is, in a ring that begins with the present step
                    span, (i, which) = int(lates[-1] - lates[0]) + 2, np.divmod(sources, len(lates))
                    sources = ((lates[0] - lates[which]) % span * c.source.n + i).astype(np.int32)
                transposed[c] = start, sources, places
            used += len(rows)
        self.index, self.weights = index[:used], weights[:weighed]
        there = [c for c in connections if c.changes or c.stop > c.first]
        self.window = self._window({c: int(np.min(late[c])) for c in there})
        longest = max(self.network.ranks.every(longest))
        more = self.window if self.network.off_grid else 1
        self.ring = zeros((max(longest + more, self._coming), self._row), self.dtype)
        for c, steps in late.items():
            if c.late is None:  # such synapses name their place in the ring
                if self.ring.size >= 1 << 32:
                    raise ValueError(
                        f"delays of up to {longest} steps need a ring of {self.ring.size} places, 2^32 at most"
                    )
                for k in range(0, c.stop - c.first, CHUNK):
                    place = np.asarray(steps[k : k + CHUNK], np.uint64) * np.uint64(self._row)
                    self.index[c.first + k : c.stop][:CHUNK] += (place + np.uint64(self.rows[c.port])).astype(np.uint32)
        self.short, factors = table(short, at.SHORT_COLUMNS), 0
        for number in self.short[:, at.WIRE]:
            c, wire = connections[int(number)], self.wires[number]
            wire[at.SHORT], wire[at.KEPT] = factors, self.window + (c.last - 1 if c.changes else 0)
            factors += c.source.n * int(wire[at.KEPT])
        for c, wire in zip(connections, self.wires.copy(), strict=True):  # a line of its own for each further delay
            lines = np.tile(wire, (len(c.lates) - 1, 1))
            lines[:, at.DELAY] = c.lates[1:]
            self.wires = np.concatenate([self.wires, lines])
        self.resources, self.factors = resources.array(), np.ones(max(factors, 1), self.dtype)
        self.start_resources = self.resources.copy()
        return transposed

    def _window(self, late: dict[Connection, int]) -> int:
        """For how many steps no spike need be known beyond its unit, from the least delay of each connection."""
        return min((least for least in self.network.ranks.every(shortest(late)) if least), default=1)

    @property
    def changing(self) -> Array:
        """Places of those among the numbers that are no parameters: single weights, rewards."""
        rewards = self.learning.table[:, at.REWARD]
        rewards = rewards[rewards >= 0]
        weights = self.wires[:, at.WEIGHT]
        return np.concatenate([weights[weights >= 0], rewards + at.REWARD_VALUE, rewards + at.REWARD_FACTOR])

    @functools.cached_property
    def digests(self) -> list[int]:
        """What tells the synapses of each connection from others."""
        shares, found = self.shares, list[Any]()
        for c in self.network.connections:
            start, blocks = shares.rows(c), shares.blocks(c, self.index[c.first : c.stop])
            found.append(shares.first(functools.partial(digest, blocks, start, c.late, c.lates), blocks))
        return self.network.ranks.every(found)[0]

    @functools.cached_property
    def shares(self) -> Shares:
        """Which of the arrays' elements belong to this process."""
        return self.network.backend.shares(self.network)

    @property
    def sizes(self) -> Array:
        """Units of each population."""
        return self.pops[:, at.UNITS]
