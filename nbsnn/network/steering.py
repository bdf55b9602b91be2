"""Connections whose units steer their mean weight: weights as of now, and what follows when others write them.

The loop stores weights without the factor of their unit: see ``kernels.cpu.steered``. Reading works on a copy and
changes nothing, so results do not depend on who looks when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..kernels.cpu import tables as at

if TYPE_CHECKING:
    from .connection import Connection

Array = np.ndarray


def now(connection: Connection) -> Array:
    """A copy of the weights at the end of the latest step, which cannot be written to."""
    stored, lines = _stored(connection), _lines(connection)
    weights = ((lines[at.SCALE] * lines[at.STEP])[connection.post] * stored).astype(stored.dtype)
    weights.flags.writeable = False
    return weights


def bring(connection: Connection) -> None:
    """Store the weights as they are now."""
    if connection.steered:
        _stored(connection)[...] = now(connection)
        renew(connection, aims=False)


def renew(connection: Connection, *, aims: bool | None = None) -> None:
    """Take what is stored as the weights of now: after somebody has written them.

    ``aims``: let units aim at their present mean weight, as they do when a network starts; by default if it has not run
    since.
    """
    if not connection.steered:
        return
    lines, post, n = _lines(connection), connection.post, connection.target.n
    lines[[at.SCALE, at.STEP]] = 1.0
    lines[at.SUM] = np.bincount(post, _stored(connection), n)
    if connection.network.step == 0 if aims is None else aims:
        lines[at.AIM] = lines[at.SUM] / np.maximum(np.bincount(post, minlength=n), 1)


def _stored(connection: Connection) -> Array:
    return connection.network.layout.weights[connection.place : connection.place + len(connection)]


def _lines(connection: Connection) -> Array:
    """What is kept of the units: [lines, n]."""
    layout = connection.network.layout
    learning = layout.learning
    first = learning.table[learning.connections.index(connection)][at.STEERED]
    n = connection.target.n
    return layout.aims[first : first + at.STEERED_LINES * n].reshape(at.STEERED_LINES, n)
