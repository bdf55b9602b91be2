"""Dense connections and populations in a row, run together: spikes between them stay bits, errors stay few rows.

Forward, one unit (connection and population) after the other. In reverse, all units for some samples, then for the
next: samples do not touch each other, so only the gradients by weights grow on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...device.profile import span
from ...spikes.blocks import LINE, rows_of
from ..dense import Dense
from ..layer import Array, Layer, Nested, Start
from ..population import Population
from ..recurrent import Recurrent
from .block import Unit
from .layout import from_lines, in_lines, room
from .memory_plan import NARROW, Plan, alone, plan


@dataclass(frozen=True)
class Compact:
    """That a run may be a stack's, as its tape is for one backward pass and nothing else.

    Attributes
    ----------
    max_bytes : int, optional
        What the tape may take.
    """

    max_bytes: int | None = None


def in_a_row(names: list[str], children: dict[str, Layer]) -> tuple[str, ...]:
    """The first of ``names`` that make a stack: connection and population in turn, only the last without spikes."""
    found: tuple[str, ...] = ()
    for first, second in zip(names[::2], names[1::2], strict=False):
        if not _fits(children[first], children[second]):
            break
        found = (*found, first, second)
        if _population(children[second]).neuron.output != "spikes":
            break
    return found


def plans(children: dict[str, Layer], steps: int, batch: int, compact: Compact | None) -> dict[tuple[str, ...], Plan]:
    """What ``children``, layers in a row, take for a batch of this size, by the names of layers: stacks among them, and
    about what each other layer does. ``compact`` None means that there are no stacks."""
    found, names = list[tuple[str, ...]](), list(children)
    while names:
        run = in_a_row(names, children) if compact is not None else None
        found.append(run or (names[0],))
        names = names[len(found[-1]) :]
    share = None if compact is None else share_of(children, steps, batch, compact)
    return {
        run: Stack(run, children).plan(steps, batch, share) if len(run) > 1 and share is not None
        else alone(children[next(iter(run))], steps, batch)
        for run in found
    }  # fmt: skip


def share_of(children: dict[str, Layer], steps: int, batch: int, compact: Compact) -> Compact:
    """What each stack may take, if other layers take what they need.

    Raises
    ------
    ValueError
        ``max_bytes`` is less than what the other layers take.
    """
    if compact.max_bytes is None:
        return compact
    names, stacks, others = list(children), 0, dict[str, int]()
    while names:
        run = in_a_row(names, children)
        stacks += bool(run)
        others |= {} if run else {names[0]: children[names[0]].tape_bytes(steps, batch)}
        names = names[len(run) or 1 :]
    left = compact.max_bytes - sum(others.values())
    if left < 0:
        raise ValueError(
            f"max_bytes is {compact.max_bytes}, but at T = {steps} and a batch of {batch} the layers that always keep "
            f"all, {', '.join(others)}, take about {sum(others.values())} bytes: use a smaller batch, or chunk="
        )
    return Compact(left // max(stacks, 1))


def _fits(connection: Layer, after: Layer) -> bool:
    """Whether two layers make a unit."""
    if type(connection) is not Dense or connection.setting.smooth or connection.setting.device != "cpu":
        return False
    if type(after) is Recurrent and after.windowed:
        inner, back = after.population, after.feedback
        return type(back) is Dense and type(inner) is Population and _fits_alone(inner, spiking=True)
    return type(after) is Population and _fits_alone(after, spiking=False)


def _fits_alone(population: Population, spiking: bool) -> bool:
    neuron = population.neuron
    return neuron.vjp is not None and (neuron.output == "spikes" or not spiking)


def _population(layer: Layer) -> Population:
    return layer.population if isinstance(layer, Recurrent) else layer  # type: ignore[return-value]


class Stack:
    """Units in a row.

    Parameters
    ----------
    names : tuple of str
        Of the layers, connection and population in turn.
    children : dict
        The layers, by name.
    """

    def __init__(self, names: tuple[str, ...], children: dict[str, Layer]):
        self.names, self.units = names, list[Unit]()
        for pair in zip(names[::2], names[1::2], strict=True):
            connection: Any = children[pair[0]]
            after = children[pair[1]]
            feedback = after.feedback if isinstance(after, Recurrent) else None
            self.units.append(Unit(pair, connection, _population(after), feedback))

    def plan(self, steps: int, batch: int, compact: Compact) -> Plan:
        """What a batch of this size takes."""
        return plan([unit.sizes(steps * batch) for unit in self.units], steps, batch, compact.max_bytes)

    def forward(self, x: Array, state: Nested, tape: Nested, final: Nested, compact: Compact) -> Array | None:
        """Run ``x`` [T, B, N] from ``state``; None if a population that should spike put out other numbers."""
        made = self.plan(len(x), x.shape[1], compact)
        # A read-only array would be a type of its own to the compiler, and cost a compilation.
        given: Any = np.require(x, self.units[0].dtype, ["C", "W"])
        for unit in self.units:
            inner = _inner(unit, tape)
            for name in ("record", "x", "params"):  # as somebody may have looked at after the last run
                inner.pop(name, None)
            own = _inner(unit, state)
            inner["start"] = isinstance(own, Start)
            small = inner.setdefault("small", {})
            small["shared"] = tape.setdefault("/shared", {})
            inner["unit"] = unit
            after = unit.forward(given, own, made, small, last=unit is self.units[-1])
            if after is None:
                return None
            given = after
            shape, neuron = (x.shape[1], *unit.population.shape), unit.population.neuron
            lines = dict(zip(neuron.state, unit.final(small), strict=True))
            lines[neuron.output] = self._last(unit, small)
            _inner(unit, final).update({name: line.reshape(shape) for name, line in lines.items()})
        return given.reshape(*given.shape[:2], *self.units[-1].population.shape)

    def _last(self, unit: Unit, small: Nested) -> Array:
        """The outputs at the last step, [B, N]."""
        if small["spikes"] is None:
            return small["output"][-1].copy()
        return small["spikes"].at(small["plan"].steps - 1).astype(unit.dtype)

    def backward(
        self, gy: Array, tape: Nested, grads: Nested, before: Nested, inject: Nested | None, wanted: bool
    ) -> Array | None:
        """The reverse; gradients are added to ``grads``, those by the initial states put into ``before``."""
        smalls = [_inner(unit, tape)["small"] for unit in self.units]
        made: Plan = smalls[0]["plan"]
        with span("arrange"):
            sums = [_room_for_gradients(unit, small, made) for unit, small in zip(self.units, smalls, strict=True)]
        extra = [_extra(unit, inject, made) for unit in self.units]
        gy = np.require(gy, self.units[0].dtype, ["C", "W"]).reshape(-1, self.units[-1].units)
        if len(extra[-1]):
            gy = gy + extra[-1]
        gx = np.empty((made.steps, made.batch, self.units[0].n_pre), gy.dtype) if wanted else None
        for b0, b1 in made.chunks():
            errors, strides, narrow, across = gy, (made.batch, 1, b0), gy[:0], gy[:0]
            for k in reversed(range(len(self.units))):
                unit = self.units[k]
                G = unit.backward(b0, b1, errors, strides, narrow, across, smalls[k], sums[k])
                if k:
                    errors, strides, narrow, across = self._pull(k, b0, b1, G, smalls[k], extra[k - 1], made)
                elif gx is not None:
                    back = np.empty(((b1 - b0) * made.steps, unit.n_pre), gy.dtype)
                    unit.drive.back(G, back)
                    gx[:, b0:b1] = back.reshape(b1 - b0, made.steps, -1).transpose(1, 0, 2)
        for unit, small, weights in zip(self.units, smalls, sums, strict=True):
            with span("arrange"):
                _finish(unit, _inner(unit, tape), small, weights, grads, before)
        return None if gx is None else gx.reshape(*gx.shape[:2], *self.units[0].connection.in_shape)

    def _pull(self, k: int, b0: int, b1: int, G: Array, small: Nested, extra: Array, made: Plan) -> tuple:
        """What unit ``k`` hands to the one before, of the gradient ``G`` of its currents in samples [b0, b1)."""
        unit = self.units[k]
        if unit.units <= NARROW:
            return extra, (made.batch, 1, b0), G, small["across"]
        shape = (made.chunk * made.steps, unit.n_pre)
        errors = room(small["shared"], f"errors {unit.n_pre}", shape, unit.dtype)[: (b1 - b0) * made.steps]
        unit.drive.back(G, errors)
        if len(extra):
            given = extra.reshape(made.steps, made.batch, -1)[:, b0:b1].transpose(1, 0, 2)
            errors += given.reshape(len(errors), -1)
        return errors, (1, made.steps, 0), G[:0], G[:0]


def _inner(unit: Unit, nested: Nested) -> Nested:
    """Where a nested dict holds what belongs to the unit's population."""
    own = nested.setdefault(unit.names[1], {})
    return own.setdefault("neurons", {}) if unit.feedback is not None else own


