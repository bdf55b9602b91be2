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
from ..kernels.synapses import connect
from ..random import Draws
from ..validate import affordable, count, number, switch
from .rows import MOST, Array, Rows, compiled, turn
from .rule import NOWHERE, Coordinates, Rule, above, on_both_sides

FEW = 1 << 11  # draws that take less time in plain Python than a kernel takes to be compiled, or loaded
PIECE = 1 << 22  # choices of sources that are drawn together where not all are kept
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
        never with ``probability``, whose synapses ``Multiple`` repeats.

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
                raise ValueError(
                    "a fixed probability decides about each pair once: multapses must be False or None; "
                    "nbsnn.Multiple(Sparse(probability=0.1), 3) gives each of these pairs three synapses"
                )
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

    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows:
        total = self._count(n_pre, n_post, own, coordinates)
        own = NOWHERE if self.autapses else own
        affordable(f"{total} synapses of {self}", 8.0 * total * (hi - lo) / max(n_post, 1))
        if total == 0 or not n_pre or lo == hi:
            return Rows(np.zeros(n_pre + 1, np.int64), np.empty(0, np.int32), n_post)
        if self.outdegree is not None:
            return _onto(lo, hi, n_pre, n_post, own, self.outdegree, self._loop, draws)
        if self.probability is not None:
            begin, pre = bernoulli(n_pre, lo, hi, -own, self.probability, draws)
        elif self.total is not None and self.multapses is False:
            begin, pre = _exactly(n_pre, n_post, own, total, draws, lo, hi)
        else:
            begin = np.arange(hi - lo + 1) * (self.indegree or 0)
            if self.total is not None:
                with np.errstate(over="ignore"):
                    key = np.uint64(draws.fold("target").key)
                    compiled("deal")(total, n_post, lo, hi, n_pre, -own, key, begin[1:])
                np.cumsum(begin, out=begin)
            pre = _draw(self._loop, begin, lo, n_pre, -own, draws)
        start, post = turn(begin, pre, n_pre)
        post += np.int32(lo)
        return Rows(start, post, n_post)

    @property
    def _loop(self) -> str:
        return "distinct" if self.multapses is False else "repeated"


def _draw(loop: str, begin: Array, first: int, n: int, own: int, draws: Draws) -> Array:
    """The choices among n others of each unit from ``first`` on: int32 [synapses]."""
    out, key = np.empty(begin[-1], np.int32), np.uint64(draws.key)
    kernel = compiled(loop)
    with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap
        run_threaded(lambda i, j: kernel(i, j, first, n, own, key, begin, out), len(begin) - 1, len(out))
    return out


def _onto(lo: int, hi: int, n_pre: int, n_post: int, own: int, degree: int, loop: str, draws: Draws) -> Rows:
    """Rows in which each source draws ``degree`` targets, of which those from ``lo`` to ``hi`` are kept."""
    counts, kept = np.empty(n_pre, np.int64), []
    step = n_pre if hi - lo == n_post else max(1, PIECE // degree)
    for first in range(0, n_pre, step):
        begin = np.arange(min(step, n_pre - first) + 1) * degree
        post = _draw(loop, begin, first, n_post, own, draws)
        mine = (post >= lo) & (post < hi)
        counts[first : first + step] = mine.reshape(-1, degree).sum(axis=1)
        kept.append(post if step == n_pre else post[mine])
    begin, pre = turn(np.concatenate([[0], np.cumsum(counts)]), np.concatenate(kept) - np.int32(lo), hi - lo)
    start, post = turn(begin, pre, n_pre)
    return Rows(start, post + np.int32(lo), n_post)


def bernoulli(
    n_pre: int, lo: int, hi: int, own: int, probability: float, draws: Draws, degrees: Array | None = None
) -> tuple[Array, Array]:
    """Sources of the targets from ``lo`` to ``hi``, each pair being connected with ``probability``.

    Synapses are counted first, then drawn again into place; or only counted, into ``degrees``.
    """
    scale = 1.0 / math.log1p(-probability) if 0.0 < probability < 1.0 else -math.inf if probability == 0.0 else -0.0
    n, key = hi - lo, np.uint64(draws.key)
    work = int(n * (1 + n_pre * probability))
    begin, degree = np.zeros(n + 1, np.int64), np.zeros(n, np.int64) if degrees is None else degrees
    visit = connect.bernoulli if work <= FEW else compiled("bernoulli")

    def run(out: Array) -> None:
        with np.errstate(over="ignore"):
            run_threaded(lambda i, j: visit(i, j, lo, n_pre, own, scale, key, begin, degree, out), n, work)

    run(np.empty(0, np.int32))
    np.cumsum(degree, out=begin[1:])
    pre = np.empty(begin[-1] if degrees is None else 0, np.int32)
    if len(pre):
        run(pre)
    return begin, pre


def _exactly(n_pre: int, n_post: int, own: int, total: int, draws: Draws, lo: int, hi: int) -> tuple[Array, Array]:
    """Sources of the targets from ``lo`` to ``hi`` among ``total`` distinct pairs, all such sets equally likely.

    Pairs are drawn independently with a probability that gives slightly too many, and again if they are too few; then
    as many as are left over are taken out, at random. Given their number, all sets of pairs are equally likely, and
    so they stay.
    """
    pairs = n_pre * n_post - on_both_sides(n_pre, n_post, own)
    probability = min(1.0, (total + 6.0 * math.sqrt(total) + 10.0) / pairs)
    found, attempt, stream = np.zeros(1, np.int64), 0, draws
    while found[-1] < total:
        stream = draws.fold("pairs", attempt)
        found, _ = bernoulli(n_pre, 0, n_post, -own, probability, stream, np.zeros(n_post, np.int64))
        attempt += 1
    surplus = int(found[-1]) - total
    if found[-1] <= MOST:
        drop = np.empty(surplus, np.int32)
        with np.errstate(over="ignore"):
            key = np.uint64(draws.fold("drop").key)
            compiled("distinct")(0, 1, 0, found[-1], NOWHERE, key, np.array([0, surplus]), drop)
    else:
        drop = np.flatnonzero(draws.fold("drop").uniform(int(found[-1])) < surplus / found[-1])[:surplus]
    begin, pre = bernoulli(n_pre, lo, hi, -own, probability, stream)
    drop = np.sort(drop) - found[lo]
    drop = drop[(drop >= 0) & (drop < len(pre))]
    return begin - np.searchsorted(drop, begin), np.delete(pre, drop)
