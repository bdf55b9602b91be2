"""What learners do with arrays beside running the network, where they are NumPy's. ``on_gpu`` does it on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..layers.layer import Array, Layer, Nested, flatten
from ..layers.spike_trace import LowPass
from ..losses.checks import checked_result
from ..losses.targets import Target
from ..optim import clip_by_norm
from ..optim.optimizer import Optimizer
from ..validate import finite


class OnCpu:
    """Arrays of NumPy: values of losses are numbers at once.

    On a GPU they are added up there, the functions here return 0.0 in their place, and ``read`` waits for the sum.
    """

    def zeros(self, net: Layer) -> Nested:
        """Gradients of zero."""
        return net.zeros()

    def clear(self, grads: Nested) -> None:
        """Set all gradients to zero."""
        for array in flatten(grads).values():
            array[...] = 0.0

    def hold(self, grads: dict[str, Any]) -> None:
        """Set the gradients of frozen parameters to zero: they do not count when the norm is clipped."""
        for array in grads.values():
            array[...] = 0.0

    def loss(self, loss: Callable[[Any, Any], tuple[float, Any]], y: Any, target: Target) -> tuple[float, Any]:
        """Value, and gradient with respect to the output."""
        return checked_result("loss", loss(y, target), y)

    def penalty(self, penalty: Callable[[Any], tuple[float, Any]], spikes: Any, name: str) -> tuple[float, Any]:
        """Value and gradient of a regulariser of the layer ``name``."""
        return checked_result(f"regulariser of {name}", penalty(spikes), spikes)

    def read(self, value: float) -> float:
        """``value``, and all values since the last call."""
        return value

    def result(self, value: float, grads: Nested) -> tuple[float, dict[str, Array]]:
        """The loss, and the gradients by their names joined by "/"; raises unless all are finite."""
        value = self.read(value)
        if not np.isfinite(value):
            raise ValueError(f"the loss is {value}")
        return value, self.checked(flatten(grads))

    def checked(self, grads: dict[str, Array]) -> dict[str, Array]:
        """``grads``; raises if one holds NaN or infinity."""
        for name, array in grads.items():
            finite(f"the gradient of {name}", array)
        return grads

    def clip(self, grads: Mapping[str, Any], limit: float) -> None:
        """Scale down in place to a common norm of at most ``limit``."""
        clip_by_norm(grads, limit)

    def optimise(self, optimizer: Optimizer, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """One step of ``optimizer``, with gradients that ``checked`` has seen."""
        optimizer.step(params, grads)

    def low_pass(self, x: Any, decay: float, before: Any, device: str) -> LowPass:
        """The trace of x over its steps."""
        return LowPass(x, decay, before, device)
