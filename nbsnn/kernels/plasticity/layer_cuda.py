"""A plastic layer over time on a GPU, in one launch: the loop of ``kernels.plasticity.layer``, for any neuron and any
rule.

All threads of the launch stay for all steps. In each, the spikes of the input are listed and its traces updated; all
threads meet; the units step, and theirs go on; all meet; the rule changes the synapses; and all meet. Nothing is added
up in an order that would depend on threads: the rows that spikes choose are added by the thread of the unit they reach.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from ...random import counter, squares32
from ...scalar.hole import hole
from ..population.loops import keep, param, state, step
from .layer import Cells, Connection, Lags, Sides
from .synapse import Numbers

CHUNK = 32  # units of which one thread lists the spikes
WHOLE = 0  # whether a step ends with what concerns all weights


class Source(NamedTuple):
    """Input spikes x [T, B, n_pre], or if there are none what to draw; and the latest ones ``before`` the first step.
    ``threshold``, ``keys`` and ``first`` [1] are those of ``layer.Source``."""

    x: np.ndarray
    before: np.ndarray
    threshold: np.ndarray
    keys: np.ndarray
    first: np.ndarray


class Found(NamedTuple):
    """Room for the units [B, n] that spike, and their number in each chunk [B, chunks]."""

    where: np.ndarray
    number: np.ndarray


@hole
def follow_pre_unit(b: int, n: int, s: float, a: np.ndarray, used: np.ndarray, numbers: np.ndarray) -> None:
    """Carry the presynaptic traces of a unit through a step."""
    raise NotImplementedError


@hole
def follow_post_unit(b: int, n: int, s: float, a: np.ndarray, used: np.ndarray, numbers: np.ndarray) -> None:
    """Carry the postsynaptic traces of a unit through a step."""
    raise NotImplementedError


@hole
def units(
    part: int, parts: int, t: int, lag: int, learning: bool, connection: Connection, lateral: Connection, cells: Cells,
    found: tuple[Found, Found], sides: Sides,
) -> None:  # fmt: skip
    """Step t of the units, and their traces."""
    raise NotImplementedError


@hole
def synapses(
    part: int, parts: int, t: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, rule: Numbers,
    w: np.ndarray, noted: tuple[Any, ...],
) -> None:  # fmt: skip
    """What step t does to the synapses of units that spike."""
    raise NotImplementedError


@hole
def settle(part: int, parts: int, t: int, w: np.ndarray, rule: Numbers, noted: tuple[Any, ...]) -> None:
    """What step t does to all weights."""
    raise NotImplementedError


def run(
    t0: int, t1: int, source: Source, lags: Lags, connection: Connection, lateral: Connection, cells: Cells,
    found: tuple[Found, Found], learning: bool, sides: Sides, rule: Numbers, noted: tuple[Any, ...],
) -> None:  # fmt: skip
    """Steps [t0, t1) of a plastic layer, or of a rule with given output; ``noted`` is what the rule needs."""
    part, parts = cuda.grid(1), cuda.gridsize(1)  # type: ignore[call-arg]
    grid = cuda.cg.this_grid()
    pre, post = sides.pre, sides.post
    for t in range(t0, t1):
        arrive(part, parts, t, source, lags, lateral, cells, found, learning, sides)
        grid.sync()
        units(part, parts, t, lags.post, learning, connection, lateral, cells, found, sides)
        grid.sync()
        if learning:
            synapses(part, parts, t, pre.spikes, post.spikes, pre.used, post.used, rule, connection.weight, noted)
            grid.sync()
            if WHOLE:
                settle(part, parts, t, connection.weight, rule, noted)
                grid.sync()


def input_spike(t: int, b: int, i: int, source: Source) -> bool:
    """True if unit ``i`` of the input of sample ``b`` spikes at step t; before the first step, as was noted."""
    x, before, threshold, keys, first = source
    if t < 0:
        return before[before.shape[0] + t, b, i] != 0
    if x.shape[0] > 0:
        return x[t, b, i] != 0
    return squares32(counter(first[0] + np.uint64(t), np.uint64(i)), keys[b]) < threshold[b, i]


def arrive(
    part: int, parts: int, t: int, source: Source, lags: Lags, lateral: Connection, cells: Cells,
    found: tuple[Found, Found], learning: bool, sides: Sides,
) -> None:  # fmt: skip
    """List the spikes that arrive at step t, and follow the traces of the input."""
    where, number = found[0]
    chunks: int = number.shape[1]
    n: int = where.shape[1]
    for e in range(part, where.shape[0] * chunks, parts):
        b, chunk = e // chunks, e % chunks
        count = 0
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, n)):
            if input_spike(t - lags.delay, b, i, source):
                where[b, chunk * CHUNK + count] = i
                count += 1
        number[b, chunk] = count
    if lateral.weight.shape[0] > 0:
        inner, inner_number = found[1]
        output = cells.output
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
        spikes, carried, used, numbers = sides.pre
        for e in range(part, spikes.shape[0] * n, parts):
            b, i = e // n, e % n
            spikes[b, i] = 1 if input_spike(t - lags.pre, b, i, source) else 0
            follow_pre_unit(b, i, spikes[b, i], carried, used, numbers)


def gather(b: int, j: int, found: Found, weight: np.ndarray) -> float:
    """The sum of the weights [i, j] over the spikes ``i`` of a list, in the order of the CPU: four at a time."""
    where, number = found
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


def step_units(
    part: int, parts: int, t: int, lag: int, learning: bool, connection: Connection, lateral: Connection, cells: Cells,
    found: tuple[Found, Found], sides: Sides,
) -> None:  # fmt: skip
    """Filling of ``units``: the neurons step."""
    drive, P, S, y, counts = cells
    at = t if t < drive.shape[0] else drive.shape[0] - 1
    n = drive.shape[2]
    for e in range(part, drive.shape[1] * n, parts):
        b, j = e // n, e % n
        if t > at:  # what followed the last step is what went before this one
            y[at, b, j] = y[at + 1, b, j]
            for k in range(S.shape[0]):
                S[k, at, b, j] = S[k, at + 1, b, j]
        x = gather(b, j, found[0], connection.weight)
        if connection.bias.shape[0] > 0:
            x += connection.bias[j]
        if lateral.weight.shape[0] > 0:
            back = gather(b, j, found[1], lateral.weight)
            if lateral.bias.shape[0] > 0:
                back += lateral.bias[j]
            x += back
        drive[at, b, j] = x
        r = step(drive[at, b, j], *state(S, at, b, j), *param(P, j))
        y[at + 1, b, j] = r[0]
        keep(S, r, at + 1, b, j)
        counts[b, j] += 1 if r[0] != 0 else 0
        if learning:
            see_output(b, j, y[at + 1 - lag, b, j], sides)


def replay_output(
    part: int, parts: int, t: int, lag: int, learning: bool, connection: Connection, lateral: Connection, cells: Cells,
    found: tuple[Found, Found], sides: Sides,
) -> None:  # fmt: skip
    """Filling of ``units``: their spikes are given, those of step t at t."""
    output = cells.output
    n = output.shape[2]
    for e in range(part, output.shape[1] * n, parts):
        see_output(e // n, e % n, output[t, e // n, e % n], sides)


def see_output(b: int, j: int, spike: float, sides: Sides) -> None:
    """Show the rule a spike of unit ``j``, and follow its traces."""
    spikes, carried, used, numbers = sides.post
    spikes[b, j] = spike
    follow_post_unit(b, j, spike, carried, used, numbers)
