"""The trace of a block's input over a window of steps, for learners that go forward in time.

What is multiplied stays spikes, as the decay acts on the errors: see ``layers.spike_trace``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from ...compile.fill import kernel
from ...device.threads import run_kernel, run_threaded
from ...kernels.population import traced
from ...kernels.products import small
from ...spikes.blocks import LINE, lines_of
from ..layer import Array
from ..spike_trace import LowPass
from .block_tape import BlockGradients, BlockTape, InputTrace

u = np.uintp


def spread(b0: int, b1: int, tape: BlockTape, back: BlockGradients) -> None:
    """Let the decay act on the errors of samples [b0, b1), and add to the weights' gradient what the trace from before
    the window brings."""
    G, steps, lines, dtype = back.G, tape.plan.steps, tape.layout.blocks, tape.dtype
    trace, before = _trace_of(tape, b0, b1)
    rows, decay = (b1 - b0) * steps, dtype.type(trace.decay)
    run_kernel(compiled("spread", dtype), lines, rows * tape.units, u(lines), u(b1 - b0), u(steps), decay, G)
    if before is None:
        return
    x = np.ascontiguousarray(before.T) * decay
    g = np.ascontiguousarray(lines_of(G, lines, 0, rows)[:, ::steps])
    weight, product = back.weight.reshape(lines, -1, LINE), _product(dtype)

    def part(lo: int, hi: int) -> None:
        for q in range(lo, hi):
            product(u(0), u(len(x)), x, g[q], weight[q])

    run_threaded(part, lines, x.size * tape.units)


def after(tape: BlockTape) -> Array:
    """The trace after the window, [B, M]."""
    plan, dtype = tape.plan, tape.dtype
    trace, before = _trace_of(tape, 0, plan.batch)
    if tape.events is None:
        x = tape.given if isinstance(tape.given, np.ndarray) else tape.given.dense(dtype)
        signal = np.ascontiguousarray(x.reshape(plan.steps, plan.batch, -1))
        return LowPass(signal, trace.decay, before).after()
    y = np.zeros((plan.batch, tape.n_pre), dtype) if before is None else before.copy()
    start, index = tape.events.rows(0, plan.batch * plan.steps)
    call, decay = compiled("after", dtype), dtype.type(trace.decay)
    run_kernel(call, plan.batch, plan.steps * y.size, u(plan.steps), decay, start, index, y)
    return y


def _trace_of(tape: BlockTape, b0: int, b1: int) -> tuple[InputTrace, Array | None]:
    """The trace of the input, which there is; and what it was before the window, of samples [b0, b1)."""
    trace = tape.trace
    if trace is None:
        raise RuntimeError("no trace of the input has been offered")
    return trace, None if trace.before is None else trace.before[b0:b1].reshape(b1 - b0, -1)


@functools.cache
def compiled(name: str, dtype: np.dtype) -> Callable:
    """A loop of ``kernels.population.traced``."""
    return kernel(getattr(traced, name), dtype=dtype)


@functools.cache
def _product(dtype: np.dtype) -> Callable:
    return kernel(small.add_product, dtype=dtype)
