"""A skip connection: y = inner(x) + shortcut(x), within the same step."""

from __future__ import annotations

from typing import Any

from ..random import Draws
from .container import Container, as_layer
from .layer import Array, Layer, Nested, Setting
from .low_pass import LowPass, as_array
from .sequential import Sequential


class Residual(Container):
    """Layers in a row whose input is added to their output.

    Parameters
    ----------
    *layers : Layer or Neuron
        The branch.
    shortcut : Layer or Neuron, optional
        What the input passes on its way round the branch; by default it is added as it is, and the branch must keep
        its shape.

    Examples
    --------
    >>> import nbsnn
    >>> block = nbsnn.Residual(nbsnn.Dense(32, 32), nbsnn.neurons.LIF())
    >>> net = nbsnn.Sequential(nbsnn.Dense(8, 32), nbsnn.neurons.LIF(), block, seed=0)
    >>> net.shape
    (32,)
    """

    kind = "residual"
    at_once = lowpass = True

    def __init__(self, *layers: Any, shortcut: Any = None):
        named: dict[str, Layer] = {"branch": Sequential(*layers)}
        if shortcut is not None:
            named["shortcut"] = as_layer(shortcut)
        super().__init__(**named)

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = in_shape
        for name, layer in self.children.items():
            layer.build(in_shape, setting, draws.fold(name))
        self.shape = self.children["branch"].shape
        other = self.children["shortcut"].shape if "shortcut" in self.children else in_shape
        if other != self.shape:
            raise ValueError(
                f"the branch has the output shape {list(self.shape)}, but what is added to it has {list(other)}; "
                "give a shortcut layer that ends in the branch's shape"
            )
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.side_by_side import ResidualOnGpu

        return ResidualOnGpu(self)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return super().tape_bytes(steps, batch) + Layer.tape_bytes(self, steps, batch)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        final: Nested = {}
        y = self._forward("branch", x, state, tape, draws, final)
        skip = self._forward("shortcut", x, state, tape, draws, final) if "shortcut" in self.children else x
        return y + skip, final

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array:
        total = as_array(x) if "shortcut" not in self.children else 0.0
        for name in self.children:
            total = total + as_array(self._trace(name, x, tape, traces))
        return total  # type: ignore[return-value]

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        gx, skip = self.children["branch"].backward_within(gy.copy(), tape["branch"], grads["branch"], wanted), gy
        if "shortcut" in self.children:
            skip: Any = self.children["shortcut"].backward_within(gy, tape["shortcut"], grads["shortcut"], wanted)
        return None if gx is None or skip is None else gx + skip

    def backward(
        self,
        gy: Array,
        tape: Nested,
        grads: Nested,
        *,
        after: Nested | None = None,
        inject: Nested | None = None,
        wanted: bool = True,
    ) -> tuple[Array | None, Nested]:
        before: Nested = {}
        passed: dict[str, Any] = {"after": after, "inject": inject, "wanted": wanted}
        gx = self._backward("branch", gy, tape, grads, before, **passed)
        skip: Array | None = gy
        if "shortcut" in self.children:
            skip = self._backward("shortcut", gy, tape, grads, before, **passed)
        if gx is None or skip is None:
            return None, before
        if len(skip) != len(gx):  # an input that does not change over time: its gradient is one step
            skip, gx = (g if len(g) == 1 else g.sum(axis=0, keepdims=True) for g in (skip, gx))
        return gx + skip, before
