"""What the loops of a plastic layer are given: connections, and input spikes as arrays or to be drawn on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..kernels.plasticity.layer import Connection
from ..layers.dense import Dense

Array = np.ndarray


@dataclass(frozen=True)
class Drawn:
    """Input spikes that are drawn while the loop runs: ``encode.poisson`` of each sample, without the array.

    Attributes
    ----------
    threshold : uint64 array [B, n_pre]
        2^32 times the probability.
    keys : uint64 array [B]
        Keys of each sample's draws.
    steps : int
        Number of steps.
    first : int
        The step of the draws with which to begin.
    """

    threshold: Array
    keys: Array
    steps: int
    first: int = 0

    def __len__(self) -> int:
        return self.steps


def connection_of(dense: Dense | None, dtype: np.dtype) -> Connection:
    """Weights and bias, of length 0 if there are none."""
    params = {} if dense is None else dense.params
    return Connection(params.get("weight", np.zeros((0, 1), dtype)), params.get("bias", np.zeros(0, dtype)))


def binary(x: Array) -> bool:
    """True if all numbers are 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())
