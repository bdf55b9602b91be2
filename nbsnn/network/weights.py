"""Weights of a connection, as a class for each way in which rules store them; the loop reads and changes the arrays.

Reading works on a copy wherever weights are not stored as they are, and changes nothing, so results do not depend on
who looks when.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..compile.fill import kernel
from ..device import gpu
from ..device.buffers import GpuArray
from ..device.threads import run_threaded
from ..kernels.network import tables as at
from ..kernels.plasticity import mean_weight, normalized, sparse
from ..kernels.plasticity import rewarded as eligible
from ..plasticity import PostPreInt
from ..plasticity.rule import Rule
from . import given
from .arrays import Memory
from .home import Home
from .rules import BOUNDED

Array = np.ndarray


@dataclass
class SharedWeight:
    """One weight for all synapses, at ``place`` among the numbers."""

    memory: Memory
    place: int

    def read(self) -> float:
        """The weight."""
        return float(self.memory.read("numbers", self.place, self.place + 1)[0])

    def write(self, value: float) -> None:
        """Set the weight."""
        self.memory.write("numbers", value, self.place, self.place + 1)


@dataclass
class PlainWeights:
    """Weights [synapses] in the order of rows, stored as they are; changed, if at all, at spikes.

    ``loops`` is the module of the kernels that change them, ``lines`` how many numbers are kept for each target,
    ``waits`` whether synapses are brought up to date only at their events, ``normalizes`` whether in every step the
    weights onto a unit share a total.
    """

    network: Home
    name: str  # of the connection
    memory: Memory
    lo: int  # the first place among all weights
    hi: int
    index: Array  # targets of all synapses of the network,
    first: int  # of which those of this connection begin here
    n: int  # number of targets
    rule: Any
    table: Array  # of plastic connections,
    line: int  # and the number of this one's, if it is plastic

    loops = sparse
    lines = 0
    waits = normalizes = False

    @property
    def post(self) -> Array:
        """Target of each synapse of a plastic connection."""
        return self.index[self.first : self.first + self.hi - self.lo]

    @property
    def row(self) -> Array:
        """The line of a plastic connection."""
        return self.table[self.line]

    @property
    def bounded(self) -> bool:
        """True if no weight may be beyond its bounds."""
        return self.rule.clip == "all" and self.rule.bounds in BOUNDED

    def read(self) -> Array:
        """The weights at the end of the latest step."""
        return self.memory.read("weights", self.lo, self.hi)

    def write(self, values: ArrayLike) -> None:
        """Set the weights."""
        self.memory.write("weights", values, self.lo, self.hi)

    def settle(self) -> None:
        """Store the weights as they are at the end of the latest step."""

    def reset(self) -> None:
        """Take what is stored for the weights at the end of the latest step."""

    def set_learning(self, learning: bool) -> None:
        """Let rewards act from now on, or not."""

    def rewired(self, before: Array) -> None:
        """Take the weights of other synapses, of which each unit had as many as ``before`` says."""

    def clip(self) -> None:
        """Bring the weights, which are in the computer's memory, within their bounds."""
        weights = self.array
        np.clip(weights, self.rule.w_min, self.rule.w_max, out=weights)

    @property
    def array(self) -> Any:
        """The weights where they are."""
        return self.memory.part("weights", self.lo, self.hi)


class IntegerWeights(PlainWeights):
    """Weights that are whole numbers."""

    @property
    def bounded(self) -> bool:
        return True

    def clip(self) -> None:
        """Bring the weights within their bounds, or raise unless they are whole numbers."""
        given.whole(self.name, self.array)
        super().clip()


class RewardedWeights(PlainWeights):
    """Weights that wait for a reward, each stored as after the latest event of its synapse: see ``eligible``.

    A new reward, new weights and ``reset`` of the network bring all up to date. While a connection does not learn, its
    reward acts with a factor of 0: eligibility continues, and weights stay as they are.
    """

    loops = eligible
    waits = True

    def read(self) -> Array:
        return self._now()[0]

    def eligibility(self) -> Array:
        """What waits for a reward at the end of the latest step."""
        return self._now()[1]

    def _now(self) -> tuple[Array, Array]:
        """Copies of weights and eligibility that are up to date."""
        weights, eligibility, since = map(_copy, self._arrays())
        self._catch_up(weights, eligibility, since)
        found = gpu.get(weights), gpu.get(eligibility)
        for array in found:
            array.flags.writeable = False
        return found

    def write(self, values: ArrayLike) -> None:
        self.settle()
        super().write(values)

    def settle(self) -> None:
        self._catch_up(*self._arrays())

    @property
    def reward(self) -> float:
        """The reward in effect."""
        return float(self._number(at.REWARD_VALUE))

    @reward.setter
    def reward(self, value: float) -> None:
        self._set(at.REWARD_VALUE, value)

    def set_learning(self, learning: bool) -> None:
        """Let the reward act from now on, or not; until now it acts, or not, as the arrays say."""
        factor = self.network.dtype.type(rewarded(self.rule, self.network.dt)[0] if learning else 0.0)
        if self._number(at.REWARD_FACTOR) != factor:
            self._set(at.REWARD_FACTOR, factor)

    def _number(self, which: int) -> Any:
        place = int(self.row[at.REWARD]) + which
        return self.memory.read("numbers", place, place + 1)[0]

    def _set(self, which: int, value: float) -> None:
        self.settle()
        place = int(self.row[at.REWARD]) + which
        self.memory.write("numbers", value, place, place + 1)

    def _arrays(self) -> tuple[Any, Any, Any]:
        """Weights, eligibility and step of the last visit."""
        lo, hi = self.lo + int(self.row[at.GAP]), self.hi + int(self.row[at.GAP])
        return self.array, self.memory.part("eligible", lo, hi), self.memory.part("since", lo, hi)

    def _catch_up(self, *arrays: Array | GpuArray) -> None:
        """Bring these arrays to the end of the latest step."""
        dtype, place = self.network.dtype, int(self.row[at.REWARD])
        numbers = self.memory.part("numbers", place, place + at.REWARD_NUMBERS)
        latest, count = np.uint32((self.network.step - 1) % (1 << 32)), len(arrays[0])
        if gpu.on_gpu(arrays[0]):
            gpu.run(
                gpu.compiled("plasticity.rewarded_cuda", "catch_up_all", dtype, real=dtype.type),
                count,
                latest,
                numbers,
                *arrays,
            )
            return
        loop = kernel(eligible.catch_up_all, device=self.memory.device, dtype=dtype, real=dtype.type)
        with np.errstate(over="ignore"):  # interpreted, NumPy warns of steps that wrap
            run_threaded(lambda lo, hi: loop(lo, hi, latest, numbers, *arrays), count, count)


