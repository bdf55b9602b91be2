"""A plastic layer in one compiled loop: for rules that act at spikes alone, which is the common case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compile import kernel
from ..kernels.cpu import plastic as cpu
from ..kernels.cpu.plasticity import follow, into_weights
from ..layers.layer import Array, Nested
from ..spell import each, row, store
from .rule import Rule


@dataclass(frozen=True)
class Drawn:
    """Input spikes that are drawn while the loop runs: ``encode.poisson`` of each sample, without the array.

    Attributes
    ----------
    threshold : uint64 array [B, n_pre]
        2^32 times the probability.
    keys : uint64 array [B]
        Keys of each sample's draws.
    steps : int
        Number of steps.
    first : int
        The step of the draws with which to begin.
    """

    threshold: Array
    keys: Array
    steps: int
    first: int = 0

    def __len__(self) -> int:
        return self.steps


def fits(layer: Any) -> bool:
    """Whether the loop can run ``layer``: its rule changes weights at spikes only, at once, and rows may be added."""
    rule, setting = layer.rule, layer.setting
    if layer.integer or layer.defer or setting.smooth or layer.connection.path == "dense":
        return False
    if layer.neurons.neuron.output != "spikes":
        return False
    at_spikes = rule.clip == "changed" and (rule.normalize is None or rule.normalize.when == "end")
    return at_spikes and type(rule).advance is Rule.advance


class Loop:
    """The steps of one run of a ``Plastic`` layer whose ``x`` holds spikes, or is ``Drawn``."""

    def __init__(self, layer: Any, x: Array | Drawn, state: Nested, tape: Nested, learning: bool):
        self.layer, self.learning, self.steps = layer, learning, len(x)
        rule, dtype, inner, u = layer.rule, layer.setting.dtype, tape["neurons"], np.uintp
        record, n_pre, n_post = inner["record"], *layer.weights.shape
        batch = record.shape[2]
        self.line = np.zeros((layer.queue + 1, batch, n_pre), dtype)
        if layer.queue:
            self.line[1:] = state["input"]
        self.old = state["rule"]
        self.traces = {}
        arrays: list[Any] = [bool(learning)]
        for side, units in (("pre", n_pre), ("post", n_post)):
            traces = getattr(rule, side)
            values = [state["rule"][side][name].reshape(-1) for name in traces]
            carried = self.traces[side] = np.array(values, dtype).reshape(len(traces), batch * units)
            numbers = [rule._numbers(name, trace, layer.setting.dt, dtype) for name, trace in traces.items()]
            used = np.zeros((len(traces), 1, batch, units), dtype)
            arrays += [np.zeros((1, batch, units), dtype), carried, used, np.array(numbers, dtype).reshape(-1, 2)]
        empty = np.zeros((0, 0), dtype), np.zeros(0, dtype)
        lateral = empty if layer.lateral is None else _arrays(layer.lateral)
        events = np.zeros(batch + 1, u), np.empty(batch * max(n_pre, n_post), np.uint32)
        self.arrays = (
            *_source(x, batch, n_pre, dtype), self.line, layer.delay, layer.lag, _arrays(layer.connection), lateral,
            np.zeros((batch, n_post), dtype), inner["x"], inner["params"], record[1:], record[0], *arrays,
            rule.numbers(batch, dtype), events, np.empty(n_post, np.int64),
        )  # fmt: skip

    def advance(self, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap; compiled, they just wrap
            _kernel(self.layer)(t0, t1, *self.arrays)

    def final(self) -> Nested:
        """The state after the last step, but for the neurons."""
        rule = dict(self.old)
        if self.learning:
            for side, carried in self.traces.items():
                lines = zip(self.old[side].items(), carried, strict=True)
                rule[side] = {name: line.reshape(before.shape).copy() for (name, before), line in lines}
            rule["step"] = self.old["step"] + self.steps
        queue = self.layer.queue
        if not queue:
            return {"rule": rule}
        return {"rule": rule, "input": self.line[np.arange(self.steps - queue, self.steps) % (queue + 1)]}


def _arrays(dense: Any) -> tuple[Array, Array]:
    """Weight and bias; none is of length 0."""
    return dense.params["weight"], dense.params.get("bias", np.zeros(0, dense.setting.dtype))


def _source(x: Array | Drawn, batch: int, n_pre: int, dtype: Any) -> tuple[Array, tuple]:
    """The kernel's arguments for its input: an array and nothing to draw, or the other way round."""
    u = np.uint64
    if isinstance(x, Drawn):
        start = np.zeros(batch + 1, np.uintp)
        np.cumsum(np.count_nonzero(x.threshold, axis=1), out=start[1:])
        index = np.nonzero(x.threshold)[1].astype(np.uint32)
        return np.zeros((0, batch, n_pre), dtype), (x.threshold, start, index, x.keys, u(x.first))
    return x, (np.zeros((0, 0), u), np.zeros(0, np.uintp), np.zeros(0, np.uint32), np.zeros(0, u), u(0))


def _kernel(layer: Any) -> Callable:
    """The kernel of a layer, made once."""
    if layer.compiled is None:
        neuron, rule, setting = layer.neurons.neuron, layer.rule, layer.setting
        filling = {
            **neuron.filling(setting.smooth), **rule.filling(), "put": into_weights,
            "step": neuron.of_current(), "keep": store(tuple(range(1, 1 + len(neuron.state))), "t, b, n"),
            "state": row(len(neuron.state), "t, b, n"), "param": row(len(neuron.params), "n"),
            "follow_pre": _followers(rule.pre), "follow_post": _followers(rule.post),
        }  # fmt: skip
        layer.compiled = kernel(cpu.live, device=setting.device, dtype=setting.dtype, **filling)
    return layer.compiled


def _followers(traces: Any) -> Callable:
    """One function that follows all traces of a side, each with its own filling."""
    # Filled as Python first: two traces fill the same holes in different ways.
    filled = [kernel(follow, device="python", dtype=np.float64, **trace.filling()) for trace in traces.values()]
    return each(filled, "s, a, used, D", "s, a[{k}], used[{k}], D[{k}, 0], D[{k}, 1]")
