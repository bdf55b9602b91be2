"""Synapses that wait for a reward: their weights as of now, and what happens when the reward changes.

The loop brings a synapse up to date at its events. Reading weights works on copies and changes nothing, so results do
not depend on who looks when; a new reward, new weights and ``reset`` bring all synapses up to date.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile import kernel
from ..device import run_threaded
from ..kernels.cpu import eligible
from ..kernels.cpu import tables as at

if TYPE_CHECKING:
    from .connection import Connection

Array = np.ndarray


def bring(connection: Connection, *, idle: bool = False) -> None:
    """Bring a connection that waits to the end of the latest step; ``idle``: as if no time had passed since."""
    if connection.rewarded:
        arrays = _arrays(connection)
        if idle:
            arrays[2][...] = _latest(connection)
        elif connection.learning:
            _bring(connection, arrays)


def now(connection: Connection) -> Array:
    """A copy of the weights at the end of the latest step, which cannot be written to."""
    weights, eligibility, since = (array.copy() for array in _arrays(connection))
    if connection.learning:
        _bring(connection, (weights, eligibility, since))
    weights.flags.writeable = False
    return weights


def reward(connection: Connection, value: float | None = None) -> float:
    """The reward in effect, or from now on."""
    place = _row(connection)[at.REWARD] + at.REWARD_VALUE
    numbers = connection.network.layout.numbers
    if value is not None:
        bring(connection)
        numbers[place] = value
    return float(numbers[place])


def _row(connection: Connection) -> Array:
    learning = connection.network.layout.learning
    return learning.table[learning.connections.index(connection)]


def _arrays(connection: Connection) -> tuple[Array, Array, Array]:
    """Weights, eligibility and step of the last visit."""
    layout, place = connection.network.layout, connection.place
    first, count = place + _row(connection)[at.GAP], len(connection)
    return (
        layout.weights[place : place + count],
        layout.eligible[first : first + count],
        layout.since[first : first + count],
    )


def _latest(connection: Connection) -> Any:
    """The latest step that has been done, modulo 2^32."""
    return np.uint32((connection.network.step - 1) % (1 << 32))


def _bring(connection: Connection, arrays: tuple[Array, Array, Array]) -> None:
    network = connection.network
    place = _row(connection)[at.REWARD]
    numbers, latest = network.layout.numbers[place : place + at.REWARD_NUMBERS], _latest(connection)
    loop = _loop(network.dtype, network.device)
    with np.errstate(over="ignore"):  # interpreted, NumPy warns of steps that wrap
        run_threaded(lambda lo, hi: loop(lo, hi, latest, numbers, *arrays), len(arrays[0]), len(arrays[0]))


def _loop(dtype: Any, device: str) -> Callable:
    return kernel(eligible.bring_all, device=device, dtype=dtype, real=np.dtype(dtype).type)
