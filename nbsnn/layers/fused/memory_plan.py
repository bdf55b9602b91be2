"""Memory plan of a training step, and what is recomputed when memory is short.

What grows with T B N are the currents (N numbers for each sample and step), the states at checkpoints, and the spikes:
their bits, and the positions of the ones. Under a byte budget, positions are listed anew when they are needed, and
currents are recomputed in the backward pass, from the events that made them or with the same product, largest
population first; gradients stay the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ...spikes.blocks import LINE
from ..layer import Layer

LINE_BYTES, LOOP_BYTES = 2**19, 2**23
"""Samples that go back together have at most this many bytes of errors in a line of a population, which stay in a near
cache, or with a loop in all of its lines."""

NARROW = 64
"""A connection to at most this many units has its error row multiplied where it is used, not by BLAS beforehand."""

EVERY = 12
"""Steps between checkpoints: the recomputed states should fit a near cache."""

PARTS = (
    "currents",
    "checkpoints of states",
    "spikes",
    "positions of spikes",
    "errors of a few samples",
    "weights and their gradients",
)


class Sizes(NamedTuple):
    """What memory depends on of a connection with its population, called ``names``: ``width`` columns for ``units``,
    whose neurons have ``states``; up to ``event_share`` of ones the connection uses events."""

    names: tuple[str, str]
    n_pre: int
    units: int
    width: int
    states: int
    itemsize: int
    looped: bool
    event_share: float


@dataclass(frozen=True)
class Plan:
    """Plan of how one batch is run.

    Attributes
    ----------
    steps, batch : int
        Of the input.
    chunk : int
        Samples that are run back together.
    every : int
        Steps between checkpoints.
    listed : bool
        Whether the positions of spikes are listed once, or from bits whenever they are needed.
    kept : dict
        Whether a population's currents are kept, by the names of connection and population.
    table : dict
        Bytes, by what they are for.
    """

    steps: int
    batch: int
    chunk: int
    every: int
    listed: bool
    kept: Mapping[tuple[str, str], bool]
    table: Mapping[str, int]

    @property
    def bytes(self) -> int:
        """All that the table lists."""
        return sum(self.table.values())

    @cached_property
    def chunks(self) -> list[tuple[int, int]]:
        """Ranges of samples."""
        return [(b0, min(b0 + self.chunk, self.batch)) for b0 in range(0, self.batch, self.chunk)]

    def __str__(self) -> str:
        lines = [f"{name:28}{size / 2**20:10.1f} MiB" for name, size in self.table.items()]
        return "\n".join([*lines, f"{'together':28}{self.bytes / 2**20:10.1f} MiB"])


def plan(units: list[Sizes], steps: int, batch: int, max_bytes: int | None) -> Plan:
    """Plan of what to keep for ``units`` in a row, at ``steps`` and ``batch``.

    Raises
    ------
    ValueError
        ``max_bytes`` is less than the least that it takes.
    """
    widest = max((unit.width for unit in units if unit.looped), default=0)
    each, most = steps * (widest or LINE) * units[0].itemsize, LOOP_BYTES if widest else LINE_BYTES
    chunk = -(-batch // max(1, -(-batch * each // most)))
    order = sorted(units, key=lambda unit: -unit.width)
    result = _plan(units, steps, batch, chunk, True, [])
    for left_out in range(len(units) + 1):
        if max_bytes is None or result.bytes <= max_bytes:
            return result
        result = _plan(units, steps, batch, chunk, False, order[:left_out])
    if max_bytes is None or result.bytes <= max_bytes:
        return result
    raise ValueError(
        f"max_bytes is {max_bytes}, but T = {steps} and a batch of {batch} take at least {result.bytes} bytes:\n"
        f"{result}\nUse a smaller batch, or chunk= for truncated gradients"
    )


def at_rate(made: Plan, units: list[Sizes], rate: float) -> Plan:
    """The plan ``made`` of these units, with what it takes if that share of all spikes' places are ones."""
    left_out = [unit for unit in units if not made.kept[unit.names]]
    return _plan(units, made.steps, made.batch, made.chunk, made.listed, left_out, rate)


