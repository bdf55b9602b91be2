"""What rules do that see membranes: variables of neurons in the place of traces, and weights that drift.

A side has a list of numbers for its variables: how many there are, then of each its line among the traces and its
number among the variables of the neuron. Their factors are what is left after a step, and by how many steps they are
late; values of so many steps lie in rings, one behind the other.
"""

import numpy as np

from ...scalar.hole import hole, optional
from ..network import tables as at
from ..network.arrays import Network
from .sparse import Synapses, known_at
from .synapse import clip, constants, limits_of, traces_post, traces_pre, weigh, widen


@hole
def drift(w: float, *traces_and_params: float) -> float:
    """Change of a weight per ms."""
    raise NotImplementedError


@optional
def active(*traces_and_params: float) -> bool:
    """True if weights onto a unit drift."""
    return True


def follow_variables(
    t: int, lo: int, hi: int, pop: int, list_: int, ring: int, carried: np.ndarray, used: np.ndarray,
    factors: np.ndarray, row: np.ndarray, network: Network,
) -> None:  # fmt: skip
    """Variables of the units [lo, hi) of a population after step t, as a rule sees them."""
    if list_ < 0:
        return
    P, S, traces, n = network.values.numbers, network.values.states, network.plastic.traces, carried.shape[1]
    first = t == network.plastic.tallies[row[at.BEGUN]]
    state, stride = network.tables.pops[pop, at.STATE], network.tables.pops[pop, at.STRIDE]
    for q in range(np.int64(P[list_])):
        k = np.int64(P[list_ + 1 + 2 * q])
        place = state + np.int64(P[list_ + 2 + 2 * q]) * stride
        left, rows = factors[k, 0], np.int64(factors[k, 1]) + 1
        now, then = ring + t % rows * n, ring + (t + 1) % rows * n
        for i in range(lo, hi):
            v = S[place + i]
            if first:
                carried[k, i] = v
                for back in range(rows):
                    traces[ring + back * n + i] = v
            u = v + (carried[k, i] - v) * left
            carried[k, i] = u
            traces[now + i] = u
            used[k, i] = traces[then + i]
        ring += rows * n


def drift_units(lo: int, hi: int, c: Synapses) -> None:
    """Let the weights onto the units [lo, hi) drift for a step, whose length comes behind the parameters."""
    p, limits, dt = constants(c.P, 0), limits_of(c.L), c.P[c.P.shape[0] - 1, 0]
    for j in range(lo, hi):
        y = traces_post(c.Y, 0, 0, j)
        if active(*y, *p):
            for k in range(c.start[j], c.start[j + 1]):
                x, o = traces_pre(c.X, 0, 0, known_at(c.source[k], c)), c.first + c.synapse[k]
                w: float = c.weights[o]  # type: ignore[assignment]
                d = widen(limits.scale * dt * drift(w, *x, *y, *p))
                c.weights[o] = clip(w + weigh(w, d, limits.low, limits.high, limits.mu), limits.low, limits.high)


def stay(lo: int, hi: int, c: Synapses) -> None:
    """Nothing drifts under other rules."""
