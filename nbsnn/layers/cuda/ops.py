"""Base of the objects of this package: a layer, and what of it is kept on the GPU."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np


class CudaOps:
    """Implementation of ``layer`` on a GPU: its ``ops``, with the methods that the layer has for the CPU.

    Attributes
    ----------
    layer : Layer
        Its parameters lie on the GPU.
    cache : dict
        What lies on the GPU and would be the same next time.
    """

    def __init__(self, layer: Any):
        self.layer, self.cache = layer, dict[Any, Any]()

    def __deepcopy__(self, memo: dict[int, Any]) -> CudaOps:
        other = type(self).__new__(type(self))
        memo[id(self)] = other
        other.layer, other.cache = copy.deepcopy(self.layer, memo), {}
        return other

    @property
    def dtype(self) -> np.dtype:
        """The network's precision."""
        return self.layer.setting.dtype
