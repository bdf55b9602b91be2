"""Nearest-spike STDP with homeostasis: each postsynaptic unit steers its mean weight against its own activity.

    dw_ij = a_post x_i post_j - a_pre y_j pre_i,                     x, y set to 1 by a spike
    m_j  <- m_j - 0.1 a_pre (y_j - mean over units of y),            y averaged over samples
    m    <- m M / mean(m)
    w_ij <- w_ij m_j / max(mean over i of w_ij, 1e-6) + dw_ij k(w_ij)
    k(w)  = exp(-0.2 / max(w_max - w, 1e-4)) for dw > 0,             exp(-0.2 / max(w - w_min, 1e-4)) for dw < 0

m [n_post] is the mean weight that a unit aims at, and M the mean of m at the start. The rule that SPAIC 0.6.3 calls
meta-nearest-online.

In a ``Network`` the weights onto a unit are kept with one common factor, so that a step costs a loop over units, and
synapses are touched at spikes alone: see ``kernels.plasticity.mean_weight``. Means are taken over the synapses that
there are, and over the units that have some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device import gpu
from ..scalar.words import Values
from .gpu_arrays import Needs, RuleOnGpu, pair_needs
from .pair import traces_of
from .result import keep
from .rule import Array, Rule, State


def aimed(m: Values, y: Values, mean: float, a_pre: float) -> Any:
    """The mean weight that a unit aims at after a step, given its trace and the mean trace of all units."""
    return m - 0.1 * a_pre * (y - mean)


def rescale(m: Values, mean: Values) -> Any:
    """Factor of the weights onto a unit, given their mean."""
    return m / np.maximum(mean, 1e-6)


def change(w: float, pre: float, post: float, x: float, y: float, a_post: float, a_pre: float) -> tuple[float, float]:
    """Change of a synapse; the bound weighs the sum of both parts."""
    return a_post * x * post - a_pre * y * pre, 0.0


@dataclass(frozen=True, eq=False)
class MetaRule(Rule):
    """A rule with the homeostasis above, made by ``MetaNearestSTDP``; its state holds "m" and "M" too."""

    loop = "mean weight"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.normalize is not None and self.normalize.first is not None:
            raise ValueError(
                f"a rule that steers mean weights in every step does not normalise in them too: {self.normalize!r} "
                'must have when="end"'
            )

    def initial(self, batch: int, weights: Array) -> State:
        """Traces of zero; "m" and "M" from the weights."""
        m = weights.mean(0)
        return {**super().initial(batch, weights), "m": m, "M": np.asarray(m.mean())}

    def advance(
        self, weights: Array, pre: Array, post: Array, state: State, *,
        dt: float = 1.0, device: str = "cpu", kept: dict[str, list[Array]] | None = None,
    ) -> State:  # fmt: skip
        """See ``Rule.advance``."""
        kept = kept if kept is not None else dict[str, list[Array]]()
        used, state = self.follow(pre, post, state, dt, device)
        self.keep_traces(kept, used)
        m, a_pre = state["m"], self.params["a_pre"]
        for t in range(len(pre)):
            dw = self.increment(t, weights, pre, post, used, device)
            y = used[1][0, t].mean(0)
            m = aimed(m, y, y.mean(), a_pre)
            m = m * (state["M"] / m.mean())
            weights *= rescale(m, weights.mean(0))
            weights += dw
            keep(kept, dw=dw, weights=weights)
        return {**state, "m": m}

    def single_pair(self) -> tuple[Rule, Any, State]:
        """See ``Rule.single_pair``: without homeostasis."""
        plain = Rule(self.change, self.pre, self.post, self.params, self.bounds, self.w_min, self.w_max)
        return plain, np.float64, {}

    def on_gpu(self, side: RuleOnGpu) -> Needs:
        """Requirements of the rule for a run on a GPU."""
        from ..kernels.plasticity import mean_weight_cuda

        needs, number, m = pair_needs(self, side, True, side.batch), side.dtype.type, gpu.put(side.old["m"])
        means = number(side.old["M"]), number(self.params["a_pre"]), *map(number, (side.batch, *side.shape))
        own = dict[str, Any](synapses=mean_weight_cuda.aim, settle=mean_weight_cuda.steer, aimed=aimed, rescale=rescale)
        noted = needs.dw, m, gpu.empty(side.shape[1], side.dtype), means
        return needs._replace(filling={**needs.filling, **own}, noted=noted, state={"m": m})


def MetaNearestSTDP(
    a_post: float = 1e-2,
    a_pre: float = 1e-4,
    tau_pre: float = 30.0,
    tau_post: float = 200.0,
    *,
    w_min: float = 0.0,
    w_max: float = 1.0,
    decay: str = "exp",
    order: str = "both",
) -> MetaRule:
    """Nearest-spike STDP with soft bounds and a homeostatic mean weight per postsynaptic unit.

    Parameters
    ----------
    a_post, a_pre : float, default 1e-2 and 1e-4
        Potentiation at a postsynaptic, depression at a presynaptic spike.
    tau_pre, tau_post : float, unit of ``dt``
        Time constants of the traces.
    w_min, w_max : float
        Where increments fade. The weights are not clipped: homeostasis may carry them beyond.
    decay : {"exp", "euler", "factor"}
        How ``tau`` becomes the factor per step.
    order : str
        What two spikes of one step do, see ``PairSTDP``. Homeostasis reads the same postsynaptic trace.

    Returns
    -------
    MetaRule
        With the traces "x", "y" and the state "m" [n_post], "M".

    Raises
    ------
    ValueError, TypeError
        As ``Trace`` and ``Rule``.

    Examples
    --------
    >>> w = np.array([[0.2, 0.4], [0.4, 0.4]])
    >>> rule = MetaNearestSTDP()
    >>> state = rule.initial(batch=1, weights=w)
    >>> state["m"].round(3), state["M"].round(3)
    (array([0.3, 0.4]), np.float64(0.35))
    """
    traces = traces_of(order, "set", decay, tau_pre=tau_pre, tau_post=tau_post)
    return MetaRule(change, *traces, {"a_post": a_post, "a_pre": a_pre}, "smooth", w_min, w_max)
