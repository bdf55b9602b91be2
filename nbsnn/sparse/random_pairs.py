"""Random connections: what is fixed is the probability, the in-degree, the out-degree or the total number.

    probability   each pair on its own, with probability p                                     never multapses
    indegree      each target draws its sources uniformly
    outdegree     each source draws its targets uniformly
    total         both ends of each synapse are drawn uniformly

The names, and with them the defaults, are those of NEST's ``pairwise_bernoulli``, ``fixed_indegree``,
``fixed_outdegree`` and ``fixed_total_number``. Probabilities are resolved to 2^-33.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..device.threads import run_threaded
from ..random import Draws
from ..validate import affordable, count, number, switch
from .rows import MOST, Array, Rows, compiled, turn
from .rule import NOWHERE, Coordinates, Rule, above, on_both_sides

KINDS = ("probability", "indegree", "outdegree", "total")


@dataclass(frozen=True)
class Sparse(Rule):
    """Random connections with exactly one of four quantities fixed.

    Parameters
    ----------
    probability : float
        Of a synapse between a pair.
    indegree, outdegree : int
        Synapses per target, per source.
    total : int
        Synapses altogether.
    autapses : bool, default True
        Whether a unit may be connected to itself, where it is on both sides.
    multapses : bool, optional
        Whether a pair may have several synapses: by default yes with ``indegree``, ``outdegree`` and ``total``, and
        never with ``probability``.

    Raises
    ------
    ValueError, TypeError
        If not exactly one is given, or a value is out of range; by ``build``, if there are too few pairs.

    Examples
    --------
    >>> rows = Sparse(indegree=2, multapses=False).build(100, 3, seed=1)
    >>> rows, rows.indegree()
    (Rows(100 -> 3, 6 synapses), array([2, 2, 2]))
    """

    probability: float | None = None
    indegree: int | None = None
    outdegree: int | None = None
    total: int | None = None
    autapses: bool = True
    multapses: bool | None = None
    spatial = False

    def __repr__(self) -> str:
        fixed = next(f"{kind}={getattr(self, kind)!r}" for kind in KINDS if getattr(self, kind) is not None)
        multapses = "" if self.multapses is None else f", multapses={self.multapses}"
        return f"Sparse({fixed}, autapses={self.autapses}{multapses})"

    def __post_init__(self) -> None:
        switch("autapses", self.autapses)
        if self.multapses is not None:
            switch("multapses", self.multapses)
        given = [name for name in KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"Sparse takes exactly one of {', '.join(KINDS)}, not {' and '.join(given) or 'none'}")
        if self.probability is not None:
            if not number("probability", self.probability, least=0.0) <= 1.0:
                raise ValueError(f"probability must be from 0 to 1, not {self.probability!r}")
            if self.multapses:
                raise ValueError("a fixed probability decides about each pair once: multapses must be False or None")
        else:
            count(given[0], getattr(self, given[0]), least=0)

    @property
    def exact(self) -> bool:
        """True if the number of synapses is known before they are drawn."""
        return self.probability is None

    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int:
        barred = 0 if self.autapses else on_both_sides(n_pre, n_post, own)
        pairs = n_pre * n_post - barred
        if self.probability is not None:
            return min(pairs, above(pairs * self.probability, pairs * self.probability * (1.0 - self.probability)))
        for degree, n, others in ((self.indegree, n_post, n_pre), (self.outdegree, n_pre, n_post)):
            if degree is not None:
                self._possible(degree, max(0, others - (barred > 0)), n)
                return n * degree
        total = self.total or 0
        self._possible(total, pairs, 1)
        return total

    def _possible(self, wanted: int, available: int, n: int) -> None:
        """``ValueError`` if units cannot have as many synapses as they should."""
        short = wanted > available if self.multapses is False else wanted > 0 and not available
        if n and short:
            raise ValueError(f"{self} asks for {wanted} synapses where there are only {available} pairs")

    def _build(self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates) -> Rows:
        total = self._count(n_pre, n_post, own, coordinates)
        own = NOWHERE if self.autapses else own
        affordable(f"{total} synapses of {self}", 8.0 * total)
        if total == 0 or not n_pre or not n_post:
            return Rows(np.zeros(n_pre + 1, np.int64), np.empty(0, np.int32), n_post)
        if self.probability is not None:
            return Rows(*bernoulli(n_pre, n_post, own, self.probability, draws), n_post)
        loop = "distinct" if self.multapses is False else "repeated"
        if self.indegree is not None:
            begin = np.arange(n_post + 1) * self.indegree
            return Rows(*turn(begin, _draw(loop, begin, n_pre, -own, draws), n_pre), n_post)
        if self.outdegree is not None:
            begin = np.arange(n_pre + 1) * self.outdegree
        elif self.multapses is False:
            return Rows(*_exactly(n_pre, n_post, own, total, draws), n_post)
        else:
            begin = np.zeros(n_pre + 1, np.int64)
            with np.errstate(over="ignore"):
                key = np.uint64(draws.fold("source").key)
                compiled("tally_draws")(total, n_pre, n_post, own, key, begin[1:])
            np.cumsum(begin, out=begin)
        begin, index = turn(begin, _draw(loop, begin, n_post, own, draws), n_post)
        return Rows(*turn(begin, index, n_pre), n_post)


def _draw(loop: str, begin: Array, n: int, own: int, draws: Draws) -> Array:
    """Each unit's choices among n others: int32 [synapses]."""
    out, key = np.empty(begin[-1], np.int32), np.uint64(draws.key)
    kernel = compiled(loop)
    with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap
        run_threaded(lambda lo, hi: kernel(lo, hi, n, own, key, begin, out), len(begin) - 1, len(out))
    return out


