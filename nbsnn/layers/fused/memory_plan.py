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

from ...device.threads import threads
from ...spikes.blocks import LINE
from ..layer import Layer

LINE_BYTES, LOOP_BYTES = 2**19, 2**23
"""Samples that go back together have at most this many bytes of errors in a line of a population, which stay in a near
cache, or with a loop in all of its lines."""

NARROW = 64
"""A connection to at most this many units has its error row multiplied where it is used, not by BLAS beforehand."""

EVERY = 12
"""Steps between checkpoints: the recomputed states should fit a near cache."""

PLANS = 7
"""Batches of other sizes whose plans are remembered: the last batch of an epoch is a shorter one, say."""

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


def plan(units: list[Sizes], steps: int, batch: int, max_bytes: int | None, whole: int | None = None) -> Plan:
    """Plan of what to keep for ``units`` in a row, at ``steps`` and ``batch``; ``max_bytes`` are their share of the
    ``whole`` budget.

    Raises
    ------
    ValueError
        ``max_bytes`` is less than the least that it takes.
    """
    chunk = _chunk(units, steps, batch)
    order = sorted(units, key=lambda unit: -unit.width)
    result = _plan(units, steps, batch, chunk, True, [])
    for left_out in range(len(units) + 1):
        if max_bytes is None or result.bytes <= max_bytes:
            return result
        result = _plan(units, steps, batch, chunk, False, order[:left_out])
    if max_bytes is None or result.bytes <= max_bytes:
        return result
    raise ValueError(
        f"max_bytes is {max_bytes if whole is None else whole}, but T = {steps} and a batch of {batch} take at least "
        f"{result.bytes} bytes{'' if whole in (None, max_bytes) else f', and other layers leave {max_bytes}'}:\n"
        f"{result}\nUse a smaller batch, or chunk= for truncated gradients"
    )


def least(units: list[Sizes], steps: int, batch: int) -> int:
    """Bytes that ``units`` in a row take at least."""
    chunk = _chunk(units, steps, batch)
    return min(_plan(units, steps, batch, chunk, listed, [] if listed else units).bytes for listed in (True, False))


