"""Variables of synapses: weights, traces, eligibility, resources of short-term plasticity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..kernels.network import tables as at
from ..plasticity.trace import MODES
from ..synapses.short_term import released
from .connection import Connection

Array = np.ndarray


def reader(connection: Connection, name: str, chosen: Array | None) -> Callable[[], Array]:
    """What reads a variable of the chosen synapses, or of all, as it is after the latest step.

    "weight"; the traces of a rule by their names, as they are carried on; "eligibility" of a rewarded rule with
    ``tau_e``; of short-term plasticity "u" and "R", which a spike of the next step would find.
    """
    rule = connection.rule
    kind = {name: side for side in ("pre", "post") for name in getattr(rule, side)}
    known = {**dict.fromkeys(["weight"] if connection.own_weights else []), **kind}
    known |= dict.fromkeys(rule.carried, "")
    if connection.short_term is not None:
        known |= {"u": "", "R": ""}
    if name not in known:
        raise KeyError(
            f"of {connection.name} {', '.join(known) or 'nothing'} can be recorded, not {name!r}"
            + (" as all synapses share one" if name == "weight" else "")
        )
    if connection.network.ranks.size == 1:
        return _own(connection, name, kind, slice(None) if chosen is None else chosen)
    if chosen is None:
        own = _own(connection, name, kind, slice(None))
        return lambda: connection.of_all(own())
    return _of_ranks(connection, name, kind, chosen)


def _of_ranks(connection: Connection, name: str, kind: dict[str, str], chosen: Array) -> Callable[[], Array]:
    """A function that puts together what ranks have of the chosen synapses."""
    ranks, mine = connection.network.ranks, connection.network.layout.shares.among(connection)
    at = np.searchsorted(mine, chosen)
    here = np.append(mine, -1)[at] == chosen
    own, turns = _own(connection, name, kind, at[here]), ranks.joined(np.flatnonzero(here))

    def read() -> Array:
        values = ranks.joined(own())
        found = np.empty_like(values)
        found[turns] = values
        return found

    return read


def _own(connection: Connection, name: str, kind: dict[str, str], every: Array | slice) -> Callable[[], Array]:
    """A function that returns a copy of a variable of some of the synapses in this process."""
    network, stored = connection.network, connection.stored
    if name == "weight":
        return lambda: np.array(connection.weight[every])
    if name == "eligibility":
        return lambda: np.array(connection.public(stored.eligibility())[every])
    unit = (connection.post if kind.get(name) == "post" else connection.pre)[every]
    memory = network.layout.memory
    if name in connection.rule.pre and len(connection.lates) > 1:
        return _delayed(connection, name, unit, every)
    if name in kind:
        place, n = network.layout.place[connection, name]
        return lambda: np.array(memory.read("traces", place, place + n)[unit])
    return lambda: _resources(connection, memory.read("resources"))[name == "R"][unit].astype(network.dtype)


def _delayed(connection: Connection, name: str, unit: Array, every: Array | slice) -> Callable[[], Array]:
    """A function that returns a presynaptic trace of synapses with delays of their own, as it is where they are."""
    network, n, trace = connection.network, connection.source.n, connection.rule.pre[name]
    row = next(row for row in network.layout.plastic.table if network.connections[row[at.WIRE]] is connection)
    late = np.rint(np.asarray(connection.delay)[every] / network.dt).astype(np.int64)
    late -= connection.after
    size, factor = int(row[at.SPAN]) * n, trace.factor(network.dt, network.dtype)
    first = row[at.PAST_USED] + list(connection.rule.pre).index(name) * size
    bump = np.vectorize(trace.mode if callable(trace.mode) else MODES[trace.mode], otypes=[network.dtype])

    def read() -> Array:
        traces = network.layout.memory.read("traces")
        place = (network.step - 1 - late) % row[at.SPAN] * n + unit
        value, seen = traces[first + place], traces[row[at.PAST_SEEN] + place]
        for word in trace.order.partition("use")[2].split():  # what a step does after a rule has used the trace
            value = value * factor if word == "decay" else bump(value, seen, trace.amount)
        return value

    return read


def _resources(connection: Connection, resources: Array) -> tuple[Array, Array]:
    """u and R of each unit of the source for a spike of the next step."""
    network, n = connection.network, connection.source.n
    line = next(row for row in network.layout.short if network.connections[row[at.WIRE]] is connection)
    place, first = int(line[at.RESOURCES]), int(line[at.NUMBERS])
    numbers = resources[first : first + 4]
    state = resources[place : place + 3 * n].reshape(3, n).T
    found = [released(u, r, network.step - last, numbers)[:2] for u, r, last in state.tolist()]
    u, r = np.array(found).T
    return u, r
