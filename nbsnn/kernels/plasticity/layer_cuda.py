"""A plastic layer over time on a GPU, in one launch: the loop of ``kernels.plasticity.layer``, for any neuron and any
rule.

All threads of the launch stay for all steps. In each, the spikes of the input are listed and its traces go on; all
threads meet; the units step, and theirs go on; all meet; the rule changes the synapses; and all meet. Nothing is added
up in an order that would depend on threads: the rows that spikes choose are added by the thread of the unit they reach.
"""

from typing import Any

import numpy as np
from numba import cuda

from ...random import counter, squares32
from ...scalar.hole import hole
from ..population.loops import keep, param, state, step

CHUNK = 32  # units of which one thread lists the spikes
WHOLE = 0  # whether a step ends with what concerns all weights


@hole
def follow_pre(b, n, s, a, used, D) -> Any:
    raise NotImplementedError


@hole
def follow_post(b, n, s, a, used, D) -> Any:
    raise NotImplementedError


@hole
def units(part, parts, t, lag, learning, connection, lateral, cells, lists, sides) -> Any:
    raise NotImplementedError


@hole
def synapses(part, parts, t, pre, post, X, Y, rule, w, noted) -> Any:
    raise NotImplementedError


@hole
def settle(part, parts, t, w, rule, noted) -> Any:
    raise NotImplementedError


def live(t0, t1, source, times, connection, lateral, cells, lists, learning, sides, rule, noted):
    """Steps [t0, t1) of a plastic layer.

    ``source``: input spikes [T, B, n_pre], or none and what to draw, as ``came`` reads them; ``times``: delay and the
    two lags; a connection is (weight, bias), ``lateral`` has the output [T + 1, B, n_post], too; ``cells``: drive
    [T, B, n_post], parameters, states, output, counts of spikes, as in the CPU's loop, or the given output alone;
    ``lists``: room for units that spike and their number in each chunk, of the input and of the layer; ``sides``:
    spikes that the rule sees, traces as carried and as used, and their numbers, of both; ``rule``: parameters and
    limits; ``noted``: what the rule needs.
    """
    part, parts = cuda.grid(1), cuda.gridsize(1)  # type: ignore[call-arg]
    grid = cuda.cg.this_grid()
    for t in range(t0, t1):
        arrive(part, parts, t, source, times, lateral, lists, learning, sides)
        grid.sync()
        units(part, parts, t, times[2], learning, connection, lateral, cells, lists, sides)
        grid.sync()
        if learning:
            synapses(part, parts, t, sides[0], sides[4], sides[2], sides[6], rule, connection[0], noted)
            grid.sync()
            if WHOLE:
                settle(part, parts, t, connection[0], rule, noted)
                grid.sync()


def came(t, b, i, source):
    """Whether unit ``i`` of the input of sample ``b`` spikes at step t; before the first step, as was noted."""
    x, before, threshold, keys, first = source
    if t < 0:
        return before[before.shape[0] + t, b, i] != 0
    if x.shape[0] > 0:
        return x[t, b, i] != 0
    return squares32(counter(first[0] + np.uint64(t), np.uint64(i)), keys[b]) < threshold[b, i]


def arrive(part, parts, t, source, times, lateral, lists, learning, sides):
    """List the spikes that arrive at step t, and follow the traces of the input."""
    delay, lag, _ = times
    where, number, inner, inner_number = lists
    chunks, n = number.shape[1], where.shape[1]
    for e in range(part, where.shape[0] * chunks, parts):
        b, chunk = e // chunks, e % chunks
        count = 0
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, n)):
            if came(t - delay, b, i, source):
                where[b, chunk * CHUNK + count] = i
                count += 1
        number[b, chunk] = count
    if lateral[0].shape[0] > 0:
        output = lateral[2]
        last = t if t < output.shape[0] - 1 else output.shape[0] - 1  # where the latest step has left its output
        chunks, m = inner_number.shape[1], inner.shape[1]
        for e in range(part, inner.shape[0] * chunks, parts):
            b, chunk = e // chunks, e % chunks
            count = 0
            for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, m)):
                if output[last, b, i] != 0:
                    inner[b, chunk * CHUNK + count] = i
                    count += 1
            inner_number[b, chunk] = count
    if learning:
        pre, a, X, D = sides[0], sides[1], sides[2], sides[3]
        for e in range(part, pre.shape[0] * n, parts):
            b, i = e // n, e % n
            pre[b, i] = 1 if came(t - lag, b, i, source) else 0
            follow_pre(b, i, pre[b, i], a, X, D)


def gather(b, j, where, number, weight):
    """The sum of the weights [i, j] over the spikes ``i`` of a list, in the order of the CPU: four at a time."""
    total = weight[0, j] - weight[0, j]
    w0, w1, w2 = total, total, total
    held = 0
    for chunk in range(number.shape[1]):
        for e in range(chunk * CHUNK, chunk * CHUNK + number[b, chunk]):
            w = weight[where[b, e], j]
            if held == 3:
                total += (w0 + w1) + (w2 + w)
                held = 0
            else:
                w0 = w if held == 0 else w0
                w1 = w if held == 1 else w1
                w2 = w if held == 2 else w2
                held += 1
    total = total + w0 if held > 0 else total
    total = total + w1 if held > 1 else total
    return total + w2 if held > 2 else total


def fire(part, parts, t, lag, learning, connection, lateral, cells, lists, sides):
    """Step t of the units, and their traces."""
    drive, P, S, y, counts = cells
    where, number, inner, inner_number = lists
    at = t if t < drive.shape[0] else drive.shape[0] - 1
    n = drive.shape[2]
    for e in range(part, drive.shape[1] * n, parts):
        b, j = e // n, e % n
        if t > at:  # what followed the last step is what went before this one
            y[at, b, j] = y[at + 1, b, j]
            for k in range(S.shape[0]):
                S[k, at, b, j] = S[k, at + 1, b, j]
        x = gather(b, j, where, number, connection[0])
        if connection[1].shape[0] > 0:
            x += connection[1][j]
        if lateral[0].shape[0] > 0:
            back = gather(b, j, inner, inner_number, lateral[0])
            if lateral[1].shape[0] > 0:
                back += lateral[1][j]
            x += back
        drive[at, b, j] = x
        r = step(drive[at, b, j], *state(S, at, b, j), *param(P, j))
        y[at + 1, b, j] = r[0]
        keep(S, r, at + 1, b, j)
        counts[b, j] += 1 if r[0] != 0 else 0
        if learning:
            seen = y[at + 1 - lag, b, j]
            sides[4][b, j] = seen
            follow_post(b, j, seen, sides[5], sides[6], sides[7])


def told(part, parts, t, lag, learning, connection, lateral, cells, lists, sides):
    """In the place of ``fire`` where the spikes of the units are given."""
    post, given = sides[4], cells[0]
    n = post.shape[1]
    for e in range(part, post.shape[0] * n, parts):
        b, j = e // n, e % n
        post[b, j] = given[t, b, j]
        follow_post(b, j, post[b, j], sides[5], sides[6], sides[7])
