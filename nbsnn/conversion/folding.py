"""Batch normalisation folded into the connection before it, for inference: with the running mean m and variance v,

weight (x W + b - m) / sqrt(v + eps) + bias = x (f W) + f (b - m) + bias,    f = weight / sqrt(v + eps)
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np

from ..device.gpu import get
from ..layers import BatchNorm, Conv2d, ConvTranspose2d, Dense, Layer, Sequential, TemporalConv
from ..layers.layer import Array
from ..random import Draws
from ..validate import instance
from ..validate.as_made import remake

CONNECTIONS = (Dense, Conv2d, ConvTranspose2d, TemporalConv)


def fold_batch_norm(net: Layer) -> Layer:
    """Copy of a network, for inference, without the batch normalisation that stands right behind a connection.

    Parameters
    ----------
    net : Layer
        A network, built; it is not changed. Connections are ``Dense``, convolutions, also transposed ones, and
        ``TemporalConv``, at any depth; of those with standardised weights, the weights that are used are taken.

    Returns
    -------
    Layer
        Layers keep their names. Batch normalisation stays where it normalises with the batch's own statistics, or each
        step otherwise, or where no connection is right before it.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 3, bias=False), nbsnn.BatchNorm(), nbsnn.neurons.LIF(), seed=0)
    >>> folded = nbsnn.fold_batch_norm(net)
    >>> list(folded.children), folded["dense1"].params["bias"]
    (['dense1', 'lif1'], array([0., 0., 0.], dtype=float32))
    """
    source = instance("net", net, Layer, "a network").unfused().on_host()
    if not source.built:
        raise ValueError("net has no shape yet: give the first layer one, or Sequential(..., input_shape=...)")
    made, arrays = copy.deepcopy(source), dict[str, Array]()
    for place, layer in {"": made, **made.layers()}.items():
        if isinstance(layer, Sequential):
            _fold_row(layer, f"{place}/" if place else "", arrays)
    made.build(source.in_shape, source.setting, Draws(0))
    own, old = (net.parameters() | net.all_buffers() for net in (made, source))
    for name, array in own.items():
        array[...] = arrays.get(name, old.get(name))
    return made if net.arrays.numpy else made.twin(device=net.setting.device)


def foldable(norm: BatchNorm, layer: Layer | None) -> bool:
    """True if ``norm`` can be folded into ``layer``, which is right before it."""
    return norm.running and norm.steps is None and isinstance(layer, CONNECTIONS)


def folded(norm: BatchNorm, layer: Layer, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Weight and bias of a connection, which has ``arrays``, with what ``norm`` does to its output."""
    b = {name: get(array).astype(np.float64) for name, array in norm.all_buffers().items()}
    factor = norm.params.get("weight", np.ones(())).astype(np.float64) / np.sqrt(b["running_var"] + norm.eps)
    shift = norm.params.get("bias", np.zeros(())).astype(np.float64)
    weight, each = arrays["weight"].astype(np.float64), np.broadcast_to(factor, b["running_var"].shape)
    if isinstance(layer, ConvTranspose2d) and layer.groups > 1:  # [inputs, ..., outputs of a group]
        part = each.reshape(layer.groups, *[1] * (weight.ndim - 1), -1)
        weight = (weight.reshape(layer.groups, -1, *weight.shape[1:]) * part).reshape(weight.shape)
    else:
        weight = weight * each
    return {"weight": weight, "bias": (arrays.get("bias", 0.0) - b["running_mean"]) * factor + shift}


def _fold_row(row: Sequential, prefix: str, arrays: dict[str, Array]) -> None:
    """Take batch normalisation out of a row of layers; what connections have then goes to ``arrays``, by full name."""
    last, found = "", dict[str, Layer]()
    for name, layer in row.children.items():
        before = found.get(last)
        if before is None or not isinstance(layer, BatchNorm) or not foldable(layer, before):
            found[name], last = layer, name
            continue
        before = found[last] = before.plain()
        remake(before, bias=True)
        place = f"{prefix}{last}/"
        given = {key.removeprefix(place): array for key, array in arrays.items() if key.startswith(place)}
        arrays |= {place + key: array for key, array in folded(layer, before, {**before.params, **given}).items()}
    row.children = found
