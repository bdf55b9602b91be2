"""A built network whose wiring changes: arrays laid out anew, into which the state is put, part by part.

What is under way at its targets stays under way. Synapses that are added carry the spikes fired from then on; plastic
ones of a connection that there was, whose weights count at the arrival, also those that are still to arrive. Where
plastic synapses get other delays, these become spikes under way with the present weights, which their rule does not
see.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..kernels.network import tables as at
from ..validate.kinds import is_dict, is_list
from . import off_grid
from .arrays import ARRAYS
from .connection import Connection
from .home import Whole
from .layout import Layout
from .pool import padded
from .running import mine
from .wiring import Wired

Array = np.ndarray


@contextmanager
def rewiring(network: Whole, what: str) -> Generator[dict[Connection, Wired]]:
    """Let connections be made, and given other synapses in the mapping; then lay out the network anew if it was built.

    All is as before if anything raises.
    """
    was, wired = network._layout, dict[Connection, Wired]()
    if was is None:
        yield wired
        return
    mine(network, what)
    if network.off_grid:
        off_grid.refuse(f"{what} once it has been built", "its wiring stays as it was built")
    if network.ranks.size > 1:
        raise NotImplementedError(f"on ranks wiring stays as it was built: {what} is for networks in one process")
    before = {part: _shallow(part) for part in [*network.groups, *network.connections]}
    connections, loop, history = [*network.connections], network._loop, network._history
    known = loop.history(network.step) if loop else history
    network._rewiring = True
    try:
        yield wired
        for c in network.present.recorded.intersection(wired):
            raise RuntimeError(f"{c.name} is being recorded: its synapses change between runs, or in one without that")
        network.affordable()
        ring = _under_way(was, wired, known, network.step)
        made = Layout(network, {c: wired.get(c) or c.present() for c in connections}, _pending(ring, network.step))
        network._layout, network._loop, network._history = made, None, known
        _carry(was, made, {c: before[c] for c in connections}, wired, ring, network.step)
        for group in network.groups:
            for owner, label, name in network._variables(group):
                if (owner, name) not in was.place and label in group.initial:
                    group[label] = group.initial[label]
    except BaseException:
        network._layout, network._loop, network._history = was, loop, history
        network.connections[:] = connections
        for part, kept in before.items():
            part.__dict__.clear()
            part.__dict__.update(kept)
        network.changed()  # as what is given may have found other places
        raise
    finally:
        network._rewiring = False


def _shallow(part: Whole) -> dict[str, Any]:
    """The attributes of a population or connection, in which lists and mappings are copies."""
    return {name: copy.copy(v) if is_list(v) or is_dict(v) else v for name, v in part.__dict__.items()}


def _under_way(was: Layout, wired: dict[Connection, Wired], known: list[tuple[Array, Array]], step: int) -> Array:
    """The ring, with what plastic synapses that get other delays are to carry of the spikes ``known`` to them."""
    ring, factors, tallies = (was.memory.read(name) for name in ("ring", "factors", "tallies"))
    for line, c in zip(was.learning.table, was.learning.connections, strict=True):
        if c not in wired or not wired[c].late_anew:
            continue
        ring, wire, n, first = ring.copy(), was.wires[line[at.WIRE]], c.source.n, was.rows[c.port]
        weights, post = c.stored.read(), c.targets_by_row
        lates = c.lates.tolist() if len(c.lates) > 1 else [c.late or 0]
        for back, (pops, units) in enumerate(reversed(known), 1):
            for k, late in enumerate(lates):
                if back >= late + c._extra or step - back < tallies[line[at.BEGUN]]:
                    continue
                row = ring[(step - back + 1 + late) % len(ring)]
                for unit in units[pops == c.source.index]:
                    at_row = unit * len(lates) + k
                    some = slice(*c.start[at_row : at_row + 2])
                    place = wire[at.SHORT] + (step - back) % wire[at.KEPT] * n + unit
                    factor = factors[place] if wire[at.SHORT] >= 0 else 1
                    np.add.at(row, first + post[some], factor * weights[some])
    return ring


def _pending(ring: Array, step: int) -> int:
    """For how many steps, from the present one on, something is under way in a ring."""
    coming = ring[(step + np.arange(len(ring))) % len(ring)].any(axis=1)
    return int(np.max(np.flatnonzero(coming), initial=-1)) + 1


def _carry(
    was: Layout, now: Layout, before: dict[Connection, dict[str, Any]], wired: dict[Connection, Wired], ring: Array,
    step: int,
) -> None:  # fmt: skip
    """Put the state of one layout, and a ring, into another; ``before`` holds the attributes that connections had."""
    old = {**{name: was.memory.read(name) for name in ARRAYS}, "ring": ring}
    with now.memory.at_hand(*ARRAYS):
        new = now.memory.host
        for owner, (place, n) in was.place.items():
            if not isinstance(owner[0], Connection):  # whose traces come below
                there = now.place[owner][0]
                new["states"][there : there + n] = old["states"][place : place + n]
        _ring(was, now, old["ring"], new["ring"], step)
        learnt = dict(zip(was.learning.connections, was.learning.table, strict=True))
        for c, row in zip(now.learning.connections, now.learning.table, strict=True):
            if c in learnt:
                for name, column, count in _parts(c, row, c in wired and wired[c].late_anew):
                    there, here = int(row[column]), int(learnt[c][column])
                    new[name][there : there + count] = old[name][here : here + count]
            if c not in learnt or (c in wired and wired[c].late_anew):
                new["tallies"][row[at.BEGUN]] = step
            if c.kind.waits:
                _eligible(c, row, before.get(c), learnt.get(c), wired.get(c), old, new, step)
        released = dict(_released(was))
        for c, (place, wire) in _released(now):
            if c in released:
                here, there = released[c][0], 3 * c.source.n
                new["resources"][place : place + there] = old["resources"][here : here + there]
                _factors(released[c][1], wire, c.source.n, old["factors"], new["factors"], step)
        for c in now.learning.connections:
            if c not in before or c in wired:
                had = was.index[before[c]["first"] :][: before[c]["start"][-1]] if c in before else np.zeros(0, int)
                c.stored.rewired(np.bincount(had, minlength=c.target.n))


def fitting(ring: Array, like: Array, step: int) -> Array:
    """A ring with as many rows as another that holds what is under way; ``ValueError`` if that is more than fits."""
    coming, rows = step + np.arange(len(ring)), len(like)
    if ring[coming[rows:] % len(ring)].any():
        raise ValueError(f"the state has spikes under way for more than the {rows} steps that this network waits for")
    made = np.zeros_like(like)
    made[coming[:rows] % rows] = ring[coming[:rows] % len(ring)]
    return made


def _ring(was: Layout, now: Layout, old: Array, new: Array, step: int) -> None:
    """What is under way, for as many steps as both rings have rows."""
    coming = step + np.arange(min(len(old), len(new)))
    for port, here in was.rows.items():
        columns, there = np.arange(padded(port.group.n) * int(port.synapse.arrivals)), now.rows[port]
        new[np.ix_(coming % len(new), there + columns)] = old[np.ix_(coming % len(old), here + columns)]


def _parts(c: Connection, row: Array, late_anew: bool) -> Iterator[tuple[str, int, int]]:
    """What is kept of a plastic connection, but for each synapse: array, column of its place, and how much it is.

    Where delays are others, what is known of sources begins with what the shortest delay knew.
    """
    n, m = c.source.n, c.target.n
    if late_anew:
        yield "traces", at.ARRIVED, (1 + 2 * int(row[at.PRE_TRACES])) * n
        yield "traces", at.SPIKED, (1 + 2 * int(row[at.POST_TRACES])) * m
    else:
        yield "traces", at.ARRIVED, int(row[at.KNOWN])
        yield "tallies", at.BEGUN, 1
    if c.homeostasis is not None:
        yield "rates", at.RATES, m
        yield "tallies", at.RATES, m
    if c.kind.lines:
        yield "aims", at.STEERED, c.kind.lines * m
    if c.integer is not None:
        yield "integers", at.INTEGERS, at.INTEGER_NUMBERS + n + m
    if c.kind.waits:
        yield "numbers", at.REWARD, at.REWARD_FACTOR + 1


def _eligible(
    c: Connection, row: Array, had: dict[str, Any] | None, line: Array | None, wired: Wired | None,
    old: Mapping[str, Array], new: Mapping[str, Array], step: int,
) -> None:  # fmt: skip
    """What waits for a reward: nothing of synapses that are new."""
    lo, size = c.place + int(row[at.GAP]), c.stop - c.first
    place = np.full(size, -1) if had is None else np.arange(size) if wired is None else wired.place
    first = 0 if had is None or line is None else had["place"] + int(line[at.GAP])
    for name, fresh in (("eligible", 0), ("since", max(step - 1, 0) % (1 << 32))):
        part = new[name][lo : lo + size]
        part[...] = fresh
        part[place >= 0] = old[name][first + place[place >= 0]]


def _released(layout: Layout) -> Iterator[tuple[Connection, tuple[int, Array]]]:
    """Connections with short-term plasticity, with the place of their resources, and their lines."""
    for row in layout.short:
        yield layout.network.connections[row[at.WIRE]], (int(row[at.RESOURCES]), layout.wires[row[at.WIRE]])


def _factors(was: Array, now: Array, n: int, old: Array, new: Array, step: int) -> None:
    """What the latest spikes of ``n`` sources have released."""
    for emitted in range(max(0, step - min(int(was[at.KEPT]), int(now[at.KEPT]))), step):
        here, there = (int(wire[at.SHORT] + emitted % wire[at.KEPT] * n) for wire in (was, now))
        new[there : there + n] = old[here : here + n]
