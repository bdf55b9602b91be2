"""STDP in integers: shifts for decay, stochastic rounding for small rates. All arrays are int32 and wrap as int32 does.

    a <- (trace_decay a) >> shift_trace;  a <- top at a presynaptic spike;  c likewise for the postsynaptic side
    at a presynaptic spike    w += R(nu_pre c)
    at a postsynaptic spike   w += R(nu_post a)
    R(z) = (z >> shift) + [r < z mod 2^shift],  r uniform in [0, 2^shift):  z / 2^shift on average
    w >>= 1 for a unit whose threshold exceeds max_threshold;  w <- clip(w)

``>>`` is the arithmetic shift, which rounds down, also for negative numbers.

In a ``Network`` weights are floats that hold integers, and a synapse is touched at spikes of its two units and in the
steps in which its unit's weights are halved: see ``kernels.plasticity.integer``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..compile.fill import bind, kernel
from ..device import gpu
from ..kernels.plasticity import dense as cpu
from ..kernels.plasticity.synapse import IntegerRule
from ..random import Draws
from ..validate import choice, count, names, real, scale
from .backend import backend
from .check import check_weights
from .gpu_arrays import Needs, RuleOnGpu, follow_all
from .result import RuleResult, keep
from .rule import Array, State
from .run import check_run

I32 = np.dtype(np.int32)


def wrap(z: int) -> int:
    """``z`` as a 32-bit integer would hold it."""
    return ((z + 2147483648) & 4294967295) - 2147483648


def trace(a: int, s: int, rule: IntegerRule) -> int:
    """A trace after one step."""
    return rule.top if s != 0 else wrap(int(a) * int(rule.trace_decay)) >> int(rule.shift_trace)


def rounded(z: int, r: int, shift: int) -> int:
    """z / 2^shift, rounded up if ``r`` is below the remainder."""
    return (z >> shift) + (1 if r < (z & ((1 << shift) - 1)) else 0)


def synapse(w: int, pre: int, post: int, a: int, c: int, r_pre: int, r_post: int, halve: int, rule: IntegerRule) -> int:
    """A weight after one step."""
    d = 0
    if pre != 0:
        d += rounded(wrap(int(rule.nu_pre) * int(c)), int(r_pre), int(rule.shift))
    if post != 0:
        d += rounded(wrap(int(rule.nu_post) * int(a)), int(r_post), int(rule.shift))
    return min(max(wrap(int(w) + d) >> int(halve), int(rule.w_min)), int(rule.w_max))


@dataclass(frozen=True)
class PostPreInt:
    """Pair STDP with nearest spikes in 32-bit integers.

    Parameters
    ----------
    nu_pre, nu_post : int
        What a presynaptic and a postsynaptic spike add, times the other side's trace, over 2^shift. Depression is
        negative; by default a presynaptic spike depresses.
    shift : int
        Rates are multiples of 2^-shift; 0 to 31.
    w_min, w_max : int
        Bounds.
    trace_decay, shift_trace : int
        Traces decay by trace_decay / 2^shift_trace per step.
    top : int
        What a spike sets its trace to.
    max_threshold : int
        Threshold of a postsynaptic unit beyond which its weights are halved.

    Raises
    ------
    ValueError, TypeError
        If a number is not an integer, a shift is not from 0 to 31, or ``w_min`` is above ``w_max``.

    Notes
    -----
    ``run`` takes one sample, weights of int32, ``thresh`` [T, 1, n_post] (by default none exceeds) and ``draws``: a
    ``nbsnn.random.Draws``, whose number for a synapse depends on seed, step and synapse alone, or a pair of arrays
    [T, n_pre, n_post] of integers below 2^shift, for presynaptic and postsynaptic spikes.

    Two spikes of one step both count, as by ``order="both"`` of ``PairSTDP``; there is no other order in integers.

    In a ``Network`` synapses round with the connection's ``draws``; the threshold is the target's variable "thresh", if
    it has one. Weights are whole numbers from -2^24 to 2^24, which float32 holds exactly (float64: from -2^31 to 2^31).

    Examples
    --------
    >>> from nbsnn.random import Draws
    >>> rule = PostPreInt(nu_post=1 << 14)
    >>> spike = np.array([1, 0]).reshape(2, 1, 1)
    >>> rule.run(np.array([[3]], np.int32), spike, np.roll(spike, 1), draws=Draws(0)).weights
    array([[109]], dtype=int32)
    """

    nu_pre: int = -14
    nu_post: int = 141
    shift: int = 14
    w_min: int = 0
    w_max: int = 109
    trace_decay: int = 31169
    shift_trace: int = 15
    top: int = 127
    max_threshold: int = 4915

    reads = ("thresh",)
    loop: ClassVar[Literal["integer"]] = "integer"
    dtype, normalize, normalizes_steps = I32, None, False

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not -(1 << 31) <= count(name, value, least=-(1 << 31)) < 1 << 31:
                raise ValueError(f"{name} must fit 32 bits, not {value}")
        for name in ("shift", "shift_trace"):
            if not 0 <= getattr(self, name) <= 31:
                raise ValueError(f"{name} must be from 0 to 31, not {getattr(self, name)}")
        if self.w_min > self.w_max:
            raise ValueError(f"w_min must not be above w_max, not {self.w_min} with w_max = {self.w_max}")

    def given(self) -> dict[str, float]:
        """See ``Rule.given``: integers always fit."""
        return {}

    def initial(self, batch: int, weights: Array) -> State:
        """Traces of zero, step 0."""
        if batch != 1:
            raise ValueError(f"the integer rule takes one sample at a time, not a batch of {batch}")
        sizes = zip(("pre", "post"), ("x", "y"), weights.shape, strict=True)
        return {side: {name: np.zeros((1, n), I32)} for side, name, n in sizes} | {"step": np.zeros((), np.int64)}

    def run(
        self, weights: Array, pre: ArrayLike, post: ArrayLike, state: State | None = None, *, dt: float = 1.0,
        device: str = "cpu", in_place: bool = True, record: Collection[str] = (), thresh: ArrayLike | None = None,
        draws: Draws | tuple[ArrayLike, ArrayLike] | None = None,
    ) -> RuleResult:  # fmt: skip
        """Apply the rule to given spike trains; as ``Rule.run``. ``record`` may name "weights", "x" and "y"."""
        scale("dt", dt)
        record = names("record", record)
        weights = check_weights(weights, in_place, (I32,))
        pre, post, state = check_run(self, weights, pre, post, state, device)
        kept: dict[str, Any] = {choice("record: a recorded variable", n, ("weights", "x", "y")): [] for n in record}
        state = backend(device).advance(self, weights, pre, post, state, kept=kept, thresh=thresh, draws=draws)
        return RuleResult(weights, state, {name: np.concatenate(parts) for name, parts in kept.items()})

    def advance(
        self, weights: Array, pre: Array, post: Array, state: State, *, dt: float = 1.0, device: str = "cpu",
        kept: dict[str, list[Array]] | None = None, thresh: ArrayLike | None = None,
        draws: Draws | tuple[ArrayLike, ArrayLike] | None = None,
    ) -> State:  # fmt: skip
        """Variant of ``run``, without most checks and in place."""
        steps, n_post = len(pre), weights.shape[1]
        thresh = self.thresholds(thresh, steps, n_post)
        given, keys, fill = self.drawn(draws, steps, weights.size)
        loop, table = _loop(device, fill), np.array(self.numbers(), np.int64)
        a, c = state["pre"]["x"][0].copy(), state["post"]["y"][0].copy()
        columns = np.empty(n_post, np.int64)
        spikes = [np.ascontiguousarray(s[:, 0]) for s in (pre, post, thresh.astype(I32))]
        first = int(state["step"])
        window = 1 if kept else steps
        for t in range(0, steps, window):
            part = slice(t, t + window)
            rows = [r if fill is cpu.counted_draws else r[part] for r in given]
            with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap; compiled, they just wrap
                loop(*(s[part] for s in spikes), a, c, *rows, keys, first + t, table, columns, weights)
            keep(kept, weights=weights, x=a[None], y=c[None])
        after = {"pre": {"x": a[None]}, "post": {"y": c[None]}}
        return {**after, "step": state["step"] + steps}

    def rest(self, weights: Array, pre: Array, post: Array, state: State, *, dt: float, device: str) -> State:
        """The state after steps in which the weights are left alone."""
        return self.advance(weights.copy(), pre, post, state, device=device, draws=Draws(0))

    def numbers(self) -> IntegerRule:
        """Numbers that kernels read of the rule."""
        top = self.top if self.shift_trace else 1
        return IntegerRule(**{name: top if name == "top" else getattr(self, name) for name in IntegerRule._fields})

    def single_pair(self) -> tuple[PostPreInt, Any, State]:
        """See ``Rule.single_pair``."""
        return self, I32, {"draws": Draws(0)}

    def factors(self, side: str, dt: float, dtype: np.dtype) -> Array:
        """What the trace of a side reads."""
        return np.array(self.numbers(), np.int64)

    def on_gpu(self, side: RuleOnGpu) -> Needs:
        """Requirements of the rule for a run on a GPU; thresholds of a layer are there, where its variables are."""
        from ..kernels.plasticity import dense_cuda as cuda

        signals: State = {"draws": Draws(0)} if side.signals is None else side.signals
        steps, thresh = signals.get("steps", 1), signals.get("thresh")
        given, keys, fill = self.drawn(signals.get("draws"), steps, side.shape[0] * side.shape[1])
        later = int(gpu.on_gpu(thresh))
        high: Array = signals["thresh"] if later else gpu.put(self.thresholds(thresh, steps, side.shape[1]))
        follow = follow_all([bind(cuda.follow_integer, decayed=trace)])
        filling: dict[str, Any] = {
            "follow_pre_unit": follow, "follow_post_unit": follow, "settle": cuda.no_settle,
            "synapses": bind(cuda.integer_synapses, synapse=synapse, draw=fill),
        }  # fmt: skip
        noted = cuda.Rounding(high, later, gpu.put(given[0]), gpu.put(given[1]), gpu.put(keys), int(side.old["step"]))
        return Needs(filling, gpu.put(np.array(self.numbers(), np.int64)), noted, {}, key=fill)

    def thresholds(self, thresh: ArrayLike | None, steps: int, n_post: int) -> Array:
        """Thresholds [steps, 1, n_post] as given, or such that none exceeds."""
        thresh = np.full((steps, 1, n_post), -(1 << 31), I32) if thresh is None else real("thresh", thresh)
        if thresh.shape != (steps, 1, n_post) or thresh.dtype.kind not in "iu":
            wanted = [steps, 1, n_post]
            raise ValueError(f"thresh must be integers of shape {wanted}, not {thresh.dtype} of {list(thresh.shape)}")
        return thresh

    def finish(self, weights: Array) -> None:
        """Nothing is left to do at the end of a run."""

    def drawn(
        self, draws: Draws | tuple[ArrayLike, ArrayLike] | None, steps: int, synapses: int
    ) -> tuple[list[Array], Array, Any]:
        """Source of the kernel's draws: arrays or keys, and the function that reads them."""
        if isinstance(draws, Draws):
            keys = np.array([draws.fold("pre").key, draws.fold("post").key], np.uint64)
            return [np.full((1, 1), self.shift, np.int64)] * 2, keys, cpu.counted_draws
        if not isinstance(draws, (tuple, list)) or len(draws) != 2:
            raise TypeError(f"draws must be a nbsnn.random.Draws or a pair of arrays, not {type(draws).__name__}")
        arrays = list[Array]()
        for given in draws:
            array = np.asarray(given)
            if array.dtype.kind not in "iu" or array.size != steps * synapses or len(array) != steps:
                raise ValueError(
                    f"draws must be integers for {steps} steps and {synapses} synapses, not {array.dtype} "
                    f"of shape {list(array.shape)}"
                )
            arrays.append(np.ascontiguousarray(array.reshape(steps, synapses), np.int64))
        return arrays, np.zeros(2, np.uint64), cpu.given_draws


@functools.cache
def _loop(device: str, fill: Callable[..., Any]) -> Callable[..., Any]:
    return kernel(cpu.integer, device=device, dtype=I32, decayed=trace, synapse=synapse, draw=fill)
