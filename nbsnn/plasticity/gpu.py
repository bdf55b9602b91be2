"""Plasticity on a GPU: a layer, or a rule with given spikes, in one launch for all steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile.fill import kernel
from ..compile.unroll import row, store
from ..device import gpu
from ..kernels.plasticity.layer import Cells, Connection, Lags
from ..layers.layer import Array, Nested
from ..layers.population_tape import PopulationTape
from ..random import counter, squares32
from .gpu_arrays import RuleOnGpu
from .plastic_layer import PlasticLayer
from .spikes_in import Drawn, binary, connection_of

if TYPE_CHECKING:
    from ..kernels.plasticity.layer_cuda import Found, Source

FEW = 1024
"""Least number of threads of a launch."""


def check_spikes_on_gpu(layer: PlasticLayer, x: Array | Drawn, tape: Nested) -> None:
    """Raise unless input and output of a plastic layer are spikes, of which lists are made on a GPU."""
    if layer.neurons.neuron.output != "spikes" or not binary(tape["neurons"]["run"].record[0, 0]):
        raise ValueError('on a GPU the units of a plastic layer must spike; use device="cpu"')
    if not isinstance(x, Drawn) and not binary(x):
        raise ValueError('on a GPU the input of a plastic layer must be spikes, 0 or 1; use device="cpu"')


class GpuRun:
    """The steps of one run of a ``Plastic`` layer, as ``CompiledRun``; ``signals`` None leaves the weights alone.

    All arrays go to the GPU at the start; weights come back after each ``advance``, the rest after the last step.
    ``weights`` that are there already stay there.
    """

    def __init__(
        self,
        layer: PlasticLayer,
        x: Array | Drawn,
        state: Nested,
        tape: Nested,
        signals: Nested | None,
        weights: Array | None = None,
    ):
        self.layer, self.steps, self.x, self.old = layer, len(x), x, state
        self.learning, dtype = signals is not None, layer.setting.dtype
        self.run: PopulationTape = tape["neurons"]["run"]
        record, batch = self.run.record, self.run.record.shape[2]
        self.before = state.get("input", np.zeros((0, batch, *layer.in_shape), dtype))
        self.record, self.counts = gpu.put(record), np.zeros(record.shape[2:], np.int64)
        self.drive, self.tallied = gpu.put(self.run.x), gpu.put(self.counts)
        cells = Cells(self.drive, gpu.put(self.run.params), self.record[1:], self.record[0], self.tallied)
        self.stay, self.weights = weights is not None, gpu.put(layer.weights) if weights is None else weights
        connection = Connection(self.weights, gpu.put(connection_of(layer.connection, dtype).bias))
        lateral = Connection(*map(gpu.put, connection_of(layer.lateral, dtype)))
        if signals is not None:
            places = {name: layer.neurons.variables.index(name) for name in layer.rule.reads}
            signals = {**signals, "steps": len(x), **{name: self.record[k] for name, k in places.items()}}
        self.side = RuleOnGpu(layer.rule, state["rule"], layer.weights, batch, layer.setting.dt, signals, layer.defer)
        if layer.defer:
            self.side.needs.dw[1].copy_to_device(state["pending"])
        self.call = _compiled(layer, self.side)
        self.arguments = (
            source(x, self.before, batch), Lags(layer.delay, *layer.lag), connection, lateral, cells,
            lists(batch, *layer.weights.shape), int(self.learning),
            *self.side.arguments(),
        )  # fmt: skip

    def advance(self, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        if t1 > t0:
            gpu.together(self.call, max(self.layer.weights.size, FEW), t0, t1, *self.arguments)
        if self.learning and not self.stay:
            self.layer.weights[...] = gpu.get(self.weights)
        if t1 == self.steps:
            self.run.record[...] = gpu.get(self.record)
            self.run.x[...] = gpu.get(self.drive)
            self.counts[...] = gpu.get(self.tallied)

    def finish(self) -> None:
        """Work of the rule at the end of a run."""
        if self.learning and not self.stay:
            self.layer.rule.finish(self.layer.weights)
            return
        normalize, dtype = self.layer.rule.normalize, self.layer.setting.dtype
        if self.learning and normalize is not None and normalize.when == "end":
            call = gpu.compiled("plasticity.dense_cuda", "normalize_all", dtype, GUARD=int(normalize.guard))
            gpu.run(call, self.weights.shape[1], self.weights, dtype.type(normalize.total))

    def final(self) -> Nested:
        """The state after the last step, but for the neurons."""
        rule = self.side.state(self.steps) if self.learning else dict(self.old["rule"])
        final: Nested = {"rule": rule}
        if self.layer.queue:
            final["input"] = np.concatenate([self.before, _latest(self.x, self.layer.queue)])[-self.layer.queue :]
        if self.layer.defer:
            final["pending"] = (
                gpu.get(self.side.needs.dw[(self.steps - 1) % 2]) if self.learning else self.old["pending"]
            )
        return final


def _compiled(layer: PlasticLayer, side: RuleOnGpu) -> Callable[..., Any]:
    """The kernel of a layer, made once."""
    if side.needs.key not in layer.compiled:
        from ..kernels.plasticity import layer_cuda as cuda

        neuron = layer.neurons.neuron
        filling: dict[str, Any] = {
            **neuron.filling(), "units": cuda.step_units, "step": neuron.of_current(),
            "keep": store(tuple(range(1, 1 + len(neuron.state))), "t, b, n"),
            "state": row(len(neuron.state), "t, b, n"), "param": row(len(neuron.params), "n"), **side.needs.filling,
        }  # fmt: skip
        layer.compiled[side.needs.key] = kernel(cuda.run, device="cuda", dtype=layer.setting.dtype, **filling)
    return layer.compiled[side.needs.key]


def source(x: Array | Drawn, before: Array, batch: int) -> Source:
    """Spikes, or what to draw, on the GPU."""
    from ..kernels.plasticity.layer_cuda import Source

    u = np.uint64
    if isinstance(x, Drawn):
        given = np.zeros((0, batch, before.shape[2]), before.dtype), before, x.threshold, x.keys, np.array([x.first], u)
    else:
        given = np.ascontiguousarray(x), before, np.zeros((0, 0), u), np.zeros(0, u), np.zeros(1, u)
    return Source(*map(gpu.put, given))


def lists(batch: int, n_pre: int, n_post: int) -> tuple[Found, Found]:
    """Room for the spikes of both sides."""
    from ..kernels.plasticity.layer_cuda import CHUNK, Found

    pre, post = (Found(*(gpu.empty((batch, k), np.int32) for k in (n, -(-n // CHUNK)))) for n in (n_pre, n_post))
    return pre, post


def _latest(x: Array | Drawn, steps: int) -> Array:
    """The last of its input spikes, at most ``steps``."""
    first = max(0, len(x) - steps)
    if not isinstance(x, Drawn):
        return x[first:]
    units = np.arange(x.threshold.shape[1], dtype=np.uint64)
    with np.errstate(over="ignore"):
        drawn = [squares32(counter(np.uint64(x.first + t), units), x.keys[:, None]) for t in range(first, len(x))]
    return np.array(drawn) < x.threshold
