"""A network in integers: a list of layers, their arrays, and nothing else; it runs without a floating-point number."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from types import ModuleType
from typing import Any

import numpy as np

from ..checkpoint.save import write_npz
from ..compile.fill import kernel
from ..device.threads import run_threaded
from ..files.npz import Entries, reading
from ..kernels.population import integer as populations
from ..kernels.products import integer as products
from ..layers.layer import Array
from ..validate import finite, instance, real, shaped
from ..validate import path as path_of
from .fitting import check

LARGEST = 2**24
"""Of an input, times weights of as many bits; sums of 2^15 of their products are exact in 64 bits."""
RESETS = {"soft": populations.SOFT, "hard": populations.HARD, "none": populations.NONE, "": populations.LEAKY}


@dataclass(frozen=True)
class IntegerRun:
    """Result of ``IntegerNetwork.run``.

    Attributes
    ----------
    integers : int64 array [T, B, ...]
        The output: spikes, or whole numbers of 2^-fraction.
    fraction : int
        Bits of the output after the point.
    layers : dict
        Layer -> its spikes (of a leaky integrator, its membrane) and its membrane, "spikes" and "v", int64.
    """

    integers: Array
    fraction: int
    layers: dict[str, dict[str, Array]]

    @property
    def output(self) -> Array:
        """The output as float64."""
        return np.ldexp(self.integers.astype(np.float64), -self.fraction)


class IntegerNetwork:
    """A network in integers, from ``nbsnn.to_integer`` or a file.

    Parameters
    ----------
    layers : list of dict
        What each layer is: "kind", "name" and its whole numbers, as in ``layers``.
    arrays : mapping
        Integer arrays by layer and name: "quantdense1/weight" ...

    Attributes
    ----------
    layers, arrays
        As given: all that an implementation elsewhere needs. See "Quantisation" in the documentation for what they
        mean.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.QuantDense(4, 3), nbsnn.neurons.QuantLIF(), seed=0)
    >>> integer = nbsnn.to_integer(net)
    >>> x = np.random.default_rng(0).random((20, 2, 4)) < 0.5
    >>> bool((integer.run(x).output == net.run(x).output).all()), integer.arrays["quantdense1/weight"].dtype
    (True, dtype('int8'))
    """

    def __init__(self, layers: list[dict[str, Any]], arrays: Mapping[str, Array]):
        self.layers = instance("layers", layers, list, "a list of layers")
        self.arrays = dict(instance("arrays", arrays, Mapping, "arrays by name"))
        check(self.layers, self.arrays)

    def __repr__(self) -> str:
        return "\n".join(["IntegerNetwork(", *(f"  {layer}" for layer in self.layers), ")"])

    def run(self, x: Array) -> IntegerRun:
        """Run from the initial state.

        Parameters
        ----------
        x : array [T, B, ...]
            Integers, spikes say; any numbers if the first layer is ``Rounded``.

        Returns
        -------
        IntegerRun
        """
        first = self.layers[0]
        x = finite("x", shaped("x", real("x", x), (None, None, *first["shape"])))
        if not x.size:
            raise ValueError(f"x must hold a step and a sample at least, not {list(x.shape)}")
        if first["kind"] != "rounded":
            if not (x == np.rint(x)).all():
                raise ValueError("x must be whole numbers, spikes say: begin the network with nbsnn.Rounded for others")
            if max(x.max(), -float(x.min())) > LARGEST:
                raise ValueError(
                    f"x must be within +-{LARGEST}, so that sums are exact, not from {x.min()} to {x.max()}"
                )
            x = x.astype(np.int64)
        found: dict[str, dict[str, Array]] = {}
        for layer in self.layers:
            x = getattr(self, f"_{layer['kind']}")(x, layer, found)
        return IntegerRun(x, self.layers[-1]["fraction"], found)

    def save(self, path: str | PathLike[str]) -> None:
        """Write to an ``.npz`` file: the arrays, and ``layers`` as the JSON text "layers"."""
        write_npz(path, {"layers": np.array(json.dumps(self.layers)), **self.arrays})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> IntegerNetwork:
        """Read what ``save`` wrote."""
        arrays = Entries(path_of("path", path))
        with reading(path):
            layers = arrays.description("layers")
            return cls(layers, {name: arrays.array(name, "i") for name in arrays if name != "layers"})

    def _array(self, layer: Mapping[str, Any], name: str) -> Array:
        return np.ascontiguousarray(self.arrays[f"{layer['name']}/{name}"], np.int64)

    def _rounded(self, x: Array, layer: Mapping[str, Any], found: object) -> Array:
        low, high = layer["low"], layer["high"]
        many = np.ldexp(x.astype(np.float64), layer["fraction"])
        return np.rint(np.clip(many, low, high)).astype(np.int64)

    def _flatten(self, x: Array, layer: object, found: object) -> Array:
        return x.reshape(*x.shape[:2], -1)

    def _dense(self, x: Array, layer: Mapping[str, Any], found: object) -> Array:
        weight, rows = self._array(layer, "weight"), np.ascontiguousarray(x).reshape(-1, x.shape[-1])
        y = np.empty((len(rows), weight.shape[1]), np.int64)
        _start(products, "dense", len(rows), rows.size * weight.shape[1], rows, weight, self._bias(layer), y)
        return y.reshape(*x.shape[:2], -1)

    def _conv2d(self, x: Array, layer: Mapping[str, Any], found: object) -> Array:
        weight, images = self._array(layer, "weight"), np.ascontiguousarray(x).reshape(-1, *x.shape[2:])
        y = np.empty((len(images), *layer["output"]), np.int64)
        window = np.array([*layer["stride"], *layer["dilation"], *layer["padding"], layer["groups"]])
        arrays = (window, images, weight, self._bias(layer), y)
        _start(products, "convolve", len(images), y.size * weight[..., 0].size, *arrays)
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def _bias(self, layer: Mapping[str, Any]) -> Array:
        """The bias in the units of a sum."""
        return self._array(layer, "bias") << layer["bias_shift"]

    def _sumpool2d(self, x: Array, layer: Mapping[str, Any], found: object) -> Array:
        return _windows(x, layer, 0).sum(axis=(-2, -1))

    def _maxpool2d(self, x: Array, layer: Mapping[str, Any], found: object) -> Array:
        return _windows(x, layer, np.iinfo(np.int64).min).max(axis=(-2, -1))

    def _lif(self, x: Array, layer: Mapping[str, Any], found: dict[str, dict[str, Array]]) -> Array:
        steps, batch = x.shape[:2]
        given = np.ascontiguousarray(x).reshape(steps, batch, -1)
        y, record, v = np.empty_like(given), np.empty_like(given), np.zeros_like(given[0])
        names = ("decay", "threshold", "reset") if layer["kind"] == "lif" else ("decay",) * 3
        each = [self._array(layer, name) for name in names]
        numbers = [layer[name] for name in ("shift", "decay_bits", "low", "high")]
        numbers = _whole(*numbers, RESETS[layer["reset"]], layer["equal"])
        _start(populations, "run", batch, given.size, numbers, *each, given, v, y, record)
        found[layer["name"]] = {name: array.reshape(x.shape) for name, array in (("spikes", y), ("v", record))}
        return y.reshape(x.shape)

    _li = _lif


def _windows(x: Array, layer: Mapping[str, Any], outside: int) -> Array:
    """The windows [..., KH, KW] of images."""
    (top, left), (below, right) = layer["padding"], layer["after"]
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (top, below), (left, right)), constant_values=outside)
    views = np.lib.stride_tricks.sliding_window_view(padded, tuple(layer["kernel_size"]), axis=(3, 4))
    return views[:, :, :, :: layer["stride"][0], :: layer["stride"][1]]


def _whole(*numbers: int) -> tuple[int, ...]:
    return tuple(map(int, numbers))


def _start(module: ModuleType, name: str, count: int, work: int, *arrays: Array | tuple[int, ...]) -> None:
    compiled = _compiled(getattr(module, name))
    run_threaded(lambda lo, hi: compiled(lo, hi, *arrays), count, work)


@functools.cache
def _compiled(template: Callable[..., None]) -> Callable[..., None]:
    return kernel(template, device="cpu", dtype=np.float64)
