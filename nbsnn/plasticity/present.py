"""Samples shown to a plastic layer one after another: an encoder's spikes in, spike counts and weights out."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..encode.encoder import Encoder
from ..encode.poisson import poisson
from ..layers.layer import Array, Nested, buffer
from ..random import Draws
from ..validate import choice, count, names, real, shaped, shown, switch
from .check import check_spikes
from .plastic_layer import PlasticLayer
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
    layer: PlasticLayer, x: Any, encoder: Encoder, draws: Draws, state: Nested | None, keep: tuple[str, ...],
    learn: bool, first: int, batch: int, every: int | None,
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
    noted, final = list[Array](), begin
    with layer.backend.at_hand(layer) as weights:
        for s in range(0, len(x), batch):
            group = range(s, min(s + batch, len(x)))
            start = _fresh(layer, len(group), final, keep)
            spikes = _encode(layer, encoder, x[s : group.stop], [draws.fold(first + k) for k in group], start)
            counts[s : group.stop], after = _show(layer, spikes, start, tape, learn, weights)
            final = after if learn else final
            if learn and (s + 1) % every == 0:
                noted.append(layer.backend.noted(weights))
    return Presented(counts, final, np.array(noted, layer.weights.dtype).reshape(-1, *layer.weights.shape))


def _show(
    layer: PlasticLayer, x: Array | Drawn, start: Nested, tape: Nested, learn: bool, weights: Array
) -> tuple[Array, Nested]:
    """Spike counts [B, N] of a group of samples, and the state afterwards; the loop keeps one step at a time."""
    if not layer.backend.draws(layer, start):
        y, after = layer.run_steps(x, start, tape, {} if learn else None)
        return y.sum(axis=0), after
    inner, batch = tape.setdefault("neurons", {}), len(start["neurons"][layer.neurons.neuron.output])
    drive = buffer(tape, "drive", (1, batch, *layer.shape), layer.setting.dtype)
    run = layer.neurons.begin(drive, start["neurons"], inner)
    loop = layer.backend.run(layer, x, start, tape, {} if learn else None, weights)
    loop.advance(0, len(x))
    loop.finish()
    return loop.counts, {"neurons": layer.neurons.final(run), **loop.final()}


def _fresh(layer: PlasticLayer, batch: int, state: Nested, keep: tuple[str, ...]) -> Nested:
    """The initial state of a group of samples, with what is kept of ``state``."""
    start = layer.initial(batch)
    kept = {name: np.repeat(state["neurons"][name], batch, axis=0) for name in keep}
    return {**start, "neurons": {**start["neurons"], **kept}}


def _encode(layer: PlasticLayer, encoder: Encoder, x: Array, draws: list[Draws], start: Nested) -> Array | Drawn:
    """Input spikes of a group of samples: drawn on the way if they can be."""
    if isinstance(encoder, poisson) and layer.backend.draws(layer, start):
        keys = np.array([one.key for one in draws], np.uint64)
        return Drawn(encoder.thresholds(x), keys, encoder.T)
    parts = [encoder(x[k : k + 1], one) for k, one in enumerate(draws)]  # type: ignore[call-arg]
    return check_spikes("encoded", np.concatenate(parts, axis=1), layer.in_shape[0], layer.setting.dtype)
