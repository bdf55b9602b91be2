"""A plasticity rule: one scalar function for one synapse, the traces it reads, and how the weight stays in bounds.

    on_post, on_pre = change(w, pre, post, *pre traces, *post traces, *params)
    w <- clip(w + weigh(sum over samples of on_post) + weigh(sum over samples of on_pre))

``change`` is called where at least one of the two units spikes, and returns what the weight gains at a postsynaptic and
at a presynaptic spike. Nothing in it knows how the synapses are arranged: here they are a dense matrix.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..compile.fill import kernel
from ..compile.unroll import row
from ..files.pickling import ByName
from ..kernels.plasticity import dense as cpu
from ..kernels.plasticity.synapse import Numbers
from ..validate import arguments, check_options, choice, function, in_place, instance, names, number, results, scale
from ..validate.fixed import Fixed
from ..validate.kinds import mapping
from .backend import backend
from .bounds import BOUNDS, clipped
from .check import check_weights
from .gpu_arrays import Needs, RuleOnGpu, pair_needs
from .normalize import Normalize
from .result import RuleResult, keep
from .run import check_run
from .trace import Trace

Array = np.ndarray
State = dict[str, Any]


def check_rule_options(where: str, given: Collection[str], *more: str) -> None:
    """Raise ``TypeError`` if an option that ``where`` hands on to ``Rule`` is none of its own, or of ``more``."""
    check_options(where, given, [*more, *arguments(Rule, "change", "pre", "post", "params")])


@dataclass(frozen=True, eq=False)
class Rule(ByName):
    """A plasticity rule.

    Parameters
    ----------
    change : callable
        ``change(w, pre, post, *pre traces, *post traces, *params) -> (on_post, on_pre)``, all scalars. ``pre`` and
        ``post`` are 1 at a spike and 0 otherwise. Both results are added to the weight: depression is negative.
    pre, post : mapping of str to Trace
        The traces of both sides, in the order of ``change``'s arguments.
    params : mapping of str to float
        Likewise.
    bounds : {"hard", "soft", "power", "smooth", "none"}
        See ``nbsnn.plasticity.bounds``.
    w_min, w_max, mu : float, default 0, 1, 1
        The bounds, and the exponent of "power".
    clip : {"changed", "all"}
        Whether the bounds are enforced on the weights that change, or in every step on all.
    coincidence : {"count", "ignore"}
        What happens at a synapse whose two units spike in the same step: as anywhere else, or nothing.
    sign : {1, -1}
        -1 turns every change round (anti-Hebbian).
    batch : {"sum", "mean"}
        How the increments of the samples are joined.
    normalize : Normalize, optional
        Normalisation of the weights onto each postsynaptic unit.

    Raises
    ------
    ValueError, TypeError
        If an option is not among those above, a number is not finite, ``w_min`` is not below ``w_max``, or ``change``
        takes another number of arguments.

    Examples
    --------
    A custom rule: each postsynaptic spike brings the weight closer to the presynaptic trace.

    >>> import numpy as np
    >>> from nbsnn.plasticity import Rule, Trace
    >>> def change(w, pre, post, x, rate):
    ...     return rate * post * (x - w), 0.0
    >>> own = Rule(change, pre={"x": Trace(20.0)}, params={"rate": 0.1})
    >>> w = np.full((1, 1), 0.5)
    >>> spikes = np.array([1.0, 0.0, 1.0]).reshape(3, 1, 1)
    >>> own.run(w, pre=spikes, post=np.roll(spikes, 1)).weights.round(4)
    array([[0.5901]])
    """

    change: Callable[..., tuple[Any, ...]]
    pre: Mapping[str, Any] = field(default_factory=dict[str, Any])
    post: Mapping[str, Any] = field(default_factory=dict[str, Any])
    params: Mapping[str, float] = field(default_factory=dict[str, float])
    bounds: str = "hard"
    w_min: float = 0.0
    w_max: float = 1.0
    mu: float = 1.0
    clip: str = "changed"
    coincidence: str = "count"
    sign: float = 1.0
    batch: str = "sum"
    normalize: Normalize | None = None
    _kernels: dict[Any, Any] = field(default_factory=dict[Any, Any], init=False, repr=False)
    reads = carried = ()  # variables of the target that ``advance`` takes; what synapses carry on beside weights
    seen: ClassVar[tuple[type, ...]] = (Trace,)  # what may stand among the traces

    loop: ClassVar[Literal["pairs", "rewarded", "mean weight", "membrane"] | None] = "pairs"
    """The loop over synapses that does what ``advance`` does, or what a network alone does: "membrane".

    None, as for a subclass with an ``advance`` of its own unless it says more: dense weights alone, step by step.
    """

    def __init_subclass__(cls) -> None:
        if "advance" in vars(cls) and "loop" not in vars(cls):
            cls.loop = None

    def __post_init__(self) -> None:
        function("change", self.change)
        for name in ("pre", "post", "params"):
            object.__setattr__(self, name, Fixed(mapping(name, getattr(self, name))))
        choice("bounds", self.bounds, BOUNDS)
        choice("clip", self.clip, ("changed", "all"))
        choice("coincidence", self.coincidence, ("count", "ignore"))
        choice("sign", self.sign, (1, -1))
        choice("batch", self.batch, ("sum", "mean"))
        number("mu", self.mu, least=0.0)
        if not number("w_min", self.w_min) < number("w_max", self.w_max):
            raise ValueError(f"w_min must be below w_max, not {self.w_min!r} with w_max = {self.w_max!r}")
        for name, value in self.params.items():
            number(f"parameter {name}", value)
        for name, trace in [*self.pre.items(), *self.post.items()]:
            if not isinstance(trace, self.seen):
                raise TypeError(f"trace {name} must be a {' or a '.join(s.__name__ for s in self.seen)}, not {trace!r}")
        if both := self.pre.keys() & self.post.keys():
            raise ValueError(f"{sorted(both)[0]!r} names a trace on both sides")
        if self.normalize is not None and instance("normalize", self.normalize, Normalize, "a Normalize or None").every:
            raise ValueError("a rule does not normalise at intervals: give that to Network.connect as homeostasis=")
        wanted = ["w", "pre", "post", *self.pre, *self.post, *self.params]
        if (given := len(inspect.signature(self.change).parameters)) != len(wanted):
            raise ValueError(f"change must take {len(wanted)} arguments ({', '.join(wanted)}), but takes {given}")
        in_place("change", self.change, wanted)
        results("change", self.change, 2, "(on_post, on_pre)")

    @property
    def normalizes_steps(self) -> bool:
        """True if weights are normalised after steps, and not only at the end of a run."""
        return self.normalize is not None and self.normalize.first is not None

    @property
    def stepwise(self) -> bool:
        """True if a step ends with something that concerns all weights: bounds or a normalisation."""
        return self.clip == "all" or self.normalizes_steps

    def given(self) -> dict[str, float]:
        """All that must be finite in the precision of the weights, by name."""
        traces = {f"trace {name}": trace.amount for name, trace in {**self.pre, **self.post}.items()}
        limits = {name: value for name in ("w_min", "w_max") if math.isfinite(value := getattr(self, name))}
        return {**self.params, **traces, **limits}

    def replace(self, **changes: Any) -> Rule:
        """A copy with other fields."""
        return replace(self, **changes)

    def filling(self) -> dict[str, Any]:
        """Fillings of the holes of a loop over synapses, dense or sparse."""
        weigh, clip = BOUNDS[self.bounds]
        return {
            "change": self.change, "weigh": weigh, "clip": clip,
            "COINCIDENCE": int(self.coincidence == "count"), "SIGN": float(self.sign),
            "constants": row(len(self.params), "k"),
            "traces_pre": row(len(self.pre), "t, b, n"), "traces_post": row(len(self.post), "t, b, n"),
        }  # fmt: skip

    def settling(self) -> dict[str, Any]:
        """Fillings of the holes of what a step does to all weights."""
        normalize = self.normalize
        return {
            "CLIP_ALL": int(self.clip == "all"), "BOUNDED": int(self.bounds != "none"),
            "BEFORE_CLIP": int(normalize is not None and normalize.before_clip),
            "GUARD": int(normalize is None or normalize.guard),
        }  # fmt: skip

    def on_gpu(self, side: RuleOnGpu) -> Needs:
        """Requirements of the rule for a run on a GPU."""
        if self.loop != "pairs":
            raise NotImplementedError(f'{type(self).__name__} names no loop for a GPU, in on_gpu: use device="cpu"')
        return pair_needs(self, side, side.defer or side.noted or self.stepwise, side.batch)

    def initial(self, batch: int, weights: Array) -> State:
        """The state from which a run starts: traces of zero, step 0."""
        zero = {
            side: {name: np.zeros((batch, n), weights.dtype) for name in traces}
            for side, traces, n in zip(("pre", "post"), (self.pre, self.post), weights.shape, strict=True)
        }
        return {**zero, "step": np.zeros((), np.int64)}

    def run(
        self, weights: Array, pre: ArrayLike, post: ArrayLike, state: State | None = None, *, dt: float = 1.0,
        device: str = "cpu", in_place: bool = True, record: Collection[str] = (), **signals: Any,
    ) -> RuleResult:  # fmt: skip
        """Apply the rule to given spike trains.

        Parameters
        ----------
        weights : float array [n_pre, n_post]
            Changed in place, unless ``in_place`` is False.
        pre, post : array [T, B, n_pre], [T, B, n_post]
            Spikes, 0 or 1.
        state : dict, optional
            Where to start: ``initial`` by default; the ``state`` of an earlier run continues it.
        dt : float
            Time step, in the unit of the time constants.
        device : {"cpu", "cuda", "python"}
            Compiled for the CPU or a GPU, or interpreted.
        record : collection of str
            What to keep of every step: "weights" and "dw" [T, n_pre, n_post], traces [T, B, N] as the rule saw them.
        **signals
            What else the rule asks for: ``reward``, ``draws``, ``thresh``.

        Returns
        -------
        RuleResult
            ``.weights``, ``.state``, and the recorded arrays by name.

        Raises
        ------
        ValueError, TypeError
            If shapes do not fit, spikes are not 0 or 1, or weights are not a writable array of finite floats.
        """
        weights = check_weights(weights, in_place)
        pre, post, state = check_run(self, weights, pre, post, state, device)
        dt, record = scale("dt", dt), names("record", record)
        known = ("weights", "dw", *self.initial(1, weights)["pre"], *self.initial(1, weights)["post"])
        kept: dict[str, Any] = {choice("record: a recorded variable", name, known): [] for name in record}
        state = backend(device).advance(self, weights, pre, post, state, dt=dt, kept=kept, **signals)
        self.finish(weights)
        joined = {name: np.concatenate(parts) for name, parts in kept.items()}
        return RuleResult(weights, state, joined)

    def advance(
        self, weights: Array, pre: Array, post: Array, state: State, *,
        dt: float = 1.0, device: str = "cpu", kept: dict[str, list[Array]] | None = None,
    ) -> State:  # fmt: skip
        """Variant of ``run``, without checks and in place; ``kept`` gathers what is recorded."""
        kept = kept if kept is not None else dict[str, list[Array]]()
        used, state = self.follow(pre, post, state, dt, device)
        first = int(state["step"]) - len(pre)
        self.keep_traces(kept, used)
        if self.stepwise or "dw" in kept or "weights" in kept:
            for t in range(len(pre)):
                dw = self.increment(t, weights, pre, post, used, device)
                self.settle(weights, dw, first + t)
                keep(kept, dw=dw, weights=weights)
        else:
            self._visit("into_weights", 0, len(pre), weights, weights, pre, post, used, device)
        return state

    def rest(self, weights: Array, pre: Array, post: Array, state: State, *, dt: float, device: str) -> State:
        """The state after steps in which the weights are left alone: traces follow the spikes."""
        return self.follow(pre, post, state, dt, device)[1]

    def single_pair(self) -> tuple[Rule, Any, State]:
        """The rule without what joins synapses, the dtype of its weights, and signals: for its learning window."""
        return self.replace(normalize=None), np.float64, {}

    def follow(
        self, pre: Array, post: Array, state: State, dt: float, device: str
    ) -> tuple[tuple[Array, Array], State]:
        """Traces as the rule sees them at every step, [K, T, B, N] for each side, and the state afterwards."""
        used, after = list[Array](), dict[str, dict[str, Array]]()
        for side, traces, spikes in (("pre", self.pre, pre), ("post", self.post, post)):
            values = np.empty((len(traces), *spikes.shape), spikes.dtype)
            after[side] = {name: state[side][name].copy() for name in traces}
            for line, (name, trace) in zip(values, traces.items(), strict=True):
                flat = spikes.reshape(len(spikes), -1)
                loop = self._kernel(("follow", name, device, spikes.dtype), cpu.follow, trace.filling)
                a = after[side][name].reshape(-1)
                loop(flat, a, line.reshape(flat.shape), *self._numbers(name, trace, dt, spikes.dtype))
            used.append(values)
        return (used[0], used[1]), {**state, **after, "step": state["step"] + len(pre)}

    def keep_traces(self, kept: dict[str, list[Array]], used: tuple[Array, Array]) -> None:
        """Put the recorded traces into ``kept``."""
        for traces, values in zip((self.pre, self.post), used, strict=True):
            for name, line in zip(traces, values, strict=True):
                if name in kept:
                    kept[name].append(line)

    def increment(
        self, t: int, weights: Array, pre: Array, post: Array, used: tuple[Array, Array], device: str
    ) -> Array:
        """Increments of the rule at step ``t``, [n_pre, n_post], before the weights are clipped."""
        dw = np.zeros_like(weights)
        self._visit("into_increments", t, t + 1, weights, dw, pre, post, used, device)
        return dw

    def settle(self, weights: Array, dw: Array, step: int) -> None:
        """Add ``dw`` to the weights in place, enforce the bounds and normalise if it is due after this step."""
        normalize = self.normalize if self.normalize is not None and self.normalize.due(step) else None
        weights += dw
        if normalize and normalize.before_clip:
            normalize.apply(weights)
        if BOUNDS[self.bounds][1] is clipped:
            where = True if self.clip == "all" else dw != 0.0
            np.clip(weights, self.w_min, self.w_max, out=weights, where=where)
        if normalize and not normalize.before_clip:
            normalize.apply(weights)

    def finish(self, weights: Array) -> None:
        """Work at the end of a run: normalise, if ``normalize`` says so."""
        if self.normalize is not None and self.normalize.when == "end":
            self.normalize.apply(weights)

    def _visit(
        self, put: str, t0: int, t1: int, weights: Array, out: Array, pre: Array, post: Array,
        used: tuple[Array, Array], device: str,
    ) -> None:  # fmt: skip
        key = put, device, weights.dtype
        loop = self._kernel(key, cpu.visit, lambda: {**self.filling(), "put": getattr(cpu, put)})
        numbers, columns = self.numbers(pre.shape[1], weights.dtype), np.empty(weights.shape[1], np.int64)
        loop(t0, t1, pre, post, *used, *numbers, columns, weights, out)

    def numbers(self, batch: int, dtype: np.dtype) -> Numbers:
        """Parameters [params, 1] and limits (w_min, w_max, mu, factor of all increments) of a loop over synapses."""
        limits = self.w_min, self.w_max, self.mu, 1.0 / batch if self.batch == "mean" else 1.0
        return Numbers(np.array([*self.params.values()], dtype).reshape(-1, 1), np.array(limits, dtype))

    def factors(self, side: str, dt: float, dtype: np.dtype) -> Array:
        """Factor per step and amount of each trace of a side, [K, 2]."""
        traces = getattr(self, side).items()
        return np.array([self._numbers(name, t, dt, dtype) for name, t in traces], dtype).reshape(-1, 2)

    def _numbers(self, name: str, trace: Trace, dt: float, dtype: np.dtype) -> Any:
        """Factor per step and amount of a trace, in ``dtype``."""
        if (key := (name, dt, dtype)) not in self._kernels:
            self._kernels[key] = (dtype.type(trace.factor(dt, dtype)), dtype.type(trace.amount))
        return self._kernels[key]

    def _kernel(self, key: tuple[Any, ...], template: Callable[..., Any], filling: Callable[[], State]) -> Any:
        """A kernel of this rule; made once, since filling a template takes longer than a short run."""
        if key not in self._kernels:
            *_, device, dtype = key
            self._kernels[key] = kernel(template, device=device, dtype=dtype, **filling())
        return self._kernels[key]
