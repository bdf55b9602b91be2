"""The arrays of a network: what ``kernels.network.loop`` runs on, and where in them everything is.

All variables of all populations lie in one array, likewise all numbers, synapses and weights; tables of integers point
into them. So a state is a handful of arrays that can be copied, and one kernel runs any network.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from ..kernels.network import tables as at
from ..kernels.network.arrays import Plastic, Tables, Values
from ..random import Draws
from .arrays import ARRAYS
from .conducted import driving_numbers
from .connection import Connection
from .group import Group, Port, held
from .home import Home
from .kernel import unsigned
from .membrane import membrane_of
from .plastic_table import PlasticTable
from .pool import Numbers, Pool, padded, room, table
from .state import digest
from .unit_step import checked, own_parameters

Array = np.ndarray


class Layout:
    """The arrays and tables of a network that is built.

    Attributes
    ----------
    states, numbers, weights : float array
        All variables; all parameters that are shared; the weights of synapses that have their own.
    index : uint16 or uint32 array [synapses]
        Targets; with delays of their own, places in the ring.
    ring : float array [rows, places]
        What arrives in each of the coming steps at each port of each unit.
    """

    def __init__(self, network: Home):
        self.network, self.dtype = network, network.dtype
        groups, connections = network.groups, network.connections
        plastic, short = [c for c in connections if c.changes], any(c.short_term for c in connections)
        self.models = network.backend.kernel(groups, plastic, short, self.dtype, network.device)
        self.pool = Pool(self.dtype)
        self.place = self.pool.place
        self.rows: dict[Port, int] = {}
        self._populations(groups)
        transposed = self._synapses(connections)
        self.learning = PlasticTable(connections, transposed, self.wires, self.models.rules, self.pool, network.dt)
        self._finish()

    def _finish(self) -> None:
        pool = self.pool
        self.numbers, self.keys = pool.numbers.array(), pool.keys.array()
        self.values = Values(
            self.states, self.numbers, pool.own.array(), pool.currents.array(), self.keys, pool.thresholds.array(),
            self.list_steps, self.list_units, self.resources,
        )  # fmt: skip
        learning = self.learning
        self.traces, self.eligible, self.since = learning.traces, learning.eligible, learning.since
        self.rates, self.tallies = learning.rates, learning.tallies
        self.aims, self.integers = learning.aims, learning.integers
        self.plastic = Plastic(
            learning.table, self.traces, *learning.columns, self.eligible, self.since, self.rates, self.tallies,
            self.aims, self.integers,
        )  # fmt: skip
        arrays = {name: getattr(self, name) for name in ARRAYS}
        self.memory = self.network.backend.memory(arrays, self.network.device)
        rows = dict(zip(learning.connections, learning.table, strict=True))
        for c in self.network.connections:
            c.keep(self.memory, self.index, rows.get(c, np.zeros(0, np.int64)))
        self.tables = Tables(self.pops, self.port_table, self.drives, self.current_table, self.wires, self.short)

    def _populations(self, groups: list[Group]) -> None:
        network, pool = self.network, self.pool
        self.pops = np.zeros((len(groups), at.POPULATION_COLUMNS), np.int64)
        ports, drives, currents = [], [], []
        steps, units, first, row = [], [], 0, 0
        for pop, group in zip(self.pops, groups, strict=True):
            pop[at.UNITS], pop[at.FIRST], pop[at.STRIDE] = group.n, first, padded(group.n)
            first += group.n
            if group.list is not None:
                pop[at.MODEL] = -1
                pop[at.STATE], pop[at.VARIABLES] = sum(map(len, steps)), len(group.list[0])
                steps.append(group.list[0])
                units.append(group.list[1])
                continue
            neuron = checked(group.neuron)
            pop[at.MODEL], own = self.models.neurons[group], own_parameters(group)
            pop[at.VARIABLES] = len(neuron.state)
            for k, name in enumerate(neuron.state):
                place = pool.variable(group, name, group.n)
                if k == 0:
                    pop[at.STATE] = place
                if name == membrane_of(neuron):
                    pop[at.MEMBRANE] = place
            shared = [v.reshape(-1)[0] for k, v in group.values.items() if k not in own]
            more, rests = driving_numbers(group)
            pop[at.SCALARS] = pool.numbers.put([*shared, *more])
            pop[at.VECTORS] = pool.own.size
            for values in [group.values[name] for name in own] + rests:
                pool.own.put(np.pad(values, (0, padded(group.n) - group.n), mode="edge"))
            pop[at.KEY] = pool.keys.put(network.draws.fold("noise", group.name).key)
            pop[at.PORT], pop[at.PORTS] = len(ports), len(group.ports)
            for port in group.ports:
                self.rows[port] = row
                ports.append(self._port(port, row, drives))
                row += padded(group.n)
            pop[at.CURRENT], pop[at.CURRENTS] = len(currents), len(group.currents)
            factor = pool.numbers.put([held(group.membrane) if group.currents else 1.0])
            for values, every, begin in group.currents:
                place = pool.currents.put(values)
                currents.append([place, values.shape[1], values.shape[0], every, begin, factor])
        self.units, self._row = first, max(row, 1)
        self.port_table = table(ports, at.PORT_COLUMNS)
        self.drives, self.current_table = table(drives, at.DRIVE_COLUMNS), table(currents, at.CURRENT_COLUMNS)
        self.list_steps = np.concatenate([*steps, np.zeros(0, np.int64)]).astype(np.int64)
        self.list_units = np.concatenate([*units, np.zeros(0, np.int64)]).astype(np.int64)
        self.states = np.zeros(max(pool.size, 1), self.dtype)

    def _port(self, port: Port, row: int, drives: list) -> Array:
        """The row of a port in its table; appends its drives to theirs."""
        line, pool = np.zeros(at.PORT_COLUMNS, np.int64), self.pool
        line[at.ROW] = row
        line[at.VARIABLES] = len(port.synapse.variables)
        for k, name in enumerate(port.synapse.variables):
            place = pool.variable(port, name, port.group.n)
            if k == 0:
                line[at.STATE] = place
        line[at.SCALARS] = pool.numbers.put(port.numbers(self.network.dt))
        line[at.DRIVE], line[at.DRIVES] = len(drives), len(port.drives)
        for mean, weight, number in port.drives:
            place = pool.thresholds.put(poisson_table(mean))
            key = pool.keys.put(Draws(self.network.seed, "drive", number).key)
            drives.append([place, pool.thresholds.size, pool.numbers.put([weight]), key])
        return line

    def _synapses(self, connections: list[Connection]) -> dict[Connection, tuple]:
        """Build all connections into one list of targets, one at a time; returns what plastic ones are by target."""
        total = sum(c.estimate() for c in connections)
        own = sum(c.estimate() for c in connections if c.own_weights)
        # Half the bytes of targets to read at each spike, where their numbers fit into two.
        short_numbers = all(c.one_delay and c.target.n <= 1 << 16 for c in connections)
        index = np.empty(total, np.uint16 if short_numbers else np.uint32)
        weights = np.empty(own, self.dtype)
        self.wires = np.full((len(connections), at.WIRE_COLUMNS), -1, np.int64)
        short, factors, resources = [], 0, Numbers(np.float64)
        transposed: dict[Connection, tuple] = {}
        used, weighed, longest, late = 0, 0, 0, {}
        for number, (c, wire) in enumerate(zip(connections, self.wires, strict=True)):
            rows, weight, late[c] = c.build(number)
            index = room(index, used + len(rows))
            weights = room(weights, weighed + (len(rows) if c.own_weights else 0))
            index[used : used + len(rows)] = unsigned(rows.post)
            one = None if np.ndim(late[c]) else int(late[c])
            longest = max(longest, int(np.max(late[c], initial=0)))
            if c.own_weights:
                place = weighed
                weights[weighed : weighed + len(rows)] = weight
                wire[at.SHIFT] = weighed - used
                weighed += len(rows)
            else:
                place = wire[at.WEIGHT] = self.pool.numbers.put([weight])
            c.laid(rows, used, one, place)
            wire[at.SOURCE], wire[at.TARGET] = c.source.index, c.target.index
            wire[at.FROM], wire[at.TO] = c.sources.lo, c.sources.hi
            wire[at.TARGET_ROW] = self.rows[c.port]
            if c.late is not None:
                wire[at.DELAY] = c.late
            if c.short_term is not None:
                n = c.source.n
                gone = np.concatenate([np.zeros(2 * n), np.full(n, np.inf)])  # a last spike in the future: none yet
                numbers = resources.put([*c.short_term.numbers(self.network.dt), 0.0])
                short.append([number, numbers, resources.put(gone)])
                wire[at.SHORT], wire[at.KEPT] = factors, c.after if c.changes else 1
                factors += n * int(wire[at.KEPT])
            if c.changes:
                transposed[c] = rows.transposed()
            used += len(rows)
        self.index, self.weights = index[:used], weights[:weighed]
        self.shortest = min((int(np.min(v, initial=longest)) for v in late.values()), default=0)
        self.ring = np.zeros((longest + 1, self._row), self.dtype)
        for c, steps in late.items():
            if c.late is None:  # such synapses name their place in the ring
                place = np.asarray(steps, np.uint64) * np.uint64(self._row) + np.uint64(self.rows[c.port])
                if self.ring.size >= 1 << 32:
                    raise ValueError(
                        f"delays of up to {longest} steps need a ring of {self.ring.size} places, 2^32 at most"
                    )
                self.index[c.first : c.stop] += place.astype(np.uint32)
        self.short = table(short, at.SHORT_COLUMNS)
        self.resources, self.factors = resources.array(), np.ones(max(factors, 1), self.dtype)
        self.start_resources = self.resources.copy()
        return transposed

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
        return [digest(self.index[c.first : c.stop], c.start, c.late) for c in self.network.connections]


def poisson_table(mean: float) -> Array:
    """2^32 times the probability of at most k events, k = 0, 1, ..., as far as 32 bits tell it from 1: uint32."""
    most = int(mean + 10.0 * math.sqrt(mean) + 20.0)
    logs = [k * math.log(mean) - mean - math.lgamma(k + 1.0) for k in range(most)] if mean else [0.0]
    scaled = np.rint(np.cumsum(np.exp(logs)) * 2.0**32)
    return scaled[scaled < 2.0**32].astype(np.uint32)
