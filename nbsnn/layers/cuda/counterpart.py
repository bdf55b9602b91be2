"""What every layer's counterpart on a GPU does: put parameters there, and take in what users give."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ... import gpu
from ..layer import Layer, Nested, Start, is_static
from ..state import checked_state
from .still import Still


class Counterpart:
    """Does on a GPU what ``layer`` does on the CPU, in methods of the same names.

    Attributes
    ----------
    layer : Layer
        Whose parameters are moved to the GPU when its counterpart is made.
    cache : dict
        What lies on the GPU and would be the same next time.
    """

    def __init__(self, layer: Any):
        self.layer, self.cache = layer, dict[Any, Any]()
        layer.params = {name: gpu.put(array) for name, array in layer.params.items()}

    def __deepcopy__(self, memo: dict[int, Any]) -> Counterpart:
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        other.layer, other.cache = copy.deepcopy(self.layer, memo), {}
        return other

    @property
    def _dtype(self) -> np.dtype:
        return self.layer.setting.dtype

    def check_input(self, x: Any, *, numbers: bool = True) -> Any:
        """As ``Layer.check_input``; what does not lie on the GPU is sent there. NaN there shows in the loss."""
        layer = self.layer
        given = x.array if isinstance(x, Still) else x
        if not gpu.on_gpu(given):
            x = np.asarray(x)
            if x.ndim and is_static(x):
                return Still(gpu.put(Layer.check_input(layer, np.array(x[:1]), numbers=numbers)), len(x))
            return gpu.put(Layer.check_input(layer, x, numbers=numbers))
        shape = tuple(given.shape)
        if len(shape) < 2 or shape[2:] != tuple(layer.in_shape) or not given.size:
            wanted = ", ".join(["T", "B", *map(str, layer.in_shape)])
            raise ValueError(f"input must have shape [{wanted}] and not be empty, but it is {list(shape)}")
        if given.dtype != self._dtype:
            raise TypeError(f"input on the GPU must be {self._dtype}, as this network, not {given.dtype}")
        return x

    def check_state(self, state: Any, batch: int) -> Nested:
        """As ``Layer.check_state``; what does not lie on the GPU is sent there."""
        if isinstance(state, Start):
            return state
        return _sent(checked_state(gpu.get_all(state), self.layer.initial(batch), "state", batch))


class Leaf(Counterpart):
    """The counterpart of a layer that has parameters of its own."""

    def zeros(self) -> Nested:
        """Gradients of zero for all parameters."""
        return {name: gpu.zeros(array.shape, array.dtype) for name, array in self.layer.params.items()}


def _sent(nested: Any) -> Any:
    return {k: _sent(v) for k, v in nested.items()} if isinstance(nested, dict) else gpu.put(nested)