def _extra(unit: Unit, inject: Nested | None, made: Plan) -> Array:
    """The loss's own derivative by a population's output, [T B, N]; no rows if there is none."""
    given = (inject or {}).get(unit.names[1], {})
    given = given.get("neurons", {}) if unit.feedback is not None else given
    if set(given) - {unit.population.neuron.output}:
        raise ValueError(f"in compact form a loss may depend on outputs, not on {sorted(given)} of {unit.names[1]}")
    if not given:
        return np.empty((0, unit.units), unit.dtype)
    g = np.ascontiguousarray(given[unit.population.neuron.output], unit.dtype)
    return g.reshape(made.steps * made.batch, unit.units)


def _room_for_gradients(unit: Unit, small: Nested, made: Plan) -> Nested:
    """Zeros for the sums over all samples."""
    lines, dtype = unit.lines, unit.dtype
    small["gS"] = room(small, "gS", (made.batch, lines.blocks * lines.states * LINE), dtype)
    small["gP"] = room(small, "gP", (made.batch, lines.blocks * lines.learned * LINE), dtype)
    if unit.units <= NARROW:
        small["across"] = in_lines(small, "across room", unit.connection.params["weight"].T)
    weights = {"W": room(small, "gW", (lines.blocks * unit.n_pre, LINE), dtype)}
    if unit.connection.bias or (unit.feedback is not None and unit.feedback.bias):
        weights["b"] = room(small, "gb", (lines.blocks, LINE), dtype)
    if unit.feedback is not None:
        weights["V"] = room(small, "gV", (lines.blocks * unit.units, LINE), dtype)
    for array in (small["gS"], small["gP"], *weights.values()):
        array[...] = 0.0
    return weights


