"""Sums of rows: what events and small products have in common.

    x[r] += sum of W[i] over the events i of a row
    x[r] += sum of g[r, k] W[k] over all k

Matrices lie in lines: 64 neighbouring columns of all rows, then the next 64 columns of all rows, as an array
[lines rows, 64]. What a line's sums need is close together, and mostly in a near cache; every load is one vector of one
cache line. The sums stay in registers until all rows are added: ``add_rows`` and ``add_products`` stand for
instructions of compiled code, see ``nbsnn.compile.simd``. Sums are made in the order of the rows.
"""

from numpy import uintp

from ...compile.simd import LINE
from ...compile.simd import add_products as products_instruction
from ...compile.simd import add_rows as rows_instruction
from ...scalar.hole import instruction
from ..arrays.least import least


@instruction(rows_instruction)
def add_rows(x, r, given, s, weight, first, index, e, end):
    """x[r] = given[s] + the sum of weight[first + i] over all i in index[e:end]"""
    x[r] = given[s]
    for k in range(e, end):
        x[r] += weight[first + index[k]]


@instruction(products_instruction)
def add_products(x, r, count, stride, g, s, weight, first, many):
    """x[r + k stride] += g[s + k stride, :many] @ weight[first:first + many] for all k in range(count)"""
    for k in range(count):
        for i in range(many):
            x[r + k * stride] += g[s + k * stride, i] * weight[first + i]


def gather(e, end, index, weight, beyond, x, r, apart, q0, q1):
    """x[r] += sum of the rows ``index[e:end]`` of ``weight``, for lines [q0, q1), which are ``apart`` rows apart in
    ``x`` and ``beyond`` in ``weight``."""
    for q in range(q0, q1):
        add_rows(x, q * apart + r, x, q * apart + r, weight, q * beyond, index, e, end)


def product(r, count, stride, g, s, weight, x, q0, q1, blocks):
    """x[r + k stride] += g[s + k stride] @ weight for all k in range(count) and the columns of lines [q0, q1).

    All three are in lines: ``weight`` and ``x`` in ``blocks`` of them, ``g`` in as many as the rows of ``weight`` fill.
    """
    apart, beyond = uintp(x.shape[0]) // blocks, uintp(weight.shape[0]) // blocks
    lines = (beyond + uintp(LINE - 1)) // uintp(LINE)
    far = uintp(g.shape[0]) // lines
    for q in range(q0, q1):
        for p in range(lines):
            i = p * uintp(LINE)
            many = least(uintp(LINE), beyond - i)
            add_products(x, q * apart + r, count, stride, g, p * far + s, weight, q * beyond + i, many)


def currents(r, at, q0, q1, start, index, weight, beyond, bias, x, apart):
    """x[at] = b + the sum of the rows of ``weight`` that the events of row r choose, for lines [q0, q1); the bias has a
    row for each line."""
    for q in range(q0, q1):
        add_rows(x, q * apart + at, bias, q, weight, q * beyond, index, start[r], start[r + uintp(1)])


def all_currents(start, index, weight, bias, x, q0, q1):
    """``currents`` of all rows, line by line."""
    blocks = uintp(bias.shape[0])
    apart, beyond = uintp(x.shape[0]) // blocks, uintp(weight.shape[0]) // blocks
    for q in range(q0, q1):
        for r in range(apart):
            currents(r, r, q, q + uintp(1), start, index, weight, beyond, bias, x, apart)


def collect(i0, i1, first, row, g, ahead, weight, blocks, q0, q1):
    """W += x^T g for rows [i0, i1) of W and lines [q0, q1): add the rows of ``g``, ``ahead`` rows on, in which x has
    an event. Section by section of the rows, as many as stay in a near cache."""
    apart, beyond = uintp(g.shape[0]) // blocks, uintp(weight.shape[0]) // blocks
    for q in range(q0, q1):
        for s in range(uintp(first.shape[0])):
            for i in range(i0, i1):
                e, end, w = first[s, i], first[s, i + uintp(1)], q * beyond + i
                if e < end:
                    add_rows(weight, w, weight, w, g, q * apart + ahead, row, e, end)


def fade(q0, q1, blocks, samples, steps, decay, g):
    """h[t] = g[t] + decay h[t + 1] in place, for lines [q0, q1) of g, in which row ``b steps + t`` is step t of sample
    b."""
    apart = uintp(g.shape[0]) // blocks
    for q in range(q0, q1):
        for b in range(samples):
            for back in range(uintp(1), steps):
                r = q * apart + (b + uintp(1)) * steps - uintp(1) - back
                for j in range(uintp(LINE)):
                    g[r, j] += decay * g[r + uintp(1), j]


def columns(q0, q1, g, rows, total, blocks):
    """total += the sum of the first ``rows`` rows of g, for lines [q0, q1)."""
    apart = uintp(g.shape[0]) // blocks
    for q in range(q0, q1):
        for r in range(rows):
            for j in range(uintp(LINE)):
                total[q, j] += g[q * apart + r, j]
