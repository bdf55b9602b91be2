"""One step of a block of units, spelt out for a neuron and the ports of its population.

What arrives at the ports, the synapses' courses and the neuron's equations stand in one loop, so that nothing passes
through memory between them: that is a third faster than a loop for each. The number of ports is known only when a
kernel is made, so the loop is put together here; for an exponential synapse and a current it reads

    def update(n, lo, pop, t, row, key, network, scratch):
        widest()
        S, P, V, R = network.values.states, network.values.numbers, network.values.own, network.ring.arriving
        pops, ports = network.tables.pops, network.tables.ports
        place, first, w = pops[pop, SCALARS], pops[pop, PORT], place_of(pops[pop, STRIDE])
        o, own = place_of(pops[pop, STATE] + lo), place_of(pops[pop, VECTORS] + lo)
        v = place_of(pops[pop, MEMBRANE] + lo)
        q = shared(P, place)
        a0, o0 = place_of(row + ports[first + 0, ROW] + lo), place_of(ports[first + 0, STATE] + lo)
        q0, e0 = numbers0(P, ports[first + 0, SCALARS] + 1), P[ports[first + 0, SCALARS]]
        x, y, bits = scratch.x, scratch.y, scratch.bits
        count, one, none, zero = np.uint32(0), np.uint32(1), np.uint32(0), x.dtype.type(0)
        for k in range(n):
            current, conductance = x[k], zero
            r = synapse0(R[a0 + k], *read0(S, o0, w, k), *q0)
            R[a0 + k] = zero
            write0(S, r, o0, w, k)
            current += r[0]
            r = step(current, *state(S, o, w, k), *param(q, V, own, w, k))
            ...

So the order of a step is: what has arrived, the synapses, the neuron's own step (integration, jump, threshold, reset).
``n`` units of population ``pop`` from ``lo`` on step. S, P, V and R are flat arrays of the network; ``o``, ``own``,
``v`` and ``w`` are unsigned places and the distance between variables, so that no index needs a check for its sign and
the loop is vectorised. Returns how many units have spiked; ``y`` gets the output of each; ``bits`` is scratch.

On a GPU the same lines stand without the loop: a thread steps one unit ``lo``, with signed places and the sum of its
currents ``x``, and gets its output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compile.fill import bind
from ..compile.unroll import numbers, pick, read, write
from ..kernels.arrays.wide import widest
from ..kernels.network import tables as at
from ..neuron import Neuron
from .conducted import conducted
from .group import Group
from .normal import bits_of, normal_from, uniform_of
from .port import Port

INPUTS = {
    "current": "current",
    "conductance": "conductance",
    "jump": "jump",
    "uniform": "uniform_of(key, t, {unit})",
    "normal": "normal_from({bits})",
}
"""How each of a neuron's inputs is called in the loop."""

BEFORE = {"normal": "for k in range(n): bits[k] = bits_of(key, t, i0 + k)"}
"""A loop of its own before it. In one loop, bits and the number made of them are one long chain of instructions that
wait for each other, and take a tenth longer (9.0 ns a unit against 8.3; with long quotients in float32 it was 11.1)."""

ENTERS = {
    "current": "current += r[0]",
    "conductance": "conductance += r[0]; current += r[0] * e{j}",
    "driving": "conductance += r[0]; current += r[0] * e{j}",
    "jump": "jump += r[0]",
    "after": "jump += r[0]",
}
"""How the output of a synapse enters, by the port's mode."""

CUSTOM = {
    "current": "current += {h} * {r}",
    "conductance": "conductance += {h} * {r}; current += {h} * {r} * e{j}",
    "driving": "conductance += {h} * {r}; current += {h} * {r} * e{j}",
    "held": "current += {h} * {r} * (e{j} - S[v + k])",
    "input": "input_{name} += {r}",
    "state": "S[{o} + k] += {r}",
}
"""The same for an output of a synapse of one's own."""

DRIVEN = "current = conducted(current, conductance, S[v + k], *driven(P, place), {rest}) + jump"
"""After all that: conductances as a current, with v as it was before the step."""

SUMS = "current", "conductance", "jump"
"""Inputs that are sums of what synapses put out."""

PLACES = {"o": at.STATE, "own": at.VECTORS, "v": at.MEMBRANE}
"""Where a unit's variables, parameters of its own, and membrane are."""

AFTER = "S[v + k] += jump if {out} <= 0.5 else zero"


@dataclass(frozen=True)
class Frame:
    """How a step stands in a kernel: its arguments, what a place is, and its lines around those of the units."""

    arguments: str
    place: type  # signed and unsigned places do not mix
    lines: Callable[[list[str], list[str], Group], list[str]]


