"""A connection: the synapses from one population to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..plasticity import Normalize, PostPreInt, Scaling
from ..plasticity.meta import MetaRule
from ..plasticity.reward import RewardRule
from ..plasticity.rule import Rule
from ..random import Draws
from ..sparse import Rows, delays, values
from ..sparse import Rule as Pattern
from ..synapses import Delta, Synapse, TsodyksMarkram
from ..validate import number
from . import steering, waiting
from .eventwise import BOUNDED, normalizes_steps
from .group import Port, Section

if TYPE_CHECKING:
    from .simulation import Simulation

Array = np.ndarray


def _nothing(w, pre, post):
    return 0.0, 0.0


IDLE = Rule(_nothing, bounds="none")  # of connections that have homeostasis or integers alone


class Connection:
    """Synapses from one population to another. Made by ``Network.connect``.

    Attributes
    ----------
    name : str
    source, target : Group
    sources, targets : Section
        The units of them that are connected.
    synapse : Synapse
    plasticity : plasticity rule or None
    homeostasis : Scaling, Normalize or None
    """

    def __init__(
        self, network: Simulation, name: str, source: Section, target: Section, pattern: Pattern, weight: Any,
        delay: Any, synapse: Synapse, plasticity: Rule | PostPreInt | None, short_term: TsodyksMarkram | None,
        coordinates: Any, homeostasis: Scaling | Normalize | None = None,
    ):  # fmt: skip
        self.network, self.name, self.sources, self.targets = network, name, source, target
        self.source, self.target = source.group, target.group
        self.pattern, self.synapse, self.plasticity, self.short_term = pattern, synapse, plasticity, short_term
        self.integer = plasticity if isinstance(plasticity, PostPreInt) else None
        self.homeostasis, self.rule = homeostasis, plasticity if isinstance(plasticity, Rule) else IDLE
        self.changes = plasticity is not None or homeostasis is not None
        self.port: Port = self.target.port(synapse)
        self.rewarded, self.steered = isinstance(plasticity, RewardRule), isinstance(plasticity, MetaRule)
        self.balanced = normalizes_steps(self.rule)
        self.factored = self.steered or self.balanced  # weights are stored without the factor of their unit
        self.bounded = self.balanced and self.rule.clip == "all" and self.rule.bounds in BOUNDED
        self._learning = self.changes
        self.reward_given = 0.0  # before the network is built
        self.coordinates = coordinates
        self._weight, self._delay = weight, delay
        # Where the sources are among the targets, of which autapses=False must know.
        self.own = source.lo - target.lo if self.source is self.target else None
        self.late: int | None = None  # steps from a spike's own step to the row of the ring, if all synapses share it
        self.start: Array = np.zeros(1, np.int64)
        self.first = 0  # place of the first synapse in the network's list
        self.place = -1  # of the first weight among the weights, or of the one weight among the numbers

    def __repr__(self) -> str:
        more = "".join(f", {part!r}" for part in (self.plasticity, self.homeostasis) if part is not None)
        return f"{self.name}: {self.pattern!r}, {self.synapse!r}{more}"

    def __len__(self) -> int:
        """Number of synapses."""
        self.network.build()
        return self.stop - self.first

    def estimate(self) -> int:
        """How many synapses there will be, about."""
        return self.pattern.count(self.sources.n, self.targets.n, own=self.own, coordinates=self.coordinates)

    def bytes_each(self) -> int:
        """Bytes per synapse: target, weight if it has its own, and what a rule needs to find synapses by target."""
        own = self.own_weights
        return 4 + (self.network.dtype.itemsize if own else 0) + 8 * (self.changes + self.rewarded)

    @property
    def own_weights(self) -> bool:
        """Whether each synapse has its own weight."""
        if self._weight is None:
            own = getattr(self.pattern, "weight", None) is not None
        else:
            own = isinstance(self._weight, values.Distribution) or np.ndim(self._weight) > 0
        return own or self.changes

    @property
    def one_delay(self) -> bool:
        """Whether all synapses have the same delay, as far as can be told before they are built."""
        if self._delay is None:
            return getattr(self.pattern, "delay", None) is None
        return not isinstance(self._delay, values.Distribution) and np.ndim(self._delay) == 0

    def build(self, number: int) -> tuple[Rows, Any, Any]:
        """The synapses, their weights and their delays as ``late`` counts them."""
        network = self.network
        stream = ("connection", number)
        rows = self.pattern.build(
            self.sources.n,
            self.targets.n,
            seed=network.seed,
            stream=stream,
            own=self.own,
            coordinates=self.coordinates,
        )
        rows = self._of_groups(rows)
        weight = rows.weight if self._weight is None else self._weight
        weight = values.of(
            1.0 if weight is None else weight, len(rows), seed=network.seed, stream=(*stream, "weight"),
            dtype=network.dtype,
        )  # fmt: skip
        weight = self._whole(weight, self._weight)
        delay = rows.delay if self._delay is None else self._delay
        delay = network.dt if delay is None else delay
        steps = delays(delay, len(rows), dt=network.dt, seed=network.seed, stream=(*stream, "delay"))
        # A delta synapse acts at the end of a step, when the spike arrives; others drive the step that begins there.
        late: Any = steps - 1 if self.synapse == Delta() else steps
        if np.ndim(late) and len(rows) and np.min(late) == np.max(late):
            late = int(late[0])
        if np.ndim(late) and self.changes:
            raise ValueError(f"{self.name}: plastic synapses share one delay; make a connection for each delay")
        return rows, weight, late

    def _whole(self, weights: Any, given: Any) -> Any:
        """Weights, rounded if a rule wants integers and a distribution has made them."""
        return np.rint(weights) if self.integer and isinstance(given, values.Distribution) else weights

    def _of_groups(self, rows: Rows) -> Rows:
        """Rows between sections as rows between their populations: the other units have no synapses."""
        source, target = self.sources, self.targets
        if (source.n, target.n) == (self.source.n, self.target.n):
            return rows
        start = np.pad(rows.start, (source.lo, self.source.n - source.hi), mode="edge")
        return Rows(start, rows.post + np.int32(target.lo), self.target.n, rows.weight, rows.delay)

    @property
    def stop(self) -> int:
        """Place after the last synapse in the network's list."""
        return self.first + int(self.start[-1])

    @property
    def post(self) -> Array:
        """Target of each synapse: int32 [synapses], in the order of rows."""
        self.network.build()
        layout = self.network.layout
        index = layout.index[self.first : self.stop]
        if self.late is not None:
            return index.astype(np.int32)
        return (index % np.uint32(layout.ring.shape[1]) - np.uint32(layout.rows[self.port])).astype(np.int32)

    @property
    def pre(self) -> Array:
        """Source of each synapse: int32 [synapses]."""
        self.network.build()
        return np.repeat(np.arange(self.source.n, dtype=np.int32), np.diff(self.start))

    @property
    def weight(self) -> Any:
        """A number, or the array of weights [synapses] in the order of rows, which may be written to.

        On a GPU, where synapses wait for a reward, where their mean weight is steered, and where a rule normalises in
        every step, this is a copy that may not: set ``weight`` as a whole.
        """
        self.network.build()
        memory = self.network.layout.memory
        if self.rewarded or self.factored:
            return waiting.now(self) if self.rewarded else steering.now(self)
        if self.own_weights:
            return memory.read("weights", self.place, self.place + len(self))
        return float(memory.read("numbers", self.place, self.place + 1)[0])

    @weight.setter
    def weight(self, value: Any) -> None:
        self.network.build()
        memory = self.network.layout.memory
        if self.own_weights:
            new = values.of(value, len(self), seed=self.network.seed, dtype=self.network.dtype)
            new = self._whole(new, value)
            waiting.bring(self)
            memory.write("weights", new, self.place, self.place + len(self))
            steering.renew(self)
        elif np.ndim(value):
            raise ValueError(
                f"{self.name} was built with one weight for all synapses; connect with an array of weights"
            )
        else:
            memory.write("numbers", values.of(value, 1), self.place, self.place + 1)

    @property
    def learning(self) -> bool:
        """Whether rule and homeostasis are at work; set it to False to keep the weights."""
        return self._learning

    @learning.setter
    def learning(self, on: bool) -> None:
        if on and not self.changes:
            raise ValueError(f"{self.name} has no plasticity rule and no homeostasis")
        if on != self._learning and self.network.built:
            waiting.bring(self, idle=bool(on))
        self._learning = bool(on)

    @property
    def draws(self) -> Draws:
        """The random numbers with which a rule in integers rounds, as ``PostPreInt.run`` takes them."""
        return Draws(self.network.seed, "connection", self.network.connections.index(self), "rounding")

    @property
    def reward(self) -> float:
        """The reward of a rule that waits for one, in effect from the next step on until it is set again; 0 at first.

        Setting it to another number brings all synapses up to date: some nanoseconds for each.
        """
        if not self.rewarded:
            raise ValueError(f"{self.name} has no rule that waits for a reward, such as MSTDP")
        return self.reward_given if not self.network.built else waiting.reward(self)

    @reward.setter
    def reward(self, value: float) -> None:
        if number("reward", value) != self.reward:
            self.reward_given = float(value)
            if self.network.built:
                waiting.reward(self, self.reward_given)

    @property
    def delay(self) -> Any:
        """Delay in ms: a number, or one per synapse [synapses]."""
        self.network.build()
        extra = 1 if self.synapse == Delta() else 0
        if self.late is not None:
            return (self.late + extra) * self.network.dt
        layout = self.network.layout
        return (layout.index[self.first : self.stop] // np.uint32(layout.ring.shape[1]) + extra) * self.network.dt
