"""Arguments of a connection: copied at the call, and checked there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..random import Draws
from ..sparse import Rows, Rule, delay_steps, delays, values
from ..validate import array_of, finite, free_memory
from .home import Home, Linked
from .pool import ALIGN
from .port import GatePort, reads_of
from .section import Section

FIRST = 1000  # delays of a distribution that are looked at before all are drawn


def kept(name: str, given: ArrayLike | values.Distribution | None) -> Any:
    """A number, a copy of an array, or a distribution: what synapses can be given."""
    if given is None or isinstance(given, values.Distribution):
        return given
    try:
        array = array_of(name, given).copy()
    except TypeError:  # lists of several lengths, masked values
        array = np.array(None)
    if array.dtype.kind not in "fiu" and array.size:
        what = "a number, an array [synapses] or a distribution of nbsnn.values"
        raise TypeError(f"{name} must be {what}, not {given!r}")
    finite(name, array)
    return array if array.ndim else array.item()


def check(c: Linked, number: int) -> None:
    """Raise what building connection ``number`` would raise, as far as that is known without building it."""
    pattern, network, name = c.pattern, c.network, c.name
    synapses = c.estimate()
    lists = [(k, v) for k, v in (("weight", c._weight), ("delay", c._delay)) if np.ndim(v)]
    for what, value in lists if pattern.exact else ():
        if value.shape != (synapses,):
            raise ValueError(
                f"{what} of {name} must be a number, a distribution or have shape [{synapses}], one per synapse, "
                f"not {list(value.shape)}"
                + f"; of a matrix [pre, post] it is {what}.ravel()"
                * (value.size == synapses and value.ndim == 2)
            )
    weight = getattr(pattern, "weight", None) if c._weight is None else c._weight
    for side, group in ((c.rule.pre, c.source), (c.rule.post, c.target)):
        for each in (trace for trace in side.values() if trace.reads):
            reads_of(group, each)
            waits(f"{name}: {each!r}", each.steps(network.dt), group.n, network)
    if c.integer and weight is not None and not isinstance(weight, values.Distribution):
        whole(name, np.asarray(weight))
    delay = getattr(pattern, "delay", None) if c._delay is None else c._delay
    if isinstance(delay, values.Distribution):
        first = min(synapses if pattern.exact else synapses // 2, FIRST)
        delays(delay, first, dt=network.dt, seed=network.seed, stream=("connection", number, "delay"))
    elif delay is not None:
        steps = np.asarray(delay_steps(delay, network.dt))
        if c.changes and steps.size and steps.min() != steps.max():
            delays_learn(c)
        waits(name, int(np.max(steps, initial=1)), c.target.n, network)
    if (lists and not pattern.exact) or (c.changes and isinstance(delay, values.Distribution)):
        c.build(number)


def delays_learn(c: Linked) -> None:
    """Raise unless synapses with delays of their own can learn there, and by this rule."""
    if c.integer:
        raise ValueError(f"{c.name}: synapses of PostPreInt share one delay; make a connection for each delay")
    if not c.network.backend.delays or c.network.ranks.size > 1:
        where = "on ranks" if c.network.backend.delays else "on a GPU"
        raise ValueError(f"{c.name}: {where} plastic synapses share one delay; make a connection for each delay")


def by_delay(rows: Rows, weight: ArrayLike, late: np.ndarray) -> tuple[Rows, ArrayLike, np.ndarray]:
    """Synapses by source, then by delay, then by target: rows [sources x delays], weights, and delays ascending."""
    lates, which = np.unique(late, return_inverse=True)
    line = rows.pre() * len(lates) + which
    order = np.argsort(line, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=len(lates) * rows.n_pre))])
    pair = order.astype(np.int32) if rows.pair is None else rows.pair[order]
    made = Rows(start, rows.post[order], rows.n_post, pair=pair)
    return made, np.asarray(weight)[order] if np.ndim(weight) else weight, lates


def gated(c: Linked) -> None:
    """Raise unless gates can open into this connection, and its sources have what they read."""
    synapse = c.synapse
    if c.changes or c.short_term:
        raise ValueError(
            f"{c.name}: {synapse!r} works between spikes, through a gate of each source: it takes no plasticity, "
            "short-term plasticity or homeostasis"
        )
    if not c.network.backend.gates or c.network.ranks.size > 1:
        raise ValueError(
            f"{c.name}: {synapse!r} has a gate of each source, which a GPU does not run, nor several ranks"
        )
    GatePort(c.source, synapse)


def waits(name: str, steps: int, units: int, network: Home) -> None:
    """``MemoryError`` where what arrives at the targets in this many steps would not fit into memory."""
    needed = steps * max(units, ALIGN) * network.dtype.itemsize
    free = free_memory() if needed > 1 << 30 else None
    if free is not None and needed > free:
        raise MemoryError(
            f"{name}: a delay of {steps * network.dt:g} ms is {steps:,} steps, for each of which what arrives is kept, "
            f"{needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free"
        )


def own(pattern: Rule, source: Section, target: Section) -> int | None:
    """Where the sources are among the targets, of which ``autapses=False`` must know."""
    try:
        return source.shift_to(target)
    except ValueError:
        if getattr(pattern, "autapses", True) is False:
            raise
        return None


def whole(name: str, weights: np.ndarray) -> None:
    """``ValueError`` unless weights are whole numbers, as a rule in integers wants them."""
    wrong = weights[weights != np.rint(weights)]
    if wrong.size:
        raise ValueError(f"weights of {name} must be whole numbers for PostPreInt, not {wrong[0]:g}")


def seed_of(what: str, value: object) -> int:
    """A seed, which is any integer."""
    try:
        return Draws(value).seed  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{what} must be an integer, a seed, not {value!r}") from None
