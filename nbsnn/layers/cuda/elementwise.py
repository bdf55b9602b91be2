"""Layers that do the same to each number of their input, on a GPU: one equation, and one for the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...compile.unroll import repeating, spread
from ...device import gpu, gpu_sums
from ...device.buffers import GpuArray
from ...random import Draws
from ...scalar.words import SCALAR
from ..layer import Nested
from .ops import CudaOps


class CudaElementwise(CudaOps):
    """A layer whose parameters have the shape of its input, one number for each unit.

    ``forward(x, *params) -> (y,)`` and ``backward(x, *params, g) -> (gx, *g_params)`` are scalar functions in the words
    of ``scalar.words``, with the parameters in the order of the layer's ``params``.
    """

    def __init__(self, layer: Any, forward: Callable[..., tuple[Any, ...]], backward: Callable[..., tuple[Any, ...]]):
        super().__init__(layer)
        self.equations = forward, backward

    def __deepcopy__(self, memo: dict[int, Any]) -> CudaElementwise:
        other: Any = super().__deepcopy__(memo)
        other.equations = self.equations
        return other

    def apply(self, x: GpuArray, tape: Nested, draws: Draws | None) -> Any:
        """See ``Stateless.apply``."""
        self.offer(x, tape)
        (tape["y"],) = self._each(self.equations[0], x, tape, ["y"])
        return tape["y"]

    def reverse(self, gy: GpuArray, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """See ``Stateless.reverse``."""
        gx, *terms = self._each(self.equations[1], tape["pre"], tape, ["gx", *self.layer.params], gy)
        for name, each in zip(self.layer.params, terms, strict=True):
            total = gpu.flat(grads[name])
            gpu_sums.add_columns(each.reshape(each.size // total.size, total.size), total, tape)
        return gx if wanted else None

    def offer(self, x: GpuArray, tape: Nested) -> None:
        """See ``Stateless.offer``."""
        tape["pre"] = x

    def _each(
        self, equation: Callable[..., Any], x: GpuArray, tape: Nested, names: list[str], *more: GpuArray
    ) -> list[Any]:
        """The results of an equation, kept on the tape under ``names``."""
        made = [gpu.buffer(tape, name, x.shape, self.dtype) for name in names]
        given = [x, *self.layer.params.values(), *more]
        arrays = tuple(map(gpu.flat, given)), tuple(map(gpu.flat, made))
        filling = {"take": repeating(len(given)), "equation": equation, "put": spread(len(made)), **SCALAR}
        gpu.launch("arrays.elementwise_cuda", "each", self.dtype, x.size, *arrays, **filling)
        return made