def bernoulli(n_pre: int, n_post: int, own: int, probability: float, draws: Draws) -> tuple[Array, Array]:
    """Rows in which each pair is connected with ``probability``: counted first, then drawn again into place."""
    scale = 1.0 / math.log1p(-probability) if 0.0 < probability < 1.0 else -math.inf if probability == 0.0 else -0.0
    start, degree = np.zeros(n_pre + 1, np.int64), np.zeros(n_pre, np.int64)
    visit, key, work = compiled("bernoulli"), np.uint64(draws.key), int(n_pre * (1 + n_post * probability))

    def run(out: Array) -> None:
        with np.errstate(over="ignore"):
            run_threaded(lambda lo, hi: visit(lo, hi, n_post, own, scale, key, start, degree, out), n_pre, work)

    run(np.empty(0, np.int32))
    np.cumsum(degree, out=start[1:])
    post = np.empty(start[-1], np.int32)
    run(post)
    return start, post


def _exactly(n_pre: int, n_post: int, own: int, total: int, draws: Draws) -> tuple[Array, Array]:
    """Rows of ``total`` distinct pairs, all such sets equally likely.

    Pairs are drawn independently with a probability that gives slightly too many, and again if they are too few; then
    as many as are left over are taken out, at random. Given their number, all sets of pairs are equally likely, and
    so they stay.
    """
    pairs = n_pre * n_post - on_both_sides(n_pre, n_post, own)
    probability = min(1.0, (total + 6.0 * math.sqrt(total) + 10.0) / pairs)
    start, post, attempt = np.zeros(n_pre + 1, np.int64), np.empty(0, np.int32), 0
    while len(post) < total:
        start, post = bernoulli(n_pre, n_post, own, probability, draws.fold("pairs", attempt))
        attempt += 1
    surplus = len(post) - total
    if len(post) <= MOST:
        drop = np.empty(surplus, np.int32)
        with np.errstate(over="ignore"):
            key = np.uint64(draws.fold("drop").key)
            compiled("distinct")(0, 1, len(post), NOWHERE, key, np.array([0, surplus]), drop)
    else:
        drop = np.flatnonzero(draws.fold("drop").uniform(len(post)) < surplus / len(post))[:surplus]
    drop = np.sort(drop)
    start -= np.searchsorted(drop, start)
    return start, np.delete(post, drop)
