"""A plastic layer in one compiled loop: for rules that visit the synapses of spikes, bound and normalise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.fill import bind, kernel
from ..compile.unroll import each, row, store
from ..kernels.plasticity import layer as cpu
from ..kernels.plasticity.dense import follow, into_increments, into_weights
from ..layers.layer import Array, Nested
from .normalize import aim
from .rule import Rule
from .spikes_in import Drawn


def fits(layer: Any) -> bool:
    """Whether the loop can run ``layer``: its rule has no loop of its own, and rows of weights may be added."""
    if layer.integer or layer.setting.smooth or layer.connection.path == "dense":
        return False
    return layer.neurons.neuron.output == "spikes" and type(layer.rule).advance is Rule.advance


class CompiledRun:
    """The steps of one run of a ``Plastic`` layer whose ``x`` holds spikes, or is ``Drawn``."""

    def __init__(self, layer: Any, x: Array | Drawn, state: Nested, tape: Nested, learning: bool):
        self.layer, self.learning, self.steps = layer, learning, len(x)
        rule, dtype, inner = layer.rule, layer.setting.dtype, tape["neurons"]
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
            seen, used = np.zeros((1, batch, units), dtype), np.zeros((len(traces), 1, batch, units), dtype)
            arrays += [(seen, seen.reshape(1, -1)), carried, (used, used.reshape(len(traces), 1, batch * units))]
            arrays.append(rule.factors(side, layer.setting.dt, dtype))
        empty = np.zeros((0, 0), dtype), np.zeros(0, dtype)
        lateral = empty if layer.lateral is None else _arrays(layer.lateral)
        events = tuple((np.zeros(batch + 1, np.uintp), np.empty(batch * n, np.uint32)) for n in (n_pre, n_post))
        self.counts = np.zeros((batch, n_post), np.int64)
        self.noted = _noted(layer, state)
        self.arrays = (
            *_source(x, batch, n_pre, dtype), self.line, layer.delay, layer.lag, _arrays(layer.connection), lateral,
            np.zeros((batch, n_post), dtype), inner["x"], inner["params"], record[1:], record[0],
            self.counts, *arrays, rule.numbers(batch, dtype), events, self.noted,
        )  # fmt: skip

    def advance(self, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap; compiled, they just wrap
            _kernel(self.layer)(t0, t1, *self.arrays)

    def finish(self) -> None:
        """What the rule does at the end of a run."""
        if self.learning:
            self.layer.rule.finish(self.layer.weights)

    def final(self) -> Nested:
        """The state after the last step, but for the neurons."""
        rule = dict(self.old)
        if self.learning:
            for side, carried in self.traces.items():
                lines = zip(self.old[side].items(), carried, strict=True)
                rule[side] = {name: line.reshape(before.shape).copy() for (name, before), line in lines}
            rule["step"] = self.old["step"] + self.steps
        queue = self.layer.queue
        final: Nested = {"rule": rule}
        if queue:
            final["input"] = self.line[np.arange(self.steps - queue, self.steps) % (queue + 1)]
        if self.layer.defer:
            final["pending"] = self.noted[0][(self.steps - 1) % 2 if self.learning else 1].copy()
        return final


def _whole(layer: Any) -> bool:
    """Whether increments are noted in each step, and added by what then concerns all weights."""
    return layer.defer or layer.rule.stepwise


def _noted(layer: Any, state: Nested) -> tuple:
    """The kernel's argument of that name: of two slots for increments, the first step adds those of the second."""
    rule, (n_pre, n_post), dtype = layer.rule, layer.weights.shape, layer.setting.dtype
    slots = 1 + layer.defer if _whole(layer) else 0
    dw, marks = np.zeros((slots, n_pre, n_post), dtype), [np.ones((slots, n), np.uint8) for n in (n_pre, n_post)]
    if layer.defer:
        dw[1] = state["pending"]
    total, due = aim(rule.normalize, dtype)
    step = np.int64(state["rule"]["step"])
    return dw, *marks, np.zeros(n_post, dtype), total, step, due, np.empty(n_post, np.int64)


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
        neuron, rule, setting, whole = layer.neurons.neuron, layer.rule, layer.setting, _whole(layer)
        filling = {
            **neuron.filling(setting.smooth), **rule.filling(), **rule.settling(),
            "WHOLE": int(whole), "put": into_increments if whole else into_weights,
            "step": neuron.of_current(), "keep": store(tuple(range(1, 1 + len(neuron.state))), "t, b, n"),
            "state": row(len(neuron.state), "t, b, n"), "param": row(len(neuron.params), "n"),
            "follow_pre": followers(rule.pre), "follow_post": followers(rule.post),
        }  # fmt: skip
        layer.compiled = kernel(cpu.live, device=setting.device, dtype=setting.dtype, **filling)
    return layer.compiled


def followers(traces: Any) -> Callable:
    """One function that follows all traces of a side, each with its own filling."""
    bound = [bind(follow, **trace.filling()) for trace in traces.values()]
    return each(bound, "s, a, used, D", "s, a[{k}], used[{k}], D[{k}, 0], D[{k}, 1]")
