"""The compiled loop of a network: one kernel for all networks made of the same neurons, synapses and rules."""
# pyright: reportUnnecessaryContains=false

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ..compile import barrier, callback, prefetch
from ..compile.fill import bind, compiles, kernel
from ..compile.unroll import each, numbers, pick, read, switch, write
from ..kernels.network import deliver, exchange, gates, short_term, units
from ..kernels.network import loop as cpu
from ..kernels.network import tables as at
from ..kernels.network.arrays import Tables
from ..kernels.plasticity import delays, homeostasis, integer, mean_weight, membrane, normalized, rewarded, sparse, step
from ..plasticity import integer as counted
from ..plasticity import mean_weight as mean_rule
from ..plasticity.compiled import followers
from ..plasticity.rule import Rule
from ..synapses.short_term import released
from .connection import Connection
from .group import Group
from .port import GatePort
from .unit_step import BLOCK, THREAD, story, update
from .weights import kind_of

T = TypeVar("T")

WHERE_NEEDED: dict[str, Callable[..., Any]] = {
    "listed": units.listed, "add_currents": units.add_currents, "add_drives": units.add_drives,
    "deliver_fixed": deliver.connection, "add_late": deliver.late,
}  # fmt: skip
"""What fills the holes of the loop for what not all networks have; see ``needed``."""


def needed(tables: Tables) -> frozenset[str]:
    """Which of ``WHERE_NEEDED`` a network has: lists of spikes, injected currents, Poisson input, synapses whose
    weights stay, and synapses with delays of their own."""
    has = {
        "listed": (tables.pops[:, at.MODEL] < 0).any(), "add_currents": len(tables.currents) > 0,
        "add_drives": len(tables.drives) > 0, "deliver_fixed": (tables.wires[:, at.RULE] < 0).any(),
        "add_late": (tables.wires[:, at.DELAY] < 0).any(),
    }  # fmt: skip
    return frozenset(name for name, there in has.items() if there)


