"""Where what is given from outside for a step stands."""

from . import tables as at


def first_at(steps, a, z, t):
    """The first of the places [a, z) whose step is at least t, or z; steps ascend."""
    while a < z:
        middle = (a + z) // 2
        if steps[middle] < t:
            a = middle + 1
        else:
            z = middle
    return a


def row_at(table, k, t):
    """The row of line ``k`` of a table of courses at step t, or -1."""
    if t < table[k, at.BEGIN] or t >= table[k, at.END]:
        return -1
    row = (t - table[k, at.BEGIN]) // table[k, at.EVERY]
    return row if row < table[k, at.ROWS] else -1
