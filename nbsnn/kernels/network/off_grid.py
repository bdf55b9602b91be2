"""A network whose spikes have times inside their steps: linear neurons, solved exactly from event to event.

    tau v' = v_rest - v + current + sum over ports of (o z + y),    z' = -a z,    y' = c z - b y

Between two events all is known in closed form (Rotter and Diesmann 1999, doi:10.1007/s004220050570). In a step every
thread takes what arrives in the order of time; a spike takes each of its targets among the thread's units from the
event before to its own time, and in the end all units go on to the end of the step. So results depend on ``dt``
through rounding alone (Morrison et al. 2007, doi:10.1162/neco.2007.19.1.47; Hanuschkin et al. 2010,
doi:10.3389/fninf.2010.00113), and not on threads, whose meetings are those of ``loop``.

Times are counted in steps, back from the end of a step: from 1 to 0. The ring has a row for each of the latest steps,
in which each unit notes when it has fired, or -1. Spikes are pulled: those that arrive in a step are looked up in the
lists of the steps in which they were fired, and no weight is added up before.
"""

from typing import Any, NamedTuple

import numpy as np

from ...random import counter, lasting, squares32
from ...scalar.divided import divided, divided2
from ...scalar.exponential import exp
from ...scalar.hole import hole
from . import tables as at
from .arrays import Network, Record, all_of, laid_out
from .course import row_at
from .loop import BLOCK, full, sample, share, share_spikes
from .units import poisson

EDGE = 2.0**-36  # steps: what arrives as soon after a refractory period is lost, as at its end
NEAR = 2.0**-52  # to which the time of a crossing is found
NARROW = 2.0**-20  # within which a membrane does not rise above both ends by more than rounding


class Room(NamedTuple):
    """Scratch: random bits and numbers of events of a block; of all units, to when they have come, and currents; and
    what a time does, to a membrane (the time, leak, population, factor) and in the lines below to each port.
    """

    bits: np.ndarray
    events: np.ndarray
    come: np.ndarray
    currents: np.ndarray
    flow: np.ndarray


@hole
def random_spike(x, uniform, *params) -> Any:
    """The step of Poisson units."""
    raise NotImplementedError


@hole
def uniform_of(key, t, i) -> Any:
    """A random number from 0 to 1."""
    raise NotImplementedError


def simulate(
    part: int,
    parts: int,
    t0: int,
    t1: int,
    window: int,
    network: Network,
    scratch: tuple[Any, ...],
    recorded: tuple[Any, ...],
    cells: np.ndarray,
):
    """Steps [t0, t1) for the units of thread ``part``; see ``loop.simulate``.

    ``recorded`` are a ``Record`` and, beside its spikes, their times before the ends of their steps.
    """
    record, times = laid_out(Record(*recorded[0])), recorded[1]
    here = part % network.synapses.threads
    bits, events, come, currents, flow = scratch
    room = laid_out(Room(bits[here], events[here], come, currents, flow[here]))
    pops, counts, (R, rows, places) = network.tables.pops, network.spikes.counts, all_of(network.ring)
    due, when = np.empty((64, 4), np.int64), np.empty(64)
    t = t0
    turn = 0
    while t < t1:
        end = min(t + window, t1)
        for now in range(t, end):
            row = now % rows * places
            for k in range(pops.shape[0]):
                lo, hi = share(pops[k, at.UNITS], part, parts)
                begin(lo, hi, now, k, row, network, room)
            due, when, n = gather(part, parts, now, network, room, due, when)
            for e in np.argsort(-when[:n], kind="mergesort"):
                arrive(here, due[e], when[e], row, network, room)
            for k in range(pops.shape[0]):
                lo, hi = share(pops[k, at.UNITS], part, parts)
                counts[now % counts.shape[0], k, part] = finish(lo, hi, now, k, row, network, room)
            sample(here, now, record, network.values.states)
        before = record.position[here]
        share_spikes(part, parts, t, end, turn % 2, network, record, cells)
        for e in range(before, record.position[here]):
            row = (record.clock[1] + record.steps[here, e]) % rows * places
            times[here, e] = R[row + record.units[here, e]]
        t = end
        if full(turn % 2, network.synapses.threads, window, record):
            break
        turn += 1
    if here == 0:
        record.clock[0] = t


