"""A rule on a GPU: spikes and traces of both sides of a connection, and what the rule says it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..compile.fill import bind
from ..compile.unroll import each
from ..device import gpu
from ..kernels.plasticity.layer import Side, Sides
from ..kernels.plasticity.synapse import Numbers
from ..layers.layer import Array, Nested
from .normalize import aim


class Needs(NamedTuple):
    """Requirements of a rule for a run on a GPU.

    Attributes
    ----------
    filling : dict
        What fills the kernel's holes.
    numbers, noted : tuple
        What the function over synapses takes: parameters and limits; arrays and numbers of the rule's own.
    state : dict of str to device array
        What is part of the rule's state, beside traces and step.
    dw : device array [slots, n_pre, n_post]
        Increments, without a slot if a step does not end with what concerns all weights.
    key : object
        What tells the kernel from that of another run of the same rule.
    """

    filling: Mapping[str, Any]
    numbers: tuple[Any, ...]
    noted: tuple[Any, ...]
    state: Mapping[str, Any]
    dw: Any = ()
    key: Any = None


class GpuRule(Protocol):
    """Interface of a rule."""

    @property
    def advance(self) -> Callable[..., Nested]: ...

    def given(self) -> dict[str, float]:
        """All that must be finite in the precision of the weights, by name."""
        ...

    def factors(self, side: str, dt: float, dtype: np.dtype) -> Array:
        """Numbers of the traces of a side."""
        ...

    def on_gpu(self, side: RuleOnGpu) -> Needs:
        """Requirements of the rule for a run."""
        ...


class RuleOnGpu:
    """The arrays of a rule for one run, from the state ``old`` on; ``signals`` None: nothing is learned.

    ``noted``: the increments of a step are looked at; ``defer``: they are added a step later.
    """

    def __init__(
        self, rule: GpuRule, state: Nested, weights: Array, batch: int, dt: float, signals: Nested | None,
        defer: bool = False, noted: bool = False,
    ):  # fmt: skip
        self.old, self.dtype, self.shape, self.batch, self.dt = state, weights.dtype, weights.shape, batch, dt
        self.signals, self.defer, self.noted = signals, defer, noted
        self.sides = Sides(self._side(rule, "pre", weights.shape[0]), self._side(rule, "post", weights.shape[1]))
        self.needs = rule.on_gpu(self)

    def _side(self, rule: GpuRule, name: str, n: int) -> Side:
        carried = np.array([*self.old[name].values()], self.dtype).reshape(-1, self.batch, n)
        used = gpu.zeros((max(len(carried), 1), 1, self.batch, n), self.dtype)
        numbers = gpu.put(rule.factors(name, self.dt, self.dtype))
        return Side(gpu.zeros((self.batch, n), self.dtype), gpu.put(carried), used, numbers)

    def arguments(self) -> tuple[Sides, Any, tuple[Any, ...]]:
        """The kernel's: sides, rule, noted."""
        return self.sides, self.needs.numbers, self.needs.noted

    def state(self, steps: int) -> Nested:
        """The rule's state after this many steps."""
        after = dict(self.old)
        for side, arrays in self.sides._asdict().items():
            lines = zip(self.old[side], gpu.get(arrays.carried), strict=True)
            after[side] = {name: line.copy() for name, line in lines}
        after |= {name: gpu.get(array) for name, array in self.needs.state.items()}
        after["step"] = self.old["step"] + steps
        return after


def follow_all(traces: list[Any]) -> Any:
    """One function that follows all traces of a side."""
    return each(traces, "b, n, s, a, used, D", "{k}, b, n, s, a, used, D")


def pair_needs(rule: Any, side: RuleOnGpu, whole: bool, batch: int) -> Needs:
    """What a ``Rule`` needs whose increments are added; ``whole``: a step ends with what concerns all weights."""
    from ..kernels.plasticity import dense_cuda as cuda

    followers = {
        f"follow_{name}_unit": follow_all([bind(cuda.follow_unit, **t.filling()) for t in getattr(rule, name).values()])
        for name in ("pre", "post")
    }
    filling: dict[str, Any] = {
        **rule.filling(), **followers, **rule.settling(), "WHOLE": int(whole), "synapses": cuda.pair_synapses,
        "settle": cuda.settle if whole else cuda.no_settle,
    }  # fmt: skip
    slots = 1 + side.defer if whole else 0
    dw = (gpu.zeros if slots else gpu.empty)((slots, *side.shape), side.dtype)
    total, due = aim(rule.normalize, side.dtype)
    numbers = Numbers(*map(gpu.put, rule.numbers(batch, side.dtype)))
    return Needs(filling, numbers, cuda.Increments(dw, total, int(side.old["step"]), int(due)), {}, dw)
