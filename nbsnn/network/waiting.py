"""Synapses that wait for a reward: their weights as of now, and what happens when the reward changes.

The loop brings a synapse up to date at its events. Reading weights works on copies and changes nothing, so results do
not depend on who looks when; a new reward, new weights and ``reset`` bring all synapses up to date. While a connection
does not learn, its reward acts with a factor of 0: eligibility goes on, and weights stand still.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import gpu
from ..compile import kernel
from ..device import run_threaded
from ..kernels.cpu import eligible
from ..kernels.cpu import tables as at

if TYPE_CHECKING:
    from ..plasticity.reward import RewardRule
    from .connection import Connection

Array = np.ndarray

ARRAYS = "numbers", "weights", "eligible", "since"
"""What is read and written here, of the layout's."""


def bring(connection: Connection) -> None:
    """Bring a connection that waits to the end of the latest step."""
    if connection.rewarded:
        _bring(connection, _arrays(connection))


def heed(connection: Connection, learning: bool) -> None:
    """Let the reward act from now on, or not; until now it acts, or not, as the arrays say."""
    if not connection.rewarded:
        return
    memory, place = connection.network.layout.memory, int(_row(connection)[at.REWARD]) + at.REWARD_FACTOR
    factor = rewarded(connection.rule, connection.network.dt)[0] if learning else 0.0  # type: ignore[arg-type]
    if memory.read("numbers", place, place + 1)[0] != connection.network.dtype.type(factor):
        bring(connection)
        memory.write("numbers", factor, place, place + 1)


def now(connection: Connection) -> Array:
    """A copy of the weights at the end of the latest step, which cannot be written to."""
    weights, eligibility, since = map(_copy, _arrays(connection))
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


def rewarded(rule: RewardRule, dt: float) -> list[float]:
    """Factor of the reward, share of an increment that is eligible, fall of the logarithm of eligibility in a step."""
    tau = rule.tau_e
    if tau is None:
        return [rule.rate, 1.0, 1e4]  # nothing is left after a step
    fall = dt / tau
    return [rule.rate * dt / -math.expm1(-fall), 1.0 / tau, fall]


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
