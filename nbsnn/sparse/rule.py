"""What a connection rule is: a recipe for rows, of which the number of synapses can be told before they are made."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

from ..random import Draws
from ..validate import count
from .rows import MOST, Rows

Stream = int | str | tuple[int | str, ...]


class Rule(ABC):
    """Who is connected to whom. Rules hold no state: equal arguments give equal rows, on any number of threads."""

    def build(
        self,
        n_pre: int,
        n_post: int,
        *,
        seed: int = 0,
        stream: Stream = (),
        same: bool = False,
        coordinates: Any = None,
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
        coordinates : tuple of arrays ([n_pre, D], [n_post, D]), or one array for both
            Where the units are, for rules that ask.

        Raises
        ------
        ValueError, TypeError
            If the rule does not fit these numbers of units.
        """
        n_pre, n_post = _sizes(n_pre, n_post, same)
        path = stream if isinstance(stream, tuple) else (stream,)
        return self._build(n_pre, n_post, Draws(seed, *path), bool(same), coordinates)

    def count(self, n_pre: int, n_post: int, *, same: bool = False, coordinates: Any = None) -> int:
        """How many synapses ``build`` would make: exact, or six standard deviations above the expected number."""
        n_pre, n_post = _sizes(n_pre, n_post, same)
        return self._count(n_pre, n_post, bool(same), coordinates)

    @abstractmethod
    def _build(self, n_pre: int, n_post: int, draws: Draws, same: bool, coordinates: Any) -> Rows: ...

    @abstractmethod
    def _count(self, n_pre: int, n_post: int, same: bool, coordinates: Any) -> int: ...


def above(expected: float, variance: float) -> int:
    """Six standard deviations above an expected number of synapses."""
    return math.ceil(expected + 6.0 * math.sqrt(max(0.0, variance)))


def _sizes(n_pre: int, n_post: int, same: bool) -> tuple[int, int]:
    for name, n in (("n_pre", n_pre), ("n_post", n_post)):
        if count(name, n, least=0) > MOST:
            raise ValueError(f"{name} must be at most {MOST}, not {n}")
    if same and n_pre != n_post:
        raise ValueError(f"a population connected to itself has one size, not n_pre={n_pre} and n_post={n_post}")
    return int(n_pre), int(n_post)