def update(group: Group, frame: Frame) -> Callable[..., Any]:
    """The step of the units of a group like this."""
    neuron, own = checked(group.neuron), own_parameters(group)
    shared = [name for name in neuron.params if name not in own]
    places = [f"s[o{' + w' * own.index(n)} + k], " if n in own else f"q[{shared.index(n)}], " for n in neuron.params]
    scope: dict[str, Any] = {
        "np": np, "widest": widest, "step": neuron.step,
        "uniform_of": uniform_of, "bits_of": bits_of, "normal_from": normal_from,
        "state": read(len(neuron.state)), "keep": write(len(neuron.state)), "shared": numbers(len(shared)),
        "param": eval(f"lambda q, s, o, w, k: ({''.join(places)})"), "conducted": conducted,
    }  # fmt: skip
    inside: list[str] = []
    before = [
        "S, P, V, R = network.values.states, network.values.numbers, network.values.own, network.ring.arriving",
        "pops, ports = network.tables.pops, network.tables.ports",
        f"place, first, w = pops[pop, {at.SCALARS}], pops[pop, {at.PORT}], place_of(pops[pop, {at.STRIDE}])",
        *(f"{name} = place_of(pops[pop, {column}] + lo)" for name, column in PLACES.items()),
        "q = shared(P, place)",
    ]
    before_own = len(own) + group.own_rest
    for j, port in enumerate(group.ports):
        if port.custom:
            each = f"V[own + {'w + ' * before_own}k]" if isinstance(group.membrane, tuple) else f"h{j}"
            before_own += isinstance(group.membrane, tuple)
            custom(port, j, each, scope, before, inside)
            continue
        scope |= _port(port, j)
        count = max(1, len(port.synapse.variables)) if isinstance(group.membrane, tuple) else 0
        scope[f"mixed{j}"] = _mixed(len(port.numbers(1.0)) - 1, count, before_own)
        before_own += count
        numbers_of = f"mixed{j}(q{j}, V, own, w, k)" if count else f"q{j}"
        row = f"first + {j}"
        before += [
            f"a{j}, o{j} = place_of(row + ports[{row}, {at.ROW}] + lo), place_of(ports[{row}, {at.STATE}] + lo)",
            f"q{j}, e{j} = numbers{j}(P, ports[{row}, {at.SCALARS}] + 1), P[ports[{row}, {at.SCALARS}]]",
        ]
        inside += [
            f"r = synapse{j}(R[a{j} + k], *read{j}(S, o{j}, w, k), *{numbers_of})",
            f"R[a{j} + k] = zero",
            f"write{j}(S, r, o{j}, w, k)",
            ENTERS[mode_of(port)].format(j=j),
        ]
    if group.driven:
        scope["driven"] = _behind(len(shared))
        rest = f"V[own + {'w + ' * len(own)}k]" if group.own_rest else f"P[place + {len(shared) + 4}]"
        inside.append(DRIVEN.format(rest=rest))
    scope["place_of"] = frame.place
    exec("\n".join(frame.lines(before, inside, group)), scope)
    return bind(scope["update"], **neuron.filling())


def mode_of(port: Port) -> str:
    """Input code of a synapse's output: a jump by means of the current is none of what conductances turn into one."""
    jumps = port.mode == "current" and not port.synapse.variables and not port.custom
    return "jump" if jumps and port.group.driven else port.mode


def _mixed(count: int, own: int, first: int) -> Callable[..., Any]:
    """A function that gives the ``count`` numbers of a synapse, the last ``own`` of which each unit has for itself."""
    shared = "".join(f"q[{j}], " for j in range(count - own))
    each = "".join(f"s[o{' + w' * (first + j)} + k], " for j in range(own))
    return eval(f"lambda q, s, o, w, k: ({shared}{each})")


def _behind(count: int) -> Callable[..., Any]:
    """A function that reads the four numbers behind the ``count`` parameters that are shared."""
    return eval(f"lambda p, o: ({''.join(f'p[o + {count + j}], ' for j in range(4))})")


def put_out(group: Group) -> str:
    """Output of a unit; a readout's is never a spike."""
    return "r[0]" if group.spiking else "zero"


def _begin(name: str, inside: list[str], currents: bool) -> str:
    """Where a sum begins: the first addition to -0.0 changes nothing and is left out; to 0.0, it makes 0.0 of -0.0."""
    if name == "current" and currents:
        return "x[k]"
    return "-zero" if any(f"{name} +=" in line for line in inside) else "zero"


def _finish(group: Group) -> list[str]:
    """The lines after a unit's step."""
    after = [AFTER.format(out=put_out(group))] if any(port.mode == "after" for port in group.ports) else []
    return ["keep(S, r, o, w, k)", *after]


def _block(before: list[str], inside: list[str], group: Group) -> list[str]:
    """The lines of the loop over a block of units."""
    neuron, currents = checked(group.neuron), group.injected
    return [
        f"def update({BLOCK.arguments}):",
        "    widest()",
        "    x, y, bits = scratch.x, scratch.y, scratch.bits",
        "    count, one, none, zero = np.uint32(0), np.uint32(1), np.uint32(0), x.dtype.type(0)",
        "    i0 = np.uintp(lo)",
        *(f"    {line}" for line in before),
        *(f"    {BEFORE[name]}" for name in neuron.inputs if name in BEFORE),
        "    for k in range(n):",
        f"        current, conductance, jump = {', '.join(_begin(name, inside, currents) for name in SUMS)}",
        *(f"        {line}" for line in named_inputs(neuron)),
        *(f"        {line}" for line in inside),
        f"        {_step(neuron, 'i0 + k', 'bits[k]')}",
        f"        y[k] = {put_out(group)}",
        *(f"        {line}" for line in _finish(group)),
        # The sum of two uint32 is a uint64 to Numba, and would halve the width of the whole loop's vectors.
        f"        count = np.uint32(count + (one if {put_out(group)} > 0.5 else none))",
        "    return count",
    ]


