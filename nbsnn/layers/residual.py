"""A skip connection: y = branch(x) + shortcut(x), or a product of the two, within the same step."""

from __future__ import annotations

from typing import Any

from ..device.threads import DEVICES
from ..neuron import Neuron
from ..random import Draws
from ..validate import choice
from .container import Container, as_layer
from .join import added, multiplied, multiplied_reverse
from .layer import Array, Layer, Nested, Setting
from .sequential import Sequential
from .spike_trace import LowPass, as_array


class Residual(Container):
    """Layers in a row whose input is added to their output.

    Parameters
    ----------
    *layers : Layer or Neuron
        The branch.
    shortcut : Layer or Neuron, optional
        What the input passes on its way round the branch; by default it is added as it is, and the branch must keep
        its shape.
    join : {"sum", "and", "iand"}
        What is made of the branch's output a and the shortcut's b: a + b, a b or (1 - a) b. With a branch that ends in
        spikes these are the blocks ADD, AND and IAND of spike-element-wise (SEW) networks; "iand" passes spikes on
        where the branch is silent.

    Notes
    -----
    A product of traces is not the trace of a product, so OTTT refuses "and" and "iand"; BPTT and SLTT take them.

    References
    ----------
    Fang et al. 2021, "Deep residual learning in spiking neural networks", arXiv:2102.04159.

    Examples
    --------
    >>> import nbsnn
    >>> block = nbsnn.Residual(nbsnn.Dense(32, 32), nbsnn.neurons.LIF())
    >>> net = nbsnn.Sequential(nbsnn.Dense(8, 32), nbsnn.neurons.LIF(), block, seed=0)
    >>> net.shape
    (32,)
    """

    kind = "residual"
    devices = DEVICES
    at_once = lowpass = side_by_side = True
    joins = ("sum", "and", "iand")
    join = "sum"

    def __init__(self, *layers: Layer | Neuron, shortcut: Layer | Neuron | None = None, join: str = "sum"):
        named: dict[str, Layer] = {"branch": Sequential(*layers)}
        if shortcut is not None:
            named["shortcut"] = as_layer(shortcut)
        super().__init__(**named)
        self.join = choice("join", join, self.joins)

    def options(self) -> dict[str, Any]:
        return {"join": self.join}

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

    def tape_bytes(self, steps: int, batch: int) -> int:
        return super().tape_bytes(steps, batch) + Layer.tape_bytes(self, steps, batch)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        final: Nested = {}
        parts = [self._forward(name, x, state, tape, draws, final) for name in self.children]
        parts, room = self._with_skip(parts, x), tape.setdefault("/join", {})
        if self.join == "sum":
            return self.arrays.total(parts, room, "joined"), final
        room["parts"] = parts
        return multiplied(self.arrays, self.join, parts, room), final

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array:
        if self.join != "sum":
            raise NotImplementedError(f"join={self.join!r} of a residual has no trace for OTTT: use BPTT or SLTT")
        parts = [as_array(self._trace(name, x, tape, traces)) for name in self.children]
        return self.arrays.total(self._with_skip(parts, as_array(x)), tape.setdefault("/trace", {}), "joined")

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        arrays, room = self.arrays, tape["/join"]
        parts = self._parted(gy, tape)
        gx = [
            self._within(name, arrays.copied(part, room, f"gy {name}"), tape, grads, wanted)
            for name, part in zip(self.children, parts, strict=False)
        ]
        return added(arrays, self._with_skip(gx, parts[1]), room)

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
        parts = self._parted(gy, tape)
        both = zip(self.children, parts, strict=False)
        gx = [self._backward(name, part, tape, grads, before, **passed) for name, part in both]
        return added(self.arrays, self._with_skip(gx, parts[1]), tape["/join"]), before

    def _parted(self, gy: Array, tape: Nested) -> list[Any]:
        """The gradients with respect to what is joined."""
        if self.join == "sum":
            return [gy, gy]
        return multiplied_reverse(self.arrays, self.join, tape["/join"]["parts"], gy, tape["/join"])

    def _with_skip(self, parts: list[Any], skip: Any) -> list[Any]:
        """The branch's part and that of the shortcut, which without a layer is ``skip``."""
        return parts if "shortcut" in self.children else [*parts, skip]
