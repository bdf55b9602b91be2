"""Samples shown to a plastic layer one after another: an encoder's spikes in, spike counts and weights out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device import gpu
from ..encode.encoder import Encoder
from ..encode.poisson import poisson
from ..layers.layer import Array, Nested, buffer
from ..random import Draws
from ..validate import choice, count, names, real, shaped, shown, switch
from .check import check_spikes
from .compiled import CompiledRun, fits
from .gpu import GpuLoop, check_spikes_on_gpu
from .spikes_in import Drawn


@dataclass(frozen=True)
class Presented:
    """Result of ``Plastic.present``.

    Attributes
    ----------
    counts : int array [S, N]
        Spikes of each neuron during each sample: what ``nbsnn.voting`` reads.
    state : dict
        State after the last sample (without learning: the one at the start).
    weights : array [K, n_pre, n_post]
        Weights after the samples ``every``, 2 ``every``, ...
    """

    counts: Array
    state: Nested
    weights: Array


def present(
    layer: Any, x: Any, encoder: Encoder, draws: Draws, state: Nested | None, keep: tuple[str, ...], learn: bool,
    first: int, batch: int, every: int | None,
) -> Presented:  # fmt: skip
    """See ``Plastic.present``."""
    if not isinstance(encoder, Encoder):
        raise TypeError(f"encoder must be one of nbsnn.encode, not {shown(encoder)}")
    if not isinstance(draws, Draws):
        raise TypeError(f"draws must be nbsnn.random.Draws(seed), not {draws!r}")
    if layer.integer:
        raise ValueError("an integer layer is not shown samples: encode them and use learn")
    switch("learn", learn)
    keep = names("keep", keep)
    x = shaped("x: samples", real("x", x), (None, *layer.in_shape))
    if not len(x):
        raise ValueError("there are no samples to show")
    first, batch = count("first", first, least=0), count("batch", batch)
    every = len(x) + 1 if every is None else count("every", every)
    if learn and batch > 1:
        raise ValueError(f"a rule learns from one sample at a time: batch must be 1, not {batch}")
    for name in keep:
        choice("a variable to keep", name, layer.neurons.variables)
    begin: Nested = layer.initial(1) if state is None else layer.check_state(state, 1)
    counts = np.empty((len(x), *layer.shape), np.int64)
    tape: Nested = {}
    noted, final = [], begin
    on_gpu = gpu.put(layer.weights) if layer.setting.device == "cuda" else None
    try:
        for s in range(0, len(x), batch):
            group = range(s, min(s + batch, len(x)))
            spikes = _encode(layer, encoder, x[s : group.stop], [draws.fold(first + k) for k in group])
            start = _fresh(layer, len(group), final, keep)
            counts[s : group.stop], after = _show(layer, spikes, start, tape, learn, on_gpu)
            final = after if learn else final
            if learn and (s + 1) % every == 0:
                noted.append(layer.weights.copy() if on_gpu is None else gpu.get(on_gpu))
    finally:
        if on_gpu is not None:
            layer.weights[...] = gpu.get(on_gpu)
    weights = np.array(noted, layer.weights.dtype).reshape(-1, *layer.weights.shape)
    return Presented(counts, final, weights)


def _show(layer: Any, x: Any, start: Nested, tape: Nested, learn: bool, weights: Any) -> tuple[Array, Nested]:
    """Spike counts [B, N] of a group of samples, and the state afterwards; the loop keeps one step at a time.

    ``weights`` are those on the GPU, if the layer runs there.
    """
    output = start["neurons"][layer.neurons.neuron.output]
    if weights is None and not (fits(layer) and np.isin(output, (0, 1)).all()):
        y, after = layer._steps(x, start, tape, {} if learn else None)
        return y.sum(axis=0), after
    inner = tape.setdefault("neurons", {})
    drive = buffer(tape, "drive", (1, *output.shape), layer.setting.dtype)
    layer.neurons.begin(drive, start["neurons"], inner)
    if weights is None:
        loop: Any = CompiledRun(layer, x, start, tape, learn)
    else:
        check_spikes_on_gpu(layer, x, tape)
        loop = GpuLoop(layer, x, start, tape, {} if learn else None, weights)
    loop.advance(0, len(x))
    loop.finish()
    return loop.counts, {"neurons": layer.neurons.final(inner), **loop.final()}


def _fresh(layer: Any, batch: int, state: Nested, keep: tuple[str, ...]) -> Nested:
    """The initial state of a group of samples, with what is kept of ``state``."""
    start = layer.initial(batch)
    kept = {name: np.repeat(state["neurons"][name], batch, axis=0) for name in keep}
    return {**start, "neurons": {**start["neurons"], **kept}}


def _encode(layer: Any, encoder: Encoder, x: Array, draws: list[Draws]) -> Any:
    """Input spikes of a group of samples: drawn on the way if they can be."""
    if isinstance(encoder, poisson) and (fits(layer) or layer.setting.device == "cuda"):
        keys = np.array([one.key for one in draws], np.uint64)
        return Drawn(encoder.thresholds(x), keys, encoder.T)
    parts = [encoder(x[k : k + 1], one) for k, one in enumerate(draws)]  # type: ignore[call-arg]
    return check_spikes("encoded", np.concatenate(parts, axis=1), layer.in_shape[0], layer.setting.dtype)