def _thread(before: list[str], inside: list[str], group: Group) -> list[str]:
    """The lines of the step of one unit."""
    neuron = checked(group.neuron)
    return [
        f"def update({THREAD.arguments}):",
        "    k, zero = 0, 0.0",
        *(f"    {line}" for line in before),
        "    current, conductance, jump = x, zero, zero",
        *(f"    {line}" for line in named_inputs(neuron)),
        *(f"    {line}" for line in inside),
        f"    {_step(neuron, 'np.uint64(lo)', 'bits_of(key, t, np.uint64(lo))')}",
        *(f"    {line}" for line in _finish(group)),
        f"    return {put_out(group)}",
    ]


BLOCK = Frame("n, lo, pop, t, row, key, network, scratch", np.uintp, _block)
"""On a CPU: a loop over a block of units."""

THREAD = Frame("lo, pop, t, row, key, x, network", np.int64, _thread)
"""On a GPU: one unit."""


def _step(neuron: Neuron, unit: str, bits: str) -> str:
    """The line that steps a unit."""
    inputs = ", ".join(INPUTS.get(name, f"input_{name}").format(unit=unit, bits=bits) for name in neuron.inputs)
    return f"r = step({inputs}, *state(S, o, w, k), *param(q, V, own, w, k))"


def _port(port: Port, j: int) -> dict[str, Any]:
    """Code that the loop calls for port ``j``."""
    count = len(port.synapse.variables)
    return {
        f"synapse{j}": port.synapse.step, f"read{j}": read(count), f"write{j}": write(count),
        f"numbers{j}": numbers(len(port.numbers(1.0)) - 1),
    }  # fmt: skip


def custom(port: Port, j: int, factor: str, scope: dict[str, Any], before: list[str], inside: list[str]) -> None:
    """Add the lines of a port of synapses of one's own, whose currents enter with a ``factor``."""
    synapse, count = port.synapse, len(port.numbers(1.0)) - 2
    row, variables = f"first + {j}", len(synapse.variables)
    scope |= {
        f"synapse{j}": synapse.step, f"read{j}": read(variables), f"write{j}": write(variables, len(port.modes)),
        f"numbers{j}": numbers(count), f"seen{j}": pick(port.reads),
    }  # fmt: skip
    before += [
        f"a{j}, o{j} = place_of(row + ports[{row}, {at.ROW}] + lo), place_of(ports[{row}, {at.STATE}] + lo)",
        f"q{j}, e{j} = numbers{j}(P, ports[{row}, {at.SCALARS}] + 1), P[ports[{row}, {at.SCALARS}]]",
        f"h{j} = P[ports[{row}, {at.SCALARS}] + {1 + count}]",
    ]
    places = [f"R[a{j}{' + w' * m} + k]" for m in range(synapse.arrivals)]
    inside += [
        f"r = synapse{j}({', '.join(places)}, *seen{j}(S, o, w, k), *read{j}(S, o{j}, w, k), *q{j})",
        *(f"{place} = zero" for place in places),
        f"write{j}(S, r, o{j}, w, k)",
    ]
    for m, mode in enumerate(port.modes):
        way, _, name = mode.partition(":")
        place = list(checked(port.group.neuron).state).index(name) if way == "state" else 0
        inside.append(CUSTOM[way].format(r=f"r[{m}]", h=factor, j=j, name=name, o=f"o{' + w' * place}"))


def named_inputs(neuron: Neuron) -> list[str]:
    """The lines in which the inputs of a neuron's own begin at 0."""
    return [f"input_{name} = zero" for name in neuron.inputs if name not in INPUTS]


def story(group: Group) -> Any:
    """All that shapes the loop of a group."""
    neuron = checked(group.neuron)
    filling = {name: function for name, function in neuron.filling().items() if name != "dspike"}  # no reverse here
    holes = tuple(sorted((name, id(function)) for name, function in filling.items()))
    ports = tuple(
        (mode_of(port), port.modes, port.synapse.step, len(port.synapse.variables), port.reads, port.synapse.arrivals)
        for port in group.ports
    )
    return (
        neuron.step, holes, neuron.inputs, tuple(neuron.params), tuple(own_parameters(group)), ports,
        group.injected, group.own_rest, group.spiking, isinstance(group.membrane, tuple),
    )  # fmt: skip


def own_parameters(group: Group) -> list[str]:
    """The parameters of which each unit has its own value."""
    return [name for name, value in group.values.items() if value.size > 1]


def checked(neuron: Neuron | None) -> Neuron:
    """The model of a population that has one."""
    if neuron is None:
        raise ValueError("a list of spikes has no model")
    return neuron
