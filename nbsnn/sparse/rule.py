"""Connection rules: recipes for rows whose number of synapses is known before they are made."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from numpy.typing import ArrayLike

from ..random import Draws
from ..validate import count, finite, real, switch
from .rows import MOST, Rows

Stream = int | str | tuple[int | str, ...]

NOWHERE = -(1 << 40)
"""The place among the targets of sources that are none of them."""


Coordinates = ArrayLike | tuple[ArrayLike, ArrayLike] | None
"""Where units are: arrays [units, dimensions] for sources and targets, or one for both."""


class Rule(ABC):
    """Base of the connection rules: who is connected to whom.

    Rules hold no state: equal arguments give equal rows, on any number of threads.

    Examples
    --------
    >>> import nbsnn
    >>> rule = nbsnn.Sparse(indegree=3)
    >>> isinstance(rule, nbsnn.sparse.Rule), len(rule.build(10, 5))
    (True, 15)
    """

    exact = False  # whether ``count`` tells the number of synapses, and not a bound
    spatial = True  # whether it may ask for coordinates

    def build(
        self,
        n_pre: int,
        n_post: int,
        *,
        seed: int = 0,
        stream: Stream = (),
        same: bool = False,
        own: int | None = None,
        coordinates: Coordinates = None,
        targets: tuple[int, int] | None = None,
    ) -> Rows:
        """The synapses from ``n_pre`` to ``n_post`` units.

        Parameters
        ----------
        n_pre, n_post : int
            Units on either side.
        seed, stream : int, and int, str or tuple of these
            What the random numbers depend on; see ``nbsnn.random``.
        same : bool
            Whether source and target are one population, in which unit i would be connected to itself.
        own : int, optional
            Where units are on both sides, but sources and targets are not the same: source i is target i + own, if
            there is one.
        coordinates : tuple of arrays ([n_pre, D], [n_post, D]), or one array for both
            Where the units are, for rules that ask.
        targets : (int, int), optional
            Of the synapses only those onto the targets from one place up to another: the same as among all.

        Raises
        ------
        ValueError, TypeError
            If the rule does not fit these numbers of units.

        Notes
        -----
        Random numbers belong to the targets, so that some targets can be served alone: in the time and the memory that
        their synapses need, but for a fixed ``outdegree``, and a ``total`` without multapses, which are drawn whole.
        """
        n_pre, n_post = _sizes(n_pre, n_post, same)
        _check_places(coordinates)
        path = stream if isinstance(stream, tuple) else (stream,)
        lo, hi = (0, n_post) if targets is None else _range(targets, n_post)
        return self._build(n_pre, n_post, Draws(seed, *path), _own(same, own), coordinates, lo, hi)

    def count(
        self, n_pre: int, n_post: int, *, same: bool = False, own: int | None = None, coordinates: Coordinates = None
    ) -> int:
        """Number of synapses that ``build`` would make: exact, or six standard deviations above the expected number."""
        n_pre, n_post = _sizes(n_pre, n_post, same)
        _check_places(coordinates)
        return self._count(n_pre, n_post, _own(same, own), coordinates)

    @abstractmethod
    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows: ...

    @abstractmethod
    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int: ...


def _check_places(coordinates: Coordinates) -> None:
    """Raise unless coordinates are finite numbers, also where the rule does not ask for them."""
    pair = coordinates if isinstance(coordinates, tuple) and len(coordinates) == 2 else (coordinates,)
    for part in () if coordinates is None else pair:
        if not finite("coordinates", real("coordinates", part)).ndim:
            raise TypeError(f"coordinates must be an array [units, dimensions], or a pair of these, not {part!r}")


def _range(targets: tuple[int, int], n_post: int) -> tuple[int, int]:
    if not isinstance(targets, tuple) or len(targets) != 2:
        raise TypeError(f"targets must be two places, from and to, not {targets!r}")
    lo, hi = (count("targets", place, least=0, most=n_post) for place in targets)
    if lo > hi:
        raise ValueError(f"targets must go from a place up to another, not from {lo} to {hi}")
    return lo, hi


def on_both_sides(n_pre: int, n_post: int, own: int) -> int:
    """Number of sources that are targets too, source i being target i + own."""
    return max(0, min(n_pre, n_post - own) - max(0, -own))


def _own(same: bool, own: int | None) -> int:
    if own is not None:
        own = count("own", own, least=-MOST, most=MOST)
    return 0 if switch("same", same) else NOWHERE if own is None else own


def above(expected: float, variance: float) -> int:
    """Six standard deviations above an expected number of synapses."""
    return math.ceil(expected + 6.0 * math.sqrt(max(0.0, variance)))


def _sizes(n_pre: int, n_post: int, same: bool) -> tuple[int, int]:
    for name, n in (("n_pre", n_pre), ("n_post", n_post)):
        if count(name, n, least=0) > MOST:
            raise ValueError(f"{name} must be at most {MOST}, not {n}")
    if switch("same", same) and n_pre != n_post:
        raise ValueError(f"a population connected to itself has one size, not n_pre={n_pre} and n_post={n_post}")
    return int(n_pre), int(n_post)
