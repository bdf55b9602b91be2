"""Losses of outputs that lie on a GPU: the value is added to a number there, so nothing waits.

A loss's ``on_gpu(y, target, total, room)`` adds its value to ``total`` [1], float64, and returns its derivative by
``y``; ``room`` is a dict that keeps arrays from call to call. A penalty's ``on_gpu(spikes, total, room)`` likewise.
Labels and targets are NumPy arrays: they are checked, then sent. NaN in ``y`` makes the value NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device import gpu, gpu_sums
from ..validate import FLOATS
from . import checks, equations
from .equations import SCALAR, class_entropy, square
from .readouts import MEAN, TOTAL, Readout

Room = dict[str, Any]


def outputs(loss: str, y: Any) -> tuple[int, int, int]:
    """T, B and C of ``y``; raises if it is not such an array."""
    if len(y.shape) != 3 or not y.size or y.dtype not in FLOATS:
        raise ValueError(f"{loss}: y must be floats [T, B, C] and not empty, not {y.dtype} {list(y.shape)}")
    return y.shape[0], y.shape[1], y.shape[2]


def cross_entropy(loss: Any, y: Any, target: Any, total: Any, room: Room) -> Any:
    """Of one logit for each sample and class."""
    name, factor = type(loss).__name__, loss.sign * loss.scale
    _, batch, classes = outputs(name, y)
    labels = sent(checks.labels(name, target, (batch,), classes).astype(np.int64), room, "labels")
    z, values = (gpu.buffer(room, key, shape, np.float64) for key, shape in (("z", (batch, classes)), ("v", (batch,))))
    g = gpu.buffer(room, "g", (batch, classes), np.float64)
    readout(loss.readout, y, z, factor)
    softmax(batch, loss.label_smoothing, 1.0 / batch, factor / batch, z, labels, values, g)
    summed(values, total, room)
    return spread(loss.readout, y, g, room)


def step_cross_entropy(loss: Any, y: Any, target: Any, total: Any, room: Room) -> Any:
    """Of every step by itself."""
    name = type(loss).__name__
    steps, batch, classes = outputs(name, y)
    target = np.asarray(target)
    labels = checks.labels(name, target, (batch,) if target.ndim < 2 else (steps, batch), classes)
    labels = sent(labels.astype(np.int64).reshape(-1), room, "labels")
    rows = steps * batch
    z, values = (gpu.buffer(room, key, shape, np.float64) for key, shape in (("z", (rows, classes)), ("v", (rows,))))
    gy = gpu.buffer(room, "gy", y.shape, y.dtype)
    weight = 1.0 / batch if loss.reduction == "sum" else 1.0 / rows
    gpu.launch("arrays.elementwise_cuda", "multiply", np.float64, y.size, loss.scale, gpu.flat(y), gpu.flat(z))
    gradient = gy.reshape(rows, classes)
    softmax(rows, loss.label_smoothing, weight, loss.scale * weight, z, labels, values, gradient)
    summed(values, total, room)
    return gy


def readout_squares(loss: Any, y: Any, wanted: np.ndarray, total: Any, room: Room) -> Any:
    """Mean squared distance of one number for each lane to ``wanted`` [B, C]."""
    z, values, g = (gpu.buffer(room, key, y.shape[1:], np.float64) for key in ("z", "v", "g"))
    readout(loss.readout, y, z, 1.0)
    arrays = gpu.flat(z), sent(wanted.reshape(-1), room, "wanted"), gpu.flat(values), gpu.flat(g)
    launch("squares", z.size, 1.0 / z.size, *arrays, square=square)
    summed(values, total, room)
    return spread(loss.readout, y, g, room)


def step_squares(y: Any, wanted: np.ndarray, weight: float, total: Any, room: Room) -> Any:
    """Squared distance at every step, times ``weight``, to ``wanted`` [T, B, C] or [B, C]."""
    values = gpu.buffer(room, "v", (y.size,), np.float64)
    gy = gpu.buffer(room, "gy", y.shape, y.dtype)
    arrays = gpu.flat(y), sent(wanted.reshape(-1), room, "wanted"), values, gpu.flat(gy)
    launch("squares", y.size, weight, *arrays, square=square)
    summed(values, total, room)
    return gy


def van_rossum(
    distance: Any, y: Any, wanted: np.ndarray, decay: float, inner: float, total: Any, room: Room
) -> Any:  # fmt: skip
    """Van Rossum's ``distance`` to the trains ``wanted`` [T, B, C], one thread for each."""
    shape = (y.shape[0], y.size // y.shape[0])
    values, trace = gpu.buffer(room, "v", (shape[1],), np.float64), gpu.buffer(room, "trace", shape, np.float64)
    gy = gpu.buffer(room, "gy", y.shape, y.dtype)
    arrays = y.reshape(shape), sent(wanted.reshape(shape), room, "wanted"), trace, values, gy.reshape(shape)
    launch("van_rossum", shape[1], decay, inner, 1.0 / y.shape[1], *arrays, distance=distance)
    summed(values, total, room)
    return gy


def spike_count(penalty: Any, spikes: Any, total: Any, room: Room) -> Any:
    """Penalty on counts: of each unit in each sample, or of each sample's mean unit."""
    _, batch, units = outputs(type(penalty).__name__, spikes)
    n, width = gpu.buffer(room, "n", (batch, units), np.float64), 1
    readout(TOTAL, spikes, n, 1.0)
    if penalty.over == "population":
        each, width = gpu.buffer(room, "means", (batch,), np.float64), units
        launch("row_means", batch, n, each)
        n = each
    return _band(penalty, n, (penalty.lower, penalty.upper), penalty.power, batch * units, width, spikes, total, room)


def rate(penalty: Any, spikes: Any, total: Any, room: Room) -> Any:
    """Quadratic pull of each unit's mean rate, over time and samples, into a band."""
    _, batch, units = outputs(type(penalty).__name__, spikes)
    n = gpu.buffer(room, "n", (batch, units), np.float64)
    readout(MEAN, spikes, n, 1.0 / batch)
    rates = gpu.buffer(room, "rates", (units,), np.float64)
    gpu.fill(rates, 0)
    gpu_sums.add_columns(n, rates, room)
    return _band(penalty, rates, penalty.band, 2, spikes.size, 1, spikes, total, room)


def _band(
    penalty: Any, n: Any, band: tuple[float, float], power: int, size: int, width: int, spikes: Any, total: Any,
    room: Room,
) -> Any:  # fmt: skip
    """Punish what of ``n`` lies outside, and give each of its gradients to ``width`` units at every step."""
    values, g = (gpu.buffer(room, key, (n.size,), np.float64) for key in ("v", "g"))
    weight, bounds = penalty.strength / n.size, (float(band[0]), float(band[1]))
    factor = penalty.strength / size
    launch("band", n.size, *bounds, power, weight, factor, gpu.flat(n), values, g, penalty=equations.penalty)
    summed(values, total, room)
    gy = gpu.buffer(room, "gy", spikes.shape, spikes.dtype)
    launch("to_steps", spikes.size, n.size, width, g, gpu.flat(gy))
    return gy


def readout(loop: Readout, y: Any, z: Any, scale: float) -> None:
    """Fill z, one number for each lane, with ``scale`` times what ``loop`` reads of y [T, ...]."""
    lanes = y.size // y.shape[0]
    launch("readout", lanes, float(scale), y.reshape(y.shape[0], lanes), gpu.flat(z), read=loop.read)


def spread(loop: Readout, y: Any, g: Any, room: Room) -> Any:
    """The reverse of ``readout``, as an array like y."""
    lanes, gy = y.size // y.shape[0], gpu.buffer(room, "gy", y.shape, y.dtype)
    shape = (y.shape[0], lanes)
    launch("spread", lanes, y.reshape(shape), gpu.flat(g), gy.reshape(shape), write=loop.write)
    return gy


def softmax(rows: int, *arguments: Any) -> None:
    """Cross-entropy of each row."""
    launch("softmax", rows, *arguments, class_entropy=class_entropy)


def summed(values: Any, total: Any, room: Room) -> None:
    """total [1] += the sum of ``values``"""
    gpu_sums.add_columns(values.reshape(values.size, 1), total, room)


def launch(name: str, count: int, *arguments: Any, **holes: Any) -> None:
    """Run a loop of ``kernels.arrays.losses_cuda``."""
    gpu.launch("arrays.losses_cuda", name, np.float64, count, *arguments, **SCALAR, **holes)


def sent(array: np.ndarray, room: Room, name: str) -> Any:
    """``array`` on the GPU, in the same place as last time if it fits."""
    there = gpu.buffer(room, name, array.shape, array.dtype)
    there.copy_to_device(np.ascontiguousarray(array))
    return there