class FactoredWeights(PlainWeights):
    """Weights stored without the factor of their unit, of whose numbers ``lines`` are kept."""

    def read(self) -> Array:
        lines = self._lines()
        weights = (lines[at.SCALE] * lines[at.STEP])[self.post] * self.array
        if self.normalizes and self.bounded:  # a product may be a digit beyond
            np.clip(weights, lines[at.BOTTOM][self.post], lines[at.TOP][self.post], out=weights)
        weights = weights.astype(self.array.dtype)
        weights.flags.writeable = False
        return weights

    def write(self, values: ArrayLike) -> None:
        super().write(values)
        self.reset()

    def settle(self) -> None:
        self.array[...] = self.read()
        self._measure(self._lines())

    def reset(self) -> None:
        self._measure(self._lines())

    def rewired(self, before: Array) -> None:
        self.reset()

    def _measure(self, lines: Array) -> None:
        """Note what is known of the weights onto each unit, which have no factor."""
        lines[[at.SCALE, at.STEP]] = 1.0

    def _lines(self) -> Array:
        """Arrays kept per unit: [lines, n]."""
        first = int(self.row[at.STEERED])
        return self.memory.part("aims", first, first + self.lines * self.n).reshape(self.lines, self.n)


class SteeredWeights(FactoredWeights):
    """Weights whose mean, onto each unit, is steered: see ``steered``.

    Units aim at the mean weight they have when the network starts, or when their first synapse is added.
    """

    loops = mean_weight
    lines = at.STEERED_LINES

    def reset(self) -> None:
        super().reset()
        if self.network.step == 0:
            self._aim(np.ones(self.n, bool))

    def rewired(self, before: Array) -> None:
        super().rewired(before)
        self._aim(before == 0)

    def _aim(self, units: Array) -> None:
        """Let units aim at the mean weight that they have."""
        lines = self._lines()
        mean = lines[at.SUM] / np.maximum(np.bincount(self.post, minlength=self.n), 1)
        lines[at.AIM][units] = mean[units]

    def _measure(self, lines: Array) -> None:
        super()._measure(lines)
        lines[at.SUM] = np.bincount(self.post, self.array, self.n)


class NormalizedWeights(FactoredWeights):
    """Weights onto each unit that share a total in every step: see ``balanced``."""

    loops = normalized
    lines = at.BALANCED_LINES
    normalizes = True

    def _measure(self, lines: Array) -> None:
        super()._measure(lines)
        lines[[at.SUM, at.LARGEST]] = np.bincount(self.post, np.abs(self.array), self.n)
        lines[at.TOP], lines[at.BOTTOM], lines[at.VISITED] = -np.inf, np.inf, 0.0
        np.maximum.at(lines[at.TOP], self.post, self.array)
        np.minimum.at(lines[at.BOTTOM], self.post, self.array)


KINDS = {
    "pairs": PlainWeights, "membrane": PlainWeights, "integer": IntegerWeights, "rewarded": RewardedWeights,
    "mean weight": SteeredWeights,
}  # fmt: skip
"""Loop of a rule -> storage of the weights that it changes."""


def kind_of(rule: Rule | PostPreInt | None) -> type[PlainWeights]:
    """Storage of the weights that this rule changes."""
    if rule is None or rule.loop is None:
        return PlainWeights
    return NormalizedWeights if rule.normalizes_steps else KINDS[rule.loop]


def rewarded(rule: Any, dt: float) -> list[float]:
    """Numbers of a rewarded rule: factor of the reward, eligible share of an increment, fall of log eligibility."""
    tau = rule.tau_e
    if tau is None:
        return [rule.rate, 1.0, 1e4]  # nothing is left after a step
    fall = dt / tau
    return [rule.rate * dt / -math.expm1(-fall), 1.0 / tau, fall]


def _copy(array: Array | GpuArray) -> Any:
    """A copy where the array is."""
    if not gpu.on_gpu(array):
        return array.copy()
    copy = gpu.empty(array.size, array.dtype)
    gpu.copy(array, copy)
    return copy
