"""What a run of a block leaves for its backward pass, and the memory that both work in: made once for a plan."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...device.buffers import zeros
from ...spikes.blocks import LINE
from ...spikes.packed import PackedSpikes
from ...spikes.spike_input import SpikeInput
from ..layer import Array
from .layout import BlockLayout
from .memory_plan import NARROW, Plan


class Workspace:
    """Matrices of a few samples, which the blocks of a stack use in turn."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], Array] = {}

    def matrix(self, name: str, rows: int, columns: int, dtype: np.dtype) -> Array:
        """An array [rows, columns]; the one of an earlier run where it fits."""
        made = self._made.get((name, columns))
        if made is None or len(made) != rows:
            made = self._made[name, columns] = zeros((rows, columns), dtype)
        return made

    def forget(self, *names: str) -> None:
        """Give back what matrices of these names took."""
        self._made = {key: made for key, made in self._made.items() if key[0] not in names}


@dataclass(frozen=True, eq=False)
class InputTrace:
    """The trace of a block's input that an online learner multiplies errors with.

    Attributes
    ----------
    decay : float
        Factor per step.
    before : array [B, ...] or None
        The trace before the window; None for zero.
    """

    decay: float
    before: Array | None


class BlockTape:
    """Tape of a ``FusedBlock`` under one plan: Q lines of 64 units, samples B, rows ``b T + t``.

    Attributes
    ----------
    plan : Plan
        How the batch is run.
    kept : bool
        Whether the currents of all samples are kept.
    marks : int
        Checkpoints of states for each sample: the first is the initial state, the last the final one.
    limit : float
        Up to which share of ones events are used.
    given : array, PackedSpikes or SpikeInput
        The input of the last run.
    events : PackedSpikes, SpikeInput or None
        The same as a list; None if BLAS makes currents and gradients.
    P, Z : array
        Parameters that all units share, and [Q, lines, 64] with the others; all else in ``Z`` is zero.
    W, bias : array [Q M, 64], [Q, 64]
        Weights and biases of the connection.
    V, across : array [Q N, 64]
        Weights of the loop, and their transpose; without a loop they have no rows.
    fed, entry : array [B, N], [B, 64 Q]
        The outputs before the first step, and what they bring round the loop.
    S, states : array [B marks, Q K 64]
        States at the checkpoints; and the same as [B, marks, Q, K, 64].
    X, room : array [Q rows, 64]
        Currents: all that are kept, those of a few samples for BLAS, or one row for each sample; and memory for them.
    arranged : bool
        Whether parameters lie in the kernels' arrangement as they are now, for both directions.
    trace : InputTrace or None
        What an online learner traces of the input.
    spikes : PackedSpikes or None
        The outputs as bits, of a population in the middle or in a loop.
    output : array [T, B, N]
        The outputs as numbers, of the last population; else without rows.
    start, begun : bool
        Whether the run began where ``initial`` says; whether it was given no state, so that the initial values lie at
        the first checkpoint.
    records : dict
        The population's own tape, as far as somebody has asked for its records.
    lists : dict
        Memory for lists of events.
    lanes : dict
        Lines, states and currents that a thread works in, by what is asked for.
    kernels : dict
        The loops "forward" and "backward", or back "within" each step by itself.
    by_input : dict
        Events by input of the last run, by the name of their connection, once the backward pass has arranged them.
    back : BlockGradients
        What the backward pass adds up.
    """

    given: Array | PackedSpikes | SpikeInput
    events: PackedSpikes | SpikeInput | None
    P: Array
    fed: Array
    output: Array
    back: BlockGradients

    def __init__(self, layout: BlockLayout, plan: Plan, kept: bool, n_pre: int, looped: bool, workspace: Workspace):
        self.layout, self.plan, self.kept, self.workspace, self.n_pre = layout, plan, kept, workspace, n_pre
        self.looped, self.dtype, self.units = looped, layout.population.setting.dtype, layout.population.units
        self.marks, lines = -(-plan.steps // plan.every) + 1, layout.blocks
        self.limit, self.counted, self.arranged = 0.0, False, False
        self.Z = zeros((lines, layout.depth, LINE), self.dtype)
        self.W, self.bias = zeros((lines * n_pre, LINE), self.dtype), zeros((lines, LINE), self.dtype)
        self.V, self.across = (zeros((lines * self.units * looped, LINE), self.dtype) for _ in range(2))
        self.entry = zeros((plan.batch * looped, lines * LINE), self.dtype)
        self.S = zeros((plan.batch * self.marks, lines * layout.states * LINE), self.dtype)
        self.states = self.S.reshape(plan.batch, self.marks, lines, layout.states, LINE)
        self.X = self.room = zeros((0, LINE), self.dtype)
        self.spikes: PackedSpikes | None = None
        self.trace: InputTrace | None = None
        self.start, self.begun, self.records = False, False, dict[str, Any]()
        self.lists, self.kernels = dict[str, Any](), dict[str, Callable[..., Any]]()
        self.lanes: dict[tuple[int, int, int, int, bool], tuple[Array, Array, Array]] = {}
        self.by_input: dict[str, tuple[Array, Array]] = {}
        self.input: dict[str, Any] = {}
        self.events = None

    def switch(self, x: Array | PackedSpikes | SpikeInput, name: str) -> None:
        """Give back what lists of the input of the connection ``name`` took, or numbers for BLAS: the run before used
        them, and this one does not."""
        if self.events is None:
            self.workspace.forget("numbers", "product")
            self.__dict__.pop("numbers", None)
            self.__dict__.pop("product", None)
            return
        self.input.pop("index", None)
        self.lists.pop(f"row {name}", None)
        if isinstance(x, PackedSpikes):
            x.unlist()

    @cached_property
    def numbers(self) -> Array:
        """Room for the input of a few samples as numbers, [chunk T, M]."""
        return self._shared("numbers", self.n_pre)

    @cached_property
    def product(self) -> Array:
        """Room for their product with the weights, [chunk T, 64 Q]."""
        return self._shared("product", self.layout.blocks * LINE)

    @cached_property
    def errors(self) -> Array:
        """Room for the gradient with respect to their input, [chunk T, M]."""
        return self._shared("errors", self.n_pre)

    def _shared(self, name: str, columns: int) -> Array:
        return self.workspace.matrix(name, self.plan.chunk * self.plan.steps, columns, self.dtype)


class BlockGradients:
    """Sums of the backward pass over all samples, and the errors of a few.

    Attributes
    ----------
    G : array [Q chunk T, 64]
        Gradient with respect to the currents of the present samples.
    gS, gP : array [B, .]
        Gradients with respect to initial states and learned parameters.
    weight, bias, loop : array
        Gradients with respect to ``BlockTape.W``, ``bias`` and ``V``.
    across : array [Q' N, 64]
        The connection's transposed weights, if it leads to few units and its input's gradient is wanted; else without
        rows.
    entry : array [Q B, 64]
        Gradient with respect to what the loop brings at the first step.
    sums : array
        What a backward pass adds up from zero on, ``gS`` to ``loop``, one behind the other.
    """

    def __init__(self, tape: BlockTape, wanted: bool):
        plan, lines, dtype, looped = tape.plan, tape.layout.blocks, tape.dtype, tape.looped
        self.G = zeros((lines * plan.chunk * plan.steps, LINE), dtype)
        states = [(plan.batch, lines * count * LINE) for count in (tape.layout.states, tape.layout.learned)]
        shapes = [*states, tape.W.shape, tape.bias.shape, tape.V.shape]
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        self.sums = zeros((int(ends[-1]),), dtype)
        parts = np.split(self.sums, ends[:-1])
        found = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
        self.gS, self.gP, self.weight, self.bias, self.loop = found
        narrow = wanted and tape.units <= NARROW
        self.across = zeros((-(-tape.n_pre // LINE) * tape.units * narrow, LINE), dtype)
        self.entry = zeros((lines * plan.batch * looped, LINE), dtype)
