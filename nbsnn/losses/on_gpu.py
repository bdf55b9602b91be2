"""Losses of outputs that lie on a GPU: the value is added to a number there, so nothing waits.

A loss's ``on_gpu(y, target, total, room)`` adds its value to ``total`` [1], float64, and returns its gradient with
respect to ``y``; ``room`` keeps arrays from call to call. A penalty's ``on_gpu(spikes, total, room)`` likewise.
Labels and targets are NumPy arrays: they are checked, then sent. NaN in ``y`` makes the value NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..device import gpu, gpu_sums
from ..device.buffers import Array
from ..scalar.words import SCALAR
from ..validate import FLOATS
from . import checks, equations
from .equations import square
from .readouts import MEAN, TOTAL, Readout

Room = dict[str, Array]
Term = Callable[..., Any]


def outputs(loss: str, y: Array) -> tuple[int, int, int]:
    """T, B and C of ``y``; raises if it is not such an array."""
    if len(y.shape) != 3 or not y.size or y.dtype not in FLOATS:
        raise ValueError(f"{loss}: y must be floats [T, B, C] and not empty, not {y.dtype} {list(y.shape)}")
    return y.shape[0], y.shape[1], y.shape[2]


def cross_entropy(
    name: str, loop: Readout, factor: float, smoothing: float, term: Term, y: Array, target: ArrayLike, total: Array,
    room: Room,
) -> Array:  # fmt: skip
    """Cross-entropy with one logit per sample and class: ``factor`` times what ``loop`` reads; ``term`` is the equation
    of one class."""
    _, batch, classes = outputs(name, y)
    labels = sent(checks.labels(name, target, (batch,), classes).astype(np.int64), room, "labels")
    z, values = (gpu.buffer(room, key, shape, np.float64) for key, shape in (("z", (batch, classes)), ("v", (batch,))))
    g = gpu.buffer(room, "g", (batch, classes), np.float64)
    readout(loop, y, z, factor)
    arrays = z, labels, values, g
    launch("softmax", batch, smoothing, 1.0 / batch, factor / batch, *arrays, class_entropy=term)
    summed(values, total, room)
    return spread(loop, y, g, room)


def step_cross_entropy(
    name: str, scale: float, smoothing: float, reduction: str, term: Term, y: Array, target: ArrayLike, total: Array,
    room: Room,
) -> Array:  # fmt: skip
    """Cross-entropy at every step, summed or averaged over steps."""
    steps, batch, classes = outputs(name, y)
    target = np.asarray(target)
    labels = checks.labels(name, target, (batch,) if target.ndim < 2 else (steps, batch), classes)
    labels = sent(labels.astype(np.int64).reshape(-1), room, "labels")
    rows = steps * batch
    z, values = (gpu.buffer(room, key, shape, np.float64) for key, shape in (("z", (rows, classes)), ("v", (rows,))))
    gy = gpu.buffer(room, "gy", y.shape, y.dtype)
    weight = 1.0 / batch if reduction == "sum" else 1.0 / rows
    gpu.launch("arrays.elementwise_cuda", "multiply", np.float64, y.size, scale, gpu.flat(y), gpu.flat(z))
    arrays = z, labels, values, gy.reshape(rows, classes)
    launch("softmax", rows, smoothing, weight, scale * weight, *arrays, class_entropy=term)
    summed(values, total, room)
    return gy


def readout_distance(
    loop: Readout, distance: Callable[..., Any], y: Array, wanted: np.ndarray, total: Array, room: Room
) -> Array:  # fmt: skip
    """Mean distance, by an equation, of what ``loop`` reads to ``wanted`` [B, C]."""
    z, values, g = (gpu.buffer(room, key, y.shape[1:], np.float64) for key in ("z", "v", "g"))
    readout(loop, y, z, 1.0)
    arrays = gpu.flat(z), sent(wanted.reshape(-1), room, "wanted"), gpu.flat(values), gpu.flat(g)
    launch("distances", z.size, 1.0 / z.size, *arrays, apart=distance)
    summed(values, total, room)
    return spread(loop, y, g, room)


def step_squares(y: Array, wanted: np.ndarray, weight: float, total: Array, room: Room) -> Array:
    """Squared distance at every step, times ``weight``, to ``wanted`` [T, B, C] or [B, C]."""
    values = gpu.buffer(room, "v", (y.size,), np.float64)
    gy = gpu.buffer(room, "gy", y.shape, y.dtype)
    arrays = gpu.flat(y), sent(wanted.reshape(-1), room, "wanted"), values, gpu.flat(gy)
    launch("distances", y.size, weight, *arrays, apart=square)
    summed(values, total, room)
    return gy


def van_rossum(
    distance: Callable, y: Array, wanted: np.ndarray, decay: float, inner: float, total: Array, room: Room
) -> Array:  # fmt: skip
    """Van Rossum's ``distance`` to the trains ``wanted`` [T, B, C], one thread for each."""
    shape = (y.shape[0], y.size // y.shape[0])
    values, trace = gpu.buffer(room, "v", (shape[1],), np.float64), gpu.buffer(room, "trace", shape, np.float64)
    gy = gpu.buffer(room, "gy", y.shape, y.dtype)
    arrays = y.reshape(shape), sent(wanted.reshape(shape), room, "wanted"), trace, values, gy.reshape(shape)
    launch("van_rossum", shape[1], decay, inner, 1.0 / y.shape[1], *arrays, distance=distance)
    summed(values, total, room)
    return gy


def spike_count(
    strength: float, band: tuple[float, float], power: int, over: str, spikes: Array, total: Array, room: Room
) -> Array:
    """Penalty on counts: of each unit in each sample, or of each sample's mean unit."""
    _, batch, units = outputs("SpikeCount", spikes)
    n, width = gpu.buffer(room, "n", (batch, units), np.float64), 1
    readout(TOTAL, spikes, n, 1.0)
    if over == "population":
        each, width = gpu.buffer(room, "means", (batch,), np.float64), units
        launch("row_means", batch, n, each)
        n = each
    return _band(strength, n, band, power, batch * units, width, spikes, total, room)


def rate(strength: float, band: tuple[float, float], spikes: Array, total: Array, room: Room) -> Array:
    """Quadratic pull of each unit's mean rate, over time and samples, into a band."""
    _, batch, units = outputs("Rate", spikes)
    n = gpu.buffer(room, "n", (batch, units), np.float64)
    readout(MEAN, spikes, n, 1.0 / batch)
    rates = gpu.buffer(room, "rates", (units,), np.float64)
    gpu.fill(rates, 0)
    gpu_sums.add_columns(n, rates, room)
    return _band(strength, rates, band, 2, spikes.size, 1, spikes, total, room)


def _band(
    strength: float, n: Array, band: tuple[float, float], power: int, size: int, width: int, spikes: Array,
    total: Array, room: Room,
) -> Array:  # fmt: skip
    """Penalise ``n`` outside the band; each of its gradients goes to ``width`` units at every step."""
    values, g = (gpu.buffer(room, key, (n.size,), np.float64) for key in ("v", "g"))
    weight, bounds = strength / n.size, (float(band[0]), float(band[1]))
    factor = strength / size
    launch("band", n.size, *bounds, power, weight, factor, gpu.flat(n), values, g, penalty=equations.penalty)
    summed(values, total, room)
    gy = gpu.buffer(room, "gy", spikes.shape, spikes.dtype)
    launch("to_steps", spikes.size, n.size, width, g, gpu.flat(gy))
    return gy


def readout(loop: Readout, y: Array, z: Array, scale: float) -> None:
    """Fill z, one number for each lane, with ``scale`` times what ``loop`` reads of y [T, ...]."""
    lanes = y.size // y.shape[0]
    launch("readout", lanes, float(scale), y.reshape(y.shape[0], lanes), gpu.flat(z), read=loop.read)


def spread(loop: Readout, y: Array, g: Array, room: Room) -> Array:
    """The reverse of ``readout``, as an array like y."""
    lanes, gy = y.size // y.shape[0], gpu.buffer(room, "gy", y.shape, y.dtype)
    shape = (y.shape[0], lanes)
    launch("spread", lanes, y.reshape(shape), gpu.flat(g), gy.reshape(shape), write=loop.write)
    return gy


def summed(values: Array, total: Array, room: Room) -> None:
    """total [1] += the sum of ``values``"""
    gpu_sums.add_columns(values.reshape(values.size, 1), total, room)


def launch(name: str, count: int, *arguments: Array | float, **holes: Callable) -> None:
    """Run a loop of ``kernels.arrays.losses_cuda``."""
    gpu.launch("arrays.losses_cuda", name, np.float64, count, *arguments, **SCALAR, **holes)


def sent(array: np.ndarray, room: Room, name: str) -> Array:
    """``array`` on the GPU, in the same place as last time if it fits."""
    there = gpu.buffer(room, name, array.shape, array.dtype)
    there.copy_to_device(np.ascontiguousarray(array))
    return there
