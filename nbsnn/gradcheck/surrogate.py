"""A surrogate: its slope against differences of its smooth step."""

from __future__ import annotations

import math

import numpy as np

from ..surrogates import Surrogate
from .compare import REDRAWS, H, Row, as_float, compared, difference, floor_of, worst_of


def surrogate_rows(surrogate: Surrogate, trials: int, rng: np.random.Generator, tolerance: float) -> list[Row]:
    """The errors of a surrogate's ``slope`` near, around and far from the threshold."""
    rows: list[Row] = []
    for reach in (0.1, 3.0, 30.0):
        found = 0
        for _ in range(trials + REDRAWS):
            u = float(rng.uniform(-reach, reach))
            floor = floor_of(as_float("smooth", "result", surrogate.smooth(u)))
            numeric = difference(lambda e: surrogate.smooth(u + e), H, floor, tolerance)
            if math.isfinite(numeric):
                found += 1
                rows.append(
                    compared(f"u within {reach:g}", as_float("slope", "result", surrogate.slope(u)), numeric, floor)
                )
            if found == trials:
                break
        else:
            raise ValueError(f"smooth of {surrogate!r} is nowhere smooth between -{reach:g} and {reach:g}")
    return worst_of(rows)
