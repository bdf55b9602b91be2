"""Quantised networks: made of trained ones, trained further, and turned into integers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..device.gpu import get
from ..layers import AvgPool2d, Conv2d, Dense, Flatten, Layer, MaxPool2d, QuantConv2d, QuantDense, Rounded, Sequential
from ..layers.layer import Array
from ..layers.pool2d import SumPool2d
from ..layers.population import Population
from ..neuron import Neuron
from ..neurons import QuantLI, QuantLIF
from ..validate import count, instance
from .integer import IntegerNetwork

POOLS = (SumPool2d, AvgPool2d, MaxPool2d)
ALLOWED = "Dense, Conv2d, pooling, Flatten, LIF, IF and LI"


def quantize(
    net: Layer,
    x: Array,
    *,
    weight_bits: int = 8,
    state_bits: int = 16,
    decay_bits: int = 8,
    input_bits: int | None = None,
) -> Sequential:
    """Copy of a network with rounded weights and states, whose scales are powers of two; it can be trained further.

    Parameters
    ----------
    net : Sequential
        Of ``Dense``, ``Conv2d``, pooling, ``Flatten``, and ``LIF``, ``IF`` and ``LI`` that rest at 0, without
        ``refractory`` and ``decay_input``. Batch normalisation is folded before, by ``fold_batch_norm``.
    x : array [T, B, ...]
        Input like that it will see. A population's numbers reach to twice its largest membrane or threshold.
    weight_bits, state_bits, decay_bits : int
        Bits of weights, of membranes, of their factors per step.
    input_bits : int, optional
        Of an input that is not spikes or other small integers: it is rounded first, see ``Rounded``.

    Returns
    -------
    Sequential
        Of ``QuantDense``, ``QuantConv2d``, ``QuantLIF`` and ``QuantLI``, under the names of the layers of ``net``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 3), nbsnn.neurons.LIF(v_threshold=0.3), seed=0)
    >>> x = (np.random.default_rng(0).random((20, 2, 4)) < 0.5).astype(np.float32)
    >>> nbsnn.quantize(net, x, weight_bits=4)["dense1"]
    QuantDense(4, 3, bits=4)
    """
    row = instance("net", net.unfused() if isinstance(net, Layer) else net, Sequential, "a Sequential")
    row = instance("net", row.on_host(), Sequential, "a Sequential")
    weight_bits = count("weight_bits", weight_bits, least=2, most=24)
    decay_bits = count("decay_bits", decay_bits, most=22)
    state_bits = count("state_bits", state_bits, least=2, most=24 - decay_bits)
    run, made, bits = row.run(x), dict[str, Any](), {"bits": state_bits, "decay_bits": decay_bits}
    if input_bits is not None:
        count("input_bits", input_bits, least=2, most=24)
        size = float(np.abs(np.asarray(x, np.float64)).max())
        if size > 2.0 ** (input_bits - 1):
            raise ValueError(f"input_bits must be more than {input_bits} for numbers up to {size:g}, or x be scaled")
        made["input"] = Rounded(input_bits, max(0, min(32, _fraction(input_bits, size))))
    for name, layer in row.children.items():
        options = layer.options()
        if type(layer) is Dense:
            made[name] = QuantDense(**options, bits=weight_bits)
        elif type(layer) is Conv2d:
            made[name] = QuantConv2d(**options, bits=weight_bits)
        elif type(layer) in (Flatten, *POOLS):
            made[name] = type(layer)(**options)
        elif isinstance(layer, Population):
            made[name] = _neuron(name, layer, run[name]["v"], bits)
        else:
            raise ValueError(f"{name}, {layer!r}, cannot be quantised: a network may have {ALLOWED}")
    setting = row.setting
    other = Sequential(**made, input_shape=row.in_shape, dt=setting.dt, dtype=setting.dtype, device=setting.device)
    for name, array in row.parameters().items():
        if name in other.parameters():
            other.parameters()[name][...] = array
    return other


def to_integer(net: Layer) -> IntegerNetwork:
    """A quantised network in integers: the same spikes and membranes, bit for bit.

    Parameters
    ----------
    net : Sequential
        Of ``Rounded`` (first), ``QuantDense``, ``QuantConv2d`` padded with zeros, pooling, ``Flatten``, ``QuantLIF``
        and ``QuantLI``, as ``quantize`` makes it.

    Returns
    -------
    IntegerNetwork
        Its ``arrays`` and ``layers`` are what hardware needs.

    Raises
    ------
    ValueError
        If a layer has no counterpart, or float32 (float64) cannot hold the sums of ``net`` exactly.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.QuantDense(4, 3), nbsnn.neurons.QuantLI(), seed=0)
    >>> nbsnn.to_integer(net).run(np.ones((5, 1, 4))).fraction
    12
    """
    row = instance("net", net.unfused() if isinstance(net, Layer) else net, Sequential, "a Sequential")
    row = instance("net", row.on_host(), Sequential, "a Sequential")
    layers, arrays = list[dict[str, Any]](), dict[str, Array]()
    fraction, largest = 0, 1  # bits after the point of what comes in, and its largest integer
    for name, layer in row.children.items():
        said: dict[str, Any] = {"name": name, "shape": [*map(int, layer.in_shape)]}
        if isinstance(layer, Rounded) and not layers:
            half = 2 ** (layer.bits - 1)
            fraction, largest = layer.fraction, half
            said |= {"kind": "rounded", "low": -half, "high": half - 1}
        elif isinstance(layer, (QuantDense, QuantConv2d)):
            said |= _connection(name, layer, fraction, arrays)
            fraction += layer.fraction
            sums = np.abs(layer.integers("weight").reshape(-1, layer.params["weight"].shape[-1])).sum(axis=0)
            largest = int(largest * sums.max())
            if largest >= 2.0 ** (np.finfo(row.setting.dtype).nmant + 1):
                raise ValueError(f"{name}: sums up to {largest} are not exact in {row.setting.dtype}: use fewer bits")
        elif isinstance(layer, (SumPool2d, MaxPool2d)) and type(layer) in POOLS:
            said |= _pool(name, layer)
            if isinstance(layer, SumPool2d):
                largest *= layer.kernel_size[0] * layer.kernel_size[1]
                fraction -= int(math.log2(layer.scale))
        elif isinstance(layer, Flatten):
            said |= {"kind": "flatten"}
        elif isinstance(layer, Population) and layer.neuron.kind in ("QuantLIF", "QuantLI"):
            said |= _population(name, layer, fraction, arrays)
            spikes = layer.neuron.kind == "QuantLIF"
            fraction, largest = (0, 1) if spikes else (layer.neuron.options["fraction"], said["high"] + 1)
        else:
            raise ValueError(f"{name}, {layer!r}, has no counterpart in integers: see nbsnn.quantize")
        layers.append({**said, "fraction": fraction})
    return IntegerNetwork(layers, arrays)


def _fraction(bits: int, size: float) -> int:
    """How many of ``bits`` bits may come after the point of numbers up to ``size``."""
    return math.floor(math.log2((2 ** (bits - 1) - 1) / size)) if size > 0.0 else 0


def _neuron(name: str, layer: Population, v: Array, given: dict[str, int]) -> Neuron:
    """The neuron in fixed point, with what a population has learned."""
    neuron, options = layer.neuron, dict(layer.neuron.options)
    rest = {key: options.get(key) for key in ("v_rest", "v_start", "drain", "refractory", "decay_input", "first")}
    odd = {*neuron.learn} - {"tau", "v_threshold", "v_reset"} or any(np.any(a) for a in rest.values() if a is not None)
    if neuron.kind not in ("LIF", "IF", "LI") or odd:
        raise ValueError(
            f"{name}, {layer!r}, cannot be quantised: a network may have {ALLOWED} that rest and start at 0, without "
            "refractory and decay_input"
        )
    values: dict[str, Any] = {key: float(get(a)) if not a.ndim else get(a) for key, a in layer.values.items()}
    if neuron.kind == "IF":
        count("decay_bits of an IF", given["decay_bits"], most=12)
        values["tau"] = 1e4 * layer.setting.dt  # a factor that is rounded to 1
    size = max(
        [float(np.abs(v).max()), *(float(np.abs(values.get(key, 0.0)).max()) for key in ("v_threshold", "v_reset"))]
    )
    bits: dict[str, Any] = {**given, "fraction": max(-32, min(32, _fraction(given["bits"], 2.0 * size)))}
    bits |= {key: options[key] for key in ("decay",) if key in options}
    if neuron.kind == "LI":
        return QuantLI(values["tau"], **bits, learn=neuron.learn)
    more = {key: options[key] for key in ("reset", "detach_reset", "compare", "surrogate")}
    to = None if options["v_reset"] is None else values["v_reset"]
    return QuantLIF(values["tau"], values["v_threshold"], to, **bits, **more, learn=neuron.learn)


def _connection(name: str, layer: QuantDense | QuantConv2d, fraction: int, arrays: dict[str, Array]) -> dict[str, Any]:
    weight, outputs = layer.integers("weight"), layer.params["weight"].shape[-1]
    arrays[f"{name}/weight"] = weight.astype(np.int8 if layer.bits <= 8 else np.int32)
    bias = layer.integers("bias") if layer.bias else np.zeros(outputs, np.int64)
    arrays[f"{name}/bias"] = bias.astype(np.int64)
    if fraction < 0:
        raise ValueError(
            f"{name}: what comes in are multiples of {2**-fraction}, finer numbers than which a bias needs"
        )
    said: dict[str, Any] = {"kind": "dense", "weight_fraction": layer.fraction, "bias_shift": fraction}
    if isinstance(layer, QuantConv2d):
        if layer.padding_mode != "zeros":
            raise ValueError(f"{name}, {layer!r}, has no counterpart in integers: pad with zeros")
        said |= {"kind": "conv2d", "groups": layer.groups, "output": [*map(int, layer.shape)]}
        said |= {"stride": [*layer.stride], "dilation": [*layer.dilation], "padding": [*layer.before]}
    return said


def _pool(name: str, layer: SumPool2d | MaxPool2d) -> dict[str, Any]:
    scale = 1.0 if isinstance(layer, MaxPool2d) else layer.scale
    dilated = isinstance(layer, MaxPool2d) and layer.dilation != (1, 1)
    if math.frexp(scale)[0] != 0.5 or getattr(layer, "factors", None) is not None or dilated or layer.ceil_mode:
        raise ValueError(
            f"{name}, {layer!r}, has no counterpart in integers: windows hold a power of two of places, without "
            "dilation and ceil_mode"
        )
    kind = "maxpool2d" if isinstance(layer, MaxPool2d) else "sumpool2d"
    said = {"kernel_size": [*layer.kernel_size], "stride": [*layer.stride]}
    return {"kind": kind, **said, "padding": [*layer.padding], "after": [*layer.after]}


def _population(name: str, layer: Population, fraction: int, arrays: dict[str, Array]) -> dict[str, Any]:
    neuron, options = layer.neuron, layer.neuron.options
    half, own = 2 ** (options["bits"] - 1), options["fraction"]
    steps = dict(zip(layer.values, layer.step_parameters().astype(np.float64), strict=True))
    arrays[f"{name}/decay"] = np.rint(np.ldexp(steps["tau"], options["decay_bits"])).astype(np.int64)
    for key in ("threshold", "reset") if neuron.kind == "QuantLIF" else ():
        many = np.clip(np.ldexp(steps[f"v_{key}"], own), -half, half - 1)
        arrays[f"{name}/{key}"] = np.rint(many).astype(np.int64)
    reset = options.get("reset") or ("soft" if options.get("v_reset") is None else "hard")
    said = {
        "kind": "lif" if neuron.kind == "QuantLIF" else "li",
        "shift": fraction - own,
        "low": -half,
        "high": half - 1,
    }
    said |= {"decay_bits": options["decay_bits"], "reset": reset if neuron.kind == "QuantLIF" else ""}
    return {**said, "equal": int(neuron.compare == ">=")}
