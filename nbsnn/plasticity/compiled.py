"""A plastic layer in one compiled loop: for rules that visit the synapses of spikes, bound and normalise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..compile.fill import bind, kernel
from ..compile.unroll import each, row, store
from ..kernels.plasticity import layer as cpu
from ..kernels.plasticity.dense import Found, follow, into_increments, into_weights
from ..layers.layer import Array, Nested
from ..layers.population_tape import PopulationTape
from .normalize import aim
from .plastic_layer import PlasticLayer
from .spikes_in import Drawn, connection_of
from .trace import Trace


def fits(layer: PlasticLayer) -> bool:
    """True if the loop can run ``layer``: its rule has no loop of its own, and rows of weights may be added."""
    if layer.integer or layer.setting.smooth or layer.connection.path == "dense":
        return False
    return layer.neurons.neuron.output == "spikes" and layer.rule.loop == "pairs"


class CompiledRun:
    """The steps of one run of a ``Plastic`` layer whose ``x`` holds spikes, or is ``Drawn``."""

    def __init__(self, layer: PlasticLayer, x: Array | Drawn, state: Nested, tape: Nested, learning: bool):
        self.layer, self.learning, self.steps = layer, learning, len(x)
        rule, dtype = layer.rule, layer.setting.dtype
        run: PopulationTape = tape["neurons"]["run"]
        record, n_pre, n_post = run.record, *layer.weights.shape
        batch = record.shape[2]
        latest = np.zeros((layer.queue + 1, batch, n_pre), dtype)
        if layer.queue:
            latest[1:] = state["input"]
        self.old, self.counts = state["rule"], np.zeros((batch, n_post), np.int64)
        self.source, self.noted = _source(x, latest), _noted(layer, state)
        self.sides = cpu.Sides(*(self._side(name, batch, n) for name, n in (("pre", n_pre), ("post", n_post))))
        self.arguments = (
            self.source, cpu.Lags(layer.delay, *layer.lag),
            connection_of(layer.connection, dtype), connection_of(layer.lateral, dtype),
            cpu.Cells(run.x, run.params, record[1:], record[0], self.counts),
            tuple(Found(np.zeros(batch + 1, np.uintp), np.empty(batch * n, np.uint32)) for n in (n_pre, n_post)),
            bool(learning), self.sides, rule.numbers(batch, dtype), self.noted,
        )  # fmt: skip

    def _side(self, name: str, batch: int, units: int) -> cpu.Side:
        """The kernel's arrays of one side, with the traces as they are at the start."""
        setting, traces = self.layer.setting, getattr(self.layer.rule, name)
        values = [self.old[name][trace].reshape(-1) for trace in traces]
        spikes, used = (np.zeros((k, batch, units), setting.dtype) for k in (1, len(traces)))
        carried = np.array(values, setting.dtype).reshape(len(traces), batch * units)
        factors = self.layer.rule.factors(name, setting.dt, setting.dtype)
        return cpu.Side(spikes, carried, used.reshape(len(traces), 1, batch, units), factors)

    def advance(self, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap; compiled, they just wrap
            _kernel(self.layer)(t0, t1, *self.arguments)

    def finish(self) -> None:
        """Work of the rule at the end of a run."""
        if self.learning:
            self.layer.rule.finish(self.layer.weights)

    def final(self) -> Nested:
        """The state after the last step, but for the neurons."""
        rule = dict(self.old)
        if self.learning:
            for side, arrays in self.sides._asdict().items():
                lines = zip(self.old[side].items(), arrays.carried, strict=True)
                rule[side] = {name: line.reshape(before.shape).copy() for (name, before), line in lines}
            rule["step"] = self.old["step"] + self.steps
        queue = self.layer.queue
        final: Nested = {"rule": rule}
        if queue:
            final["input"] = self.source.latest[np.arange(self.steps - queue, self.steps) % (queue + 1)]
        if self.layer.defer:
            final["pending"] = self.noted.dw[(self.steps - 1) % 2 if self.learning else 1].copy()
        return final


def _whole(layer: PlasticLayer) -> bool:
    """True if increments are noted in each step, and added by what then concerns all weights."""
    return layer.defer or layer.rule.stepwise


def _noted(layer: PlasticLayer, state: Nested) -> cpu.PendingIncrements:
    """Of two slots for increments, the first step adds those of the second."""
    rule, (n_pre, n_post), dtype = layer.rule, layer.weights.shape, layer.setting.dtype
    slots = 1 + layer.defer if _whole(layer) else 0
    dw = np.zeros((slots, n_pre, n_post), dtype)
    rows, columns = (np.ones((slots, n), np.uint8) for n in (n_pre, n_post))
    if layer.defer:
        dw[1] = state["pending"]
    total, due = aim(rule.normalize, dtype)
    step = int(state["rule"]["step"])
    scratch = np.zeros(n_post, dtype), np.empty(n_post, np.int64)
    return cpu.PendingIncrements(dw, rows, columns, scratch[0], total, step, int(due), scratch[1])


def _source(x: Array | Drawn, latest: Array) -> cpu.Source:
    """Spikes and nothing to draw, or the other way round."""
    u = np.uint64
    if isinstance(x, Drawn):
        start = np.zeros(len(x.threshold) + 1, np.uintp)
        np.cumsum(np.count_nonzero(x.threshold, axis=1), out=start[1:])
        index = np.nonzero(x.threshold)[1].astype(np.uint32)
        return cpu.Source(latest[:0], latest, x.threshold, start, index, x.keys, u(x.first))
    nothing = np.zeros((0, 0), u), np.zeros(0, np.uintp), np.zeros(0, np.uint32), np.zeros(0, u), u(0)
    return cpu.Source(x, latest, *nothing)


def _kernel(layer: PlasticLayer) -> Callable[..., Any]:
    """The kernel of a layer, made once."""
    if "cpu" not in layer.compiled:
        neuron, rule, setting, whole = layer.neurons.neuron, layer.rule, layer.setting, _whole(layer)
        filling: dict[str, Any] = {
            **neuron.filling(setting.smooth), **rule.filling(), **rule.settling(),
            "WHOLE": int(whole), "put": into_increments if whole else into_weights,
            "step": neuron.of_current(), "keep": store(tuple(range(1, 1 + len(neuron.state))), "t, b, n"),
            "state": row(len(neuron.state), "t, b, n"), "param": row(len(neuron.params), "n"),
            "follow_pre": followers(rule.pre), "follow_post": followers(rule.post),
        }  # fmt: skip
        layer.compiled["cpu"] = kernel(cpu.run, device=setting.device, dtype=setting.dtype, **filling)
    return layer.compiled["cpu"]


def stay(s: float, a: float, used: float, decay: float, amount: float) -> None:
    """Leave alone what is no trace of spikes."""


def followers(traces: Mapping[str, Trace]) -> Callable[..., Any]:
    """One function that follows all traces of a side, each with its own filling."""
    bound = [stay if trace.reads else bind(follow, **trace.filling()) for trace in traces.values()]
    return each(bound, "s, a, used, D", "s, a[{k}], used[{k}], D[{k}, 0], D[{k}, 1]")
