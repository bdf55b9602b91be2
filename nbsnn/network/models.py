"""The compiled loop of a network: one kernel for all networks made of the same neurons, synapses and rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import barrier, prefetch
from ..compile import bind, kernel
from ..kernels.cpu import adapt, eligible, homeostasis, short_term, sparse_plasticity, units
from ..kernels.cpu import network as cpu
from ..neuron import Neuron
from ..plasticity.loop import followers
from ..plasticity.reward import RewardRule
from ..plasticity.rule import Rule
from ..spell import numbers, read, switch, write
from ..synapses.short_term import released
from .connection import Connection
from .deviates import normal_of, uniform_of
from .group import Group, Port


class Models:
    """What a network is made of; equal models share a number, under which the kernel calls their code.

    A neuron's model is its equations and which of its parameters differ between units; a port's, the synapse's step and
    how its output enters; a rule's, its function and options.
    """

    def __init__(
        self, groups: list[Group], ports: list[Port], plastic: list[Connection], short: bool, dtype: Any, device: str
    ):
        self.neurons = _Numbered(_neuron_story, [group for group in groups if group.neuron])
        self.ports = _Numbered(lambda port: (port.mode, port.synapse.step, len(port.synapse.variables)), ports)
        self.rules = _Numbered(_rule_story, [c.rule for c in plastic])
        self.tended = any(c.homeostasis is not None for c in plastic)
        self.short, self.dtype, self.device = short, dtype, device

    def kernel(self, parts: int) -> Callable:
        """The loop, for ``parts`` threads (one needs no meetings)."""
        lanes = "n, lo, key, t, S, o, w, P, place, V, own, x, g, y"
        arrival = "n, R, row, S, o, w, P, place, v, x, g"
        meet = bind(barrier.meet, **barrier.filling()) if parts > 1 else barrier.alone
        return kernel(
            cpu.simulate,
            device=self.device,
            dtype=self.dtype,
            advance=switch([_neuron(group) for group in self.neurons.first], lanes),
            arrive=switch([_port(port) for port in self.ports.first], arrival),
            **self._plasticity(),
            real=np.dtype(self.dtype).type,
            meet=meet,
        )

    def _plasticity(self) -> dict[str, Callable]:
        """What fills the holes for plastic synapses, long-term and short-term."""
        release = bind(short_term.release, released=released) if self.short else cpu.no_release
        if not self.rules.first:
            return {"release": release, "adapt": cpu.no_traces, "change_all": cpu.no_change}
        rows = "i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights"
        columns = "j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights"
        along = "lo, hi, seen, carried, used, factors"
        loops = sparse_plasticity
        rules = [_rule_filling(rule) for rule in self.rules.first]
        modules = [eligible if isinstance(rule, RewardRule) else sparse_plasticity for rule in self.rules.first]
        waits = eligible in modules
        return {
            "release": release,
            **(prefetch.filling() if self.device == "cpu" else {}),
            "adapt": adapt.adapt,
            "change_all": adapt.change_all,
            "follow_source": switch([bind(loops.follow_source, **filling) for filling in rules], along),
            "follow_target": switch([bind(loops.follow_target, **filling) for filling in rules], along),
            "row_change": switch([bind(m.row_change, **f) for m, f in zip(modules, rules, strict=True)], rows),
            "column_change": switch([bind(m.column_change, **f) for m, f in zip(modules, rules, strict=True)], columns),
            "bring_rows": eligible.bring_rows if waits else eligible.no_rows,
            "bring_column": eligible.bring_column if waits else eligible.no_column,
            "tend": homeostasis.tend if self.tended else homeostasis.no_tend,
        }


class _Numbered:
    """Items numbered by what their ``story`` says; ``first`` holds the first of each number."""

    def __init__(self, story: Callable[[Any], Any], items: list[Any]):
        self.story, self.numbers, self.first = story, {}, []
        for item in items:
            if story(item) not in self.numbers:
                self.numbers[story(item)] = len(self.first)
                self.first.append(item)

    def __getitem__(self, item: Any) -> int:
        return self.numbers[self.story(item)]


def own_parameters(group: Group) -> list[str]:
    """The parameters of which each unit has its own value."""
    return [name for name, value in group.values.items() if value.size > 1]


def _neuron_story(group: Group) -> Any:
    neuron = checked(group.neuron)
    holes = tuple(sorted((name, id(function)) for name, function in neuron.filling().items()))
    return neuron.step, holes, neuron.inputs, tuple(neuron.state), tuple(neuron.params), tuple(own_parameters(group))


def _rule_story(rule: Rule) -> Any:
    options = rule.bounds, rule.coincidence, rule.sign, tuple(rule.params), isinstance(rule, RewardRule)
    traces = tuple((side, name, t.order, t.mode) for side in ("pre", "post") for name, t in getattr(rule, side).items())
    return rule.change, options, traces


def checked(neuron: Neuron | None) -> Neuron:
    """The model of a population that has one."""
    if neuron is None:
        raise ValueError("a list of spikes has no model")
    return neuron


def _neuron(group: Group) -> Callable:
    """The loop over the units of a group like this."""
    neuron, own = checked(group.neuron), own_parameters(group)
    shared = [name for name in neuron.params if name not in own]
    places = [f"s[o{' + w' * own.index(n)} + k], " if n in own else f"q[{shared.index(n)}], " for n in neuron.params]
    given = {"current": "x[k], ", "conductance": "g[k], ", "uniform": "uniform_of(key, t, i), ",
             "normal": "normal_of(key, t, i), "}  # fmt: skip
    scope: dict[str, Any] = {"uniform_of": uniform_of, "normal_of": normal_of}
    inputs = eval(f"lambda x, g, key, t, i, k: ({''.join(given[name] for name in neuron.inputs)})", scope)
    return bind(
        units.advance,
        **neuron.filling(),
        step=neuron.step,
        inputs=inputs,
        state=read(len(neuron.state)),
        keep=write(len(neuron.state)),
        shared=numbers(len(shared)),
        param=eval(f"lambda q, s, o, w, k: ({''.join(places)})"),
    )


def _port(port: Port) -> Callable:
    """The loop over the units at a port like this."""
    count = len(port.synapse.variables)
    return bind(
        getattr(units, port.mode),
        synapse=port.synapse.step,
        variables=read(count),
        remember=write(count),
        numbers=numbers(len(port.numbers(1.0)) - 1),
    )


def _rule_filling(rule: Rule) -> dict[str, Any]:
    return {**rule.filling(), "follow_pre": followers(rule.pre), "follow_post": followers(rule.post)}


def unsigned(array: Any) -> np.ndarray:
    """Targets as the kernel reads them: without a sign, so that no index needs a check for one."""
    return np.ascontiguousarray(array).view(np.uint32)