def _finish(unit: Unit, inner: Nested, small: Nested, weights: Nested, grads: Nested, before: Nested) -> None:
    """Add the sums to ``grads``: of the connection, the loop and the population."""
    own, population = grads[unit.names[0]], unit.population
    own["weight"] += rows_of(weights["W"], unit.lines.blocks)[:, : unit.units]
    if unit.connection.bias:
        own["bias"] += weights["b"].reshape(-1)[: unit.units]
    made: Plan = small["plan"]
    inner["gS"] = from_lines(small["gS"].reshape(made.batch, unit.lines.blocks, unit.lines.states, LINE), unit.units)
    inner["gP"] = from_lines(small["gP"].reshape(made.batch, unit.lines.blocks, unit.lines.learned, LINE), unit.units)
    after = grads[unit.names[1]]
    looped = unit.feedback is not None
    population.end_reverse(inner, after["neurons"] if looped else after)
    start = population.before(inner)
    if unit.feedback is not None:
        after["feedback"]["weight"] += rows_of(weights["V"], unit.lines.blocks)[:, : unit.units]
        if unit.feedback.bias:
            after["feedback"]["bias"] += weights["b"].reshape(-1)[: unit.units]
        start[population.neuron.output] += unit.drive.fed_back(small)
        if inner["start"]:
            population.first_reverse(start[population.neuron.output], after["neurons"])
    _inner(unit, before).update(start)
