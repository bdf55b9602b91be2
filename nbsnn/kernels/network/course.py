"""Which row of what is given from outside belongs to a step."""

from . import tables as at


def row_at(table, k, t):
    """The row of line ``k`` of a table of courses at step t, or -1."""
    if t < table[k, at.BEGIN] or t >= table[k, at.END]:
        return -1
    row = (t - table[k, at.BEGIN]) // table[k, at.EVERY]
    return row if row < table[k, at.ROWS] else -1