def begin(lo: int, hi: int, t: int, k: int, row: int, network: Network, room: Room) -> None:
    """Let the units [lo, hi) of population k be at the beginning of step t, and add up their currents."""
    pops, table, C = network.tables.pops, network.tables.currents, network.values.currents
    first = pops[k, at.FIRST]
    for u in range(first + lo, first + hi):
        room.come[u], room.currents[u], network.ring.arriving[row + u] = 1.0, 0.0, -1.0
    for c in range(pops[k, at.CURRENT], pops[k, at.CURRENT] + pops[k, at.CURRENTS]):
        line = row_at(table, c, t)
        if line >= 0:
            place, each = table[c, at.VALUES] + line * table[c, at.WIDTH], table[c, at.WIDTH] > 1
            for j in range(lo, hi):
                room.currents[first + j] += C[table[c, at.FACTOR]] * C[place + (j if each else 0)]


def gather(part: int, parts: int, t: int, network: Network, room: Room, due: np.ndarray, when: np.ndarray):
    """What arrives at a thread's units in step t, with their times, and how much it is.

    Spikes as connection, source, target population and port; those of drives as -1 - drive, target and the same.
    """
    pops, ports, drives, _, wires, _ = all_of(network.tables)
    spikes, counts, (R, rows, places) = network.spikes.units, network.spikes.counts, all_of(network.ring)
    n = 0
    for c in range(wires.shape[0]):
        source, k, emitted = wires[c, at.SOURCE], wires[c, at.TARGET], t - wires[c, at.DELAY]
        slot, row = emitted % counts.shape[0], emitted % rows * places + pops[source, at.FIRST]
        q = pops[k, at.PORT]
        while ports[q, at.ROW] != wires[c, at.TARGET_ROW]:
            q += 1
        for other in range(parts):
            base = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts
            for e in range(counts[slot, source, other]):
                unit = spikes[slot, base + e]
                if wires[c, at.FROM] <= unit < wires[c, at.TO]:
                    due, when = wider(n, due), wider(n, when)
                    due[n, 0], due[n, 1], due[n, 2], due[n, 3], when[n] = c, unit, k, q, R[row + unit]
                    n += 1
    step = np.uint64(t)
    for k in range(pops.shape[0]):
        lo, hi = share(pops[k, at.UNITS], part, parts)
        for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
            for d in range(ports[q, at.DRIVE], ports[q, at.DRIVE] + ports[q, at.DRIVES]):
                line = row_at(drives, d, t)
                if line < 0:
                    continue
                f, key = drives[d, at.FIRST_ROW] + line, lasting(network.values.keys[drives[d, at.DRIVE_KEY]], step)
                for a in range(lo, hi, BLOCK):
                    size = min(BLOCK, hi - a)
                    poisson(
                        np.uintp(size), np.uintp(a), step, key, network.values.thresholds, drives[f, at.TABLE],
                        drives[f, at.TABLE_END], room.bits, room.events,
                    )  # fmt: skip
                    for j in range(size):
                        word = step
                        for _ in range(room.events[j]):
                            word = inside(word, a + j, key)
                            due, when = wider(n, due), wider(n, when)
                            due[n, 0], due[n, 1], due[n, 2], due[n, 3] = -1 - d, a + j, k, q
                            when[n] = (np.int64(word) + 0.5) * 2.0**-32
                            n += 1
    return due, when, n


def wider(n: int, array: np.ndarray) -> np.ndarray:
    """The array, or a longer one with the same beginning if it is full."""
    if n < len(array):
        return array
    return np.concatenate((array, array))


def inside(word, unit: int, key):
    """Thirty-two random bits that place a spike in its step: beyond the counters that say whether there is one."""
    return np.uint64(squares32(counter(word, np.uint64(unit + 2147483648)), key))


