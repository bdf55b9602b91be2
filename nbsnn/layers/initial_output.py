"""The output of a population before its first step, and its reverse: what feedback sees at the start of a run.

It is a value of its own, or a spike where the initial membrane exceeds the threshold:

    s[-1] = spike(v[-1] - v_threshold)

It is made once for each unit, not for each sample, so plain Python is quick enough.
"""

from __future__ import annotations

import numpy as np

from ..neuron import Neuron
from ..validate.kinds import is_tuple

Array = np.ndarray


def first_output(
    neuron: Neuron, starts: dict[str, Array], values: dict[str, Array], shape: tuple[int, ...], smooth: bool
) -> Array:
    """The output before the first step, for one sample."""
    if not is_tuple(neuron.first):
        return np.broadcast_to(starts[neuron.output], shape)
    spike = np.vectorize(neuron.filling(smooth)["spike"], otypes=[float])
    margin = _margin(neuron, starts, values)
    return np.broadcast_to(spike(margin).astype(margin.dtype), shape)


def first_vjp(neuron: Neuron, starts: dict[str, Array], values: dict[str, Array], g: Array) -> dict[str, Array]:
    """Gradients of what ``first_output`` depends on, given that of its result: name of a parameter -> array."""
    if not is_tuple(neuron.first):
        return {f"initial_{neuron.output}": g}
    slope = np.vectorize(neuron.surrogate.slope, otypes=[float])
    gu = g * slope(_margin(neuron, starts, values))
    state, threshold = neuron.first
    return {f"initial_{state}": gu, threshold: -gu}


def summed_where_shared(g: Array, value: Array) -> Array:
    """``g``, one number per unit, summed over the units that share an element of ``value``."""
    missing = g.ndim - value.ndim
    shared = (*range(missing), *(missing + i for i, n in enumerate(value.shape) if n == 1))
    return g.sum(axis=shared, keepdims=True).reshape(value.shape)


def _margin(neuron: Neuron, starts: dict[str, Array], values: dict[str, Array]) -> Array:
    assert is_tuple(neuron.first)
    state, threshold = neuron.first
    return np.asarray(starts[state] - values[threshold])
