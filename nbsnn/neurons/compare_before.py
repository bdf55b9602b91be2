"""Membrane that decides the spike: after this step's charge, or with ``delayed`` after the step before.

Delayed, an input acts one step later, and the last input of a run has no effect on its output.
"""

from ..scalar.hole import hole
from ..validate import switch


@hole
def seen(v, u):
    """Membrane that decides the spike, of that before the step, ``v``, and after its charge, ``u``."""
    return u


@hole
def seen_before(g):
    """Gradient with respect to ``v``, from that with respect to the result of ``seen``."""
    return 0.0


@hole
def seen_after(g):
    """Gradient with respect to ``u``."""
    return g


def before(v, u):
    return v


def after(v, u):
    return u


def all_of(g):
    return g


def nothing(g):
    return 0.0


def delayed_holes(delayed):
    """The filling of this file's holes."""
    if switch("delayed", delayed):
        return {"seen": before, "seen_before": all_of, "seen_after": nothing}
    return {"seen": after, "seen_before": nothing, "seen_after": all_of}
