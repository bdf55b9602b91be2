"""Rules without chance: everyone to everyone, and each to its counterpart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..random import Draws
from .rows import Rows
from .rule import Rule


@dataclass(frozen=True)
class AllToAll(Rule):
    """A synapse from every unit to every unit.

    Parameters
    ----------
    autapses : bool, default True
        Whether units of one population are connected to themselves too.

    >>> AllToAll(autapses=False).build(3, 3, same=True).to_scipy().toarray()
    array([[0., 1., 1.],
           [1., 0., 1.],
           [1., 1., 0.]])
    """

    autapses: bool = True

    def _count(self, n_pre: int, n_post: int, same: bool, coordinates: Any) -> int:
        return n_pre * (n_post - (same and not self.autapses)) if n_post else 0

    def _build(self, n_pre: int, n_post: int, draws: Draws, same: bool, coordinates: Any) -> Rows:
        total = self._count(n_pre, n_post, same, coordinates)
        post = np.empty(total, np.int32)
        if total:
            rows = post.reshape(n_pre, -1)
            rows[:] = np.arange(rows.shape[1], dtype=np.int32)
            if rows.shape[1] < n_post:
                rows += rows >= np.arange(n_pre, dtype=np.int32)[:, None]  # what would be itself moves up
        return Rows(np.arange(n_pre + 1) * (total // max(1, n_pre)), post, n_post)


@dataclass(frozen=True)
class OneToOne(Rule):
    """A synapse from each unit to the one in the same place of the other population, which has the same size.

    >>> OneToOne().build(3, 3).post
    array([0, 1, 2], dtype=int32)
    """

    def _count(self, n_pre: int, n_post: int, same: bool, coordinates: Any) -> int:
        if n_pre != n_post:
            raise ValueError(f"OneToOne connects populations of one size, not of {n_pre} and {n_post} units")
        return n_pre

    def _build(self, n_pre: int, n_post: int, draws: Draws, same: bool, coordinates: Any) -> Rows:
        self._count(n_pre, n_post, same, coordinates)
        return Rows(np.arange(n_pre + 1), np.arange(n_pre, dtype=np.int32), n_post)
