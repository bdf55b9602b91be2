"""The compiled loop of a network: one kernel for all networks made of the same neurons, synapses and rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile import barrier, prefetch
from ..compile.fill import bind, kernel
from ..compile.unroll import each, numbers, read, switch
from ..kernels.network import loop as cpu
from ..kernels.network import short_term
from ..kernels.plasticity import homeostasis, integer, mean_weight, normalized, rewarded, sparse, step
from ..plasticity import integer as counted
from ..plasticity import mean_weight as mean_rule
from ..plasticity.compiled import followers
from ..plasticity.rule import Rule
from ..synapses.short_term import released
from .connection import Connection
from .group import Group
from .unit_step import ARGUMENTS, GPU_ARGUMENTS, story, update
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
                "arrive": mean_weight.plain_arrive,
            }  # fmt: skip
        rows = "i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights"
        columns = "j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights"
        along = "lo, hi, seen, carried, used, factors"
        loops = sparse
        rules = [
            {**rule.filling(), "follow_pre": followers(rule.pre), "follow_post": followers(rule.post)}
            for rule in self.rules.first
        ]
        modules = [kind_of(rule).loops for rule in self.rules.first]
        waits, steers, balances = rewarded in modules, mean_weight in modules, normalized in modules
        sums = [normalized.add_row if m is normalized else normalized.no_sum for m in modules]
        change_column = switch([bind(m.column_change, **f) for m, f in zip(modules, rules, strict=True)], columns)
        return {
            "release": release,
            **(prefetch.filling() if self.device == "cpu" else {}),
            "adapt": step.adapt,
            "change_all": step.change_all,
            "follow_source": switch([bind(loops.follow_source, **filling) for filling in rules], along),
            "follow_target": switch([bind(loops.follow_target, **filling) for filling in rules], along),
            "row_change": switch([bind(m.row_change, **f) for m, f in zip(modules, rules, strict=True)], rows),
            "column_change": change_column,
            "bring_rows": rewarded.bring_rows if waits else rewarded.no_rows,
            "bring_column": rewarded.bring_column if waits else rewarded.no_column,
            "tend": homeostasis.tend if self.tended else homeostasis.no_tend,
            "steer": bind(mean_weight.steer, store_column=change_column) if steers else mean_weight.no_steer,
            "row_sum": switch([bind(add, **f) for add, f in zip(sums, rules, strict=True)], rows),
            "balance": bind(normalized.balance, store_column=change_column) if balances else normalized.no_balance,
            "aimed": mean_rule.aimed,
            "rescale": mean_rule.rescale,
            "arrive": mean_weight.arrive if steers or balances else mean_weight.plain_arrive,
            "decay_integers": integer.decay_integers if self.integer else integer.no_decay,
            "change_integers": integer.change_integers if self.integer else integer.no_change,
            "decayed": counted.trace,
            "synapse": counted.synapse,
        }

    def _gpu_kernel(self) -> Callable:
        """The loop for a GPU; its modules are imported here, as they import Numba."""
        from ..kernels.network import loop_cuda as cuda
        from ..kernels.network import short_term_cuda

        filling: dict[str, Any] = {
            "update": switch([update(group, "cuda") for group in self.neurons.first], GPU_ARGUMENTS),
            "real": np.dtype(self.dtype).type,
            "SHORT": int(self.short),
        }
        if self.short:
            filling["release"] = bind(short_term_cuda.release, released=released)
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
    from ..kernels.plasticity import sparse_cuda as cuda

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
