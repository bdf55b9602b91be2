"""Connections that keep a factor per unit: weights as of now, and what follows when others write them.

Their units steer their mean weight, or have their weights normalised in every step. The loop stores weights without the
factor of their unit: see ``kernels.cpu.steered`` and ``kernels.cpu.balanced``. Reading works on a copy and changes
nothing, so results do not depend on who looks when.
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
    stored, lines, post = _stored(connection), _lines(connection), connection.targets_by_row
    weights = (lines[at.SCALE] * lines[at.STEP])[post] * stored
    if connection.bounded:  # a product may be a digit beyond
        np.clip(weights, lines[at.BOTTOM][post], lines[at.TOP][post], out=weights)
    weights = weights.astype(stored.dtype)
    weights.flags.writeable = False
    return weights


def bring(connection: Connection) -> None:
    """Store the weights as they are now."""
    if connection.factored:
        _stored(connection)[...] = now(connection)
        renew(connection, aims=False)


def renew(connection: Connection, *, aims: bool | None = None) -> None:
    """Take what is stored as the weights of now: after somebody has written them.

    ``aims``: let units aim at their present mean weight, as they do when a network starts; by default if it has not run
    since.
    """
    if not connection.factored:
        return
    lines, post, n = _lines(connection), connection.targets_by_row, connection.target.n
    lines[[at.SCALE, at.STEP]] = 1.0
    if connection.balanced:
        _measure(_stored(connection), lines, post, n)
        return
    lines[at.SUM] = np.bincount(post, _stored(connection), n)
    if connection.network.step == 0 if aims is None else aims:
        lines[at.AIM] = lines[at.SUM] / np.maximum(np.bincount(post, minlength=n), 1)


def _measure(weights: Array, lines: Array, post: Array, n: int) -> None:
    """What is known of the weights onto each unit whose weights are normalised in every step."""
    lines[[at.SUM, at.LARGEST]] = np.bincount(post, np.abs(weights), n)
    lines[at.TOP], lines[at.BOTTOM], lines[at.VISITED] = -np.inf, np.inf, 0.0
    np.maximum.at(lines[at.TOP], post, weights)
    np.minimum.at(lines[at.BOTTOM], post, weights)


def _stored(connection: Connection) -> Array:
    return connection.network.layout.weights[connection.place : connection.place + len(connection)]


def _lines(connection: Connection) -> Array:
    """What is kept of the units: [lines, n]."""
    layout = connection.network.layout
    learning = layout.learning
    first = learning.table[learning.connections.index(connection)][at.STEERED]
    count, n = at.BALANCED_LINES if connection.balanced else at.STEERED_LINES, connection.target.n
    return layout.aims[first : first + count * n].reshape(count, n)
