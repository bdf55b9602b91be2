"""Spikes inside a step: when the membrane reaches its peak, and what is left of the step then.

``left`` is what separates a unit from the end of the last step, in steps. Above 0 the unit is refractory for as long:
it is held for a part of the next step, and free for the rest of it. Below 0 it has been reset before the end of the
step, and its state is that at the reset: the next step is longer by as much. So a reset, and a refractory period,
begins when the peak is reached, and no part of a step is computed twice. Spikes are recorded at the end of their step.
"""

from __future__ import annotations

from ..validate import choice


def refractory_of(method: str, kind: str, methods: tuple[str, str] = ("splitting", "exponential_euler")) -> str:
    """How a refractory period counts: from inside a step on, with the first of the methods, or in whole steps."""
    return "span" if choice(f"method of {kind}", method, methods) == methods[0] else "steps"


def free_of(left, part):
    """How much of the next ``part`` of a step the membrane is free."""
    return 0.0 if left >= part else part - left


def held_of(left, part):
    """How much of it the membrane is held."""
    held = left if left < part else part
    return held if held > 0.0 else 0.0


def landed(v1, at, free, part, jump, s, left, v_peak, v_reset, refractory):
    """Whether there is a spike in a part of a step, the membrane at its end, and what is left then.

    The membrane would be at ``v1``, or reaches the peak at the share ``at`` of the time that it is free, which is above
    1 if it does not; ``jump`` is added at the end. After a first spike, ``s``, it waits at the peak for the next step.
    """
    u = v1 + jump
    early = at <= 1.0
    over = free > 0.0 and (early or u >= v_peak)
    fired = 1.0 if over and s < 0.5 else 0.0
    rest = left - part if left > part else 0.0
    since = (1.0 - at) * free if early else 0.0
    after = refractory - since
    u = v_peak if over else u
    u = u if free > 0.0 else v_reset
    reset = v_reset + (jump if early and after <= 0.0 else 0.0)
    return fired, reset if fired > 0.5 else u, after if fired > 0.5 else rest
