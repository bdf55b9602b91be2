"""Sums of rows: what events and small products have in common.

    x[at] += sum of W[i] over the events i of a row
    x[at] += sum of g[r, k] W[k] over all k

Rows are as long as whole lines of 64 columns and begin at addresses divisible by 64 bytes, so that every load is one
vector of one cache line (a third faster than unaligned). A line's sums stay in registers until all rows are added:
``add_rows`` and ``add_products`` stand for instructions of compiled code, see ``nbsnn.vectors``. Sums are made in the
order of the rows.
"""

from numpy import uintp

from ...hole import instruction
from ...vectors import LINE
from ...vectors import add_products as products_instruction
from ...vectors import add_rows as rows_instruction


@instruction(rows_instruction)
def add_rows(x, at, c, weight, first, index, e, end):
    """x[at, c:c + 64] += weight[i, first:first + 64] for all i in index[e:end]"""
    for k in range(e, end):
        x[at, c : c + LINE] += weight[index[k], first : first + LINE]


@instruction(products_instruction)
def add_products(r, end, stride, g, ahead, weight, x, c):
    """x[i, c:c + 64] += g[i + ahead] @ weight[:, c:c + 64] for all i in range(r, end, stride)"""
    for i in range(r, end, stride):
        for k in range(weight.shape[0]):
            x[i, c : c + LINE] += g[i + ahead, k] * weight[k, c : c + LINE]


def begin(bias, x, at, c0, c1):
    """x[at] = bias"""
    for c in range(c0, c1):
        x[at, c] = bias[c]


def gather(e, end, index, weight, x, at, c0, c1):
    """Add the rows of ``weight`` that ``index[e:end]`` names to columns [c0, c1) of ``x[at]``, in whole lines."""
    for c in range(c0, c1, uintp(LINE)):
        add_rows(x, at, c, weight, c, index, e, end)


def product(r0, r1, stride, g, weight, x, ahead, c0, c1):
    """x[r] += g[r + ahead] @ weight for columns [c0, c1) of the rows r0, r0 + stride, ... below r1, in whole lines."""
    for c in range(c0, c1, uintp(LINE)):
        add_products(r0, r1, stride, g, ahead, weight, x, c)


def gather_rows(r0, r1, start, index, weight, y):
    """y = x W for rows [r0, r1), from the events of x; two lines at a time, whose weights stay in a near cache."""
    for c0 in range(uintp(0), uintp(y.shape[1]), uintp(2 * LINE)):
        c1 = min(c0 + uintp(2 * LINE), uintp(y.shape[1]))
        for r in range(r0, r1):
            for c in range(c0, c1):
                y[r, c] = 0.0
            gather(start[r], start[r + uintp(1)], index, weight, y, r, c0, c1)


def collect(i0, i1, first, row, g, weight, line):
    """W += x^T g for rows [i0, i1) of W: add the rows of ``g`` in which x has an event.

    Line by line of columns, so that what is read of ``g`` stays in a near cache; if it is read often, a copy of it,
    ``line`` [rows, 64], whose rows are close together. Without that ``line`` has no rows.
    """
    for c in range(uintp(0), uintp(weight.shape[1]), uintp(LINE)):
        for r in range(uintp(line.shape[0])):
            for j in range(uintp(LINE)):
                line[r, j] = g[r, c + j]
        for i in range(i0, i1):
            if first[i] < first[i + uintp(1)]:
                if line.shape[0]:
                    add_rows(weight, i, c, line, uintp(0), row, first[i], first[i + uintp(1)])
                else:
                    add_rows(weight, i, c, g, c, row, first[i], first[i + uintp(1)])


def columns(g, rows, total, c0, c1):
    """total += the sum of the first ``rows`` rows of g, for columns [c0, c1)."""
    for r in range(rows):
        for c in range(c0, c1):
            total[c] += g[r, c]
