"""A rule with given spikes on a GPU: one launch for all steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device import gpu
from ..device.buffers import GpuArray
from ..kernels.plasticity.layer import Cells, Connection, Lags
from ..layers.layer import Array, Nested
from .gpu import FEW, lists, source
from .gpu_arrays import GpuRule, RuleOnGpu
from .spikes_in import connection_of


def advance(
    rule: GpuRule, weights: Array, pre: Array, post: Array, state: Nested, *, dt: float = 1.0,
    kept: dict[str, list[Array]] | None = None, **signals: Any,
) -> Nested:  # fmt: skip
    """As ``rule.advance``: changes ``weights`` in place, and returns the state after the last step."""
    from ..kernels.plasticity import layer_cuda as cuda

    kept, (steps, batch, n_post), n_pre = kept or dict[str, list[Array]](), post.shape, pre.shape[2]
    side = RuleOnGpu(rule, state, weights, batch, dt, {**signals, "steps": steps}, noted="dw" in kept)
    on_gpu, nothing = gpu.put(weights), Connection(*map(gpu.put, connection_of(None, weights.dtype)))
    given = gpu.put(post)
    arguments = (
        source(pre, np.zeros((0, batch, n_pre), pre.dtype), batch), Lags(0, 0, 0), Connection(on_gpu, nothing.bias),
        nothing, Cells(given, given, given, given, given), lists(batch, n_pre, n_post), 1, *side.arguments(),
    )  # fmt: skip
    call = kernel(cuda.run, device="cuda", dtype=side.dtype, units=cuda.replay_output, **side.needs.filling)
    window = 1 if kept else steps
    for t in range(0, steps, window):
        gpu.together(call, max(weights.size, FEW), t, t + window, *arguments)
        for name in kept:
            kept[name].append(_seen(name, rule, side, on_gpu)[None])
    weights[...] = gpu.get(on_gpu)
    return side.state(steps)


def _seen(name: str, rule: GpuRule, side: RuleOnGpu, weights: GpuArray) -> Array:
    """Record under a name, as the rule has just seen it."""
    if name == "weights":
        return gpu.get(weights)
    if name == "dw":
        if not len(side.needs.dw):
            raise NotImplementedError(f'increments of {type(rule).__name__} are recorded on device="cpu" only')
        return gpu.get(side.needs.dw)[0]
    for part, arrays in side.sides._asdict().items():
        if name in side.old[part]:
            return gpu.get(arrays.used)[list(side.old[part]).index(name), 0]
    raise KeyError(name)
