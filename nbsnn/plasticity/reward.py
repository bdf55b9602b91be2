"""Reward-modulated STDP: pairs of spikes make a synapse eligible, and a reward turns eligibility into change.

    zeta[t] = a_plus x post[t] - a_minus y pre[t]            a pair rule, per sample and synapse
    MSTDP     w += rate reward[t] zeta[t-1]
    MSTDPET   e[t] = exp(-dt/tau_e) e[t-1] + zeta[t-1] / tau_e
              w += rate dt reward[t] e[t]

The reward of a step judges what the spikes of the steps before have done. In ``nbsnn.Network`` it is the ``reward`` of
the connection, which a callback may change; there eligibility is carried from event to event. R. V. Florian 2007,
Reinforcement learning through modulation of spike-timing-dependent synaptic plasticity,
doi:10.1162/neco.2007.19.6.1468.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..device import gpu
from ..scalar.per_step import resolved
from ..validate import finite, number
from .gpu_arrays import Needs, RuleOnGpu, pair_needs
from .pair import PairSTDP
from .result import keep
from .rule import Array, Rule, State, check_rule_options


def faded(e: float, zeta: float, decay: float, share: float) -> float:
    """Eligibility after a step; numbers or arrays."""
    return e * decay + share * zeta


@dataclass(frozen=True, eq=False)
class RewardRule(Rule):
    """A rule whose increments wait for a reward. Made by ``MSTDP`` and ``MSTDPET``.

    Parameters
    ----------
    rate : float
        Factor of all changes.
    tau_e : float or None, unit of ``dt``
        Time constant of the eligibility trace; None: the increments of the last step alone are eligible.
    """

    rate: float = 1.0
    tau_e: float | None = None

    loop = "rewarded"

    @property
    def carried(self) -> tuple[str, ...]:
        return () if self.tau_e is None else ("eligibility",)

    def __post_init__(self) -> None:
        super().__post_init__()
        number("rate", self.rate)
        if self.tau_e is not None:
            number("tau_e", self.tau_e, above=0.0)
        if self.bounds not in ("hard", "none"):
            raise ValueError(
                f'bounds of a rewarded rule must be "hard" or "none", not {self.bounds!r}: a reward changes signs'
            )

    def given(self) -> dict[str, float]:
        rate = {"rate": self.rate}
        if self.tau_e is not None:
            rate["1 / tau_e"] = 1.0 / self.tau_e if self.tau_e > 1e-300 else math.inf
        return {**super().given(), **rate}

    def initial(self, batch: int, weights: Array) -> State:
        """Traces of zero and nothing eligible."""
        zero = np.zeros((batch, *weights.shape), weights.dtype)
        more = {} if self.tau_e is None else {"eligibility": zero.copy()}
        return {**super().initial(batch, weights), "zeta": zero, **more}

    def advance(
        self, weights: Array, pre: Array, post: Array, state: State, *,
        dt: float = 1.0, device: str = "cpu", kept: dict[str, list[Array]] | None = None,
        reward: ArrayLike | None = None,
    ) -> State:  # fmt: skip
        """As ``Rule.advance``; ``reward`` is a number, [T], or [T, B]."""
        reward = _rewards(reward, len(pre), pre.shape[1], weights.dtype)
        kept = kept if kept is not None else dict[str, list[Array]]()
        first = int(state["step"])
        used, state = self.follow(pre, post, state, dt, device)
        self.keep_traces(kept, used)
        state["zeta"] = state["zeta"].copy()
        eligible = state["zeta"]
        decay, share, gain = self.shares(dt, pre.shape[1], weights.dtype)
        if self.tau_e is not None:
            eligible = state["eligibility"] = state["eligibility"].copy()
        for t in range(len(pre)):
            if self.tau_e is not None:
                eligible[...] = faded(eligible, state["zeta"], decay, share)
            dw = gain * np.tensordot(reward[t], eligible, 1)
            self.settle(weights, dw, first + t)
            for b in range(pre.shape[1]):
                one = (pre[:, b : b + 1], post[:, b : b + 1], tuple(v[:, :, b : b + 1] for v in used))
                state["zeta"][b] = self._eligible(t, weights, *one, device)
            keep(kept, dw=dw, weights=weights)
        return state

    def single_pair(self) -> tuple[Rule, Any, State]:
        """See ``Rule.single_pair``: with a reward of 1 at all steps."""
        return self.replace(normalize=None), np.float64, {"reward": 1.0}

    def on_gpu(self, side: RuleOnGpu) -> Needs:
        """Requirements of the rule for a run on a GPU."""
        from ..kernels.plasticity import dense_cuda as cuda

        signals: State = {"reward": 0.0} if side.signals is None else side.signals
        rewards = _rewards(signals.get("reward"), signals.get("steps", 1), side.batch, side.dtype)
        state = {"zeta": gpu.put(side.old["zeta"])}
        if self.tau_e is not None:
            state["eligibility"] = gpu.put(side.old["eligibility"])
        eligible = state.get("eligibility", gpu.empty((0, *side.shape), side.dtype))
        noted = cuda.Rewards(state["zeta"], eligible, gpu.put(rewards), *self.shares(side.dt, side.batch, side.dtype))
        needs = pair_needs(self, side, False, 1)  # what is eligible is kept for each sample
        filling: dict[str, Any] = {**needs.filling, "synapses": cuda.rewarded_synapses, "faded": faded}
        return needs._replace(filling=filling, noted=noted, state=state)

    def rest(self, weights: Array, pre: Array, post: Array, state: State, *, dt: float, device: str) -> State:
        """The state after steps in which no reward acts; what the spikes make eligible meets the rewards after them."""
        return self.advance(weights.copy(), pre, post, state, dt=dt, device=device, reward=0.0)

    def shares(self, dt: float, batch: int, dtype: np.dtype) -> tuple[Any, Any, Any]:
        """Factor of eligibility per step, share of an increment that is eligible, and factor of all changes."""
        number = np.dtype(dtype).type
        gain = number(self.rate if self.tau_e is None else self.rate * dt)
        decay, share = (0.0, 1.0) if self.tau_e is None else (np.exp(-dt / self.tau_e), 1.0 / self.tau_e)
        resolved("tau_e", decay, dtype)
        return number(decay), number(share), gain / number(batch) if self.batch == "mean" else gain

    def _eligible(self, t: int, weights: Array, pre: Array, post: Array, used: tuple[Array, ...], device: str) -> Array:
        """``zeta`` of one sample at step ``t``."""
        step = [np.ascontiguousarray(a[t : t + 1]) for a in (pre, post)]
        seen = [np.ascontiguousarray(a[:, t : t + 1]) for a in used]
        zeta = np.zeros_like(weights)
        self._visit("into_increments", 0, 1, weights, zeta, step[0], step[1], (seen[0], seen[1]), device)
        return zeta


def _rewards(reward: ArrayLike | None, steps: int, batch: int, dtype: DTypeLike) -> Array:
    """The reward of each step and sample, [T, B]."""
    if reward is None:
        raise TypeError("a rewarded rule needs reward=: a number, or an array [T] or [T, B]")
    try:
        array = np.asarray(reward, dtype)
    except (TypeError, ValueError):
        raise TypeError(f"reward must be numbers, not {reward!r}") from None
    if array.shape not in ((), (steps,), (steps, batch)):
        raise ValueError(f"reward must have shape [], [{steps}] or [{steps}, {batch}], not {list(array.shape)}")
    finite("reward", array)
    return np.ascontiguousarray(np.broadcast_to(array[:, None] if array.ndim == 1 else array, (steps, batch)))


def MSTDP(
    rate: float = 1e-2,
    a_plus: float = 1.0,
    a_minus: float = 1.0,
    tau_plus: float = 20.0,
    tau_minus: float = 20.0,
    *,
    tau_e: float | None = None,
    order: str = "decay add use",
    **options: Any,
) -> RewardRule:
    """Reward-modulated pair STDP: a step's reward acts on the pairs of the step before.

    Parameters
    ----------
    rate : float
        Factor of all changes.
    a_plus, a_minus : float
        Eligibility of pre before post, and (negative) of post before pre.
    tau_plus, tau_minus : float, unit of ``dt``
        Time constants of the presynaptic and the postsynaptic trace.
    tau_e : float, optional
        Time constant of an eligibility trace: see ``MSTDPET``.
    order : str
        What two spikes of one step do, see ``PairSTDP``; by default, as in the paper, "both".
    **options
        See ``Rule``; bounds are "hard" or "none".

    Returns
    -------
    RewardRule
        ``run`` takes ``reward``: a number, [T], or [T, B].

    Raises
    ------
    ValueError, TypeError
        As ``Trace`` and ``Rule``; from ``run`` if the reward is missing, or its shape does not fit.

    Examples
    --------
    >>> rule = MSTDP(rate=0.1)
    >>> spike = np.float64([1, 0, 0]).reshape(3, 1, 1)
    >>> rule.run(np.full((1, 1), 0.5), spike, np.roll(spike, 1), reward=[0.0, 0.0, 1.0]).weights
    array([[0.59512294]])
    """
    check_rule_options("MSTDP", options)
    number("a_plus", a_plus)
    number("a_minus", a_minus)
    number("tau_plus", tau_plus, above=0.0)
    number("tau_minus", tau_minus, above=0.0)
    rule = PairSTDP(a_plus, a_minus, tau_plus, tau_minus, order=order)
    return RewardRule(rule.change, rule.pre, rule.post, rule.params, rate=rate, tau_e=tau_e, **options)


def MSTDPET(rate: float = 1e-2, *args: float, tau_e: float = 25.0, **options: Any) -> RewardRule:
    """Reward-modulated pair STDP with an eligibility trace: a reward acts on all earlier pairs, fading with ``tau_e``.

    Parameters
    ----------
    rate, *args
        As in ``MSTDP``.
    tau_e : float, unit of ``dt``, default 25.0
        Time constant of the eligibility trace.
    **options
        As in ``MSTDP``.

    Returns
    -------
    RewardRule

    Raises
    ------
    ValueError, TypeError
        As ``MSTDP``.

    Examples
    --------
    >>> MSTDPET(tau_e=50.0).tau_e
    50.0
    """
    check_rule_options("MSTDPET", options, "a_plus", "a_minus", "tau_plus", "tau_minus", "order")
    return MSTDP(rate, *args, tau_e=number("tau_e", tau_e, above=0.0), **options)
