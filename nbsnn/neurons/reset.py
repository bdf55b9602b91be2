"""Spike and reset: what all integrate-and-fire neurons do once their membrane is charged to ``u``.

    s = spike(u - v_threshold)
    soft reset   v = u - s v_threshold
    hard reset   v = (1 - s) u + s v_reset
    no reset     v = u

``detach_reset`` keeps the gradient from flowing from the reset back into the spike.
"""

from ..scalar.hole import hole
from ..surrogates import dspike, spike
from ..validate import choice, switch


@hole
def reset(u, s, v_threshold, v_reset):
    return u - s * v_threshold


@hole
def reset_vjp(u, s, v_threshold, v_reset, gv):
    return gv, -gv * v_threshold, -gv * s, 0.0


@hole
def through(s):
    """The spike as the reset sees it."""
    return s


@hole
def dthrough(g):
    """The reset's derivative with respect to the spike, as far as it is let through."""
    return g


def fire(u, v_threshold, v_reset):
    s = spike(u - v_threshold)
    return s, reset(u, through(s), v_threshold, v_reset)


def fire_vjp(u, v_threshold, v_reset, gs, gv):
    s = spike(u - v_threshold)
    gu, g_spike, g_threshold, g_reset = reset_vjp(u, s, v_threshold, v_reset, gv)
    gd = (gs + dthrough(g_spike)) * dspike(u - v_threshold)
    return gu + gd, g_threshold - gd, g_reset


def soft(u, s, v_threshold, v_reset):
    return u - s * v_threshold


def soft_vjp(u, s, v_threshold, v_reset, gv):
    return gv, -gv * v_threshold, -gv * s, 0.0


def hard(u, s, v_threshold, v_reset):
    return (1.0 - s) * u + s * v_reset


def hard_vjp(u, s, v_threshold, v_reset, gv):
    return gv * (1.0 - s), gv * (v_reset - u), 0.0, gv * s


def none(u, s, v_threshold, v_reset):
    return u


def none_vjp(u, s, v_threshold, v_reset, gv):
    return gv, 0.0, 0.0, 0.0


def attached(g):
    return g


def detached(g):
    return 0.0


RESETS = {"soft": (soft, soft_vjp), "hard": (hard, hard_vjp), "none": (none, none_vjp)}


def reset_holes(v_reset, kind, detach_reset):
    """The reset value and the filling of this file's holes; a ``kind`` of None follows from ``v_reset``."""
    if kind is None:
        kind = "soft" if v_reset is None else "hard"
    choice("reset", kind, (*RESETS, None))
    if kind == "hard" and v_reset is None:
        raise ValueError("a hard reset needs a value: v_reset=0.0, say")
    forward, reverse = RESETS[kind]
    holes = {"reset": forward, "reset_vjp": reverse, **through_hole(detach_reset)}
    return 0.0 if v_reset is None else v_reset, holes


def through_hole(detach_reset):
    """Filling of ``dthrough``."""
    return {"dthrough": detached if switch("detach_reset", detach_reset) else attached}


def first_of(first):
    """``Neuron.first`` for the option ``first``: a value as it is; "spike" compares initial membrane and threshold."""
    if isinstance(first, str):
        if first != "spike":
            raise ValueError(f'first must be "spike" or a value, not {first!r}')
        return ("v", "v_threshold")
    return first