def arrive(here: int, due: np.ndarray, ago, row: int, network: Network, room: Room) -> None:
    """Let what is due act on its targets, which come to its time before."""
    pops, ports, drives, _, wires, _ = all_of(network.tables)
    S, P, C = network.values.states, network.values.numbers, network.values.currents
    bounds, index, weights, _ = all_of(network.synapses)
    c, unit, k, q = due[0], due[1], due[2], due[3]
    a, z = 0, 1
    if c >= 0:
        place = wires[c, at.BOUNDS] + unit * wires[c, at.BOUNDS_STRIDE] + here
        a, z = bounds[place], bounds[place + 1]
    p, w = ports[q, at.SCALARS], pops[k, at.STRIDE]
    for e in range(a, z):
        j = np.int64(index[e]) if c >= 0 else unit
        if c < 0:
            weight = C[drives[-1 - c, at.DRIVE_WEIGHT] + (unit if drives[-1 - c, at.DRIVE_EACH] else 0)]
        else:
            weight = P[wires[c, at.WEIGHT]] if wires[c, at.WEIGHT] >= 0 else weights[e + wires[c, at.SHIFT]]
        advance(j, k, ago, row, network, room)
        if ports[q, at.VARIABLES]:
            o = ports[q, at.STATE] + j
            S[o] += P[p + 1] * weight
            S[o + w * (ports[q, at.VARIABLES] - 1)] += P[p + 2] * weight
        elif S[pops[k, at.STATE] + j + w] <= 0.0:
            S[pops[k, at.STATE] + j] += weight


def finish(lo: int, hi: int, t: int, k: int, row: int, network: Network, room: Room) -> int:
    """Let the units [lo, hi) of population k come to the end of step t, and list those that have fired in it."""
    pops, V, C, R = network.tables.pops, network.values.own, network.values.currents, network.ring.arriving
    steps, line = network.values.steps, network.spikes.units[t % network.spikes.units.shape[0]]
    first, state, last = pops[k, at.FIRST], pops[k, at.STATE], pops[k, at.STATE] + pops[k, at.VARIABLES]
    if pops[k, at.MODEL] < 0:
        a = state + np.searchsorted(steps[state:last], t)
        while a < last and steps[a] == t:
            R[row + first + network.values.units[a]] = C[pops[k, at.CURRENT] + a - state]
            a += 1
    elif state == last:
        step, own = np.uint64(t), pops[k, at.VECTORS]
        key = lasting(network.values.keys[pops[k, at.KEY]], step)
        for j in range(lo, hi):
            x, u = room.currents[first + j], uniform_of(key, step, np.uint64(j))
            if random_spike(x, u, V[own + j], V[own + j + pops[k, at.STRIDE]])[0] > 0.5:
                R[row + first + j] = (np.int64(inside(step, j, key)) + 0.5) * 2.0**-32
    else:
        for j in range(lo, hi):
            advance(j, k, 0.0, row, network, room)
    n = 0
    for j in range(lo, hi):
        if R[row + first + j] >= 0.0:
            line[first + lo + n] = j
            n += 1
    return n


def advance(j, k: int, until, row: int, network: Network, room: Room) -> None:
    """Take unit j of population k to a time, through all spikes and refractory periods on the way."""
    pops, S, V = network.tables.pops, network.values.states, network.values.own
    unit = pops[k, at.FIRST] + j
    o, w, own = pops[k, at.STATE] + j, pops[k, at.STRIDE], pops[k, at.VECTORS] + j
    leak, v_threshold, v_end = V[own], V[own + w], V[own + 4 * w] + room.currents[unit]
    v, left, now = S[o], S[o + w], room.come[unit]
    while True:
        if left <= 0.0 and v >= v_threshold:
            network.ring.arriving[row + unit] = now
            v, left = V[own + 2 * w] * v + V[own + 3 * w], V[own + 5 * w]
        if now <= until:
            break
        width, held = now - until, left > 0.0
        h = left if held and left < width - EDGE else width
        h, v = reach(h, held, j, k, v, v_threshold, v_end, leak, network, room.flow)
        go(j, k, network, room.flow)
        now = until if h == width else now - h
        if held:
            left = 0.0 if h < width else max(left - h, 0.5 * EDGE)
    S[o], S[o + w], room.come[unit] = v, left, until


