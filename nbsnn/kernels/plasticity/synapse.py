"""One synapse under a plasticity rule: what the rule supplies, and what it adds to a weight.

The holes are filled from a rule (``Rule.filling``). Loops over synapses, dense and sparse, on CPU and GPU, call
``increment``; for a batch they add up ``change`` over the samples and call ``weighed``.
"""

from typing import NamedTuple

import numpy as np

from ...random import counter, lasting, squares32
from ...scalar.hole import hole

COINCIDENCE = 1  # whether a synapse changes in a step in which both its units spike
SIGN = 1.0  # -1.0 turns every change round


class Numbers(NamedTuple):
    """Parameters of a rule [params, 1], and its limits [4]; see ``Limits``."""

    params: np.ndarray
    limits: np.ndarray


class Limits(NamedTuple):
    """Bounds of a weight, the exponent with which they act on increments, and a factor of all increments."""

    low: float
    high: float
    mu: float
    scale: float


@hole
def advance(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Trace as the rule sees it in a step with the spike ``s``, and as it is carried on."""
    raise NotImplementedError


@hole
def change(w: float, pre: float, post: float, *traces_and_params: float) -> tuple[float, float]:
    """Increments of a rule at a postsynaptic and at a presynaptic spike."""
    raise NotImplementedError


@hole
def weigh(w: float, d: float, w_min: float, w_max: float, mu: float) -> float:
    """Increment ``d`` as the bounds let it act."""
    raise NotImplementedError


@hole
def clip(w: float, w_min, w_max) -> float:
    """The weight after its change."""
    raise NotImplementedError


@hole
def widen(x: float) -> float:
    """An increment in the precision in which it is added: that of the kernel, unless filled with ``float64``."""
    return x


@hole
def traces_pre(array: np.ndarray, t: int, b: int, n) -> tuple[float, ...]:
    """Presynaptic traces of unit ``n``."""
    raise NotImplementedError


@hole
def traces_post(array: np.ndarray, t: int, b: int, n) -> tuple[float, ...]:
    """Postsynaptic traces of unit ``n``."""
    raise NotImplementedError


@hole
def constants(array: np.ndarray, k: int) -> tuple[float, ...]:
    """Parameters of the rule."""
    raise NotImplementedError


def limits_of(L: np.ndarray) -> Limits:
    """The limits of a rule, as its array [4] holds them, with the sign of its changes."""
    return Limits(L[0], L[1], L[2], SIGN * L[3])


def weighed(w: float, on_post: float, on_pre: float, limits: Limits) -> float:
    """Change of a weight for a rule's increments at post- and presynaptic spikes."""
    low, high, mu, scale = limits
    return weigh(w, widen(scale * on_post), low, high, mu) + weigh(w, widen(scale * on_pre), low, high, mu)


def increment(w: float, pre, post, x: tuple, y: tuple, p: tuple, limits: Limits) -> float:
    """Change of a weight in a step with the spikes ``pre`` and ``post`` and the traces ``x`` and ``y``."""
    r = change(w, pre, post, *x, *y, *p)
    return weighed(w, r[0], r[1], limits)


# The integer rule, whose equations are in ``plasticity.integer``.


class IntegerRule(NamedTuple):
    """Numbers of the integer rule, as ``plasticity.PostPreInt`` names them."""

    shift: int
    nu_pre: int
    nu_post: int
    w_min: int
    w_max: int
    trace_decay: int
    shift_trace: int
    top: int
    max_threshold: int


def integer_rule(P: np.ndarray) -> IntegerRule:
    """The rule whose numbers an array holds."""
    return IntegerRule(P[0], P[1], P[2], P[3], P[4], P[5], P[6], P[7], P[8])


@hole
def decayed(a, s, rule: IntegerRule) -> int:
    """A trace after a step with the spike ``s``."""
    raise NotImplementedError


@hole
def synapse(w, pre, post, a, c, r_pre: int, r_post: int, halve: int, rule: IntegerRule) -> int:
    """A weight after a step with the traces ``a`` and ``c`` of its units and a random integer for each spike."""
    raise NotImplementedError


def top_bits(shift: int, key: np.uint64, step: int, unit: int) -> int:
    """The top ``shift`` bits of the counter generator's number at (step, unit)."""
    bits = squares32(counter(np.uint64(step), np.uint64(unit)), lasting(key, np.uint64(step)))
    return np.int64(bits >> np.uint64(32 - shift))  # type: ignore[return-value]
