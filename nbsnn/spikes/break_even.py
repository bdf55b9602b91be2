"""Up to which activity sums of chosen rows beat BLAS.

The two ways round differently. So the choice depends on sizes and on the activity that is counted in each batch alone,
not on anything that is timed, nor on the number of threads: the same seed gives the same bits. ``path`` of a connection
overrides it.
"""

from __future__ import annotations

BREAK_EVEN = 0.3
"""Share of ones at which both take equally long. Measured for 1024 rows, 784 to 832 units, on one and two threads of
several processors: 0.2 to 0.5, for currents and for the gradient with respect to weights alike."""

SMALL = 0.5
"""The same for narrow products, and for those so small that it matters little, of spikes that are bits already."""

NARROW = 16
"""BLAS is no faster for so few columns."""

SMALLEST = 2**22
"""Products of fewer multiplications are dense: there is nothing to save."""

NARROWEST = 8
"""Products with fewer columns are dense: a row is too short to be worth finding."""


def worth_counting(rows: int, n_pre: int, n_post: int) -> bool:
    """True if a product is so large that looking for spikes may pay."""
    return n_post >= NARROWEST and rows * n_pre * n_post >= SMALLEST


def largest_rate(path: str, rows: int, n_pre: int, n_post: int) -> float:
    """Up to which share of ones a connection's product of spikes [rows, n_pre] is made of chosen rows.

    >>> largest_rate("auto", 1024, 784, 800), largest_rate("events", 1, 2, 3), largest_rate("dense", 1024, 784, 800)
    (0.3, 1.0, 0.0)
    """
    if path == "auto":
        return BREAK_EVEN if worth_counting(rows, n_pre, n_post) and n_post > NARROW else SMALL
    return 1.0 if path == "events" else 0.0
