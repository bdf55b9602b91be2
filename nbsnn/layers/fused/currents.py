"""The connection's side of a unit: its currents, and the gradients with respect to weights.

Both ways there is a choice: add up chosen rows of the weights (of the errors), or spread the spikes out as numbers for
BLAS. It depends on the activity that is counted in each batch, see ``spikes.break_even``. Where a learner that goes
forward in time traces the input, spikes are multiplied all the same, as the decay acts on the errors: see
``layers.spike_trace``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from ...compile.fill import kernel
from ...device.buffers import block_buffer, buffer
from ...device.finite import LARGE, finite_input
from ...device.products import FEW, add_product, matmul
from ...device.profile import span
from ...device.threads import balanced, run_each, run_kernel, run_threaded, shares, shares_lines
from ...kernels.products import events, gather, small
from ...spikes.blocks import LINE, add_in_lines, as_lines, blocks, in_lines, lines_of, rows_of
from ...spikes.break_even import largest_rate, worth_counting
from ...spikes.packed import PackedSpikes, transpose
from ...spikes.spike_input import SpikeInput
from ...validate import finite
from ..dense import Dense
from ..layer import Array
from ..spike_trace import LowPass
from .block_tape import BlockTape, InputTrace
from .memory_plan import LINE_BYTES

LISTED = PackedSpikes, SpikeInput
"""What comes as spikes already."""

NOTHING, NO_INDEX, NO_SECTIONS = np.empty(0, np.uintp), np.empty(0, np.uint32), np.empty((0, 0), np.uintp)

u = np.uintp


class InputCurrents:
    """A connection, and the feedback of the population after it if there is one.

    Attributes
    ----------
    name : str
        What profiles call it.
    lines, width : int
        Lines and columns of its matrices: the units after it, in whole lines.
    biased : bool
        Whether a bias is learned, the connection's or the loop's.
    """

    def __init__(self, name: str, connection: Dense, feedback: Dense | None):
        self.name, self.connection, self.feedback = name, connection, feedback
        self.n_pre, self.units, self.dtype = connection.in_shape[0], connection.shape[0], connection.setting.dtype
        self.lines = blocks(self.units)
        self.width = self.lines * LINE
        self.biased = connection.bias or (feedback is not None and feedback.bias)

    def largest_rate(self, rows: int) -> float:
        """Up to which share of ones events are used."""
        return largest_rate(self.connection.path, rows, self.n_pre, self.units)

    def counts(self, rows: int) -> bool:
        """Whether numbers are looked at, in case they are spikes."""
        path = self.connection.path
        return path == "events" or (path == "auto" and worth_counting(rows, self.n_pre, self.units))

    def choose(self, x: Array | PackedSpikes | SpikeInput, tape: BlockTape) -> None:
        """List the events, ``tape.events``; None if BLAS makes currents and gradients."""
        packed = None
        if isinstance(x, LISTED):
            counted = tape.counted or not (isinstance(x, PackedSpikes) and x.as_numbers)
            found = counted and self.connection.path != "dense" and x.find(tape.limit, tape.plan.listed)
            packed = x if found else None
        else:
            if tape.counted:
                packed = PackedSpikes.of(x, tape.input, tape.limit, tape.plan.listed)
            if packed is None:
                (finite_input if x.size >= LARGE else finite)("input", x)  # which spikes need not
        if (packed is None) != (tape.events is None):
            tape.switch(x, self.name)
        tape.given, tape.events, tape.by_input = x, packed, {}

    def arrange(self, tape: BlockTape) -> None:
        """Copy weights and biases into the kernels' arrangement, unless they lie there; ``fed`` [B, N] goes round the
        loop first."""
        if not tape.arranged:
            self._arrange(tape)
        if self.feedback is not None:
            fed = tape.fed
            tape.entry[:, : self.units] = matmul(fed, self.feedback.params["weight"]) if fed.any() else 0.0

    def _arrange(self, tape: BlockTape) -> None:
        in_lines(self.connection.params["weight"], tape.W)
        if len(tape.back.across):
            in_lines(self.connection.params["weight"].T, tape.back.across)
        bias = tape.bias.reshape(-1)[: self.units]
        bias[...] = self.connection.params["bias"] if self.connection.bias else 0.0
        if self.feedback is not None:
            weight = self.feedback.params["weight"]
            in_lines(weight, tape.V)
            in_lines(weight.T, tape.across)
            if self.feedback.bias:  # the loop's own, which acts at every step too
                bias += self.feedback.params["bias"]
        tape.arranged = True

    def numbers(self, b0: int, b1: int, tape: BlockTape) -> Array:
        """The input of samples [b0, b1) as rows of numbers."""
        steps, x = tape.plan.steps, tape.given
        rows = tape.numbers[: (b1 - b0) * steps]
        if isinstance(x, LISTED):
            x.spread(b0 * steps, rows)
        else:
            rows.reshape(b1 - b0, steps, -1)[...] = x.reshape(steps, -1, self.n_pre)[:, b0:b1].transpose(1, 0, 2)
        return rows

    def multiply(self, b0: int, b1: int, tape: BlockTape, X: Array, first: int) -> None:
        """Put the currents of samples [b0, b1), with BLAS, into the rows of ``X`` from ``first`` on."""
        x, weight = self.numbers(b0, b1, tape), self.connection.params["weight"]
        product = tape.product[: len(x)]
        matmul(x, weight, product[:, : self.units], (f"{self.name} product (BLAS)", 0.0, x.size * self.units))
        lines = lines_of(X, self.lines, first, first + len(x))
        np.add(as_lines(product, self.lines), tape.bias[:, None], out=lines)

    def back(self, G: Array, out: Array, first: int = 0) -> None:
        """Fill ``out`` [rows, N] with the gradient of the input, given that of the currents, rows of ``G`` from
        ``first`` on."""
        g = rows_of(G, self.lines, first, first + len(out))[:, : self.units]
        weight = self.connection.params["weight"].T
        with span(f"{self.name} product, reverse", ops=out.size * self.units):
            if self.units > FEW:
                matmul(g, weight, out=out)
            else:
                out[...] = 0.0
                add_product(g, weight, out)

    def by_input(self, b0: int, b1: int, tape: BlockTape) -> tuple[Array, Array]:
        """The events of samples [b0, b1) by input, as ``transpose`` gives them; none if BLAS makes the gradient."""
        if tape.events is None:
            return NO_SECTIONS, NO_INDEX
        return self._transposed(tape.events, b0, b1, self.n_pre, 0, tape, self.name)

    def accumulate(self, b0: int, b1: int, events: tuple[Array, Array], tape: BlockTape) -> None:
        """Add the gradients of weights and biases of samples [b0, b1) to ``tape.back``; ``events`` are those before the
        connection by input, or none if their part has been added."""
        self._add_weight(b0, b1, events, tape)
        self._add_bias(b0, b1, tape)
        if self.feedback is not None:
            steps, back = tape.plan.steps, tape.back
            events = self._transposed(tape.spikes, b0, b1, self.units, steps, tape, f"{self.name} loop")  # type: ignore[arg-type]
            self._collect(events, back.G, 1, back.loop, f"{self.name} loop")
            if tape.fed.any():
                first = rows_of(back.G, self.lines, 0, (b1 - b0) * steps)[::steps]
                add_in_lines(matmul(tape.fed[b0:b1].T, first), self.lines, back.loop)

    def learn(self, b0: int, b1: int, tape: BlockTape) -> None:
        """``accumulate`` where the input is traced, once nobody needs the errors in ``tape.back.G``: the decay acts on
        them, and what the trace from before the window brings is added."""
        back, steps, dtype, fade = tape.back, tape.plan.steps, self.dtype, compiled("gather.fade", self.dtype)
        trace, before = _trace_of(tape, b0, b1)
        rows, decay = (b1 - b0) * steps, dtype.type(trace.decay)
        self._add_bias(b0, b1, tape)
        run_kernel(fade, self.lines, rows * self.units, u(self.lines), u(b1 - b0), u(steps), decay, back.G)
        if before is not None:
            x = np.ascontiguousarray(before.T) * decay
            g = np.ascontiguousarray(lines_of(back.G, self.lines, 0, rows)[:, ::steps])
            weight, product = back.weight.reshape(self.lines, -1, LINE), compiled("small.add_product", dtype)

            def part(lo: int, hi: int) -> None:
                for q in range(lo, hi):
                    product(u(0), u(len(x)), x, g[q], weight[q])

            run_threaded(part, self.lines, x.size * self.units)
        self._add_weight(b0, b1, self.by_input(b0, b1, tape), tape)

    def trace_after(self, tape: BlockTape) -> Array:
        """The trace of the input after the window, [B, M]."""
        plan, dtype = tape.plan, self.dtype
        trace, before = _trace_of(tape, 0, plan.batch)
        if tape.events is None:
            x = tape.given if isinstance(tape.given, np.ndarray) else tape.given.dense(dtype)
            signal = np.ascontiguousarray(x.reshape(plan.steps, plan.batch, -1))
            return LowPass(signal, trace.decay, before).after()
        y = np.zeros((plan.batch, self.n_pre), dtype) if before is None else before.copy()
        start, index = tape.events.rows(0, plan.batch * plan.steps)
        call, decay = compiled("events.trace", dtype), dtype.type(trace.decay)
        run_kernel(call, plan.batch, plan.steps * y.size, u(plan.steps), decay, start, index, y)
        return y

    def _add_weight(self, b0: int, b1: int, events: tuple[Array, Array], tape: BlockTape) -> None:
        """Add the gradient of the weights."""
        back, rows = tape.back, (b1 - b0) * tape.plan.steps
        if tape.events is None:
            x = self.numbers(b0, b1, tape)
            part = f"{self.name} gradient (BLAS)", 0.0, x.size * self.units
            add_in_lines(matmul(x.T, rows_of(back.G, self.lines, 0, rows), part=part), self.lines, back.weight)
        elif len(events[0]):
            self._collect(events, back.G, 0, back.weight, self.name)

    def _add_bias(self, b0: int, b1: int, tape: BlockTape) -> None:
        """Add the gradient of the biases, if one is learned."""
        if self.biased:
            rows, add, back = (b1 - b0) * tape.plan.steps, compiled("gather.columns", self.dtype, whole=True), tape.back
            run_kernel(add, self.lines, rows * self.units, back.G, u(rows), back.bias, u(self.lines))

    def fed_back(self, tape: BlockTape) -> Array:
        """Gradient with respect to what a loop feeds back at the first step, [B, N]."""
        batch, no, count = u(tape.plan.batch), u(0), u(self.lines)
        g = np.zeros((self.lines * tape.plan.batch, LINE), self.dtype)
        product = compiled("gather.product", self.dtype)
        product(no, batch, u(1), tape.back.entry, no, tape.across, g, no, count, count)
        return rows_of(g, self.lines)[:, : self.units]

    def _transposed(
        self, spikes: PackedSpikes | SpikeInput, b0: int, b1: int, count: int, loop: int, tape: BlockTape, name: str
    ) -> tuple[Array, Array]:
        """The events of samples [b0, b1) by input, of ``count`` inputs; those of each last of ``loop`` steps are left
        out. If all are listed, they are arranged once for all samples, on all threads."""
        plan = tape.plan
        each = max(1, LINE_BYTES // (plan.steps * LINE * self.dtype.itemsize))  # samples of a section
        if not plan.listed:
            return self._arranged(spikes, [(b0, b1)], each, count, loop, tape, name)
        if name not in tape.by_input:
            tape.by_input[name] = self._arranged(spikes, plan.chunks, each, count, loop, tape, name)
        first, row = tape.by_input[name]
        at = b0 // plan.chunk * -(-plan.chunk // each)
        return first[at : at - (b0 - b1) // each], row

    def _arranged(
        self, spikes: PackedSpikes | SpikeInput, chunks: list[tuple[int, int]], each: int, count: int, loop: int,
        tape: BlockTape, name: str,
    ) -> tuple[Array, Array]:  # fmt: skip
        """``_transposed`` of all of ``chunks``, ``each`` samples to a section."""
        steps, b0, end = tape.plan.steps, chunks[0][0], chunks[-1][1]
        edges = [b - b0 for b_first, b_last in chunks for b in range(b_first, b_last, each)]
        start, index = spikes.rows(b0 * steps, end * steps)
        first = buffer(tape.lists, f"first {name}", (len(edges), count + 1), np.uintp)
        row = block_buffer(tape.lists, f"row {name}", (int(start[-1] - start[0]),), np.uint32)
        rows = np.array([*edges, end - b0], np.uintp) * u(steps)
        part = f"{name} events by input", 16.0 * len(row), 0.0
        transpose(rows, tape.plan.chunk * steps, start, index, first, row, loop=loop, part=part)
        return first, row

    def _collect(self, events: tuple[Array, Array], G: Array, ahead: int, weight: Array, name: str) -> None:
        """weight += x^T G for the events of x by input, ``ahead`` rows on in ``G``; each thread its lines, or
        its inputs."""
        (first, row), lines = events, u(self.lines)
        inputs, work = first.shape[1] - 1, listed(first) * self.units
        if shares_lines(inputs, self.lines):
            parts = [(u(0), u(inputs), u(lo), u(hi)) for lo, hi in shares(self.lines, work)]
        else:
            edges = balanced((first - first[:, :1]).sum(axis=0), inputs)
            parts = [(edges[lo], edges[hi], u(0), lines) for lo, hi in shares(len(edges) - 1, work)]
        calls = [(i0, i1, first, row, G, u(ahead), weight, lines, q0, q1) for i0, i1, q0, q1 in parts]
        run_each(compiled("gather.collect", self.dtype), calls, (f"{name} gradient", work * weight.itemsize, work))


def listed(first: Array) -> int:
    """How many events there are by input, if their sections begin so."""
    return int(first[-1, -1] - first[0, 0]) if len(first) else 0


def _trace_of(tape: BlockTape, b0: int, b1: int) -> tuple[InputTrace, Array | None]:
    """The trace of the input, which there is; and what it was before the window, of samples [b0, b1)."""
    trace = tape.trace
    if trace is None:
        raise RuntimeError("no trace of the input has been offered")
    return trace, None if trace.before is None else trace.before[b0:b1].reshape(b1 - b0, -1)


@functools.cache
def compiled(name: str, dtype: np.dtype, whole: bool = False) -> Callable[..., None]:
    """A loop of ``kernels.products``, with the name of its module before it."""
    module, loop = name.split(".")
    return kernel(getattr({"events": events, "gather": gather, "small": small}[module], loop), dtype=dtype, whole=whole)
