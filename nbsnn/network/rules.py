"""Which plasticity rules and homeostasis sparse synapses support."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import numpy as np

from ..plasticity import Normalize, PostPreInt, Scaling
from ..plasticity.check import check_numbers
from ..plasticity.rule import Rule
from ..scalar.times import whole

BOUNDED = ("hard", "soft", "power")  # kinds of bounds at which weights end

STEPWISE = "sparse synapses are visited at spikes alone. nbsnn.plasticity.Plastic runs this rule, on dense weights"


HOMEOSTATIC = {"integer": "which has integer weights", "mean weight": "which is a homeostasis itself"}
"""Loop of a rule -> why it takes no homeostasis."""


def check_rule(rule: Rule | PostPreInt, dtype: np.dtype, dt: float) -> None:
    """Raise unless a rule changes weights at spikes alone, or by what can be carried from spike to spike.

    Its traces must be such as the network's precision can follow.
    """
    if rule.loop == "integer":
        most = 1 << 24 if dtype == np.float32 else 1 << 31
        if not -most <= rule.w_min <= rule.w_max <= most:
            raise ValueError(
                f"weights of this network are {dtype}, which holds integers up to {most}: not w_min = {rule.w_min}, "
                f"w_max = {rule.w_max}"
            )
        return
    check_numbers(rule, dtype)
    for trace in (*rule.pre.values(), *rule.post.values()):
        trace.factor(dt, dtype)
        if trace.reads:
            trace.steps(dt)
    if rule.loop is None:
        raise ValueError(f"{type(rule).__name__} changes all weights in every step; {STEPWISE}")
    if rule.normalizes_steps and rule.loop == "rewarded":
        raise ValueError(
            f"{rule.normalize!r} of a rewarded rule would visit all synapses in every step, since a reward changes "
            "them between spikes; homeostasis=Normalize(total, every=ms) does so at intervals, every=dt after each step"
        )


def check_homeostasis(
    given: Scaling | Normalize | None, rule: Rule | PostPreInt | None, dtype: np.dtype, dt: float
) -> None:
    """Raise unless this is a homeostasis at intervals, which are whole numbers of steps, and the rule lets it be.

    What it changes must not be lost to rounding.
    """
    if given is None:
        return
    why = HOMEOSTATIC.get(rule.loop or "") if rule is not None else None
    if rule is not None and rule.normalizes_steps:
        why = f"whose {rule.normalize!r} is one already"
    if why:
        raise ValueError(f"homeostasis must be None with {type(rule).__name__}, {why}, not {given!r}")
    if not isinstance(given, (Scaling, Normalize)):
        raise TypeError(f"homeostasis must be a Scaling or a Normalize with every=, not {given!r}")
    if given.every is None:
        raise ValueError(f"homeostasis is done at intervals: {given!r} needs every=, in ms")
    whole(given.every, dt, "every")
    if isinstance(given, Scaling) and dtype == np.float32 and 0.0 < given.beta * given.rate < 1e-5:
        raise ValueError(
            f"{given!r} lets silent units gain beta rate = {given.beta * given.rate:g} of their weights at an "
            "interval, of which float32 loses more than a part in 100: use longer intervals and a larger beta, or "
            "dtype=np.float64"
        )


def check_on_gpu(rule: Rule | PostPreInt) -> None:
    """Raise unless there is a loop on a GPU for the rule of a connection."""
    if rule.loop == "membrane":
        raise NotImplementedError(f'{type(rule).__name__} reads neurons between spikes: it runs on device="cpu" only')
    if rule.loop not in ("pairs", "rewarded"):
        raise NotImplementedError(
            f'{type(rule).__name__} on sparse synapses runs on device="cpu" only; a plastic layer runs it on a GPU'
        )
    if rule.normalizes_steps:
        raise NotImplementedError(
            f'{rule.normalize!r} on sparse synapses runs on device="cpu" only; on a GPU normalise at intervals, '
            "homeostasis=Normalize(total, every=ms), or use a plastic layer"
        )
