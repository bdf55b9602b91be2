"""What a loop over events can do with rules, and what it leaves to the beginning and the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..plasticity import Normalize, PostPreInt, Scaling
from ..plasticity.reward import RewardRule
from ..plasticity.rule import Rule
from . import waiting

if TYPE_CHECKING:
    from .simulation import Simulation

STEPWISE = "sparse synapses are visited at spikes alone. nbsnn.plasticity.Plastic runs this rule, on dense weights"


def check_rule(rule: Any) -> None:
    """Raise unless a rule changes weights at spikes alone, or by what can be carried from spike to spike."""
    if isinstance(rule, PostPreInt):
        raise TypeError(
            "PostPreInt has integer weights, and a threshold that is too high changes all of a unit's in every step; "
            + STEPWISE
        )
    if not isinstance(rule, Rule):
        return
    if type(rule).advance not in (Rule.advance, RewardRule.advance):
        raise ValueError(f"{type(rule).__name__} changes all weights in every step; {STEPWISE}")
    if rule.normalize is not None and rule.normalize.when != "end":
        raise ValueError(
            f"{rule.normalize!r} visits all synapses in every step; for sparse synapses normalise at the end of a run, "
            "or at intervals: homeostasis=Normalize(total, every=ms)"
        )


def check_homeostasis(given: Any, dt: float) -> None:
    """Raise unless this is a homeostasis at intervals, which are whole numbers of steps."""
    if given is None:
        return
    if not isinstance(given, (Scaling, Normalize)):
        raise TypeError(f"homeostasis must be a Scaling or a Normalize with every=, not {given!r}")
    if given.every is None:
        raise ValueError(f"homeostasis is done at intervals: {given!r} needs every=, in ms")
    steps = given.every / dt
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
        raise ValueError(f"every must be a whole number of steps of {dt:g} ms, at least 1, not {given.every!r} ms")


def bound(network: Simulation) -> None:
    """Bring weights within their bounds where a rule wants it of all: later, only those that change can leave them."""
    for c in network.connections:
        if c.learning and c.rule.clip == "all" and c.rule.bounds != "none":
            weights = network.layout.weights[c.place : c.place + len(c)]
            np.clip(weights, c.rule.w_min, c.rule.w_max, out=weights)


def finish(network: Simulation) -> None:
    """What rules do at the end of a run: the weights onto each unit share a total."""
    for c in network.connections:
        if c.learning and c.rule.normalize is not None:
            waiting.bring(c)
            weights, post = network.layout.weights[c.place : c.place + len(c)], c.post
            sums = np.bincount(post, np.abs(weights), c.target.n)
            sums[sums == 0.0] = c.rule.normalize.total
            weights *= (c.rule.normalize.total / sums).astype(weights.dtype)[post]
