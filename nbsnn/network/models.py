"""The compiled loop of a network: one kernel for all networks made of the same neurons, synapses and rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import barrier, prefetch
from ..compile import bind, kernel
from ..kernels.cpu import adapt, balanced, eligible, homeostasis, short_term, sparse_integer, sparse_plasticity, steered
from ..kernels.cpu import network as cpu
from ..plasticity import integer, meta
from ..plasticity.loop import followers
from ..plasticity.meta import MetaRule
from ..plasticity.reward import RewardRule
from ..plasticity.rule import Rule
from ..spell import switch
from ..synapses.short_term import released
from . import gpu_models
from .connection import Connection
from .eventwise import normalizes_steps
from .group import Group
from .update import ARGUMENTS, story, update


class Models:
    """What a network is made of; equal models share a number, under which the kernel calls their code.

    A population's model is its neuron, which of its parameters differ between units, and the kinds of synapses that end
    there; a rule's, its function and options.
    """

    def __init__(self, groups: list[Group], plastic: list[Connection], short: bool, dtype: Any, device: str):
        self.neurons = Numbered(story, [group for group in groups if group.neuron])
        self.rules = Numbered(_rule_story, [c.rule for c in plastic])
        self.tended = any(c.homeostasis is not None for c in plastic)
        self.integer = any(c.integer is not None for c in plastic)
        self.short, self.dtype, self.device = short, dtype, device

    def kernel(self) -> Callable:
        """The loop, for any number of threads; interpreted for one."""
        if self.device == "cuda":
            return gpu_models.loop(self)
        meet = barrier.alone if self.device == "python" else bind(barrier.meet, **barrier.filling())
        return kernel(
            cpu.simulate,
            device=self.device,
            dtype=self.dtype,
            update=switch([update(group) for group in self.neurons.first], ARGUMENTS),
            **self._plasticity(),
            real=np.dtype(self.dtype).type,
            meet=meet,
        )

    def _plasticity(self) -> dict[str, Any]:
        """What fills the holes for plastic synapses, long-term and short-term."""
        release = bind(short_term.release, released=released) if self.short else cpu.no_release
        if not self.rules.first:
            return {
                "release": release, "adapt": cpu.no_traces, "change_all": cpu.no_change,
                "arrive": steered.plain_arrive,
            }  # fmt: skip
        rows = "i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights"
        columns = "j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights"
        along = "lo, hi, seen, carried, used, factors"
        loops = sparse_plasticity
        rules = [_rule_filling(rule) for rule in self.rules.first]
        modules = [_loops(rule) for rule in self.rules.first]
        waits, steers, balances = eligible in modules, steered in modules, balanced in modules
        sums = [balanced.add_row if m is balanced else balanced.no_sum for m in modules]
        change_column = switch([bind(m.column_change, **f) for m, f in zip(modules, rules, strict=True)], columns)
        return {
            "release": release,
            **(prefetch.filling() if self.device == "cpu" else {}),
            "adapt": adapt.adapt,
            "change_all": adapt.change_all,
            "follow_source": switch([bind(loops.follow_source, **filling) for filling in rules], along),
            "follow_target": switch([bind(loops.follow_target, **filling) for filling in rules], along),
            "row_change": switch([bind(m.row_change, **f) for m, f in zip(modules, rules, strict=True)], rows),
            "column_change": change_column,
            "bring_rows": eligible.bring_rows if waits else eligible.no_rows,
            "bring_column": eligible.bring_column if waits else eligible.no_column,
            "tend": homeostasis.tend if self.tended else homeostasis.no_tend,
            "steer": bind(steered.steer, store_column=change_column) if steers else steered.no_steer,
            "row_sum": switch([bind(add, **f) for add, f in zip(sums, rules, strict=True)], rows),
            "balance": bind(balanced.balance, store_column=change_column) if balances else balanced.no_balance,
            "aimed": meta.aimed,
            "rescale": meta.rescale,
            "arrive": steered.arrive if steers or balances else steered.plain_arrive,
            "decay_integers": sparse_integer.decay_integers if self.integer else sparse_integer.no_decay,
            "change_integers": sparse_integer.change_integers if self.integer else sparse_integer.no_change,
            "decayed": integer.trace,
            "synapse": integer.synapse,
        }


class Numbered:
    """Items numbered by what their ``story`` says; ``first`` holds the first of each number."""

    def __init__(self, story: Callable[[Any], Any], items: list[Any]):
        self.story, self.numbers, self.first = story, {}, []
        for item in items:
            if story(item) not in self.numbers:
                self.numbers[story(item)] = len(self.first)
                self.first.append(item)

    def __getitem__(self, item: Any) -> int:
        return self.numbers[self.story(item)]


def _loops(rule: Rule) -> Any:
    """The module whose loops change the synapses of a rule."""
    if isinstance(rule, (RewardRule, MetaRule)):
        return eligible if isinstance(rule, RewardRule) else steered
    return balanced if normalizes_steps(rule) else sparse_plasticity


def _rule_story(rule: Rule) -> Any:
    options = rule.bounds, rule.coincidence, rule.sign, tuple(rule.params), _loops(rule).__name__
    traces = tuple((side, name, t.order, t.mode) for side in ("pre", "post") for name, t in getattr(rule, side).items())
    return rule.change, options, traces


def _rule_filling(rule: Rule) -> dict[str, Any]:
    return {**rule.filling(), "follow_pre": followers(rule.pre), "follow_post": followers(rule.post)}


def unsigned(array: Any) -> np.ndarray:
    """Targets as the kernel reads them: without a sign, so that no index needs a check for one."""
    return np.ascontiguousarray(array).view(np.uint32)
