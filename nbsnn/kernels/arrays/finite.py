"""Checks of large arrays, one pass and no temporary array."""


def unfinite(lo, hi, x):
    """True if x[lo:hi] holds NaN or infinity: all other numbers minus themselves are 0."""
    found = False
    for i in range(lo, hi):
        found |= (x[i] - x[i]) != 0.0
    return found
