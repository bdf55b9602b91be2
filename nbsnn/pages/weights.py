"""Weights as pictures: of layers at several epochs, and of connections at several times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ..network.connection import Connection
from .budget import spread
from .content import Weights

Array = np.ndarray

CELLS = 20_000
"""The most fields of a picture; of a larger matrix each is the mean of neighbouring pairs."""

PICTURES = 12
"""The most pictures of one matrix."""


def matrices(snapshots: Sequence[tuple[str, Mapping[str, Array]]], said: list[str]) -> list[Weights]:
    """All weights of a network, [n_pre, n_post] and the kernels of convolutions, from (label, parameters) pairs."""
    found = []
    for name, first in snapshots[0][1].items() if snapshots else ():
        if first.ndim < 2 or not first.size or name.rpartition("/")[2] != "weight":
            continue
        places = spread(len(snapshots), PICTURES)
        layers = [np.asarray(snapshots[k][1][name]).reshape(-1, first.shape[-1]) for k in places]
        shape = layers[0].shape
        short = name.removesuffix("/weight")
        down, across = _blocks(shape)
        if down * across > 1:
            said.append(f"Weights of {short}: a field of the picture is the mean of {down} x {across} weights.")
        pictures = [_means(layer, down, across) for layer in layers]
        found.append(Weights(short, [snapshots[k][0] for k in places], pictures, shape, layers))
    return found


def over_time(connection: Connection, times: Array, values: Array, said: list[str]) -> Weights:
    """Recorded weights of a connection, [T, synapses]."""
    places = spread(len(values), PICTURES)
    if len(values) > len(places):
        said.append(f"Weights of {connection.name}: {len(places)} of {len(values):,} recorded times are drawn.")
    pre, post = connection.pairs.T
    shape = (connection.source.n, connection.target.n)
    down, across = _blocks(shape)
    if down * across > 1:
        said.append(f"Weights of {connection.name}: a field is the mean of the synapses of {down} x {across} pairs.")
    rows, columns = -(-shape[0] // down), -(-shape[1] // across)
    place = (pre // down).astype(np.int64) * columns + post // across
    number = np.bincount(place, minlength=rows * columns)
    pictures, kept = [], []
    for k in places:
        total = np.bincount(place, weights=np.asarray(values[k], np.float64), minlength=rows * columns)
        with np.errstate(invalid="ignore", divide="ignore"):
            pictures.append(rounded((total / number).reshape(rows, columns)))
        kept.append(np.asarray(values[k]))
    return Weights(connection.name, [f"{times[k]:g} ms" for k in places], pictures, shape, kept)


def rounded(x: Array) -> Array:
    """float32 of four digits, which take half the room in a file."""
    bits = np.array(x, np.float32).view(np.uint32)
    return ((bits + np.uint32(0x800)) & np.uint32(0xFFFFF000)).view(np.float32)


def _blocks(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many sources and targets share a field."""
    if math.prod(shape) <= CELLS:
        return 1, 1
    down = max(1, round(math.sqrt(math.prod(shape) / CELLS)))
    down = min(down, shape[0])
    across = 1
    while -(-shape[0] // down) * -(-shape[1] // across) > CELLS:
        if (across < down and across < shape[1]) or down == shape[0]:
            across += 1
        else:
            down += 1
    return down, across


def _means(matrix: Array, down: int, across: int) -> Array:
    """Means of blocks; those at the edges are smaller."""
    for axis, size in ((0, down), (1, across)):
        starts = np.arange(0, matrix.shape[axis], size)
        sums = np.add.reduceat(matrix.astype(np.float64), starts, axis=axis)
        sizes = np.diff(np.append(starts, matrix.shape[axis]))
        matrix = sums / (sizes[:, None] if axis == 0 else sizes)
    return rounded(matrix)
