"""A plastic layer over time in one loop, for any neuron and any rule.

In each step the input arrives, the rows of weights that its spikes choose are added up, the neurons step and the rule
visits the synapses of the units that spiked, which may be followed by what concerns all weights. All of these are loops
of their own elsewhere; here they take turns.
"""

from typing import NamedTuple

import numpy as np

from ...random import counter, squares32
from ...scalar.hole import hole
from ..population.loops import forward
from ..products.events import gather
from .bounds import mark, settle
from .dense import Found, visit, visit_one
from .synapse import Numbers

WHOLE = 0  # whether a step ends with what concerns all weights: then increments are noted first, and added afterwards


class Source(NamedTuple):
    """Input spikes x [T, B, n_pre], or if there are none what to draw.

    ``threshold`` [B, n_pre] is 2^32 times the probability; ``index[start[b]:start[b + 1]]`` are the units of sample b
    that may spike at all; ``keys`` [B] are the keys of the draws, which begin at step ``first``. ``latest``
    [queue + 1, B, n_pre] is a ring of the latest inputs, that of step t at t modulo its length. All but the spikes are
    unsigned: Numba mixes uint64 and int64 to float64.
    """

    x: np.ndarray
    latest: np.ndarray
    threshold: np.ndarray
    start: np.ndarray
    index: np.ndarray
    keys: np.ndarray
    first: np.uint64


class Lags(NamedTuple):
    """Steps from a spike of the input to its current, and steps by which the rule sees input and output late."""

    delay: int
    pre: int
    post: int


class Connection(NamedTuple):
    """Weights [n_pre, n_post] and bias [n_post]; one of length 0 is none."""

    weight: np.ndarray
    bias: np.ndarray


class Cells(NamedTuple):
    """The units: drive [T, B, n], parameters [P, n], states [K, T + 1, B, n], output [T + 1, B, n], and the output
    added up, ``counts`` [B, n]. With room for one step only, each step overwrites the one before."""

    drive: np.ndarray
    params: np.ndarray
    states: np.ndarray
    output: np.ndarray
    counts: np.ndarray


class Side(NamedTuple):
    """One side of the connection as the rule sees it in a step: spikes [1, B, n], traces as carried [K, B n] and as
    used [K, 1, B, n], and their numbers [K, ...]. On a GPU spikes are [B, n], and traces carried [K, B, n]."""

    spikes: np.ndarray
    carried: np.ndarray
    used: np.ndarray
    numbers: np.ndarray


class Sides(NamedTuple):
    """Both sides of the connection."""

    pre: Side
    post: Side


class PendingIncrements(NamedTuple):
    """For rules that concern all weights: increments [slots, n_pre, n_post], of this step and, if they are applied one
    step late, of the one before; the rows and columns where they are; scratch; the total of the weights onto a unit;
    the number of the first step, and of the first after which weights are normalised. For all rules: scratch for
    columns."""

    dw: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    sums: np.ndarray
    total: float
    step: int
    first: int
    room: np.ndarray


@hole
def follow_pre(s: np.ndarray, a: np.ndarray, used: np.ndarray, numbers: np.ndarray) -> None:
    """Carry the presynaptic traces through a step."""
    raise NotImplementedError


@hole
def follow_post(s: np.ndarray, a: np.ndarray, used: np.ndarray, numbers: np.ndarray) -> None:
    """Carry the postsynaptic traces through a step."""
    raise NotImplementedError


def draw(line: np.ndarray, source: Source, t: int, found: Found) -> None:
    """Fill ``line`` [B, N] with the spikes of step t, as ``encode.poisson`` draws them for each sample by itself, and
    ``found`` with their positions."""
    _, _, threshold, start, index, keys, first = source
    begin, where = found
    step, e = first + np.uint64(t), begin[0]
    for b in range(line.shape[0]):
        for i in range(line.shape[1]):
            line[b, i] = 0
        for k in range(start[b], start[b + 1]):
            i = index[k]
            if squares32(counter(step, np.uint64(i)), keys[b]) < threshold[b, i]:
                line[b, i] = 1
                where[e] = i
                e += begin.dtype.type(1)
        begin[b + 1] = e


def find(x: np.ndarray, found: Found) -> None:
    """Positions of the spikes x [B, N], for which there is room.

    Without a branch: noting a position that the next one overwrites is faster.
    """
    begin, where = found
    e = begin[0]
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            where[e] = i
            e += begin.dtype.type(x[b, i] != 0)
        begin[b + 1] = e


def product(found: Found, connection: Connection, y: np.ndarray) -> None:
    """y = x W + bias, for spikes x at known positions."""
    bias = connection.bias
    gather(np.uintp(0), np.uintp(y.shape[0]), found.begin, found.where, connection.weight, y)
    if bias.shape[0] > 0:
        for r in range(y.shape[0]):
            for c in range(y.shape[1]):
                y[r, c] += bias[c]


