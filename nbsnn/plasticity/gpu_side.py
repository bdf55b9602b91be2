"""What a rule needs on a GPU: spikes and traces of both sides of a connection, numbers, and arrays of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import gpu
from ..compile import bind
from ..layers.layer import Array, Nested
from ..random import Draws
from ..spell import each
from . import integer
from .integer import PostPreInt
from .meta import MetaRule, aimed, rescale
from .reward import RewardRule, _rewards, faded
from .rule import Rule

NEVER = np.iinfo(np.int64).max


class Side:
    """The arrays of a rule for one run, from ``state`` on; ``signals`` None: nothing is learned.

    Attributes
    ----------
    whole : bool
        Whether a step ends with what concerns all weights.
    dw : device array [slots, n_pre, n_post]
        Then: increments that are noted.
    """

    def __init__(
        self, rule: Rule | PostPreInt, state: Nested, weights: Array, batch: int, dt: float, signals: Nested | None,
        defer: bool = False, noted: bool = False,
    ):  # fmt: skip
        self.rule, self.old, self.dtype, self.batch = rule, state, weights.dtype, batch
        waits = isinstance(rule, (PostPreInt, RewardRule))
        self.whole = not waits and (defer or noted or rule.stepwise or isinstance(rule, MetaRule))
        self.arrays: list[Any] = []
        for name, n in zip(("pre", "post"), weights.shape, strict=True):
            carried = np.array([*state[name].values()], self.dtype).reshape(-1, batch, n)
            used, seen = gpu.zeros((max(len(carried), 1), 1, batch, n), self.dtype), gpu.zeros((batch, n), self.dtype)
            self.arrays += [seen, gpu.put(carried), used, gpu.put(self._factors(name, dt))]
        slots = 1 + defer if self.whole else 0
        self.dw = (gpu.zeros if slots else gpu.empty)((slots, *weights.shape), self.dtype)
        self.numbers, self.noted = self._numbers(), self._noted(signals, weights.shape, dt)

    def arguments(self) -> tuple:
        """The kernel's: sides, rule, noted."""
        return tuple(self.arrays), self.numbers, self.noted

    def filling(self) -> dict[str, Any]:
        """What fills the kernel's holes."""
        from ..kernels.cuda import plasticity as cuda

        rule, of = self.rule, ("{k}, b, n, s, a, used, D", "b, n, s, a, used, D")
        if isinstance(rule, PostPreInt):
            follow = each([bind(cuda.follow_integer, decayed=integer.trace)], of[1], of[0])
            return {
                "follow_pre": follow, "follow_post": follow, "settle": cuda.no_settle,
                "synapses": bind(cuda.integer, synapse=integer.synapse, draw=self.fill),
            }  # fmt: skip
        follow = {
            f"follow_{side}": each([bind(cuda.follow, **t.filling()) for t in traces.values()], of[1], of[0])
            for side, traces in (("pre", rule.pre), ("post", rule.post))
        }
        normalize = rule.normalize
        return {
            **rule.filling(), **follow, "WHOLE": int(self.whole), "faded": faded,
            "synapses": cuda.reward if isinstance(rule, RewardRule) else cuda.visit,
            "settle": cuda.settle if self.whole else cuda.no_settle, **self._steering(),
            "CLIP_ALL": int(rule.clip == "all"), "BOUNDED": int(rule.bounds != "none"),
            "BEFORE_CLIP": int(normalize is not None and normalize.before_clip),
            "GUARD": int(normalize is None or normalize.guard),
        }  # fmt: skip

    def _steering(self) -> dict[str, Any]:
        """What stands instead for a rule that steers mean weights."""
        from ..kernels.cuda import steered

        if not isinstance(self.rule, MetaRule):
            return {}
        return {"synapses": steered.aim, "settle": steered.steer, "aimed": aimed, "rescale": rescale}

    def state(self, steps: int) -> Nested:
        """The rule's state after so many steps."""
        after = dict(self.old)
        for side, carried in (("pre", self.arrays[1]), ("post", self.arrays[5])):
            lines = zip(self.old[side], gpu.get(carried), strict=True)
            after[side] = {name: line.copy() for name, line in lines}
        if isinstance(self.rule, RewardRule):
            after["zeta"] = gpu.get(self.noted[0])
            if self.rule.tau_e is not None:
                after["eligibility"] = gpu.get(self.noted[1])
        if isinstance(self.rule, MetaRule):
            after["m"] = gpu.get(self.noted[1])
        after["step"] = self.old["step"] + steps
        return after

    def _factors(self, side: str, dt: float) -> Array:
        """Numbers of the traces of a side."""
        rule = self.rule
        if isinstance(rule, PostPreInt):
            return np.array([rule.trace_decay, rule.shift_trace, rule.top if rule.shift_trace else 1], np.int64)
        traces = getattr(rule, side).items()
        return np.array([rule._numbers(name, t, dt, self.dtype) for name, t in traces], self.dtype).reshape(-1, 2)

    def _numbers(self) -> tuple:
        """Parameters and limits."""
        rule = self.rule
        batch = 1 if isinstance(rule, RewardRule) else self.batch  # what is eligible is kept for each sample
        if isinstance(rule, PostPreInt):
            return (gpu.put(np.array(rule.numbers(), np.int64)),)
        return tuple(map(gpu.put, rule.numbers(batch, self.dtype)))

    def _noted(self, signals: Nested | None, shape: tuple[int, ...], dt: float) -> tuple:
        """What the function over synapses takes last."""
        rule, number, self.fill = self.rule, self.dtype.type, None
        if isinstance(rule, PostPreInt):
            return self._integers(rule, Draws(0) if signals is None else signals.get("draws"), signals or {}, shape)
        if isinstance(rule, RewardRule):
            reward = 0.0 if signals is None else signals.get("reward")
            rewards = _rewards(reward, (signals or {}).get("steps", 1), self.batch, self.dtype)
            eligible = self.old["eligibility"] if rule.tau_e is not None else np.zeros((0, *shape), self.dtype)
            return *map(gpu.put, (self.old["zeta"], eligible, rewards)), rule.shares(dt, self.batch, self.dtype)
        if isinstance(rule, MetaRule):
            sizes = map(number, (self.batch, *shape))
            return self.dw, gpu.put(self.old["m"]), gpu.empty(shape[1], self.dtype), (
                number(self.old["M"]), number(rule.params["a_pre"]), *sizes,
            )  # fmt: skip
        normalize = rule.normalize
        total, first = (1.0, None) if normalize is None else (normalize.total, normalize.first)
        return self.dw, number(total), int(self.old["step"]), NEVER if first is None else min(first, NEVER)

    def _integers(self, rule: PostPreInt, draws: Any, signals: Nested, shape: tuple[int, ...]) -> tuple:
        """Thresholds and random numbers of the integer rule; thresholds of a layer are where its variables are."""
        steps, thresh = signals.get("steps", 1), signals.get("thresh")
        given, keys, self.fill = rule.drawn(draws, steps, shape[0] * shape[1])
        later = int(gpu.on_gpu(thresh))
        if not later:
            thresh = gpu.put(rule.thresholds(thresh, steps, shape[1]))
        return thresh, later, *map(gpu.put, (*given, keys)), int(self.old["step"])
