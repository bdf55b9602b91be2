"""Several synapses between each pair that another rule connects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..random import Draws
from ..validate import affordable, count
from .explicit import Explicit
from .rows import Rows
from .rule import Coordinates, Rule


@dataclass(frozen=True)
class Multiple(Rule):
    """Each synapse of another rule ``n`` times: multapses, which may have weights and delays of their own.

    Parameters
    ----------
    rule : AllToAll, OneToOne, Sparse or Distance
        Who is connected to whom. ``Explicit`` pairs are repeated in their lists: ``Explicit(np.repeat(pre, n),
        np.repeat(post, n))``, also with a number ``n`` of each.
    n : int
        Synapses in the place of one. They are neighbours in all arrays of a connection.

    Raises
    ------
    TypeError, ValueError
        If ``rule`` is none of these, or ``n`` is below 1.

    Examples
    --------
    >>> from nbsnn.sparse import OneToOne
    >>> rows = Multiple(OneToOne(), 2).build(3, 3)
    >>> rows.pre(), rows.post
    (array([0, 0, 1, 1, 2, 2], dtype=int32), array([0, 0, 1, 1, 2, 2], dtype=int32))
    """

    rule: Rule
    n: int

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule) or isinstance(self.rule, (Explicit, Multiple)):
            raise TypeError(
                "rule: Multiple repeats the synapses of AllToAll, OneToOne, Sparse or Distance (pairs of Explicit are "
                f"named several times), not those of {self.rule!r}"
            )
        count("n", self.n, least=1)

    @property
    def exact(self) -> bool:
        """True if the number of synapses is known before they are drawn."""
        return self.rule.exact

    @property
    def spatial(self) -> bool:
        """True if the rule may ask for coordinates."""
        return self.rule.spatial

    @property
    def autapses(self) -> bool:
        """Whether units may be connected to themselves."""
        return getattr(self.rule, "autapses", True)

    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int:
        return self.n * self.rule._count(n_pre, n_post, own, coordinates)

    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows:
        affordable(f"synapses of {self!r}", 4.0 * self._count(n_pre, n_post, own, coordinates))
        rows = self.rule._build(n_pre, n_post, draws, own, coordinates, lo, hi)
        return Rows(rows.start * self.n, np.repeat(rows.post, self.n), n_post)