def run(
    t0: int, t1: int, source: Source, lags: Lags, connection: Connection, lateral: Connection, cells: Cells,
    found: tuple[Found, Found], learning: bool, sides: Sides, rule: Numbers, noted: PendingIncrements,
) -> None:  # fmt: skip
    """Steps [t0, t1) of a plastic layer; ``found`` is room for the positions of spikes on both sides."""
    drive, P, S, y, counts = cells
    weight, line, rows, columns = connection.weight, source.latest, found[0], found[1]
    pre, post = sides.pre, sides.post
    # All samples and units in a row, for traces.
    pre_spikes, post_spikes = pre.spikes.reshape(1, pre.spikes.size), post.spikes.reshape(1, post.spikes.size)
    pre_used = pre.used.reshape(pre.used.shape[0], 1, pre.spikes.size)
    post_used = post.used.reshape(post.used.shape[0], 1, post.spikes.size)
    batch, units = np.uintp(y.shape[1]), np.uintp(y.shape[2])
    depth, steps, drawing, back = line.shape[0], drive.shape[0], source.x.shape[0] == 0, np.empty_like(drive[0])
    find(y[min(t0, steps)], columns)
    for t in range(t0, t1):
        at = t if t < steps else steps - 1
        if t > at:
            back_up(y, S, at)
        now, then = line[t % depth], line[(t + depth - lags.delay) % depth]
        if drawing:
            draw(now, source, t, rows)
        else:
            for b in range(now.shape[0]):
                for i in range(now.shape[1]):
                    now[b, i] = source.x[t, b, i]
        if not drawing or lags.delay > 0:
            find(then, rows)
        product(rows, connection, drive[at])
        if lateral.weight.shape[0] > 0 and (columns.begin[batch] > 0 or lateral.bias.shape[0] > 0):
            product(columns, lateral, back)
            for b in range(back.shape[0]):
                for j in range(back.shape[1]):
                    drive[at, b, j] += back[b, j]
        forward(at, at + 1, np.uintp(0), batch, np.uintp(0), units, drive, P, S, y)
        for b in range(counts.shape[0]):
            for j in range(counts.shape[1]):
                counts[b, j] += y[at + 1, b, j]
        if lags.post == 0:
            find(y[at + 1], columns)
        if learning:
            late, spikes = line[(t + depth - lags.pre) % depth], y[at + 1 - lags.post]
            if lags.pre != lags.delay:
                find(late, rows)
            for b in range(late.shape[0]):
                for i in range(late.shape[1]):
                    pre.spikes[0, b, i] = late[b, i]
                for j in range(spikes.shape[1]):
                    post.spikes[0, b, j] = spikes[b, j]
            follow_pre(pre_spikes, pre.carried, pre_used, pre.numbers)
            follow_post(post_spikes, post.carried, post_used, post.numbers)
            if WHOLE:
                dw, step = noted.dw, t + noted.step
                new, old = t % dw.shape[0], (t + 1) % dw.shape[0]
                mark(pre.spikes, noted.rows[new])
                mark(post.spikes, noted.columns[new])
                change_weights(sides, rule, rows, columns, noted.room, weight, dw[new])
                settle(
                    weight, dw[old], noted.rows[old], noted.columns[old], rule.limits, noted.sums, noted.total,
                    step >= noted.first, t == 0 or step > noted.first,
                )  # fmt: skip
            else:
                change_weights(sides, rule, rows, columns, noted.room, weight, weight)
        if lags.post == 1:
            find(y[at + 1], columns)


def back_up(y: np.ndarray, S: np.ndarray, t: int) -> None:
    """Make what followed step ``t`` what went before it."""
    for b in range(y.shape[1]):
        for n in range(y.shape[2]):
            y[t, b, n] = y[t + 1, b, n]
    for k in range(S.shape[0]):
        for b in range(S.shape[2]):
            for n in range(S.shape[3]):
                S[k, t, b, n] = S[k, t + 1, b, n]


def change_weights(
    sides: Sides, rule: Numbers, rows: Found, columns: Found, room: np.ndarray, w: np.ndarray, dw: np.ndarray
) -> None:
    """Let the rule visit the synapses of the units that spike."""
    pre, post, X, Y = sides.pre.spikes, sides.post.spikes, sides.pre.used, sides.post.used
    if pre.shape[1] == 1:
        visit_one(pre, post, X, Y, rule.params, rule.limits, rows, columns, w, dw)
    else:
        visit(0, 1, pre, post, X, Y, rule.params, rule.limits, room, w, dw)