@dataclass
class Budget:
    """The memory that the stacks of a network share.

    Attributes
    ----------
    max_bytes : int or None
        For the whole network; None is no bound.
    stacks : int
        How many there are.
    others : dict
        Plans of the layers in none of them, which always keep all, by steps and batch.
    """

    max_bytes: int | None
    stacks: int = 0
    others: dict[str, Callable[[int, int], Plan]] = field(default_factory=dict[str, Callable[[int, int], Plan]])

    def share(self, steps: int, batch: int) -> int | None:
        """What each stack may take for a batch of this size, if other layers take what they need.

        Raises
        ------
        ValueError
            ``max_bytes`` is less than what the other layers take.
        """
        if self.max_bytes is None:
            return None
        taken = sum(planned(steps, batch).bytes for planned in self.others.values())
        if taken > self.max_bytes:
            raise ValueError(
                f"max_bytes is {self.max_bytes}, but at T = {steps} and a batch of {batch} the layers that always keep "
                f"all, {', '.join(self.others)}, take about {taken} bytes: use a smaller batch, or chunk="
            )
        return (self.max_bytes - taken) // max(self.stacks, 1)


def alone(layer: Layer, steps: int, batch: int) -> Plan:
    """About what a layer takes that is in no stack: all that it keeps."""
    table = {"records and derivatives": layer.tape_bytes(steps, batch)}
    table["weights and their gradients"] = 2 * sum(array.nbytes for array in layer.parameters().values())
    return Plan(steps, batch, batch, steps, True, {}, table)


def _plan(
    units: list[Sizes], steps: int, batch: int, chunk: int, listed: bool, left_out: list[Sizes],
    rate: float | None = None,
) -> Plan:  # fmt: skip
    """The plan that lists all events or not, and does not keep the currents of some units; with its bytes, at most if
    no ``rate`` is given.

    Products by BLAS need numbers in place of bits, sums of rows need positions of events.
    """
    rows, part, every = steps * batch, chunk * steps, min(EVERY, steps)
    table: dict[str, int] = dict.fromkeys(PARTS, 0)
    numbers = errors = 0
    listings = 1.125 if rate is None else 2.125  # by row, with some to spare, and by input, where no numbers are needed
    for unit in units:
        size, width, limit = unit.itemsize, unit.width, unit.event_share
        dense = limit < 1.0 or unit is units[0] if rate is None else rate > limit
        share = limit if rate is None else 0.0 if dense else rate
        kept_rows = rows if unit not in left_out else part if dense else batch
        table["currents"] += kept_rows * width * size
        table["checkpoints of states"] += batch * (-(-steps // every) + 1) * unit.states * width * size
        table["spikes"] += (rows + 1) * (-(-unit.n_pre // LINE) + 2) * 8
        table["positions of spikes"] += int(share * listings * (rows if listed else part) * unit.n_pre) * 4
        if unit.looped:
            table["spikes"] += (rows + 1) * (-(-unit.units // LINE) + 2) * 8
            table["positions of spikes"] += (
                int((1.0 if rate is None else rate) * listings * (rows if listed else part) * unit.units) * 4
            )
        table["errors of a few samples"] += part * width * size
        table["weights and their gradients"] += 2 * (unit.n_pre + 2 * unit.units * unit.looped) * width * size
        numbers = max(numbers, part * (unit.n_pre + width) * size * dense)
        errors = max(errors, part * unit.n_pre * size * (unit is not units[0] and unit.units > NARROW))
    table["numbers for BLAS"] = numbers + errors
    table["outputs"] = 2 * rows * units[-1].units * units[-1].itemsize
    kept = {unit.names: unit not in left_out for unit in units}
    return Plan(steps, batch, chunk, every, listed, kept, table)
