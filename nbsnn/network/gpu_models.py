"""The loop of a network as a kernel for a GPU, made of the same neurons, synapses and rules as the CPU's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile import bind, kernel
from ..plasticity.reward import RewardRule
from ..plasticity.rule import Rule
from ..spell import each, numbers, read, switch
from ..synapses.short_term import released
from .eventwise import normalizes_steps
from .update import GPU_ARGUMENTS, update

if TYPE_CHECKING:
    from .models import Models


def check_rule(rule: Any) -> None:
    """Raise unless there is a loop on a GPU for the rule of a connection."""
    if rule is not None and not (isinstance(rule, Rule) and type(rule).advance in (Rule.advance, RewardRule.advance)):
        raise NotImplementedError(
            f'{type(rule).__name__} on sparse synapses runs on device="cpu" only; a plastic layer runs it on a GPU'
        )
    if isinstance(rule, Rule) and normalizes_steps(rule):
        raise NotImplementedError(
            f'{rule.normalize!r} on sparse synapses runs on device="cpu" only; on a GPU normalise at intervals, '
            "homeostasis=Normalize(total, every=ms), or use a plastic layer"
        )


def loop(models: Models) -> Callable:
    """The kernel; its modules are imported here, as they import Numba."""
    from ..kernels.cuda import network as cuda
    from ..kernels.cuda import short_term

    filling: dict[str, Any] = {
        "update": switch([update(group, "cuda") for group in models.neurons.first], GPU_ARGUMENTS),
        "real": np.dtype(models.dtype).type,
        "SHORT": int(models.short),
    }
    if models.short:
        filling["release"] = bind(short_term.release, released=released)
    if models.rules.first:
        filling |= _plasticity(models.rules.first)
        filling["TENDED"] = int(models.tended)
    return kernel(cuda.simulate, device="cuda", dtype=models.dtype, **filling)


def _plasticity(rules: list[Rule]) -> dict[str, Any]:
    """What fills the holes for plastic synapses."""
    from ..kernels.cuda import sparse_plasticity as cuda

    along, called = "i, n, s, traces, carried, used, P, factors", "{k}, i, n, s, traces, carried, used, P, factors"
    follow = {
        f"follow_{side}": switch([each(_followers(getattr(rule, of)), along, called) for rule in rules], along)
        for side, of in (("source", "pre"), ("target", "post"))
    }
    changes = []
    for rule in rules:
        filling = rule.filling() | {
            "constants": numbers(len(rule.params)), "traces_pre": read(len(rule.pre)),
            "traces_post": read(len(rule.post)),
        }  # fmt: skip
        changes.append(bind(cuda.in_time if isinstance(rule, RewardRule) else cuda.at_once, **filling))
    return {
        **follow, "change": switch(changes, "i, j, n, m, o, row, t, P, traces, weights, late"), "PLASTIC": 1,
        "WAITS": int(any(isinstance(rule, RewardRule) for rule in rules)),
    }  # fmt: skip


def _followers(traces: Any) -> list[Callable]:
    """A function for each trace of a side."""
    from ..kernels.cuda.sparse_plasticity import follow

    return [bind(follow, **trace.filling()) for trace in traces.values()]
