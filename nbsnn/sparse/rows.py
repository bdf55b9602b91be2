"""Synapses sorted by the unit they come from: what a spike has to visit lies in one piece of memory.

The synapses of presynaptic unit ``i`` are ``start[i] ... start[i + 1] - 1``; each has a target, and in arrays of their
own weights, delays and whatever else synapses have. This order is the order of synapses everywhere.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..compile.fill import kernel
from ..device.threads import run_threaded, threads, windows
from ..kernels.synapses import connect
from ..validate import count, finite, real

Array = np.ndarray

MOST = 2**31 - 1
"""The largest number of units on a side: places of units are int32."""

FEW = 2**14
"""So many entries NumPy sorts in less time than it takes to load a kernel."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Synapses by presynaptic unit, within it by target; repeated synapses (multapses) are neighbours.

    Parameters
    ----------
    start : int64 array [n_pre + 1]
        Where each presynaptic unit's synapses begin.
    post : int32 array [synapses]
        Target of each synapse.
    n_post : int
        Number of postsynaptic units.
    weight, delay : array [synapses], optional
        Where the rule that made the rows came with values for them.
    pair : int32 array [synapses], optional
        Of rows made of a list of pairs that was in another order: which of the pairs each synapse is.

    Raises
    ------
    TypeError, ValueError
        If types, lengths or ``start`` are not as said; ``check`` looks at every synapse as well.

    Examples
    --------
    >>> rows = Rows(np.array([0, 2, 3]), np.array([0, 2, 1], np.int32), 3)
    >>> rows
    Rows(2 -> 3, 3 synapses)
    >>> rows.pre()
    array([0, 0, 1], dtype=int32)
    """

    start: Array
    post: Array
    n_post: int
    weight: Array | None = None
    delay: Array | None = None
    pair: Array | None = None

    def __post_init__(self) -> None:
        count("n_post", self.n_post, least=0)
        for name, array, dtype in (("start", self.start, np.int64), ("post", self.post, np.int32)):
            if not isinstance(array, Array) or array.dtype != dtype or array.ndim != 1:
                given = f"{array.dtype} {list(array.shape)}" if isinstance(array, Array) else type(array).__name__
                raise TypeError(f"{name} must be a list of {np.dtype(dtype)}, not {given}")
        start = self.start
        if not len(start) or start[0] != 0 or start[-1] != len(self.post) or (start[1:] < start[:-1]).any():
            raise ValueError(f"start must ascend from 0 to the number of synapses, {len(self.post)}")
        for name in ("weight", "delay", "pair"):
            array = getattr(self, name)
            if array is not None and real(name, array).shape != (len(self.post),):
                raise ValueError(f"{name} must have shape [{len(self.post)}], one per synapse, not {np.shape(array)}")

    def __repr__(self) -> str:
        return f"Rows({self.n_pre} -> {self.n_post}, {len(self)} synapses)"

    def __len__(self) -> int:
        return len(self.post)

    @property
    def n_pre(self) -> int:
        """Number of presynaptic units."""
        return len(self.start) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        arrays = self.start, self.post, self.weight, self.delay, self.pair
        return sum(array.nbytes for array in arrays if array is not None)

    def pre(self) -> Array:
        """The unit that each synapse comes from: int32 [synapses]."""
        return np.repeat(np.arange(self.n_pre, dtype=np.int32), np.diff(self.start))

    def outdegree(self) -> Array:
        """Synapses per presynaptic unit: int64 [n_pre]."""
        return np.diff(self.start)

    def indegree(self) -> Array:
        """Synapses per postsynaptic unit: int64 [n_post]."""
        return _tallies(self.start, self.post, self.n_post).sum(axis=0)

    def check(self) -> Rows:
        """These rows, once every synapse was looked at: ``ValueError`` if one is out of range or out of order."""
        if len(self) and not (self.post.min() >= 0 and self.post.max() < self.n_post):
            low, high = self.post.min(), self.post.max()
            raise ValueError(f"targets must be from 0 to {self.n_post - 1}, but span {low} to {high}")
        falls = np.flatnonzero(self.post[1:] < self.post[:-1]) + 1
        inside = falls[self.start[np.searchsorted(self.start, falls)] != falls]
        if len(inside):
            raise ValueError(f"targets must ascend within a row, but that of synapse {inside[0]} does not")
        return self

    def transposed(self) -> tuple[Array, Array, Array]:
        """Transpose: the synapses sorted by target.

        Returns
        -------
        start : int64 array [n_post + 1]
            Where each postsynaptic unit's synapses begin.
        pre : int32 array [synapses]
            The unit that each comes from, ascending within a target.
        synapse : int32 array [synapses] (int64 from 2^31 synapses)
            Its place in the rows.

        >>> rows = Rows(np.array([0, 2, 3]), np.array([0, 1, 0], np.int32), 2)
        >>> rows.transposed()
        (array([0, 2, 3]), array([0, 1, 0], dtype=int32), array([0, 2, 1], dtype=int32))
        """
        place = np.empty(len(self), np.int32 if len(self) <= MOST else np.int64)
        start, pre = turn(self.start, self.post, self.n_post, place)
        return start, pre, place

    def numbers(self) -> Array:
        """Which of its target's synapses each synapse is, by ascending source: uint32 [synapses], from 0.

        >>> Rows(np.array([0, 2, 3]), np.array([0, 1, 0], np.int32), 2).numbers()
        array([0, 0, 1], dtype=uint32)
        """
        found = np.empty(len(self), np.uint32)
        compiled("number")(self.post, np.zeros(self.n_post, np.uint32), found)
        return found

    def to_scipy(self, weight: ArrayLike | None = None) -> Any:
        """A ``scipy.sparse.csr_array`` [n_pre, n_post]; multapses stay entries of their own until SciPy adds them.

        Parameters
        ----------
        weight : number or array [synapses], optional
            Its values: the rows' own weights by default, or 1.

        >>> Rows(np.array([0, 2, 3]), np.array([0, 2, 1], np.int32), 3).to_scipy(0.5).toarray()
        array([[0.5, 0. , 0.5],
               [0. , 0.5, 0. ]])
        """
        from scipy.sparse import csr_array

        if weight is None:
            weight = 1.0 if self.weight is None else self.weight
        if finite("weight", real("weight", weight)).shape not in ((), (len(self),)):
            raise ValueError(f"weight must be a number or have shape [{len(self)}], not {list(np.shape(weight))}")
        values = np.array(np.broadcast_to(np.asarray(weight), (len(self),)))
        return csr_array((values, self.post.copy(), self.start.copy()), shape=(self.n_pre, self.n_post))


def turn(begin: Array, index: Array, n: int, place: Array | None = None) -> tuple[Array, Array]:
    """Lists by unit turned into lists by entry, in linear time: ``start`` int64 [n + 1] and ``unit`` int32 [entries].

    The units of each entry come out ascending, so turning twice sorts lists. ``place`` is filled with where in
    ``index`` each item was. The work is shared among threads by units; each writes where its predecessors end.
    """
    if len(index) <= FEW:
        order = np.argsort(index, kind="stable")
        if place is not None and len(place):
            place[...] = order
        unit = np.repeat(np.arange(len(begin) - 1, dtype=np.int32), np.diff(begin))
        return np.append(0, np.cumsum(np.bincount(index, minlength=n))), unit[order]
    tallies = _tallies(begin, index, n)
    start = np.zeros(n + 1, np.int64)
    np.cumsum(tallies.sum(axis=0), out=start[1:])
    cursor = start[:-1]
    for k, own in enumerate(tallies.copy()):
        tallies[k] = cursor
        cursor = cursor + own
    out = np.empty(len(index), np.int32)
    place = np.empty(0, np.int32) if place is None else place
    sort, parts = compiled("turn"), windows(len(begin) - 1, len(tallies))

    def work(lo: int, hi: int) -> None:
        for k in range(lo, hi):
            sort(*parts[k], begin, index, tallies[k], out, place)

    run_threaded(work, len(parts), len(index))
    return start, out


def _tallies(begin: Array, index: Array, n: int) -> Array:
    """Number of entries equal to each of ``range(n)`` in every thread's share of the units: int64 [shares, n]."""
    parts = windows(len(begin) - 1, threads())
    tallies = np.zeros((max(1, len(parts)), n), np.int64)
    count, none = compiled("turn"), np.empty(0, np.int32)

    def work(lo: int, hi: int) -> None:
        for k in range(lo, hi):
            count(*parts[k], begin, index, tallies[k], none, none)

    run_threaded(work, len(parts), len(index))
    return tallies


@functools.cache
def compiled(name: str) -> Callable:
    """A loop of ``kernels.synapses.connect``, compiled."""
    return kernel(getattr(connect, name), dtype=np.float64, whole=True)