class NetworkKernel:
    """Models of a network; equal ones share a number, under which the kernel calls their code.

    A population's model is its neuron, which of its parameters differ between units, and the kinds of synapses that end
    there; a rule's, its function and options.
    """

    def __init__(self, groups: list[Group], plastic: list[Connection], short: bool, dtype: np.dtype, device: str):
        self.neurons = Numbered(story, [group for group in groups if group.neuron])
        self.gates = Numbered(_gate_story, [gate for group in groups for gate in group.gates])
        self.rules = Numbered(_rule_story, [c.rule for c in plastic])
        self.delays = any(not c.one_delay for c in plastic)
        self.tended = any(c.homeostasis is not None for c in plastic)
        self.integer = any(c.integer is not None for c in plastic)
        self.short, self.dtype, self.device = short, dtype, device

    def kernel(self, given: frozenset[str]) -> Callable[..., Any]:
        """The loop for what is ``given`` (see ``needed``), for any number of threads; interpreted for one."""
        meet = barrier.alone if self.device == "python" else bind(barrier.meet, **barrier.filling())
        input_ = {name: function for name, function in WHERE_NEEDED.items() if name in given}
        return kernel(
            cpu.simulate, device=self.device, dtype=self.dtype, whole=True,
            update=switch([update(group, BLOCK) for group in self.neurons.first], BLOCK.arguments),
            real=np.dtype(self.dtype).type, wait_for_all=meet, **input_, **self._compiled(), **self._others(),
            **self._plasticity(input_),
        )  # fmt: skip

    def _compiled(self) -> dict[str, Any]:
        """What fills the holes of compiled loops."""
        if self.device != "cpu" or not compiles():
            return {}
        from ..compile import reference

        return {**prefetch.filling(), **reference.filling()}

    def _others(self) -> dict[str, Any]:
        """What fills the holes for other processes."""
        return {}

    def _plasticity(self, input_: dict[str, Callable[..., Any]]) -> dict[str, Any]:
        """What fills the holes for gates and plastic synapses, long-term and short-term, if there are any."""
        filling: dict[str, Any] = {}
        if self.gates.first:
            kinds = switch([_gate(gate) for gate in self.gates.first], "lo, hi, row, pop, network")
            filling["open_gates"] = bind(gates.open_gates, open_units=kinds, **input_)
        if self.short:
            filling |= {"release": bind(short_term.release, released=released), "released_at": deliver.shares}
        if not self.rules.first:
            return filling
        along = "lo, hi, seen, carried, used, factors"
        past = delays.FILLING if self.delays else {}
        rules: list[dict[str, Any]] = [
            {
                **rule.filling(),
                **past,
                **self._others(),
                "follow_pre": followers(rule.pre),
                "follow_post": followers(rule.post),
            }
            for rule in self.rules.first
        ]
        loops = [kind_of(rule).loops for rule in self.rules.first]
        pairs = list(zip(loops, rules, strict=True))
        change_column = switch([_column(m, rule) for m, rule in pairs], "j, c")
        filling |= {
            "update_traces": step.update_traces,
            "update_synapses": step.update_synapses,
            "deliver_plastic": step.deliver_plain,
            "follow_source": switch([bind(sparse.follow_source, **rule) for rule in rules], along),
            "follow_target": switch([bind(sparse.follow_target, **rule) for rule in rules], along),
            "change_row": switch([bind(sparse.visit_row, **m.ROWS, **rule) for m, rule in pairs], "row, known, c"),
            "change_column": change_column,
            "store_column": change_column,
            "aimed": mean_rule.aimed,
            "rescale": mean_rule.rescale,
            "decayed": counted.trace,
            "synapse": counted.synapse,
            **past,
        }
        if self.delays:
            lists = [bind(sparse.visit_list, **m.ROWS, **rule) for m, rule in pairs]
            filling |= {
                "change_list": switch(lists, "count, c"),
                "visit_rows": bind(delays.list_rows, use=delays.use_along),
                "list_to_deliver": bind(delays.list_rows, use=delays.use_to_deliver, KNOWN=0),
            }
        if rewarded in loops:
            filling |= {
                "rewarded": rewarded.rewarded, "catch_up_rows": rewarded.catch_up_rows,
                "catch_up_column": rewarded.catch_up_column,
            }  # fmt: skip
        if mean_weight in loops:
            filling |= {"steer": mean_weight.steer, "deliver_plastic": mean_weight.deliver_plastic}
        if normalized in loops:
            sums = [bind(sparse.visit_row, **normalized.SUMS, **rule) for rule in rules]
            lists = [bind(sparse.visit_list, **normalized.SUMS, **rule) for rule in rules]
            filling |= {
                "row_sum": switch(sums, "row, known, c"), "sum_list": switch(lists, "count, c"),
                "normalize": step.add_up_and_balance, "balance": normalized.balance,
                "normalization": normalized.normalization,
                "deliver_plastic": mean_weight.deliver_plastic,
            }  # fmt: skip
        if any(rule.loop == "membrane" for rule in self.rules.first):
            drifts = [bind(membrane.drift_units, **rule) if "drift" in rule else membrane.stay for rule in rules]
            filling |= {
                "follow_variables": membrane.follow_variables, "drift_units": switch(drifts, "lo, hi, c"),
            }  # fmt: skip
        if self.tended:
            filling["apply_homeostasis"] = homeostasis.apply_homeostasis
        if self.integer:
            filling |= {"decay_integers": integer.decay_integers, "change_integers": integer.change_integers}
        return filling


class RankNetworkKernel(NetworkKernel):
    """The same on several processes."""

    def _others(self) -> dict[str, Any]:
        call = callback.call if self.device == "python" else callback.compiled_call()
        return {"exchange": call, "share_with_others": exchange.share_with_others, "row_of": exchange.packed_row}


