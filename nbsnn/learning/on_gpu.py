"""What learners do with arrays that lie on a GPU, as ``learner.OnCpu`` does, without waiting until ``read``.

How many kernels a step of ``BPTT`` launches does not depend on the number of steps in time (apart from sums so long
that they are cut, each of which takes one more):

    layer or part                  forward   reverse
    Dense                             1      1 for the errors, 1 for the weights, 1 for the bias
    Dense, path="events"              1      1, 2, 1
    Conv2d                            1      1, 1, 3
    population                        2      2, and 3 for each learned parameter that is not an initial value
    Recurrent, dense feedback         2      3, and those of its feedback's gradients
    pooling, Dropout                  1      1
    Delay, TemporalConv               3, 3 + k    2, 1 + 3 k      k: steps that the convolution sees
    loss                              3      1
    gradients to zero, and whether they are finite: 3;  clipping: 5;  an optimiser: 1 for each parameter

A general ``Recurrent``, or one wider than a block of threads, takes the launches of its layers for each step. The
online rules take those of a window of steps at a time. All of them wait for the GPU once, for the value of the loss
and whether all gradients are finite; networks of neurons with learned parameters again for each of these, to keep it in
its range after a step and to work out its value per step before the next.
"""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..device import gpu, gpu_sums
from ..device.buffers import GpuArray
from ..device.constant_input import stored
from ..device.profile import span
from ..layers.cuda.low_pass import LowPassOnGpu
from ..layers.layer import Layer, Nested
from ..layers.spike_trace import LowPass
from ..losses.checks import Weighted
from ..optim.on_gpu import clip_by_norm
from ..optim.optimizer import Optimizer
from ..validate import finite
from ..validate.kinds import is_dict

LINE = 64
"""Gradients begin at multiples of this many numbers in the array that they share."""


class OnGpu:
    """Arrays on a GPU. All gradients share one array, so that each thing done to all of them is one launch."""

    def __init__(self) -> None:
        self.said = gpu.zeros(2, np.float64)  # the sum of the values, and whether a gradient is large or not finite
        self.total, self.large = self.said[0:1], False
        self.room: dict[Any, dict[str, Any]] = {}
        self.all: Any = None

    def zeros(self, net: Layer) -> Nested:
        """Gradients of zero."""
        nested, places = net.zeros(), list[tuple[Nested, str, int]]()
        end = _placed(nested, places, 0)
        self.all = gpu.zeros(max(end, 1), net.setting.dtype)
        for inner, name, start in places:
            shape, size = inner[name].shape, inner[name].size
            inner[name] = self.all[start : start + size].reshape(shape)
        return nested

    def clear(self, grads: dict[str, Any]) -> None:
        """Set all gradients to zero."""
        gpu.fill(self.all, 0)

    def hold(self, grads: dict[str, Any]) -> None:
        """Set the gradients of frozen parameters to zero."""
        for array in grads.values():
            gpu.fill(gpu.flat(array), 0)

    def loss(self, loss: Any, y: Any, target: Any) -> tuple[float, Any]:
        """0.0 for the value, which ``read`` returns, and gradient with respect to the output."""
        if not hasattr(loss, "on_gpu"):
            raise NotImplementedError(
                f'{loss!r} has no on_gpu(y, target, total, room), as the losses of nbsnn.losses: use device="cpu"'
            )
        if isinstance(target, Weighted):
            raise NotImplementedError('weights of samples have no counterpart on a GPU yet: use device="cpu"')
        room = self._room("loss")
        return 0.0, _checked_result("loss", loss.on_gpu(stored(y, room, "y"), target, self.total, room), y)

    def penalty(self, penalty: Any, spikes: Any, name: str) -> tuple[float, Any]:
        """The same of a regulariser of the layer ``name``."""
        if not hasattr(penalty, "on_gpu"):
            raise NotImplementedError(
                f'{penalty!r} has no on_gpu(spikes, total, room), as those of nbsnn.losses: use device="cpu"'
            )
        flat = spikes.reshape(spikes.shape[0], spikes.shape[1], spikes.size // (spikes.shape[0] * spikes.shape[1]))
        g = _checked_result(f"regulariser of {name}", penalty.on_gpu(flat, self.total, self._room(name)), flat)
        return 0.0, g.reshape(spikes.shape)

    def read(self, value: float) -> float:
        """All values since the last call, after which it is known whether gradients are finite."""
        gpu_sums.flag_large(self.all, self.said[1:2])
        found, flag = gpu.get(self.said)
        gpu.fill(self.said, 0)
        self.large = bool(flag)
        return value + float(found)

    def checked(self, grads: dict[str, Any]) -> dict[str, Any]:
        """``grads``; raises if one holds NaN or infinity."""
        if self.large:  # as the last ``read`` has found
            for name, array in grads.items():
                finite(f"the gradient of {name}", gpu.get(array))
        return grads

    def clip(self, grads: Mapping[str, Any], limit: float) -> None:
        """Scale down in place to a common norm of at most ``limit``."""
        clip_by_norm({"all": self.all}, limit, self._room("clip"))

    def optimise(self, optimizer: Optimizer, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """One step of ``optimizer``, with gradients that ``checked`` has seen."""
        if not isinstance(optimizer, Optimizer):
            optimizer.step(params, grads)
            return
        with span("optimiser", bytes=3.0 * self.all.nbytes):
            optimizer.step(params, grads, largest=np.inf if self.large else gpu_sums.LARGE)

    def add_over_time(self, y: Any, total: Any) -> Any:
        """The sum of ``y`` over time, [1, ...], added to ``total`` unless that is None."""
        room = self._room("output")
        y = stored(y, room, "y")
        if total is None:
            total = gpu.zeros((1, *y.shape[1:]), y.dtype)
        gpu_sums.add_columns(y.reshape(len(y), total.size), gpu.flat(total), room)
        return total

    def mean(self, total: Any, steps: int) -> Any:
        """``total / steps``"""
        y, factor = gpu.buffer({}, "y", total.shape, total.dtype), total.dtype.type(1.0 / steps)
        gpu.launch("arrays.elementwise_cuda", "multiply", y.dtype, y.size, factor, gpu.flat(total), gpu.flat(y))
        return y

    def low_pass(self, x: Any, decay: float, before: Any, device: str) -> LowPass:
        """The trace of x over its steps."""
        return LowPassOnGpu(x, decay, before, device)

    def _room(self, name: str) -> dict[str, Any]:
        return self.room.setdefault(name, {})


def _checked_result(what: str, g: Any, y: GpuArray) -> Any:
    """Gradient of a loss or regulariser of ``y``; raises unless it fits. Whether it is finite shows later."""
    if not gpu.on_gpu(g) or g.dtype != y.dtype:
        raise TypeError(f"the derivative of the {what} must be a {y.dtype} array on the GPU, not {type(g).__name__}")
    if tuple(g.shape) != tuple(y.shape):
        raise ValueError(
            f"the derivative of the {what} has shape {list(g.shape)}, but its argument has {list(y.shape)}"
        )
    return g


def _placed(nested: Nested, places: list[tuple[Nested, str, int]], start: int) -> int:
    """Give each array of ``nested`` a place from ``start`` on; returns the first place after them."""
    for name, value in nested.items():
        if is_dict(value):
            start = _placed(value, places, start)
        else:
            places.append((nested, name, start))
            start += -(-value.size // LINE) * LINE
    return start
