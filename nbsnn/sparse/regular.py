"""Rules without chance: everyone to everyone, and each to its counterpart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..random import Draws
from ..validate import switch
from .rows import Rows
from .rule import Coordinates, Rule, on_both_sides


@dataclass(frozen=True)
class AllToAll(Rule):
    """A synapse from every unit to every unit.

    Parameters
    ----------
    autapses : bool, default True
        Whether units that are on both sides are connected to themselves too.

    Examples
    --------
    >>> AllToAll(autapses=False).build(3, 3, same=True).to_scipy().toarray()
    array([[0., 1., 1.],
           [1., 0., 1.],
           [1., 1., 0.]])
    """

    autapses: bool = True
    exact, spatial = True, False

    def __post_init__(self) -> None:
        switch("autapses", self.autapses)

    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int:
        return n_pre * n_post - (0 if self.autapses else on_both_sides(n_pre, n_post, own))

    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows:
        n, own = hi - lo, own - lo  # targets are counted from the first of these
        post = np.empty(self._count(n_pre, n, own, coordinates), np.int32)
        start, barred = np.arange(n_pre + 1) * n, n_pre * n - len(post)
        if not barred:
            post.reshape(n_pre, n)[:] = np.arange(lo, hi, dtype=np.int32)
            return Rows(start, post, n_post)
        start -= np.clip(np.arange(n_pre + 1) - max(0, -own), 0, barred)
        for i in range(n_pre):
            row = post[start[i] : start[i + 1]]
            row[:] = np.arange(lo, lo + len(row), dtype=np.int32)
            if len(row) < n:
                row[i + own :] += 1  # what would be itself moves up
        return Rows(start, post, n_post)


@dataclass(frozen=True)
class OneToOne(Rule):
    """A synapse from each unit to the one in the same place of the other population, which has the same size.

    Examples
    --------
    >>> OneToOne().build(3, 3).post
    array([0, 1, 2], dtype=int32)
    """

    exact, spatial = True, False

    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int:
        if n_pre != n_post:
            raise ValueError(f"OneToOne connects populations of one size, not of {n_pre} and {n_post} units")
        return n_pre

    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows:
        self._count(n_pre, n_post, own, coordinates)
        return Rows(np.clip(np.arange(n_pre + 1), lo, hi) - lo, np.arange(lo, hi, dtype=np.int32), n_post)