def reach(h, held, j, k: int, v, v_threshold, v_end, leak, network: Network, F: np.ndarray):
    """A time of h at most, to the first crossing of the threshold or to none, and the membrane after it.

    The time is halved until the membrane is certainly below the threshold in all of it, or moves one way alone and ends
    above. It is below where it moves one way, or bends too little to rise over both ends. So no crossing is missed,
    however short the time above the threshold. Then the crossing is between ``low`` and ``high``.
    """
    low, high = 0.0, -1.0
    while True:
        flow(h, leak, k, network, F)
        if held:
            return h, v
        v1, steep, bend = ahead(h, j, k, v, v_end, leak, network, F)
        over = v1 >= v_threshold
        if high < 0.0:
            one_way = h <= NARROW or steep > bend * h
            if not over and (one_way or max(v, v1) + 0.125 * bend * h * h < v_threshold):
                return h, v1
            if over and one_way:
                high = h
            h *= 0.5
        elif h == high:
            return h, v1
        else:
            low, high = (low, h) if over else (h, high)
            h = 0.5 * (low + high) if high - low > NEAR else high


def flow(h, leak, k: int, network: Network, F: np.ndarray) -> None:
    """What a time h does to a membrane and to what its ports hold, unless it is known from before."""
    pops, ports, P = network.tables.pops, network.tables.ports, network.values.numbers
    if F[0, 0] == h and F[0, 1] == leak and F[0, 2] == k:
        return
    F[0, 0], F[0, 1], F[0, 2], F[0, 3] = h, leak, k, exp(-leak * h)
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        if ports[q, at.VARIABLES]:
            p = ports[q, at.SCALARS]
            a, b, c, o = P[p + 3], P[p + 4], P[p + 5], P[p + 6]
            F[q + 1, 0], F[q + 1, 1] = exp(-a * h), exp(-b * h)
            F[q + 1, 2] = c * h * divided(-a * h, -b * h)
            F[q + 1, 3] = leak * h * o * divided(-leak * h, -a * h)
            if c > 0.0:
                F[q + 1, 3] += leak * h * c * h * divided2(-leak * h, -a * h, -b * h)
            F[q + 1, 4] = leak * h * divided(-leak * h, -b * h)


def ahead(h, j, k: int, v, v_end, leak, network: Network, F: np.ndarray):
    """The membrane after h, how steep it is now, and a bound of its second derivative until then."""
    pops, ports = network.tables.pops, network.tables.ports
    S, P, w = network.values.states, network.values.numbers, pops[k, at.STRIDE]
    v1, pull, bend = v_end + (v - v_end) * F[0, 3], v_end - v, 0.0
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        if ports[q, at.VARIABLES]:
            p, o = ports[q, at.SCALARS], ports[q, at.STATE] + j
            z, y = S[o], S[o + w * (ports[q, at.VARIABLES] - 1)]
            v1 += F[q + 1, 3] * z + F[q + 1, 4] * y
            pull += P[p + 6] * z + y
            bend += abs(z) * (P[p + 6] * P[p + 3] + P[p + 5] * (1.0 + P[p + 4] * h)) + P[p + 4] * abs(y)
    steep = abs(leak * pull)
    return v1, steep, leak * (bend * (1.0 + leak * h) + steep)


def go(j, k: int, network: Network, F: np.ndarray) -> None:
    """Let pass for the synapses onto a unit the time that ``flow`` was called with."""
    pops, ports, S = network.tables.pops, network.tables.ports, network.values.states
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        if ports[q, at.VARIABLES]:
            o = ports[q, at.STATE] + j
            u = o + pops[k, at.STRIDE] * (ports[q, at.VARIABLES] - 1)  # the same where there is one variable
            z, y = S[o], S[u]
            S[o] = F[q + 1, 0] * z
            S[u] = F[q + 1, 1] * y + F[q + 1, 2] * z