class GpuNetworkKernel(NetworkKernel):
    """The same on a GPU."""

    def kernel(self, given: frozenset[str]) -> Callable[..., Any]:
        """The loop for a GPU; its modules are imported here, as they import Numba."""
        from ..kernels.network import loop_cuda as cuda
        from ..kernels.network import short_term_cuda

        filling: dict[str, Any] = {
            "update": switch([update(group, THREAD) for group in self.neurons.first], THREAD.arguments),
            "real": np.dtype(self.dtype).type,
            "SHORT": int(self.short),
        }
        if self.short:
            filling["release"] = bind(short_term_cuda.release, released=released)
        if self.rules.first:
            filling |= _gpu_plasticity(self.rules.first)
            filling["HOMEOSTASIS"] = int(self.tended)
        return kernel(cuda.simulate, device="cuda", dtype=self.dtype, **filling)


def _column(loops: ModuleType, rule: dict[str, Any]) -> Callable[..., Any]:
    """The visit of a column under a rule, whose weights are stored as ``loops`` says."""
    visits = {name: bind(sparse.visit_column, **filling, **rule) for name, filling in loops.COLUMNS.items()}
    return bind(loops.change_column, **visits, **rule)


class Numbered(Generic[T]):
    """Items numbered by what their ``story`` says; ``first`` holds the first of each number."""

    def __init__(self, story: Callable[[T], Any], items: list[T]):
        self.story, self.numbers, self.first = story, dict[Any, int](), list[T]()
        for item in items:
            if story(item) not in self.numbers:
                self.numbers[story(item)] = len(self.first)
                self.first.append(item)

    def __getitem__(self, item: T) -> int:
        return self.numbers[self.story(item)]


def _gate_story(gate: GatePort) -> Any:
    return gate.gate.step, len(gate.gate.variables), len(gate.gate.params), gate.gate.outputs, gate.reads


def _gate(port: GatePort) -> Callable[..., Any]:
    """The step of gates like these."""
    gate = port.gate
    state = len(gate.variables)
    return bind(
        gates.units_of, step=gate.step, seen=pick(port.reads), state=read(state), params=numbers(len(gate.params)),
        put_out=write(gate.outputs, 0), keep=write(state, gate.outputs),
    )  # fmt: skip


def _rule_story(rule: Rule) -> Any:
    options = rule.bounds, rule.coincidence, rule.sign, tuple(rule.params), kind_of(rule).loops.__name__
    traces = tuple((side, name, t.order, t.mode) for side in ("pre", "post") for name, t in getattr(rule, side).items())
    return rule.change, getattr(rule, "drift", None), getattr(rule, "active", None), options, traces


def unsigned(array: ArrayLike) -> np.ndarray:
    """Targets as the kernel reads them: without a sign, so that no index needs a check for one."""
    return np.ascontiguousarray(array).view(np.uint32)


def _gpu_plasticity(rules: list[Rule]) -> dict[str, Any]:
    """Fillings of the holes for plastic synapses."""
    from ..kernels.plasticity import sparse_cuda as cuda

    along, called = "i, n, s, carried, used, factors, network", "{k}, i, n, s, carried, used, factors, network"
    follow = {}
    for side, of in (("source", "pre"), ("target", "post")):
        kinds = [[bind(cuda.follow, **trace.filling()) for trace in getattr(rule, of).values()] for rule in rules]
        follow[f"follow_{side}"] = switch([each(kind, along, called) for kind in kinds], along)
    changes = list[Callable[..., Any]]()
    for rule in rules:
        filling = rule.filling() | {
            "constants": numbers(len(rule.params)), "traces_pre": read(len(rule.pre)),
            "traces_post": read(len(rule.post)),
        }  # fmt: skip
        changes.append(bind(cuda.in_time if kind_of(rule).waits else cuda.at_once, **filling))
    return {
        **follow, "change": switch(changes, "s, t, network"), "PLASTIC": 1,
        "WAITS": int(any(kind_of(rule).waits for rule in rules)),
    }  # fmt: skip
