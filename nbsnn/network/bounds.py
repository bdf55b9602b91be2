"""Which synapses are whose: where those onto the units of each thread begin, in each row."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..kernels.network import tables as at
from ..kernels.synapses import connect
from .connection import Connection
from .layout import Layout

Array = np.ndarray


def bounds(layout: Layout, part: int, parts: int, threads: int, rows: Callable[[Connection], Array]) -> Array:
    """Bounds of the targets of ``threads`` parts from ``part`` on in each row of synapses.

    ``rows`` says of a connection which rows there are, if not those of all sources. The tables learn where they are.
    """
    pieces = [np.zeros(0, np.int64)]
    connections = layout.network.connections
    place, more = 0, len(connections)
    for wire, c in zip(layout.wires, connections, strict=False):
        n, start, many = c.target.n, c.start, len(c.lates)
        cuts = np.array([n * (part + j) // parts for j in range(threads + 1)], np.int64)
        cuts += wire[at.TARGET_ROW] if c.late is None else 0
        made = np.empty((len(start) - 1, threads + 1), np.int64)
        made[:, 0], made[:, -1] = c.first + start[:-1], c.first + start[1:]
        if threads > 1:
            _cut()(layout.index, cuts, layout.ring.shape[1] if c.late is None else 0, made)
        pieces += [made[:, :-1].reshape(-1), np.array([c.first + start[-1]]), rows(c)]
        extent = sum(map(len, pieces[-3:]))
        lines = [wire, *layout.wires[more : more + many - 1]]  # of its delays, which take turns in each row
        for k, line in enumerate(lines):
            line[[at.BOUNDS, at.EXTENT, at.BOUNDS_STRIDE]] = place + k * threads, extent, many * threads
        place, more = place + extent, more + many - 1
    return np.concatenate(pieces)


@functools.cache
def _cut() -> Callable[..., Any]:
    return kernel(connect.cut, dtype=np.float64, whole=True)
