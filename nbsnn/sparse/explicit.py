"""Connections from lists of pairs and from sparse matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..random import Draws
from ..validate import array_of, finite, real
from .rows import MOST, Array, Rows, turn
from .rule import Coordinates, Rule


class Explicit(Rule):
    """The synapses from ``pre[k]`` to ``post[k]``, in any order; a pair may come several times.

    The arrays are copied. Weights and delays given to ``Network.connect`` with such pairs are in their order too, and
    so are all arrays of the connection.

    Parameters
    ----------
    pre, post : int array [synapses]
        Both ends of each synapse.
    weight, delay : array [synapses], optional
        Values that go with the pairs, in the order of the pairs; the rows then hold them in the order of rows.

    Raises
    ------
    TypeError, ValueError
        If the arrays are not integers of one length, or a value is not one per pair; by ``build``, if a place is not
        one of a unit.

    Examples
    --------
    >>> rows = Explicit([2, 0, 0], [1, 1, 0], weight=[0.1, 0.2, 0.3]).build(3, 2)
    >>> rows.pre(), rows.post, rows.weight
    (array([0, 0, 2], dtype=int32), array([0, 1, 1], dtype=int32), array([0.3, 0.2, 0.1]))
    """

    exact, spatial = True, False
    shape: tuple[int, int] | None = None  # of the matrix that the pairs come from

    def __init__(
        self, pre: ArrayLike, post: ArrayLike, weight: ArrayLike | None = None, delay: ArrayLike | None = None
    ):
        self.pre, self.post = _places("pre", pre), _places("post", post)
        if len(self.pre) != len(self.post):
            raise ValueError(f"pre and post must have one length, not {len(self.pre)} and {len(self.post)}")
        self.weight, self.delay = self._values("weight", weight), self._values("delay", delay)

    def __repr__(self) -> str:
        return f"Explicit({len(self.pre)} synapses)"

    def _values(self, name: str, given: ArrayLike | None) -> Array | None:
        """A copy of what is given for each pair, read-only."""
        if given is None:
            return None
        array = np.array(array_of(name, given))
        if array.shape != self.pre.shape:
            raise ValueError(f"{name} must have shape [{len(self.pre)}], one per pair, not {list(array.shape)}")
        if array.size and array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must be numbers, not {array.dtype}")
        array.flags.writeable = False
        return finite(name, array)

    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int:
        if self.shape not in (None, (n_pre, n_post)):
            raise ValueError(f"a matrix of shape {list(self.shape)} does not connect {n_pre} units to {n_post}")
        for name, places, n in (("pre", self.pre, n_pre), ("post", self.post, n_post)):
            if len(places) and (places.min() < 0 or places.max() >= n):
                span = f"{places.min()} to {places.max()}"
                raise ValueError(f"{name} must be from 0 to {n - 1}, one of the {n} units, but spans {span}")
        return len(self.pre)

    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows:
        self._count(n_pre, n_post, own, coordinates)
        # Two counting sorts: by target, in the order of the pairs, then by source, in that of targets.
        entries = np.arange(len(self.pre) + 1)
        begin, pair = turn(entries, self.post.astype(np.int32), n_post)
        pair, begin = pair[begin[lo] : begin[hi]], begin[lo : hi + 1] - begin[lo]
        place = np.empty(len(pair), np.int64)
        start, post = turn(begin, self.pre.astype(np.int32)[pair], n_pre, place)
        post += np.int32(lo)
        order = pair[place]
        weight, delay = (None if values is None else values[order] for values in (self.weight, self.delay))
        sorted_already = hi - lo == n_post and bool((order[1:] > order[:-1]).all())
        return Rows(start, post, n_post, weight, delay, None if sorted_already else order.astype(np.int32))


def from_scipy(matrix: Any) -> Explicit:
    """The stored entries of a SciPy sparse matrix [n_pre, n_post] as synapses with weights.

    They are in the order of ``matrix.tocoo()``. Stored zeros are synapses of weight zero, repeated entries are
    multapses.

    Parameters
    ----------
    matrix : SciPy sparse matrix or array [n_pre, n_post]
        Of any format and of real numbers or bool; True is a weight of 1.

    Returns
    -------
    Explicit
        The rule, with weights.

    Raises
    ------
    TypeError, ValueError
        If it is no SciPy sparse matrix or array of two axes, or one of complex numbers or objects; by ``build``, if
        its shape is not that of the populations.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from_scipy(csr_array([[0.0, 0.5], [0.25, 0.0]])).build(2, 2).weight
    array([0.5 , 0.25])
    """
    from scipy.sparse import issparse

    if not issparse(matrix):
        raise TypeError(f"from_scipy takes a SciPy sparse matrix, not {type(matrix).__name__}")
    if len(matrix.shape) != 2:
        raise ValueError(f"from_scipy takes a matrix [n_pre, n_post], not one of shape {list(matrix.shape)}")
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"from_scipy takes a matrix of real numbers or bool, not of {matrix.dtype}")
    entries = matrix.tocoo()
    row, column = entries.coords if hasattr(entries, "coords") else (entries.row, entries.col)
    made = Explicit(row, column, weight=entries.data.astype(np.float64) if matrix.dtype == bool else entries.data)
    made.shape = matrix.shape
    return made


def _places(name: str, given: ArrayLike) -> Array:
    array = np.array(real(name, given))
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be a list of integers, not {array.dtype} of shape {list(array.shape)}")
    if len(array) > MOST:
        raise ValueError(f"{name} must have at most {MOST} entries, not {len(array)}")
    array.flags.writeable = False
    return array
