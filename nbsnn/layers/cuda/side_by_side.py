"""Layers side by side, and skip connections, on a GPU."""

from __future__ import annotations

from typing import Any

from ... import gpu
from ..layer import Nested
from ..low_pass import as_array
from .counterpart import Counterpart
from .join import added, joined, parted


class ParallelOnGpu(Counterpart):
    """Layers side by side on one input."""

    def forward(self, x: Any, state: Nested, tape: Nested, draws: Any = None) -> tuple[Any, Nested]:
        """As ``Layer.forward``."""
        layer, final = self.layer, {}
        outputs = [layer._forward(name, x, state, tape, draws, final) for name in layer.children]
        return joined(layer.join, outputs, tape.setdefault("/join", {})), final

    def backward(
        self, gy: Any, tape: Nested, grads: Nested, *, after: Any = None, inject: Any = None, wanted: bool = True
    ) -> tuple[Any, Nested]:
        """As ``Layer.backward``."""
        layer, before, room = self.layer, {}, tape["/join"]
        passed: dict[str, Any] = {"after": after, "inject": inject, "wanted": wanted}
        parts = zip(layer.children, parted(layer.join, gy, layer._shapes, room), strict=True)
        gx = [layer._backward(name, part, tape, grads, before, **passed) for name, part in parts]
        known = [g for g in gx if g is not None]
        return (added(known, room) if len(known) == len(gx) else None), before

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        """As ``Layer.trace``."""
        layer, room = self.layer, tape.setdefault("/trace", {})
        return joined(layer.join, [as_array(layer._trace(name, x, tape, traces)) for name in layer.children], room)

    def backward_within(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """As ``Layer.backward_within``."""
        layer, room = self.layer, tape["/join"]
        parts = zip(layer.children.items(), parted(layer.join, gy, layer._shapes, room), strict=True)
        gx = [
            child.backward_within(own(part, room, name), tape[name], grads[name], wanted)
            for (name, child), part in parts
        ]
        known = [g for g in gx if g is not None]
        return added(known, room) if len(known) == len(gx) else None


class ResidualOnGpu(Counterpart):
    """Layers in a row whose input is added to their output."""

    def forward(self, x: Any, state: Nested, tape: Nested, draws: Any = None) -> tuple[Any, Nested]:
        """As ``Layer.forward``."""
        layer, final = self.layer, {}
        parts = [layer._forward(name, x, state, tape, draws, final) for name in layer.children]
        parts += [] if "shortcut" in layer.children else [x]
        return joined("sum", parts, tape.setdefault("/join", {})), final

    def backward(
        self, gy: Any, tape: Nested, grads: Nested, *, after: Any = None, inject: Any = None, wanted: bool = True
    ) -> tuple[Any, Nested]:
        """As ``Layer.backward``."""
        layer, before = self.layer, {}
        passed: dict[str, Any] = {"after": after, "inject": inject, "wanted": wanted}
        gx = [layer._backward(name, gy, tape, grads, before, **passed) for name in layer.children]
        gx += [] if "shortcut" in layer.children else [gy]
        return (None if any(g is None for g in gx) else added(gx, tape["/join"])), before

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        """As ``Layer.trace``."""
        layer = self.layer
        parts = [] if "shortcut" in layer.children else [as_array(x)]
        parts += [as_array(layer._trace(name, x, tape, traces)) for name in layer.children]
        return joined("sum", parts, tape.setdefault("/trace", {}))

    def backward_within(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """As ``Layer.backward_within``."""
        layer, room = self.layer, tape["/join"]
        gx = [
            child.backward_within(own(gy, room, name), tape[name], grads[name], wanted)
            for name, child in layer.children.items()
        ]
        gx += [] if "shortcut" in layer.children else [gy]
        return None if any(g is None for g in gx) else added(gx, room)


def own(gy: Any, room: Nested, name: str) -> Any:
    """A copy that a branch may write over."""
    copy = gpu.buffer(room, f"gy {name}", gy.shape, gy.dtype)
    gpu.copy(gy, copy)
    return copy
