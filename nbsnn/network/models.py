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
from ..plasticity.rule import Rule
from ..spell import each, numbers, read, switch
from ..synapses.short_term import released
from .connection import Connection
from .group import Group
from .update import ARGUMENTS, GPU_ARGUMENTS, story, update
from .weights import kind_of


class NetworkKernel:
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
            return self._gpu_kernel()
        meet = barrier.alone if self.device == "python" else bind(barrier.meet, **barrier.filling())
        return kernel(
            cpu.simulate, device=self.device, dtype=self.dtype,
            update=switch([update(group) for group in self.neurons.first], ARGUMENTS), **self._plasticity(),
            real=np.dtype(self.dtype).type, meet=meet,
        )  # fmt: skip

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
        rules = [
            {**rule.filling(), "follow_pre": followers(rule.pre), "follow_post": followers(rule.post)}
            for rule in self.rules.first
        ]
        modules = [kind_of(rule).loops for rule in self.rules.first]
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

    def _gpu_kernel(self) -> Callable:
        """The loop for a GPU; its modules are imported here, as they import Numba."""
        from ..kernels.cuda import network as cuda
        from ..kernels.cuda import short_term

        filling: dict[str, Any] = {
            "update": switch([update(group, "cuda") for group in self.neurons.first], GPU_ARGUMENTS),
            "real": np.dtype(self.dtype).type,
            "SHORT": int(self.short),
        }
        if self.short:
            filling["release"] = bind(short_term.release, released=released)
        if self.rules.first:
            filling |= _gpu_plasticity(self.rules.first)
            filling["TENDED"] = int(self.tended)
        return kernel(cuda.simulate, device="cuda", dtype=self.dtype, **filling)


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


def _rule_story(rule: Rule) -> Any:
    options = rule.bounds, rule.coincidence, rule.sign, tuple(rule.params), kind_of(rule).loops.__name__
    traces = tuple((side, name, t.order, t.mode) for side in ("pre", "post") for name, t in getattr(rule, side).items())
    return rule.change, options, traces


def unsigned(array: Any) -> np.ndarray:
    """Targets as the kernel reads them: without a sign, so that no index needs a check for one."""
    return np.ascontiguousarray(array).view(np.uint32)


def _gpu_plasticity(rules: list[Rule]) -> dict[str, Any]:
    """What fills the holes for plastic synapses."""
    from ..kernels.cuda import sparse_plasticity as cuda

    along, called = "i, n, s, traces, carried, used, P, factors", "{k}, i, n, s, traces, carried, used, P, factors"
    follow = {}
    for side, of in (("source", "pre"), ("target", "post")):
        kinds = [[bind(cuda.follow, **trace.filling()) for trace in getattr(rule, of).values()] for rule in rules]
        follow[f"follow_{side}"] = switch([each(kind, along, called) for kind in kinds], along)
    changes = []
    for rule in rules:
        filling = rule.filling() | {
            "constants": numbers(len(rule.params)), "traces_pre": read(len(rule.pre)),
            "traces_post": read(len(rule.post)),
        }  # fmt: skip
        changes.append(bind(cuda.in_time if kind_of(rule).waits else cuda.at_once, **filling))
    return {
        **follow, "change": switch(changes, "i, j, n, m, o, row, t, P, traces, weights, late"), "PLASTIC": 1,
        "WAITS": int(any(kind_of(rule).waits for rule in rules)),
    }  # fmt: skip
