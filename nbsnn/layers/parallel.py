"""Layers side by side on one input, whose outputs are joined: y = [a(x), b(x)] or y = a(x) + b(x)."""

from __future__ import annotations

from typing import Any

from ..device.host import Host
from ..device.threads import DEVICES
from ..neuron import Neuron
from ..random import Draws
from ..validate import choice
from .container import Container
from .join import JOINS, added, joined, joined_shape, parted
from .layer import Array, Layer, Nested, Setting
from .spike_trace import LowPass, as_array


class Parallel(Container):
    """Layers side by side.

    Parameters
    ----------
    *layers : Layer or Neuron
        The branches, each of them given the same input; a branch of several layers is a ``Sequential``. They are
        named by kind and number, as in ``Sequential``.
    join : {"concatenate", "sum"}
        Outputs one behind the other along the first axis of their units (channels of images), or added up.
    **named : Layer or Neuron
        Further branches under names of their own.

    Notes
    -----
    With delays the branches see different times: ``Parallel(Identity(), Delay(1), Delay(2))`` before a ``Conv2d``
    stacks three frames, which is a convolution over space and time.

    Examples
    --------
    >>> import nbsnn
    >>> fast, slow = nbsnn.neurons.LIF(tau=2.0), nbsnn.neurons.LIF(tau=50.0)
    >>> net = nbsnn.Sequential(nbsnn.Dense(8, 16), nbsnn.Parallel(fast=fast, slow=slow), nbsnn.Dense(32, 4), seed=0)
    >>> list(net.layers())
    ['dense1', 'parallel1', 'parallel1/fast', 'parallel1/slow', 'dense2']
    """

    kind = "parallel"
    devices = DEVICES
    at_once = lowpass = side_by_side = True
    join = "concatenate"

    def __init__(self, *layers: Layer | Neuron, join: str = "concatenate", **named: Layer | Neuron):
        super().__init__(*layers, **named)
        if not self.children:
            raise ValueError("a Parallel needs at least one layer")
        self.join = choice("join", join, JOINS)
        self.in_shape = next((layer.in_shape for layer in self.children.values() if layer.in_shape), ())

    def options(self) -> dict[str, Any]:
        return {"join": self.join}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = in_shape
        for name, layer in self.children.items():
            layer.build(in_shape, setting, draws.fold(name))
        self.shape = joined_shape(self.join, self._shapes, "the layers of a Parallel")
        self.settle(setting)

    @property
    def _shapes(self) -> list[tuple[int, ...]]:
        return [layer.shape for layer in self.children.values()]

    def first(self) -> Array:
        return joined(Host(), self.join, [layer.first()[None, None] for layer in self.children.values()], {})[0, 0]

    def first_reverse(self, g: Array, grads: Nested) -> None:
        parts = parted(self.arrays, self.join, g.reshape(1, *g.shape), self._shapes, {})
        for (name, layer), part in zip(self.children.items(), parts, strict=True):
            layer.first_reverse(part[0], grads[name])

    def tape_bytes(self, steps: int, batch: int) -> int:
        return super().tape_bytes(steps, batch) + Layer.tape_bytes(self, steps, batch)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        final: Nested = {}
        outputs = [self._forward(name, x, state, tape, draws, final) for name in self.children]
        return joined(self.arrays, self.join, outputs, tape.setdefault("/join", {})), final

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array:
        parts = [as_array(self._trace(name, x, tape, traces)) for name in self.children]
        return joined(self.arrays, self.join, parts, tape.setdefault("/trace", {}))

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        arrays, room = self.arrays, tape["/join"]
        parts = zip(self.children, parted(arrays, self.join, gy, self._shapes, room), strict=True)
        gx = [self._within(name, arrays.copied(part, room, f"gy {name}"), tape, grads, wanted) for name, part in parts]
        return added(arrays, gx, room)

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
        parts = zip(self.children, parted(self.arrays, self.join, gy, self._shapes, tape["/join"]), strict=True)
        gx = [self._backward(name, part, tape, grads, before, **passed) for name, part in parts]
        return added(self.arrays, gx, tape["/join"]), before
