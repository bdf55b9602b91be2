"""The connection's side of a unit: where currents come from, and where the gradients by weights go.

Both ways there is a choice: add up chosen rows of the weights (of the errors), or spread the spikes out as numbers for
BLAS. It falls by the activity that is counted in each batch, against what was measured on this machine.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..break_even import break_even
from ..compile import kernel
from ..device import run_threaded
from ..events import turn, worth
from ..kernels.cpu import rows as loops
from ..profile import span
from .dense import Dense
from .layer import Array, Nested, buffer, finite_input
from .lines import LINE, aligned, blocks, padded, room
from .packed import Packed
from .plan import Plan

SLICE = 16  # columns that a thread takes at least: a cache line

OFTEN = 16
"""From so many events a row on, weights and errors are worth bringing near, line by line."""

SMALL = 0.5, 0.5
"""The same for products so small that it matters little."""

NOTHING, NO_INDEX = np.empty(0, np.uintp), np.empty(0, np.uint32)

u = np.uintp


class Drive:
    """A connection, and the feedback of the population after it if there is one.

    Attributes
    ----------
    name : str
        What profiles call it.
    width : int
        Columns of its matrices: the units after it, in whole lines.
    """

    def __init__(self, name: str, connection: Dense, feedback: Dense | None):
        self.name, self.connection, self.feedback = name, connection, feedback
        self.n_pre, self.units, self.dtype = connection.in_shape[0], connection.shape[0], connection.setting.dtype
        self.width = blocks(self.units) * LINE

    def limits(self, rows: int) -> tuple[float, float]:
        """Up to which share of ones events are used, for currents and for the gradient by weights."""
        if self.connection.path == "dense":
            return 0.0, 0.0
        if self.connection.path == "events":
            return 1.0, 1.0
        return break_even(self.dtype) if worth(rows, self.n_pre, self.units) else SMALL

    def choose(self, x: Array | Packed, plan: Plan, tape: Nested) -> None:
        """Settle the two ways, ``tape["path"]``, and list the events, ``tape["events"]``."""
        rows, path = plan.steps * plan.batch, self.connection.path
        limits = self.limits(rows)
        packed, found = None, False
        with span("events", bytes=0 if isinstance(x, Packed) else x.nbytes):
            if isinstance(x, Packed):
                packed, found = x, path != "dense" and x.find(max(limits), plan.listed)
            elif path == "events" or (path == "auto" and worth(rows, self.n_pre, self.units)):
                packed = Packed.of(x, tape.setdefault("input", {}), max(limits), plan.listed)
                found = packed is not None
        if not found and not isinstance(x, Packed):
            finite_input(x)  # nobody has looked yet: spikes need no looking
        if not found or packed is None:
            tape["events"], tape["path"] = None, ("dense", "dense")
        else:
            ways = ["events" if packed.rate <= limit else "dense" for limit in limits]
            tape["events"], tape["path"] = packed, tuple(ways)

    def arrange(self, fed: Array, tape: Nested) -> None:
        """Copies of weights and biases in the kernels' arrangement; ``fed`` [B, N] goes round the loop first."""
        tape["W"] = padded(tape, "W", self.connection.params["weight"])
        tape["bias"] = room(tape, "bias", (self.width,), self.dtype)
        tape["bias"][: self.units] = self.connection.params["bias"] if self.connection.bias else 0.0
        tape["V"] = tape["V across"] = tape["entry"] = np.empty((0, self.width), self.dtype)
        tape["fed"] = fed
        if self.feedback is None:
            return
        weight = self.feedback.params["weight"]
        tape["V"], tape["V across"] = padded(tape, "V room", weight), padded(tape, "V across room", weight.T)
        tape["entry"] = room(tape, "entry room", (len(fed), self.width), self.dtype)
        tape["entry"][:, : self.units] = fed @ weight if fed.any() else 0.0
        if self.feedback.bias:  # the loop's own, which acts at every step too
            tape["bias"][: self.units] += self.feedback.params["bias"]

    def events(self, first: int, last: int, tape: Nested) -> tuple[Array, Array]:
        """The events that make the currents of rows [first, last); none where BLAS makes them."""
        return (NOTHING, NO_INDEX) if tape["path"][0] == "dense" else tape["events"].rows(first, last)

    def numbers(self, b0: int, b1: int, tape: Nested) -> Array:
        """The input of samples [b0, b1) as rows of numbers."""
        steps, x = tape["plan"].steps, tape["given"]
        shape = (tape["plan"].chunk * steps, self.n_pre)
        rows = room(tape["shared"], f"numbers {self.n_pre}", shape, self.dtype)[: (b1 - b0) * steps]
        if isinstance(x, Packed):
            x.spread(b0 * steps, rows)
        else:
            rows.reshape(b1 - b0, steps, -1)[...] = x.reshape(steps, -1, self.n_pre)[:, b0:b1].transpose(1, 0, 2)
        return rows

    def multiply(self, b0: int, b1: int, tape: Nested, X: Array) -> None:
        """The currents of samples [b0, b1) with BLAS."""
        rows = self.numbers(b0, b1, tape)
        with span(f"{self.name} product (BLAS)", ops=rows.size * self.units):
            np.matmul(rows, tape["W"][:, : self.units], out=X[: len(rows), : self.units])
            X[: len(rows)] += tape["bias"]

    def accumulate(self, b0: int, b1: int, G: Array, tape: Nested, sums: Nested) -> None:
        """Add to ``sums`` the gradients by weights and biases that samples [b0, b1) bring."""
        steps = tape["plan"].steps
        first, last = b0 * steps, b1 * steps
        if tape["path"][1] == "events":
            self._collect(tape["events"].rows(first, last), G, 0, steps, sums["W"], tape, self.name)
        else:
            x = self.numbers(b0, b1, tape)
            with span(f"{self.name} gradient (BLAS)", ops=x.size * self.units):
                sums["W"][:, : self.units] += np.matmul(x.T, G[: last - first, : self.units])
        if "b" in sums:
            compiled = compiled_rows("columns", self.dtype)
            call = functools.partial(compiled, G, u(last - first), sums["b"])
            self._columns(call, (last - first) * self.units)
        if self.feedback is not None:
            self._collect(tape["spikes"].rows(first, last), G, 1, steps, sums["V"], tape, f"{self.name} loop")
            if tape["fed"].any():
                sums["V"][:, : self.units] += tape["fed"][b0:b1].T @ G[: last - first : steps, : self.units]

    def fed_back(self, tape: Nested) -> Array:
        """The loss's derivative by what a loop feeds back at the first step, [B, N].

        Not by BLAS, whose threads would then wait busily for more while ours work.
        """
        g = np.zeros((tape["plan"].batch, self.width), self.dtype)
        product, one, no = compiled_rows("product", self.dtype), u(1), u(0)
        product(no, u(len(g)), one, tape["g entry"], tape["V across"], g, no, no, u(self.width))
        return g[:, : self.units]

    def _collect(self, events: tuple[Array, Array], G: Array, ahead: int, steps: int, weight: Array, tape: Nested,
                 name: str) -> None:  # fmt: skip
        """weight += x^T G for the events of x: rows of G by input, each thread its inputs."""
        start, index = events
        total = int(start[-1] - start[0])
        first = buffer(tape, f"first {name}", (len(weight) + 1,), np.uintp)
        row = buffer(tape, f"row {name}", (total,), np.uint32)
        with span(f"{name} events by input", bytes=16 * total):
            turn(0, len(start) - 1, start, index, first, row, loop=ahead * steps)
        compiled, rows = compiled_rows("collect", self.dtype), len(start) - 1 if total > OFTEN * (len(start) - 1) else 0

        def part(lo: int, hi: int) -> None:
            i0, i1 = np.searchsorted(first, (lo, hi)).astype(np.uintp)
            compiled(i0, min(i1, u(len(weight))), first, row, G[ahead:], weight, aligned((rows, LINE), G.dtype))

        work = total * self.units
        with span(f"{name} gradient", bytes=work * weight.itemsize, ops=work):
            run_threaded(part, max(total, 1), work)

    def _columns(self, call: Callable[..., Any], work: int) -> None:
        """``call(..., c0, c1)`` over the columns, in whole cache lines."""
        count = -(-self.units // SLICE)
        run_threaded(lambda lo, hi: call(u(lo * SLICE), u(hi * SLICE)), count, work)


@functools.cache
def compiled_rows(name: str, dtype: Any) -> Callable:
    """A loop of ``kernels.cpu.rows``."""
    return kernel(getattr(loops, name), dtype=dtype)
