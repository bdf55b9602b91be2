"""How the synapses of a connection come to be, and what is known of those that other ranks have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..plasticity import PostPreInt
from ..sparse import Rows, delays, values
from ..sparse import Rule as Pattern
from ..sparse.rule import Coordinates
from ..synapses import Delta, Synapse
from ..validate.sealed import Sealed
from .given import by_delay, delays_learn
from .group import Group, Section
from .home import Home

Array = np.ndarray


class Drawn(Sealed):
    """The building half of ``Connection``."""

    network: Home
    name: str
    source: Group
    target: Group
    sources: Section
    targets: Section
    pattern: Pattern
    synapse: Synapse
    coordinates: Coordinates
    own: int | None
    integer: PostPreInt | None
    changes: bool
    rewired: bool
    own_weights: bool
    one_delay: bool
    _weight: Any
    _delay: Any
    pre: Array
    post: Array
    late: int | None
    _pair: Array | None
    _given: Array

    def build(self, number: int) -> tuple[Rows, Any, Any]:
        """The synapses, their weights and their delays as ``late`` counts them; on ranks, those onto own units."""
        network = self.network
        stream = ("connection", number)
        lo, hi = (self.targets.below(cut) for cut in network.ranks.share(self.target.n))
        given = self._weight, self._delay, getattr(self.pattern, "weight", None), getattr(self.pattern, "delay", None)
        listed = any(values is not None and np.ndim(values) for values in given)  # in the order of all
        rows = self.pattern.build(
            self.sources.n, self.targets.n, seed=network.seed, stream=stream, own=self.own,
            coordinates=self.coordinates, targets=None if listed else (lo, hi),
        )  # fmt: skip
        weight = rows.weight if self._weight is None else self._weight
        weight = values.named(
            "weight", 1.0 if weight is None else weight, rows, seed=network.seed, stream=(*stream, "weight"),
            dtype=network.dtype,
        )  # fmt: skip
        weight = self._by_row(self._whole(weight, self._weight), self._weight, rows)
        delay = rows.delay if self._delay is None else self._delay
        at_once = delay is None and self.synapse.gate and self.synapse.gate.reads  # what reads the source's membrane
        delay = network.dt if delay is None else delay
        steps = delays(delay, rows, dt=network.dt, seed=network.seed, stream=(*stream, "delay"))
        steps = self._by_row(steps, self._delay, rows)
        if listed and hi - lo < self.targets.n:
            rows, weight, steps = _cut(rows, lo, hi, weight, steps)
        if any(network.ranks.every(rows.pair is not None)) and rows.pair is None:
            rows = replace(rows, pair=np.arange(len(rows), dtype=np.int32))
        late = steps - self._extra
        ends = [e for e in network.ranks.every((np.min(late), np.max(late)) if np.size(late) else None) if e]
        if np.ndim(late) and len({end for pair in ends for end in pair}) < 2:
            late = int(ends[0][0]) if ends else 0
        if np.ndim(late) and (self.changes or network.off_grid):
            delays_learn(self)
            return by_delay(self._of_groups(rows), weight, np.asarray(late))
        return self._of_groups(rows), weight, 0 if at_once else late

    @property
    def weight(self) -> Any:
        """See ``Connection.weight``."""
        raise NotImplementedError

    def gather(self) -> tuple[Array, Array, Any]:
        """Source, target and weight of the synapses of all ranks, which all ranks must ask for together.

        Returns
        -------
        pre, post : int32 array [synapses]
        weight : array [synapses], or the one weight that all share
            All in one order, that of ``pre``, ``post`` and ``weight`` in one process.

        Examples
        --------
        >>> import nbsnn
        >>> net = nbsnn.Network(device="python")
        >>> cells = net.population(nbsnn.neurons.LIF(), 2)
        >>> net.connect(cells, cells, nbsnn.AllToAll(autapses=False), weight=0.5).gather()
        (array([0, 1], dtype=int32), array([1, 0], dtype=int32), 0.5)
        """
        self.network.ranks.agree("gather", self.name)
        weight = self.of_all(self.weight) if self.own_weights else self.weight
        return self.of_all(self.pre), self.of_all(self.post), weight

    def of_all(self, values: Array) -> Array:
        """Values of the synapses of this rank as those of all ranks; all ranks must ask together."""
        ranks = self.network.ranks
        if ranks.size == 1:
            return np.array(values)
        if self._pair is None:
            return self.network.layout.shares.of_all(self, values)
        given, found = ranks.joined(np.sort(self._given)), ranks.joined(values)
        found[given] = found.copy()
        return found

    @property
    def _extra(self) -> int:
        """Steps by which a delay exceeds ``late``.

        A delta synapse acts at the end of a step, when the spike arrives; others drive the step that begins there. Off
        the grid all act within the step in which the spike arrives.
        """
        return 1 if self.synapse == Delta() and not self.network.off_grid else 0

    @staticmethod
    def _by_row(values: Any, given: object, rows: Rows) -> Any:
        """Values that were given for the pairs, in the order of rows."""
        return values[rows.pair] if isinstance(given, Array) and rows.pair is not None else values

    def _whole(self, weights: Any, given: object) -> Any:
        """Weights, rounded if a rule wants integers and a distribution has made them."""
        return np.rint(weights) if self.integer and isinstance(given, values.Distribution) else weights

    def _of_groups(self, rows: Rows) -> Rows:
        """Rows between sections as rows between their populations: the other units have no synapses."""
        source, target = self.sources, self.targets
        if (source.n, target.n) == (self.source.n, self.target.n):
            return rows
        counts = np.zeros(self.source.n + 1, np.int64)
        counts[source.units + 1] = np.diff(rows.start)
        post = target.units.astype(np.int32)[rows.post] if not target.neighbours else rows.post + np.int32(target.lo)
        return Rows(np.cumsum(counts), post, self.target.n, rows.weight, rows.delay, rows.pair)


def _cut(rows: Rows, lo: int, hi: int, *values: Any) -> tuple[Any, ...]:
    """The synapses onto the targets [lo, hi) alone, and their values."""
    keep = (rows.post >= lo) & (rows.post < hi)
    start = np.concatenate([[0], np.cumsum(keep)])[rows.start]
    pair = None if rows.pair is None else rows.pair[keep]
    cut = Rows(start, rows.post[keep], rows.n_post, pair=pair)
    return cut, *(part[keep] if np.ndim(part) else part for part in values)
