"""Synapses that wait for a reward: their weights as of now, and what happens when the reward changes.

The loop brings a synapse up to date at its events. Reading weights works on copies and changes nothing, so results do
not depend on who looks when; a new reward, new weights and ``reset`` bring all synapses up to date.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import gpu
from ..compile import kernel
from ..device import run_threaded
from ..kernels.cpu import eligible
from ..kernels.cpu import tables as at

if TYPE_CHECKING:
    from .connection import Connection

Array = np.ndarray

ARRAYS = "numbers", "weights", "eligible", "since"
"""What is read and written here, of the layout's."""


def bring(connection: Connection, *, idle: bool = False) -> None:
    """Bring a connection that waits to the end of the latest step; ``idle``: as if no time had passed since."""
    if connection.rewarded:
        arrays = _arrays(connection)
        if idle and gpu.on_gpu(arrays[2]):
            gpu.fill(arrays[2], _latest(connection))
        elif idle:
            arrays[2][...] = _latest(connection)
        elif connection.learning:
            _bring(connection, arrays)


def now(connection: Connection) -> Array:
    """A copy of the weights at the end of the latest step, which cannot be written to."""
    weights, eligibility, since = map(_copy, _arrays(connection))
    if connection.learning:
        _bring(connection, (weights, eligibility, since))
    weights = gpu.get(weights)
    weights.flags.writeable = False
    return weights


def reward(connection: Connection, value: float | None = None) -> float:
    """The reward in effect, or from now on."""
    place = int(_row(connection)[at.REWARD]) + at.REWARD_VALUE
    memory = connection.network.layout.memory
    if value is not None:
        bring(connection)
        memory.write("numbers", value, place, place + 1)
    return float(memory.read("numbers", place, place + 1)[0])


def _row(connection: Connection) -> Array:
    learning = connection.network.layout.learning
    return learning.table[learning.connections.index(connection)]


def _arrays(connection: Connection) -> tuple[Array, Array, Array]:
    """Weights, eligibility and step of the last visit."""
    memory, place = connection.network.layout.memory, connection.place
    first, count = int(place + _row(connection)[at.GAP]), len(connection)
    return (
        memory.part("weights", place, place + count),
        memory.part("eligible", first, first + count),
        memory.part("since", first, first + count),
    )


def _copy(array: Any) -> Any:
    """A copy where the array is."""
    if not gpu.on_gpu(array):
        return array.copy()
    copy = gpu.empty(array.size, array.dtype)
    gpu.copy(array, copy)
    return copy


def _latest(connection: Connection) -> Any:
    """The latest step that has been done, modulo 2^32."""
    return np.uint32((connection.network.step - 1) % (1 << 32))


def _bring(connection: Connection, arrays: tuple[Array, Array, Array]) -> None:
    network = connection.network
    place, latest, memory = int(_row(connection)[at.REWARD]), _latest(connection), network.layout.memory
    if gpu.on_gpu(arrays[0]):
        call = gpu.compiled("eligible", "bring_all", network.dtype, real=network.dtype.type)
        gpu.run(call, len(arrays[0]), latest, memory.part("numbers", place, place + at.REWARD_NUMBERS), *arrays)
        return
    numbers, loop = memory.part("numbers", place, place + at.REWARD_NUMBERS), _loop(network.dtype, network.device)
    with np.errstate(over="ignore"):  # interpreted, NumPy warns of steps that wrap
        run_threaded(lambda lo, hi: loop(lo, hi, latest, numbers, *arrays), len(arrays[0]), len(arrays[0]))


def _loop(dtype: Any, device: str) -> Callable:
    device = "cpu" if device == "cuda" else device  # a network on a GPU whose arrays are at hand
    return kernel(eligible.bring_all, device=device, dtype=dtype, real=np.dtype(dtype).type)
