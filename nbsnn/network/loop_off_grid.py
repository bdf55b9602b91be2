"""The loop of a network off the grid, and what is recorded there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile import barrier
from ..compile.fill import bind, kernel
from ..kernels.network import off_grid
from ..neurons import poisson
from .kernel import NetworkKernel
from .loop import Loop, Tape
from .normal import uniform_of

Array = np.ndarray


class OffGridKernel(NetworkKernel):
    """Models of a network off the grid: one loop for all of them."""

    def kernel(self, given: frozenset[str]) -> Callable[..., Any]:
        """The loop, for any number of threads; interpreted for one."""
        meet = barrier.alone if self.device == "python" else bind(barrier.meet, **barrier.filling())
        return kernel(
            off_grid.simulate, device=self.device, dtype=self.dtype, wait_for_all=meet, random_spike=poisson.step,
            uniform_of=uniform_of, real=np.float64, **self._compiled(),
        )  # fmt: skip


class OffGridTape(Tape):
    """A tape on which spikes have times: the steps of others, less their time before the end of the step."""

    def room(self, parts: int, capacity: int) -> None:
        """See ``Tape.room``."""
        super().room(parts, capacity)
        self.before = np.zeros((parts, capacity))

    def arrays(self, t0: int, t1: int, own: int) -> Any:
        """See ``Tape.arrays``; and the times."""
        return super().arrays(t0, t1, own), self.before

    def _in_order(self, found: list[int], t0: int | np.int64) -> tuple[Array, Array]:
        """See ``Tape``; steps are floats, and rounded in the same way wherever a piece begins."""
        steps = np.concatenate([self.steps[k, :n] + float(t0) - self.before[k, :n] for k, n in enumerate(found)])
        units = np.concatenate([self.units[k, :n] for k, n in enumerate(found)])
        order = np.lexsort((units, steps))
        return steps[order], units[order]


class OffGridLoop(Loop):
    """Counterpart of ``Loop``."""

    tape = OffGridTape

    def _make(self) -> None:
        super()._make()
        lines = 1 + len(self.layout.port_table)
        own = np.zeros((2, max(self.layout.units, 1)))
        self.scratch = (*self.scratch[2:], *own, np.zeros((self.threads, lines, 5)))  # type: ignore[assignment]

    def _arguments(self, t0: int, t1: int, record: tuple[Any, ...]) -> tuple[Any, ...]:
        """See ``Loop``."""
        recorded, before = record
        return (*super()._arguments(t0, t1, recorded)[:6], (tuple(recorded), before), np.zeros(16, np.int64))
