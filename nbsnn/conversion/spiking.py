"""ReLU networks made into spiking ones, whose rates stand for activations.

An activation a in [0, s] becomes an integrate-and-fire neuron that spikes at a rate of a / s: with a soft reset, after
T steps its count is floor(T a / s) or so. The scale s of each layer is measured on samples and folded into weights:
those of the connection before are divided by it, those of the connection after multiplied, so that spikes stay 0 or 1.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

import numpy as np

from ..layers import Conv2d, Dense, Dropout, Flatten, Identity, Layer, ReLU, Scale, Sequential
from ..layers.adaptive_pool import AdaptivePool
from ..layers.batch_norm import BatchNorm
from ..layers.global_pool import GlobalSumPool
from ..layers.layer import Array
from ..layers.pool2d import MaxPool2d, Pool2d
from ..neurons import IF
from ..validate import fraction, instance, number, real, shaped, switch
from ..validate.as_made import remake
from .folding import foldable, folded

LEAST = 1e-6
"""The least share of the largest activation that may be a scale."""


def to_spiking(
    net: Layer,
    x: np.ndarray | Iterable[np.ndarray],
    *,
    scale: str | float = "max",
    per_channel: bool = False,
    eps: float = 1e-6,
    momentum: float = 0.1,
    v_start: float = 0.0,
    pool_first: bool = False,
) -> Sequential:
    """Convert a ReLU network into one of integrate-and-fire neurons with soft reset.

    Feed it the same input at every step, or spikes; the mean of its output over time comes close to that of ``net``,
    the closer the longer it runs. Batch normalisation is folded into the connection before it; ``net`` is not changed.

    Parameters
    ----------
    net : Sequential
        Of ``Dense``, ``Conv1d``, ``Conv2d``, ``BatchNorm`` behind them, ``ReLU``, pooling, ``Flatten``, ``Dropout``.
    x : array [n, ...] or iterable of such
        Samples, such as it was trained with, or batches of them: by their activations scales are chosen.
    scale : "max", "99%" or float, default "max"
        Which activation of a layer is a rate of one spike per step: the largest, a percentile, or a share of the
        largest, above 0 and at most 1. Larger ones saturate; the smaller it is, the sooner rates are exact.
    per_channel : bool, default False
        Whether each channel, the first axis of units, has a scale of its own.
    eps : float, default 1e-6
        The least scale of a channel, which one that never activates has.
    momentum : float, default 0.1
        Of several batches, ``s = (1 - momentum) s + momentum new``, from the first on.
    v_start : float in [0, 1), default 0
        Membrane at the start, in thresholds; 0.5 makes the mean error zero where rates are rounded down otherwise.
    pool_first : bool, default False
        Whether currents are pooled where max pooling follows a ReLU. If not, it takes the largest spike of each step,
        which overestimates.

    Returns
    -------
    Sequential
        Layers have the names of those of ``net``; a scale of the output, if it ends with a ReLU, is called "output".

    Raises
    ------
    TypeError, ValueError
        If there is a layer that cannot be converted, or a ReLU that never activates.

    References
    ----------
    P. U. Diehl and others (2015), IJCNN, doi:10.1109/IJCNN.2015.7280696; B. Rueckauer and others (2017), Front.
    Neurosci. 11:682. Scales and order of operations are those of SpikingJelly's converter.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 8), nbsnn.ReLU(), nbsnn.Dense(8, 2), seed=0)
    >>> x = np.random.default_rng(0).random((50, 4)).astype(np.float32)
    >>> spiking = nbsnn.to_spiking(net, x, scale="max")
    >>> rates = spiking.run(np.broadcast_to(x, (200, *x.shape))).output.mean(0)
    >>> bool(np.abs(rates - net.run(x[None]).output[0]).max() < 0.002)
    True
    """
    net = instance("net", net, Sequential, "a Sequential of connections, ReLU and pooling")
    if not net.built:
        raise ValueError("net has no shape yet: give the first layer one, or Sequential(..., input_shape=...)")
    _share(scale)
    for name, value in (("per_channel", per_channel), ("pool_first", pool_first)):
        switch(name, value)
    number("eps", eps, above=0.0, most=1e30)
    number("momentum", momentum, least=0.0, most=1.0)
    fraction("v_start", v_start)
    plain = prepared(net, pool_first)
    batches = [x] if isinstance(x, np.ndarray) else instance("x", x, Iterable, "samples [n, ...] or batches of them")
    scales = scales_of(plain, list(batches), scale, eps if per_channel else None, momentum)
    return _converted(net, plain, scales, v_start)


def _converted(net: Layer, plain: Sequential, scales: Mapping[str, Array], v_start: float) -> Sequential:
    """The spiking network, with scales folded into weights."""
    made: dict[str, Layer] = {}
    arrays: dict[str, dict[str, Array]] = {}
    held, last = np.ones(()), ""  # the scale of what comes in, and the connection whose output has none yet
    for name, layer in plain.children.items():
        made[name] = copy.deepcopy(layer)
        if isinstance(layer, (Dense, Conv2d)):
            arrays[name] = {k: p.astype(np.float64) for k, p in layer.params.items()}
            arrays[name]["weight"] *= _incoming(layer, held)
            held, last = np.ones(()), name
        elif isinstance(layer, ReLU):
            if not last:
                raise ValueError(f"{name}: each ReLU needs a connection of its own before it")
            for array in arrays[last].values():
                if scales[name].size not in (1, array.shape[-1]):
                    raise ValueError(
                        f"{name}: scales of channels need the ReLU right behind {last}, or pooling between"
                    )
                array /= scales[name].ravel()
            made[name] = IF(v_reset=None, v_start=v_start)  # type: ignore[assignment]
            held, last = scales[name], ""
        elif held.ndim:
            held = np.broadcast_to(held, layer.in_shape).reshape(-1) if isinstance(layer, Flatten) else held
            held = held.reshape(len(held), *[1] * (len(layer.shape) - 1))
    if (held != 1.0).any():
        made["output"] = Scale(1.0)
        arrays["output"] = {"scale": np.broadcast_to(held, plain.shape)}
    spiking = _built(net, made)
    _fill(spiking, arrays)
    return spiking if net.arrays.numpy else spiking.twin(device=net.setting.device)  # type: ignore[return-value]


def _incoming(layer: Dense | Conv2d, held: Array) -> Array:
    """The scale of what comes in, beside the weights [inputs, ..., outputs] of a connection."""
    if not held.ndim:
        return held
    flat = held.ravel()
    if isinstance(layer, Dense):
        return flat[:, None]
    group = np.arange(layer.c_post) // (layer.c_post // layer.groups)
    inputs = len(flat) // layer.groups
    found = flat[group[None] * inputs + np.arange(inputs)[:, None]]  # [inputs of a group, outputs]
    return found.reshape(inputs, *[1] * (layer.params["weight"].ndim - 2), layer.c_post)


def scales_of(
    net: Sequential, batches: list[np.ndarray], scale: str | float, eps: float | None, momentum: float
) -> dict[str, Array]:
    """The scale of each ReLU, [], or with the least one of a channel given [C, 1 ...]."""
    found: dict[str, Array] = {}
    if not batches:
        raise ValueError("x must be samples [n, ...] or batches of them, and there are none")
    for batch in batches:
        y = net.check_input(shaped("x", real("x", batch), (None, *net.in_shape))[None])
        for name, layer in net.children.items():
            y = layer.forward(y, layer.initial(y.shape[1]), {})[0]
            if not isinstance(layer, ReLU):
                continue
            new = _measure(y[0].astype(np.float64), scale, eps)
            if not new.all():
                raise ValueError(f"{name} never activates on these samples, so that there is no scale for it")
            found[name] = (1.0 - momentum) * found[name] + momentum * new if name in found else new
    return found


def _measure(a: Array, scale: str | float, eps: float | None) -> Array:
    """The scale of activations [n, C, ...]."""
    axes = tuple(range(a.ndim)) if eps is None else (0, *range(2, a.ndim))
    if isinstance(scale, str) and scale != "max":
        made = np.percentile(a, _share(scale), axis=axes)
    else:
        made = a.max(axis=axes) * (1.0 if isinstance(scale, str) else scale)
    return np.asarray(made) if eps is None else np.maximum(made, eps).reshape(-1, *[1] * (a.ndim - 2))


def _share(scale: object) -> float:
    """A percentile or share as a number."""
    if isinstance(scale, str):
        try:
            return 100.0 if scale == "max" else number("scale", float(scale.removesuffix("%")), above=0.0, most=100.0)
        except ValueError:
            raise ValueError(
                f'scale must be "max", a percentile "99%" or a share of the largest, not {scale!r}'
            ) from None
    if isinstance(scale, (bool, np.bool_)):
        raise TypeError(f"scale must be a number or text, not {scale!r}")
    return number("scale", scale, least=LEAST, most=1.0)


def prepared(net: Sequential, pool_first: bool) -> Sequential:
    """The network of numbers, on the CPU: batch normalisation folded into weights, dropout left out."""
    found: dict[str, tuple[Layer, dict[str, Array]]] = {}
    before, host = "", net.unfused().on_host()
    for name, layer in instance("net", host, Sequential, "a Sequential").children.items():
        if isinstance(layer, (Dropout, Identity)):
            continue
        layer = layer.plain()
        if isinstance(layer, BatchNorm):
            connection, arrays = found[before] if before else (None, {})
            if not foldable(layer, connection):
                raise ValueError(
                    f"{name}: batch normalisation can be folded into a connection right before it, if it has running "
                    "statistics, the same at all steps"
                )
            remake(connection, bias=True)  # type: ignore[arg-type]
            found[before] = connection, folded(layer, connection, arrays)  # type: ignore[assignment, arg-type]
            continue
        known = (Dense, Conv2d, ReLU, Flatten, Pool2d, AdaptivePool, GlobalSumPool)
        if not isinstance(layer, known):
            raise ValueError(f"{name}, a {type(layer).__name__}, cannot be converted")
        arrays = {k: p.astype(np.float64) for k, p in layer.params.items()}
        if pool_first and isinstance(layer, MaxPool2d) and before and isinstance(found[before][0], ReLU):
            relu = found.pop(before)
            found[name], found[before] = (copy.deepcopy(layer), arrays), relu
            continue
        found[name], before = (copy.deepcopy(layer), arrays), name
    plain = _built(net, {name: layer for name, (layer, _) in found.items()})
    _fill(plain, {name: arrays for name, (_, arrays) in found.items()})
    return plain


def _built(net: Layer, layers: Mapping[str, Layer]) -> Sequential:
    """A network of these layers, on the CPU, with the precision of ``net``."""
    device = net.setting.device if net.arrays.numpy else "cpu"
    options = {"input_shape": net.in_shape, "dt": net.setting.dt, "dtype": net.setting.dtype, "device": device}
    return Sequential(**layers, **options)  # type: ignore[arg-type]


def _fill(net: Sequential, arrays: Mapping[str, Mapping[str, Array]]) -> None:
    """Give layers their parameters."""
    for name, each in arrays.items():
        for k, array in each.items():
            net[name].params[k] = array
