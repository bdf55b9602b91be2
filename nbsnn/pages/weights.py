"""Weights as pictures: of layers at several epochs, and of connections at several times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..network.connection import Connection
from .budget import spread
from .content import Weights

Array = np.ndarray

CELLS = 20_000
"""The most fields of a picture; of a larger matrix each is the mean of a square of neighbouring pairs."""

PICTURES = 12
"""The most pictures of one matrix."""


def matrices(snapshots: Sequence[tuple[str, Mapping[str, Array]]], said: list[str]) -> list[Weights]:
    """All weights of a network, [n_pre, n_post] and the kernels of convolutions, from (label, parameters) pairs."""
    found = []
    for name, first in snapshots[0][1].items() if snapshots else ():
        if first.ndim > 1 and first.size and name.rpartition("/")[2] == "weight":
            shape = (first.size // first.shape[-1], first.shape[-1])
            values = [(label, np.ravel(parameters[name])) for label, parameters in snapshots]
            pre, post = (axis.ravel() for axis in np.indices(shape))
            found.append(_pictures(name.removesuffix("/weight"), shape, pre, post, values, said))
    return found


def over_time(connection: Connection, times: Array, values: Array, said: list[str]) -> Weights:
    """Recorded weights of a connection, [T, synapses]."""
    shape, (pre, post) = (connection.source.n, connection.target.n), connection.pairs.T
    labelled = [(f"{t:g} ms", v) for t, v in zip(times, values, strict=True)]
    return _pictures(connection.name, shape, pre, post, labelled, said)


def _pictures(
    name: str, shape: tuple[int, int], pre: Array, post: Array, values: list[tuple[str, Array]], said: list[str]
) -> Weights:
    """Weights of these pairs at several times."""
    kept = [values[k] for k in spread(len(values), PICTURES)]
    if len(kept) < len(values):
        said.append(f"Weights of {name}: {len(kept)} of {len(values):,} times are drawn.")
    side = 1
    while (rows := -(-shape[0] // side)) * (columns := -(-shape[1] // side)) > CELLS:
        side += 1
    if side > 1:
        said.append(f"Weights of {name}: a field of the picture is the mean of {side} x {side} pairs.")
    place = (pre // side).astype(np.int64) * columns + post // side
    number = np.bincount(place, minlength=rows * columns)
    pictures = []
    for _, v in kept:
        with np.errstate(invalid="ignore"):
            mean = np.bincount(place, weights=v, minlength=rows * columns) / number
        pictures.append(rounded(mean.reshape(rows, columns)))
    return Weights(name, [label for label, _ in kept], pictures, shape, [v for _, v in kept])


def rounded(x: Array) -> Array:
    """float32 of four digits, which take half the room in a file."""
    bits = np.array(x, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x800)) & np.uint32(0xFFFFF000)).view(np.float32)
