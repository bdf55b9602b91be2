"""Which membrane decides the spike: the one that this step has charged, or with ``delayed`` the one of the step before.

Delayed, an input acts one step later, and the last input of a run has no effect on its output.
"""

from ..scalar.hole import hole
from ..validate import switch


@hole
def seen(v, u):
    """What the spike sees of the membrane before the step, ``v``, and after its charge, ``u``."""
    return u


@hole
def seen_before(g):
    """The derivative by ``v``, given that by the result of ``seen``."""
    return 0.0


@hole
def seen_after(g):
    """The derivative by ``u``."""
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