def _chunk(units: list[Sizes], steps: int, batch: int) -> int:
    """How many samples go back together."""
    widest = max((unit.width for unit in units if unit.looped), default=0)
    each, most = steps * (widest or LINE) * units[0].itemsize, LOOP_BYTES if widest else LINE_BYTES
    return -(-batch // max(1, -(-batch * each // most)))


def at_rate(made: Plan, units: list[Sizes], rate: float) -> Plan:
    """The plan ``made`` of these units, with what it takes if that share of all spikes' places are ones."""
    left_out = [unit for unit in units if not made.kept[unit.names]]
    return _plan(units, made.steps, made.batch, made.chunk, made.listed, left_out, rate)


Planned = Callable[[int, int], Plan]
"""Plan of a layer, by steps and batch."""


@dataclass
class Budget:
    """The memory that the stacks of a network share.

    Attributes
    ----------
    max_bytes : int or None
        For the whole network; None is no bound.
    stacks : list
        The least bytes of each of them, by steps and batch.
    rows : list
        Bytes of each row of convolutions, by steps, batch, and into how many pieces it cuts that.
    convolutions : dict
        Plans of a whole batch of what is in those rows, by steps and batch.
    others : dict
        The same of the layers in none of them, which always keep all.
    """

    max_bytes: int | None
    stacks: list[Callable[[int, int], int]] = field(default_factory=list[Callable[[int, int], int]])
    rows: list[Callable[[int, int, int], int]] = field(default_factory=list[Callable[[int, int, int], int]])
    convolutions: dict[str, Planned] = field(default_factory=dict[str, Planned])
    others: dict[str, Planned] = field(default_factory=dict[str, Planned])
    _cuts: dict[tuple[int, ...], int] = field(default_factory=dict[tuple[int, ...], int])

    def cuts(self, steps: int, batch: int) -> int:
        """Into how many pieces rows of convolutions cut a batch: as few as leave other layers what they need at least,
        or single samples."""
        if self.max_bytes is None:
            return 1
        key = steps, batch, threads()
        if key not in self._cuts:
            most = self.max_bytes - self._fixed(steps, batch) - sum(least(steps, batch) for least in self.stacks)
            found = (cuts for cuts in range(1, batch) if self._in_rows(steps, batch, cuts) <= most)
            self._cuts = {**dict(list(self._cuts.items())[-PLANS:]), key: next(found, batch) if self.rows else 1}
        return self._cuts[key]

    def _fixed(self, steps: int, batch: int) -> int:
        return sum(planned(steps, batch).bytes for planned in self.others.values())

    def _in_rows(self, steps: int, batch: int, cuts: int) -> int:
        return sum(row(steps, batch, cuts) for row in self.rows)

    def share(self, steps: int, batch: int) -> int | None:
        """What each stack may take for a batch of this size, if other layers take what they need.

        Raises
        ------
        ValueError
            ``max_bytes`` is less than what the other layers take.
        """
        if self.max_bytes is None:
            return None
        fixed, rows = self._fixed(steps, batch), self._in_rows(steps, batch, self.cuts(steps, batch))
        if fixed + rows > self.max_bytes:
            found = [f"the layers that always keep all, {', '.join(self.others)}, take about {fixed} bytes"] * (
                fixed > 0
            )
            found += [f"{', '.join(self.convolutions)}, a sample at a time, about {rows} bytes"] * (rows > 0)
            raise ValueError(
                f"max_bytes is {self.max_bytes}, but at T = {steps} and a batch of {batch} {', and '.join(found)}: "
                "use a smaller batch, or chunk="
            )
        return (self.max_bytes - fixed - rows) // max(len(self.stacks), 1)

    def check(self, name: str, plan: Plan) -> None:
        """Refuse to run the layers of the convolution ``name`` one by one where that takes more than there is.

        Raises
        ------
        ValueError
            By the ``plan`` of those layers it does.
        """
        steps, batch = plan.steps, plan.batch
        taken = plan.bytes + self._fixed(steps, batch)
        taken += sum(planned(steps, batch).bytes for n, planned in self.convolutions.items() if n != name)
        if self.max_bytes is not None and taken > self.max_bytes:
            raise ValueError(
                f"max_bytes is {self.max_bytes}, but the input of {name} is no spikes, or too many, so that layers "
                f"keep all, about {taken} bytes: use a smaller batch, or chunk="
            )


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

    Sums of rows need positions of events, by row, with some to spare, and by input; products by BLAS need numbers in
    place of bits. A unit never has both.
    """
    rows, part, every = steps * batch, chunk * steps, min(EVERY, steps)
    table: dict[str, int] = dict.fromkeys(PARTS, 0)
    numbers = errors = 0
    for unit in units:
        size, width, limit = unit.itemsize, unit.width, unit.event_share
        positions, product = 8.5 * (rows if listed else part), part * (unit.n_pre + width) * size
        if rate is None:
            dense = (limit < 1.0 or unit is units[0]) and product > positions * limit * unit.n_pre
        else:
            dense = rate > limit
        share = 0.0 if dense else limit if rate is None else rate
        kept_rows = rows if unit not in left_out else part if dense else batch
        table["currents"] += kept_rows * width * size
        table["checkpoints of states"] += batch * (-(-steps // every) + 1) * unit.states * width * size
        table["spikes"] += (rows + 1) * (-(-unit.n_pre // LINE) + 2) * 8
        table["positions of spikes"] += int(share * positions * unit.n_pre)
        if unit.looped:
            table["spikes"] += (rows + 1) * (-(-unit.units // LINE) + 2) * 8
            table["positions of spikes"] += int((1.0 if rate is None else rate) * positions * unit.units)
        table["errors of a few samples"] += part * width * size
        table["weights and their gradients"] += 2 * (unit.n_pre + 2 * unit.units * unit.looped) * width * size
        numbers += product * dense
        errors = max(errors, part * unit.n_pre * size * (unit is not units[0] and unit.units > NARROW))
    table["numbers for BLAS"] = numbers + errors
    table["outputs"] = 2 * rows * units[-1].units * units[-1].itemsize
    kept = {unit.names: unit not in left_out for unit in units}
    return Plan(steps, batch, chunk, every, listed, kept, table)
