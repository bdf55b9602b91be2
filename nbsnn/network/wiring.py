"""Synapses of a connection that are added, removed and given other delays between runs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..sparse import Explicit, Rows, delays, values
from ..validate import array_of, count
from . import given
from .drawn import Drawn
from .home import Whole

Array = np.ndarray

Given = float | ArrayLike | values.Distribution | None

NONE, ONE = np.zeros(0, np.int64), np.zeros(1, np.int64)


class Wired(NamedTuple):
    """Synapses of a connection by source, then by target; weights as they are stored, delays as ``late`` counts them.

    ``place`` says which of the synapses that there were each is, -1: none; None: they are the same. ``late_anew`` says
    that plastic ones get other delays.
    """

    rows: Rows
    weight: Whole
    late: Whole
    place: Whole = None
    late_anew: bool = False


class Wiring(Drawn):
    """What ``Connection`` lets be done to its synapses."""

    stored: Whole
    kind: Whole
    rule: Whole
    targets_by_row: Array
    start: Array
    lates: Array
    first: int
    place: int

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def stop(self) -> int:
        """Place after the last synapse in the network's list."""
        return self.first + int(self.start[-1])

    @property
    def pairs(self) -> Array:
        """Source and target of each synapse, int32 [synapses, 2], in the order of all its arrays."""
        return np.stack([self.pre, self.post], axis=1)

    def add(self, pre: ArrayLike, post: ArrayLike, *, weight: Given = None, delay: Given = None) -> None:
        """Add synapses, also between runs and in a callback; the state of all that there is stays as it is.

        They carry the spikes that are fired from now on; plastic ones, whose weight counts when a spike arrives, those
        on their way too. They know the traces of their units, and nothing of them is eligible for a reward.

        Parameters
        ----------
        pre, post : int or array [new]
            Units of the source and of the target; a pair may come several times.
        weight : number, array [new] or distribution
            By default that of all synapses, where they share one.
        delay : number, array [new] or distribution, ms
            By default that of all synapses, where they share one. Of plastic ones within those there are.

        Raises
        ------
        ValueError, TypeError
            If a unit is none of those connected, or values do not fit. Nothing is changed then.
        RuntimeError, NotImplementedError
            If the network is running in another thread, or records these synapses; if it runs on several ranks.

        Examples
        --------
        >>> import nbsnn
        >>> net = nbsnn.Network(dt=0.1, device="python")
        >>> cells = net.population(nbsnn.neurons.LIF(), 3, name="cells")
        >>> connection = net.connect(cells, cells, nbsnn.OneToOne(), weight=0.5)
        >>> run = net.run(1.0)
        >>> connection.add([0, 2], [1, 0], weight=[0.25, 1.0])
        >>> connection.disconnect(1, 1)
        >>> connection.pairs.tolist(), connection.weight.tolist()
        ([[0, 0], [0, 1], [2, 0], [2, 2]], [0.5, 0.25, 1.0, 0.5])
        """
        network = self.network.build()
        source, target = self._ends(pre, post)
        n, number = len(source), network.connections.index(self)
        spec = given.kept("weight", weight)
        if spec is None and self.own_weights:
            raise ValueError(f"weight: synapses of {self.name} have weights of their own, so those added need some")
        stream = ("connection", number, "added", network.step, len(self))
        new = self.weight
        if spec is not None:
            draws = (*stream, "weight")
            new = values.named("weight", spec, n, seed=network.seed, stream=draws, dtype=network.dtype)
        new = self._whole(new, spec)
        if self.integer:
            given.whole(self.name, np.asarray(new))
        late = self._late_of(delay, n, stream)
        own = self.own_weights or np.ndim(new) > 0 or network.dtype.type(new) != self.weight
        with network.rewiring("a synapse") as wired:
            wired[self] = self._with(np.ones(len(self), bool), self._lates(), source, target, new, late, own)

    def disconnect(
        self, pre: ArrayLike | None = None, post: ArrayLike | None = None, *, synapses: ArrayLike | None = None
    ) -> None:
        """Remove synapses, also between runs and in a callback: all, or some; the state of all that stays is as it was.

        What is under way at a target arrives, but for spikes that plastic synapses were to carry, as after setting
        weights to 0. The connection stays, be it empty.

        Parameters
        ----------
        pre, post : int or array, optional
            Pairs of units, all of whose synapses go; of one side alone, all synapses of these units.
        synapses : bool array [synapses] or int array, optional
            Which synapses, in the order of ``pairs``, instead.

        Raises
        ------
        ValueError, TypeError
            If there is no such synapse. Nothing is changed then.
        RuntimeError, NotImplementedError
            As ``add``.
        """
        network = self.network.build()
        if synapses is not None:
            if pre is not None or post is not None:
                raise ValueError("disconnect takes units, or synapses, not both")
            gone = self._chosen(synapses)
        elif pre is not None and post is not None:
            source, target = self._ends(pre, post)
            there, wanted = (np.asarray(i, np.int64) * self.target.n + j for i, j in (self.pairs.T, (source, target)))
            gone = np.isin(there, wanted)
            if not np.isin(wanted, there).all():
                first = int(np.flatnonzero(~np.isin(wanted, there))[0])
                raise ValueError(f"{self.name} has no synapse from {source[first]} to {target[first]}")
        else:
            gone = np.ones(len(self), bool)
            for side, units, those in (("pre", pre, self.pre), ("post", post, self.post)):
                if units is not None:
                    gone &= np.isin(those, self._units(side, units))
        with network.rewiring("a synapse") as wired:
            wired[self] = self._with(~gone, self._lates()[~gone])

    def delays_to(self, delay: Given) -> None:
        """Set all delays."""
        network = self.network.build()
        if self.rule.loop == "membrane":
            raise ValueError(f"{self.name}: synapses of a rule that sees membranes keep their delays")
        rows = self.present().rows
        spec = given.kept("delay", delay)
        if spec is None:
            raise TypeError("delay must be a number, an array [synapses] or a distribution of nbsnn.values, not None")
        stream = ("connection", network.connections.index(self), "delay")
        found = np.asarray(delays(spec, rows, dt=network.dt, seed=network.seed, stream=stream))
        steps = np.broadcast_to(found, len(rows))
        given.waits(self.name, int(np.max(found, initial=1)), self.target.n, network)
        late = (steps if isinstance(spec, Array) else self.public(steps)).astype(np.int64) - self._extra
        if self.changes and len(late) and np.ptp(late):
            given.delays_learn(self)
        if isinstance(spec, values.Distribution) and not len(late):
            raise ValueError(f"delay: {self.name} has no synapses to draw delays for; a number is that of those added")
        with network.rewiring("a delay") as wired:
            of_none = None if found.ndim else int(found) - self._extra
            made = self._with(np.ones(len(rows), bool), late, ends=np.unique(late), late_of_none=of_none)
            wired[self] = made._replace(late_anew=self.changes)

    def targets_of(self, unit: int) -> Array:
        """Targets of a unit of the source, ascending, each once for every synapse: int32 [its synapses]."""
        (unit,) = self._units("pre", [count("unit", unit, least=0)], "unit")
        return np.sort(self.post[self.pre == unit])

    def sources_of(self, unit: int) -> Array:
        """Sources of a unit of the target, ascending, each once for every synapse: int32 [its synapses]."""
        (unit,) = self._units("post", [count("unit", unit, least=0)], "unit")
        return np.sort(self.pre[self.post == unit])

    def present(self) -> Wired:
        """The synapses as they are."""
        layout = self.network.layout
        rows = Rows(self.start, self.targets_by_row, self.target.n, pair=self._pair)
        late = self.lates if len(self.lates) > 1 else self.late
        if late is None:
            late = (layout.index[self.first : self.stop] // np.uint32(layout.ring.shape[1])).astype(np.int64)
        if not self.own_weights:
            return Wired(rows, self.stored.read(), late)
        return Wired(rows, layout.memory.read("weights", self.place, self.place + len(rows)), late)

    def public(self, values: Array) -> Array:
        """Values in the order of rows, in that of the pairs if these were given; a copy that cannot be written to."""
        result = np.empty_like(values)
        result[slice(None) if self._pair is None else self._pair] = values
        result.flags.writeable = False
        return result

    def _lates(self) -> Array:
        """The delay of each synapse, as ``late`` counts it."""
        late = self.present().late
        if len(self.lates) > 1:
            late = np.repeat(np.tile(self.lates, self.source.n), np.diff(self.start))
        return self.public(np.array(np.broadcast_to(late, len(self)), np.int64))

    def _with(
        self, keep: Array, kept: Array, pre: Array = NONE, post: Array = NONE, weight: float | Array = 0.0,
        late: int | Array = 0, own: bool = False, ends: Array | None = None, late_of_none: int | None = None,
    ) -> Wired:  # fmt: skip
        """The synapses of ``keep``, in the order of all, of delays ``kept``, and others, as the network takes them.

        ``ends`` are all delays of plastic ones, by default those that there were, and those of the others;
        ``late_of_none`` is the delay if there are none.
        """
        now, n_pre = self.present(), self.source.n
        stored = now.weight
        if self.own_weights and self.kind.lines:  # without the factors of units
            stored = self.stored.read()
        n, pair = len(now.rows), self._pair
        place = np.arange(n)
        if pair is not None:
            place[pair] = np.arange(n)
        new = len(pre)
        source, target = np.concatenate([self.pre[keep], pre]), np.concatenate([self.post[keep], post])
        lates = np.concatenate([kept, np.broadcast_to(late, new)]).astype(np.int64)
        place = np.concatenate([place[keep], np.full(new, -1)])
        fresh = np.concatenate([np.zeros(len(place) - new), np.broadcast_to(weight, new)])
        if not isinstance(self.pattern, Explicit):
            order = np.lexsort((target, source))
            source, target, lates, place, fresh = (a[order] for a in (source, target, lates, place, fresh))
        if not self.changes:
            ends = ONE
        elif ends is None:  # plastic synapses lie by delay within a source
            ends = np.union1d(self.lates, lates) if len(self.lates) > 1 else ONE
        ends = ends if len(ends) else ONE
        line = source * len(ends) + np.searchsorted(ends, lates) if len(ends) > 1 else source
        order = np.lexsort((target, line))
        start = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=len(ends) * n_pre))])
        pair = order.astype(np.int32) if (np.diff(order) < 0).any() else None
        rows = Rows(start, target[order].astype(np.int32), self.target.n, pair=pair)
        if len(ends) > 1:
            found = ends
        elif len(lates):
            found = int(lates[0]) if np.ptp(lates) == 0 else lates[order]
        else:
            found = late_of_none if late_of_none is not None else lates if self.late is None else self.late
        came: Array = place[order]
        if own := own or self.own_weights:
            stored = np.where(came >= 0, np.broadcast_to(stored, max(n, 1))[came] if n else 0.0, fresh[order])
            stored = stored.astype(self.network.dtype)
        self.__dict__.update(rewired=True, one_delay=np.ndim(found) == 0, own_weights=own)
        return Wired(rows, stored, found, came)

    def _ends(self, pre: ArrayLike, post: ArrayLike) -> tuple[Array, Array]:
        """Units on both sides of as many pairs."""
        ends = self._units("pre", pre), self._units("post", post)
        if len({len(end) for end in ends} - {1}) > 1:
            raise ValueError(f"pre and post must have one length, not {len(ends[0])} and {len(ends[1])}")
        source, target = np.broadcast_arrays(*ends)
        return source, target

    def _units(self, side: str, given: ArrayLike, name: str | None = None) -> Array:
        """Units of one side; an argument of this name."""
        name, section = name or side, self.sources if side == "pre" else self.targets
        units = np.atleast_1d(array_of(name, given))
        units = units if units.size else NONE
        if units.ndim != 1 or units.dtype.kind not in "iu":
            raise TypeError(f"{name} must be a unit or a list of them, not {given!r}")
        wrong = units[section.local(units.astype(np.int64)) < 0]
        if len(wrong):
            raise ValueError(f"{name} must be units of {section.name}, of {section.n}, not {wrong[0]}")
        return units.astype(np.int64)

    def _chosen(self, synapses: ArrayLike) -> Array:
        """Some synapses as an array of booleans."""
        chosen, n = np.atleast_1d(array_of("synapses", synapses)), len(self)
        if chosen.dtype == bool and chosen.shape == (n,):
            return chosen
        chosen = chosen if chosen.size else NONE
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
            raise TypeError(f"synapses are chosen by {n} booleans or by numbers, not by {synapses!r}")
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < n:
            raise ValueError(f"synapses of {self.name} are numbered from 0 to {n - 1}, not {synapses!r}")
        gone = np.zeros(n, bool)
        gone[chosen] = True
        return gone

    def _late_of(self, delay: Given, n: int, stream: tuple[Any, ...]) -> Whole:
        """Delays of new synapses, as ``late`` counts them."""
        network = self.network
        late_of_all = self.late or 0
        if delay is None:
            if self.late is None or len(self.lates) > 1:
                raise ValueError(f"delay: synapses of {self.name} have delays of their own, so those added need some")
            return late_of_all
        spec = given.kept("delay", delay)
        steps = np.asarray(delays(spec, n, dt=network.dt, seed=network.seed, stream=(*stream, "delay")))
        given.waits(self.name, int(np.max(steps, initial=1)), self.target.n, network)
        late = steps - self._extra
        if self.changes:
            low, high = self.lates[[0, -1]] if len(self.lates) > 1 else (late_of_all, late_of_all)
            if late.size and not low <= late.min() <= late.max() <= high:
                ends = [(end + self._extra) * network.dt for end in (low, high)]
                raise ValueError(
                    f"delay: plastic synapses of {self.name} have delays from {ends[0]:g} to {ends[1]:g} ms, and those "
                    "added none beyond; a connection of their own may"
                )
        return late
