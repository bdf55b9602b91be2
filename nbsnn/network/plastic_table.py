"""Arrays of plastic connections: their table, traces, synapses by target, pending increments and averages."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import numpy as np

from ..kernels.network import tables as at
from ..plasticity.rule import Rule
from .connection import Connection
from .kernel import Numbered
from .pool import Pool
from .port import reads_of
from .rules import BOUNDED
from .weights import rewarded

Array = np.ndarray


class PlasticTable:
    """Table and arrays of the plastic connections of a network.

    Attributes
    ----------
    connections : list of Connection
        Those with a rule or homeostasis.
    traces : float array
        Spikes and traces of both sides; in ``others`` threads keep what is known of sources in every second step.
    eligible : float array, since : uint32 array
        Of synapses that wait for a reward: see ``kernels.plasticity.rewarded``.
    rates, tallies : float64 and int64 array
        Mean rates of targets, and their spikes since the last interval; then the step at which each connection begins.
    aims : float64 array
        Of targets whose mean weight is steered, or whose weights are normalised in every step: see
        ``kernels.plasticity.mean_weight`` and ``kernels.plasticity.normalized``.
    integers : int32 array
        Of rules in integers: see ``kernels.plasticity.integer``.
    columns : tuple of arrays
        The synapses by target: bounds, sources, places in the rows.
    """

    def __init__(
        self, connections: list[Connection], transposed: dict[Connection, tuple[Array, Array, Array]], wires: Array,
        rules: Numbered[Rule], pool: Pool, dt: float,
    ):  # fmt: skip
        self.pool, self.dt, self.dtype = pool, dt, pool.numbers.dtype
        self.connections = [c for c in connections if c.changes]
        self.table = np.zeros((len(self.connections), at.PLASTIC_COLUMNS), np.int64)
        bounds: list[Array] = [np.zeros(0, np.int64)]
        lists: list[list[Array]] = [[np.zeros(0, np.int32)], [np.zeros(0, np.int32)]]
        self._traces, self._waiting, self._rates = 0, 0, [np.zeros(0)]
        self._aims, self._integers = 0, [np.zeros(0, np.int32)]
        units, entries, places, more = 0, 0, 0, len(connections)
        for k, (c, line) in enumerate(zip(self.connections, self.table, strict=True)):
            number = connections.index(c)
            wires[number, at.RULE] = k
            line[at.WIRE], line[at.RULE_MODEL], line[at.AFTER] = number, rules[c.rule], c.after
            self._sides(c, line)
            line[at.KNOWN] = self._traces - line[at.ARRIVED]
            self._numbers(c, line)
            self._others(c, line)
            line[at.COLUMN_BOUNDS], line[at.COLUMNS] = places, entries
            line[at.RATES] = units
            if c.homeostasis is not None:
                units += c.target.n
            line[at.MORES] = len(c.lates) - 1
            line[at.MORE], more = more, more + len(c.lates) - 1
            wires[line[at.MORE] : more, at.RULE] = k
            start, pre, place = transposed[c]
            bounds.append(start)
            lists[0].append(pre)
            lists[1].append(place)
            places, entries = places + len(start), entries + len(pre)
        self.columns = np.concatenate(bounds), np.concatenate(lists[0]), np.concatenate(lists[1])
        self.traces, self.others = (np.zeros(max(self._traces, 1), self.dtype) for _ in range(2))
        self.eligible, self.since = np.zeros(self._waiting, self.dtype), np.zeros(self._waiting, np.uint32)
        self.start_rates = np.concatenate(self._rates)
        self.rates, self.tallies = self.start_rates.copy(), np.zeros(units + len(self.table), np.int64)
        self.table[:, at.BEGUN] = units + np.arange(len(self.table))
        self.aims, self.start_integers = np.ones(self._aims), np.concatenate(self._integers)
        self.integers = self.start_integers.copy()

    def reset(self) -> None:
        """Nothing has happened yet."""
        for array in (self.traces, self.eligible, self.since, self.tallies):
            array[...] = 0
        self.rates[...] = self.start_rates
        self.integers[...] = self.start_integers

    def turned(self, step: int, threads: int) -> None:
        """After ``step`` steps: bring what threads know of sources into the traces, which are the state."""
        if threads > 1 and step % 2 == 0:
            for row, c in zip(self.table, self.connections, strict=True):
                n = c.source.n
                for place, lines in ((row[at.ARRIVED], 1), (row[at.PRE_USED], row[at.PRE_TRACES])):
                    self.traces[place : place + lines * n] = self.others[place : place + lines * n]

    def _sides(self, c: Connection, line: Array) -> None:
        """Places of what is known of both sides."""
        for side, group, seen, carried, used, count, factors, listed, ring in (
            ("pre", c.source, at.ARRIVED, at.PRE_CARRIED, at.PRE_USED, at.PRE_TRACES, at.PRE_FACTORS,
             at.PRE_VARIABLES, at.PRE_RING),
            ("post", c.target, at.SPIKED, at.POST_CARRIED, at.POST_USED, at.POST_TRACES, at.POST_FACTORS,
             at.POST_VARIABLES, at.POST_RING),
        ):  # fmt: skip
            kinds, first = getattr(c.rule, side), self._traces
            line[count], line[seen], line[carried] = len(kinds), first, first + group.n
            for k, name in enumerate(kinds):
                self.pool.place[c, name] = (first + (1 + k) * group.n, group.n)
            line[used] = first + (1 + len(kinds)) * group.n
            self._traces += (1 + 2 * len(kinds)) * group.n
            if side == "pre" and len(c.lates) > 1:
                line[at.SPAN] = span = int(c.lates[-1] - c.lates[0]) + 2  # one more: threads write before all have read
                line[at.PAST_SEEN], line[at.PAST_USED] = self._traces, self._traces + span * group.n
                self._traces += (1 + len(kinds)) * span * group.n
            pairs = [(t.factor(self.dt, self.dtype), t.amount) for t in kinds.values()]
            variables = [(k, each) for k, each in enumerate(kinds.values()) if each.reads]
            for k, each in variables:
                pairs[k] = pairs[k][0], each.steps(self.dt) + (c.after if side == "pre" else 0)
            line[factors] = self.pool.numbers.put(pairs)
            line[[listed, ring]] = -1, self._traces
            if variables:
                numbers = [number for k, each in variables for number in (k, *reads_of(group, each))]
                line[listed] = self.pool.numbers.put([len(variables), *numbers])
                self._traces += group.n * sum(pairs[k][1] + 1 for k, _ in variables)

    def _numbers(self, c: Connection, line: Array) -> None:
        """Parameters of the rule, of its reward and of homeostasis."""
        rule, dt = c.rule, self.dt
        params, limits = rule.numbers(1, self.dtype)
        if rule.loop == "membrane":
            params = np.append(params, dt).astype(self.dtype)
        line[at.PARAMS], line[at.PARAM_COUNT] = self.pool.numbers.put(params), len(params)
        line[at.LIMITS] = self.pool.numbers.put(limits)
        line[at.CHANGES], line[at.REWARD] = c.plasticity is not None and c.integer is None, -1
        ends = (rule.w_min, rule.w_max) if rule.bounds in BOUNDED else (-np.inf, np.inf)
        if c.kind.waits:
            factor, *fading = rewarded(rule, dt)
            line[at.REWARD] = self.pool.numbers.put([c._reward_given, factor if c.learning else 0.0, *fading, *ends])
            line[at.GAP] = self._waiting - c.place
            self._waiting += c.stop - c.first
        if (care := c.homeostasis) is not None:
            numbers = care.constants(ends, rule.clip == "all")
            line[at.TENDED] = at.SCALED if care.by_rates else at.NORMALIZED
            self._rates.append(np.full(c.target.n, numbers[0] if care.by_rates else 0.0))
            every = care.every or dt  # a normalisation without an interval has been refused
            line[at.INTERVAL], line[at.TARGETS] = round(every / dt), self.pool.numbers.put(numbers)

    def _others(self, c: Connection, line: Array) -> None:
        """Of a rule that steers mean weights, normalises in every step, or computes in integers."""
        line[[at.STEERED, at.BALANCED, at.INTEGERS, at.THRESHOLD]] = -1
        if c.kind.lines:
            line[at.STEERED] = self._aims
            self._aims += c.kind.lines * c.target.n
        care = c.rule.normalize
        if c.kind.normalizes and care is not None and care.first is not None:
            ends = (
                (c.rule.w_min, c.rule.w_max) if c.rule.clip == "all" and c.rule.bounds in BOUNDED else (-np.inf, np.inf)
            )
            line[at.BALANCED] = self.pool.numbers.put([care.total, care.before_clip, *ends])
            line[at.DUE] = min(care.first, np.iinfo(np.int64).max)
        if c.integer is not None:
            line[at.INTEGERS] = sum(map(len, self._integers))
            self._integers.append(np.array(c.integer.numbers(), np.int32))
            self._integers.append(np.zeros(c.source.n + c.target.n, np.int32))
            line[at.ROUNDING] = self.pool.keys.put(rounding(c))
            line[at.THRESHOLD] = self.pool.place.get((c.target, c.integer.reads[0]), (-1, 0))[0]


def rounding(c: Connection) -> list[int]:
    """The keys of the random numbers with which a rule in integers rounds, on both sides."""
    return [c.draws.fold(side).key for side in ("pre", "post")]
