"""Units sorted into the cells of a grid, so that whoever looks for near ones need not look at all."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ..kernels.synapses.distance import Cells
from .rows import Array, turn

FINENESS = 4  # cells along a reach: finer ones leave out more of the corners, but are emptier


def sort_into_cells(pre: Array, post: Array, reach: float, period: Array) -> Cells:
    """Cells for pairs of ``pre`` [n_pre, D] and ``post`` [n_post, D] within ``reach``; ``period`` [D] is 0 if open."""
    both = np.concatenate([pre, post])
    low = np.where(period > 0.0, 0.0, both.min(axis=0))
    length = np.where(period > 0.0, period, np.maximum(both.max(axis=0) - low, 1e-300))
    dimensions = len(period)
    most = max(1, math.ceil(len(post) ** (1.0 / dimensions)))  # no more cells than targets
    with np.errstate(over="ignore", divide="ignore"):
        cells = np.clip(np.floor(FINENESS * length / reach), 1, most).astype(np.int64)
    side = length / cells

    def cell_of(x: Array) -> Array:
        return np.clip(np.floor((x - low) / side), 0, cells - 1).astype(np.int64)

    home, own = cell_of(pre), cell_of(post)
    flat = np.asarray(np.ravel_multi_index(tuple(own.T), tuple(cells)), np.int32)
    first, order = turn(np.arange(len(post) + 1), flat, int(cells.prod()))
    return Cells(home, *_offsets(cells, side, reach, period), cells, period, first, order, post[order])


def _offsets(cells: Array, side: Array, reach: float, period: Array) -> tuple[Array, Array]:
    """Map from a cell to all that hold places within ``reach`` of it, each once; and how far away these are at
    least."""
    steps, gaps = [], []
    for n, width, around in zip(cells.tolist(), side.tolist(), (period > 0.0).tolist(), strict=True):
        far = n if reach >= n * width else math.ceil(reach / width)
        whole = range(n) if around and 2 * far + 1 >= n else range(-min(far, n - 1), min(far, n - 1) + 1)
        away = [min(abs(k), n - abs(k)) if around else abs(k) for k in whole]
        steps.append(whole)
        gaps.append([max(0, k - 1) * width for k in away])
    offsets = np.array(list(itertools.product(*steps)), np.int64)
    least = np.array([math.hypot(*gap) for gap in itertools.product(*gaps)]) * (1.0 - 1e-9)  # coordinates are rounded
    near = least <= reach
    return offsets[near], least[near]
