"""A connection: the synapses from one population to another."""
# pyright: reportIncompatibleVariableOverride=false, reportUnnecessaryIsInstance=false

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..plasticity import Normalize, PostPreInt, Scaling
from ..plasticity.rule import Rule
from ..random import Draws
from ..sparse import Rows, values
from ..sparse import Rule as Pattern
from ..synapses import Synapse, TsodyksMarkram
from ..validate import number_in
from . import given
from .arrays import Memory
from .group import Port, Section
from .home import Home
from .weights import SharedWeight, kind_of
from .wiring import Given, Wiring

Array = np.ndarray


def _nothing(w: float, pre: float, post: float) -> tuple[float, float]:
    return 0.0, 0.0


ONE, ALL = np.zeros(1, np.int64), np.zeros(0, np.int32)

IDLE = Rule(_nothing, bounds="none")  # of connections that have homeostasis or integers alone


def _each(given: object, of_pattern: object) -> bool:
    """True if each synapse has its own value: of what is given, or what the pattern brings."""
    given = of_pattern if given is None else given
    return isinstance(given, values.Distribution) or np.ndim(given) > 0  # type: ignore[arg-type]


class Connection(Wiring):
    """Synapses from one population to another. Made by ``Network.connect``.

    All arrays of synapses, ``pre``, ``post``, ``weight`` and ``delay``, are in one order: that of the pairs, if these
    were given (``Explicit``, ``from_scipy``), else by source, then by target. ``weight``, ``delay``, ``learning`` and
    ``reward`` can be set, nothing else; ``add`` and ``disconnect`` change which synapses there are.

    Attributes
    ----------
    name : str
    source, target : Group
    sources, targets : Section
        The units of them that are connected.
    synapse : Synapse
    plasticity : plasticity rule or None
    homeostasis : Scaling, Normalize or None

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(), 3, name="cells")
    >>> connection = net.connect(cells, cells, nbsnn.AllToAll(autapses=False), weight=0.5, delay=1.0)
    >>> connection.pre.tolist(), connection.post.tolist()
    ([0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1])
    >>> connection.weight                       # a number as long as all synapses share it
    0.5
    """

    CAN_BE_SET = "weight", "delay", "learning", "reward"
    INSTEAD = "; of a connection weight, delay, learning and reward can"

    def __init__(
        self, network: Home, name: str, source: Section, target: Section, pattern: Pattern, weight: Any,
        delay: Any, synapse: Synapse, plasticity: Rule | PostPreInt | None, short_term: TsodyksMarkram | None,
        coordinates: Any, homeostasis: Scaling | Normalize | None = None,
    ):  # fmt: skip
        self.network, self.name, self.sources, self.targets = network, name, source, target
        self.source, self.target, self.homeostasis = source.group, target.group, homeostasis
        self.pattern, self.synapse, self.plasticity, self.short_term = pattern, synapse, plasticity, short_term
        rule: Any = plasticity or IDLE
        self.integer, self.rule = (rule, IDLE) if rule.loop == "integer" else (None, rule)
        self.changes = plasticity is not None or homeostasis is not None
        self.rewired = False  # whether synapses are others than the pattern made
        self.kind = kind_of(plasticity)
        self.stored: Any = None  # the weights, as ``kind`` or as one that is shared, once they are built
        self._learning = self.changes
        self._reward_given = 0.0  # before the network is built
        self.coordinates = copy.deepcopy(coordinates)
        self._weight, self._delay = given.kept("weight", weight), given.kept("delay", delay)
        self.own_weights = self.changes or _each(self._weight, getattr(pattern, "weight", None))
        self.one_delay = not _each(self._delay, getattr(pattern, "delay", None))  # as far as is known
        # Where the sources are among the targets, of which autapses=False must know.
        self.own = given.own(pattern, source, target)
        self.lates = ONE  # of plastic synapses, which lie by delay within a source: all there are, ascending
        self.late: int | None = None  # steps from a spike's own step to the row of the ring, if all synapses share it
        self.start: Array = np.zeros(1, np.int64)
        self.senders: Array = ALL  # on ranks: the sources of the rows that there are, where few have synapses here
        self.first = 0  # place of the first synapse in the network's list
        self.place = -1  # of the first weight among the weights, or of the one weight among the numbers
        self._pair: Array | None = None  # which of the given pairs each synapse is, if not in their order
        given.check(self, len(network.connections))
        if synapse.gate:
            given.gated(self)
        self.port: Port = self.target.port(synapse)
        self.gate = self.source.gate(synapse) if synapse.gate else None
        self.seal(Connection)

    def __repr__(self) -> str:
        more = "".join(f", {part!r}" for part in (self.plasticity, self.homeostasis) if part is not None)
        more += ", rewired" if self.rewired else ""
        return f"{self.name}: {self.pattern!r}, {self.synapse!r}{more}"

    def __len__(self) -> int:
        """Number of synapses."""
        self.network.build()
        return self.stop - self.first

    def estimate(self) -> int:
        """Approximate number of synapses."""
        if self.rewired:
            return self.stop - self.first
        return self.pattern.count(self.sources.n, self.targets.n, own=self.own, coordinates=self.coordinates)

    def held(self) -> int:
        """Approximate number of synapses of this rank."""
        lo, hi = (self.targets.below(cut) for cut in self.network.ranks.share(self.target.n))
        return -(-self.estimate() * (hi - lo) // max(self.targets.n, 1))

    def bytes_each(self) -> int:
        """Bytes per synapse: target, weight if it has its own, and what a rule needs to find synapses by target."""
        own = self.own_weights
        return 4 + (self.network.dtype.itemsize if own else 0) + 8 * (self.changes + self.kind.waits)

    def laid(self, rows: Rows, first: int, late: int | None, place: int, lates: Array = ONE) -> None:
        """Take note of where the synapses lie, once they are built; ``lates`` are the delays of plastic ones."""
        pair = rows.pair
        if pair is not None and self.network.ranks.size > 1:  # of the pairs of this rank, in their order
            self._given, pair = pair, np.argsort(np.argsort(pair))
        start, senders = rows.start, ALL
        if self.network.ranks.size > 1:
            found = np.flatnonzero(np.diff(start)).astype(np.int32)
            if 0 < 3 * len(found) < 2 * rows.n_pre:  # with an empty row for all other sources
                start, senders = np.append(start[found], start[[-1, -1]]), found
        new = {"start": start, "senders": senders, "_pair": pair, "first": first, "late": late, "place": place}
        self.__dict__.update(new, lates=lates)

    def keep(self, memory: Memory, index: Array, table: Array, line: int) -> None:
        """Take note of the arrays that hold the weights, and of the line in the table of plastic connections."""
        stored = SharedWeight(memory, self.place)
        if self.own_weights:
            stop, rule = self.place + self.stop - self.first, self.integer or self.rule
            at_row = index, self.first, self.target.n, rule, table, line
            stored = self.kind(self.network, self.name, memory, self.place, stop, *at_row)
        self.__dict__["stored"] = stored

    @property
    def after(self) -> int:
        """Steps from a spike to its arrival, if all synapses share them."""
        return (self.late or 0) + self._extra

    @property
    def last(self) -> int:
        """The same of the longest delay, if they learn."""
        return self.after + int(self.lates[-1] - self.lates[0])

    @property
    def post(self) -> Array:
        """Target of each synapse: int32 [synapses]."""
        return self.public(self.targets_by_row)

    @property
    def targets_by_row(self) -> Array:
        """Target of each synapse in the order of rows, which is that of the network's arrays."""
        self.network.build()
        layout = self.network.layout
        index = layout.index[self.first : self.stop]
        if self.late is not None:
            return index.astype(np.int32)
        return (index % np.uint32(layout.ring.shape[1]) - np.uint32(layout.rows[self.port])).astype(np.int32)

    @property
    def pre(self) -> Array:
        """Source of each synapse: int32 [synapses]."""
        return self.public(self.sources_by_row)

    @property
    def sources_by_row(self) -> Array:
        """Source of each synapse in the order of rows."""
        self.network.build()
        sources = np.repeat(np.arange(self.source.n, dtype=np.int32), len(self.lates))
        sources = np.append(self.senders, np.int32(0)) if len(self.senders) else sources
        return np.repeat(sources, np.diff(self.start))

    @property
    def weight(self) -> Any:
        """A number, or the array of weights [synapses], which may be written to.

        On a GPU, where pairs were given that are not by source, then by target, where synapses wait for a reward, where
        their mean weight is steered, and where a rule normalises in every step, this is a copy that may not: set
        ``weight`` as a whole.
        """
        self.network.build()
        found = self.stored.read()
        return self.public(found) if self.own_weights and self._pair is not None else found

    @weight.setter
    def weight(self, value: Any) -> None:
        self.network.build()
        if self.own_weights:
            rows = Rows(self.start, self.targets_by_row, self.target.n)
            new = values.named("weight", value, rows, seed=self.network.seed, dtype=self.network.dtype)
            new = self._whole(new, value)
            if np.ndim(new) and self._pair is not None and not isinstance(value, values.Distribution):
                new = new[self._pair]
            self.stored.write(new)
        elif np.ndim(value):
            raise ValueError(
                f"{self.name} was built with one weight for all synapses; connect with an array of weights"
            )
        else:
            self.stored.write(values.named("weight", value, 1, dtype=self.network.dtype))

    def normalize(self) -> None:
        """Let the weights onto each unit share a total, as a rule wants at the end of a run."""
        normalize = self.rule.normalize
        if normalize is not None:
            weights, post = self.weight, self.post
            sums = np.bincount(post, np.abs(weights), self.target.n)
            sums[sums == 0.0] = normalize.total
            self.weight = weights * (normalize.total / sums).astype(weights.dtype)[post]

    @property
    def learning(self) -> bool:
        """True if rule and homeostasis change weights; set it to False to keep them.

        Time continues in a pause: traces, eligibility and mean rates follow the spikes. What is eligible at its end
        meets the rewards after it; a reward in a pause changes nothing. Mean weights at which units aim stay as they
        are.
        """
        return self._learning

    @learning.setter
    def learning(self, on: bool) -> None:
        if not isinstance(on, (bool, np.bool_)):
            raise TypeError(f"learning must be True or False, not {on!r}")
        if on and not self.changes:
            raise ValueError(f"{self.name} has no plasticity rule and no homeostasis")
        if self.stored and self.changes:
            self.stored.set_learning(bool(on))
        self._learning = bool(on)

    @property
    def draws(self) -> Draws:
        """The random numbers with which a rule in integers rounds, as ``PostPreInt.run`` takes them."""
        return Draws(self.network.noise, "connection", self.network.connections.index(self), "rounding")

    @property
    def reward(self) -> float:
        """The reward of a rule that waits for one, in effect from the next step on until it is set again; 0 at first.

        Setting it to another number brings all synapses up to date: some nanoseconds for each.
        """
        if not self.kind.waits:
            raise ValueError(f"{self.name} has no rule that waits for a reward, such as MSTDP")
        return self.stored.reward if self.stored else self._reward_given

    @reward.setter
    def reward(self, value: float) -> None:
        if number_in(self.network.dtype, "reward", value) != self.reward:
            self._reward_given = float(value)
            if self.stored:
                self.stored.reward = self._reward_given

    @property
    def delay(self) -> Any:
        """Delay in ms, in whole steps: a number, or one per synapse [synapses].

        It can be set as a whole, also between runs and in a callback; what is under way arrives when it was to arrive.
        Through plastic synapses it does so with their present weights, and their rule does not see it; traces of
        sources go on from those that the shortest delay has. Synapses of a rule that sees membranes keep their delays.
        """
        self.network.build()
        if len(self.lates) > 1:
            lates = np.tile(np.asarray(self.lates) + self._extra, self.source.n)
            return self.public(np.repeat(lates, np.diff(self.start)) * self.network.dt)
        if self.late is not None:
            return self.after * self.network.dt
        layout = self.network.layout
        steps = layout.index[self.first : self.stop] // np.uint32(layout.ring.shape[1]) + self._extra
        return self.public(steps * self.network.dt)

    @delay.setter
    def delay(self, value: Given) -> None:
        self.delays_to(value)
