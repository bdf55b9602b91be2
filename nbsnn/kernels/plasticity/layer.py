"""A plastic layer over time in one loop, for any neuron and any rule.

In each step the input arrives, the rows of weights that its spikes choose are added up, the neurons step and the rule
visits the synapses of the units that spiked, which may be followed by what concerns all weights. All of these are loops
of their own elsewhere; here they take turns.
"""

from typing import Any

import numpy as np

from ...random import counter, squares32
from ...scalar.hole import hole
from ..population.loops import forward
from ..products.events import gather
from .bounds import mark, settle
from .dense import visit, visit_one

WHOLE = 0  # whether a step ends with what concerns all weights: then increments are noted first, and added afterwards


@hole
def follow_pre(s, a, used, D) -> Any:
    raise NotImplementedError


@hole
def follow_post(s, a, used, D) -> Any:
    raise NotImplementedError


def draw(line, threshold, start, index, keys, step, begin, where):
    """Fill ``line`` [B, N] with the spikes of a step, as ``encode.poisson`` draws them for each sample by itself.

    ``threshold`` [B, N] is 2^32 times the probability; index[start[b]:start[b + 1]] are the units of sample b that may
    spike at all. All but ``line`` are unsigned: Numba mixes uint64 and int64 to float64. ``begin`` and ``where`` get
    the positions of the spikes, as in ``find``.
    """
    e = begin[0]
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


def find(x, begin, where):
    """Positions of the spikes x [B, N], sample by sample: those of b are where[begin[b]:begin[b + 1]].

    ``where`` has room for B N. Without a branch: noting a position that the next one overwrites is faster.
    """
    e = begin[0]
    for b in range(x.shape[0]):
        for i in range(x.shape[1]):
            where[e] = i
            e += begin.dtype.type(x[b, i] != 0)
        begin[b + 1] = e


def product(begin, where, weight, bias, y):
    """y = x W + bias, for spikes x at known positions; a bias of length 0 is none."""
    gather(np.uintp(0), np.uintp(y.shape[0]), begin, where, weight, y)
    if bias.shape[0] > 0:
        for r in range(y.shape[0]):
            for c in range(y.shape[1]):
                y[r, c] += bias[c]


def live(
    t0, t1, x, chance, line, delay, lag, connection, lateral, back, drive, P, S, y, counts,
    learning, seen, a, X, follow_X, out, c, Y, follow_Y, rule, events, noted,
):  # fmt: skip
    """Steps [t0, t1) of a plastic layer.

    x [T, B, n_pre] are the input spikes; if it is empty they are drawn: ``chance`` holds threshold, start, index, keys
    and the first step. Both sides of a connection are (weight, bias). ``line`` [queue + 1, B, n_pre] is a ring of the
    latest inputs, that of step t at t modulo its length. ``drive`` [T, B, n_post], P, S, y as in ``forward``; with room
    for one step only, each step overwrites the one before. The output is added up in ``counts`` [B, n_post].
    ``seen`` and ``out`` are the spikes that the rule sees in a step, X and Y [K, 1, B, n] the traces that it uses, each
    as it is and with samples and units joined; a and c are the traces that it carries; ``rule`` holds parameters and
    limits, ``events`` room for the positions of spikes on both sides.
    ``noted`` serves rules that concern all weights: increments [slots, n_pre, n_post], of this step and, if they are
    applied one step late, of the one before; the rows and columns where they are; scratch; the total of the weights
    onto a unit; the number of the first step, and of the first after which weights are normalised.
    """
    batch, units = np.uintp(y.shape[1]), np.uintp(y.shape[2])
    depth, steps = line.shape[0], drive.shape[0]
    rows, columns = events
    find(y[min(t0, steps)], columns[0], columns[1])
    for t in range(t0, t1):
        at = t if t < steps else steps - 1
        if t > at:
            back_up(y, S, at)
        now, then = line[t % depth], line[(t + depth - delay) % depth]
        if x.shape[0] > 0:
            for b in range(now.shape[0]):
                for i in range(now.shape[1]):
                    now[b, i] = x[t, b, i]
        else:
            draw(now, chance[0], chance[1], chance[2], chance[3], chance[4] + np.uint64(t), rows[0], rows[1])
        if x.shape[0] > 0 or delay > 0:
            find(then, rows[0], rows[1])
        product(rows[0], rows[1], connection[0], connection[1], drive[at])
        if lateral[0].shape[0] > 0 and (columns[0][batch] > 0 or lateral[1].shape[0] > 0):
            product(columns[0], columns[1], lateral[0], lateral[1], back)
            for b in range(back.shape[0]):
                for j in range(back.shape[1]):
                    drive[at, b, j] += back[b, j]
        forward(at, at + 1, np.uintp(0), batch, np.uintp(0), units, drive, P, S, y)
        for b in range(counts.shape[0]):
            for j in range(counts.shape[1]):
                counts[b, j] += y[at + 1, b, j]
        if lag[1] == 0:
            find(y[at + 1], columns[0], columns[1])
        if learning:
            late, spikes = line[(t + depth - lag[0]) % depth], y[at + 1 - lag[1]]
            if lag[0] != delay:
                find(late, rows[0], rows[1])
            for b in range(late.shape[0]):
                for i in range(late.shape[1]):
                    seen[0][0, b, i] = late[b, i]
                for j in range(spikes.shape[1]):
                    out[0][0, b, j] = spikes[b, j]
            follow_pre(seen[1], a, X[1], follow_X)
            follow_post(out[1], c, Y[1], follow_Y)
            if WHOLE:
                dw, step = noted[0], t + noted[5]
                new, old = t % dw.shape[0], (t + 1) % dw.shape[0]
                mark(seen[0], noted[1][new])
                mark(out[0], noted[2][new])
                change_weights(seen[0], out[0], X[0], Y[0], rule, rows, columns, noted[7], connection[0], dw[new])
                settle(
                    connection[0], dw[old], noted[1][old], noted[2][old], rule[1], noted[3], noted[4],
                    step >= noted[6], t == 0 or step > noted[6],
                )  # fmt: skip
            else:
                change_weights(seen[0], out[0], X[0], Y[0], rule, rows, columns, noted[7], connection[0], connection[0])
        if lag[1] == 1:
            find(y[at + 1], columns[0], columns[1])


def back_up(y, S, t):
    """Make what followed step ``t`` what went before it."""
    for b in range(y.shape[1]):
        for n in range(y.shape[2]):
            y[t, b, n] = y[t + 1, b, n]
    for k in range(S.shape[0]):
        for b in range(S.shape[2]):
            for n in range(S.shape[3]):
                S[k, t, b, n] = S[k, t + 1, b, n]


def change_weights(pre, post, X, Y, rule, rows, columns, room, w, dw):
    """Let the rule visit the synapses of the units that spike."""
    if pre.shape[1] == 1:
        visit_one(pre, post, X, Y, rule[0], rule[1], rows, columns, w, dw)
    else:
        visit(0, 1, pre, post, X, Y, rule[0], rule[1], room, w, dw)
