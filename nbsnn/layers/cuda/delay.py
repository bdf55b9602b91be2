"""A delay on a GPU: what is on the way and what comes, one behind the other, and the reverse."""

from __future__ import annotations

from typing import Any

from ... import gpu
from ..layer import Nested
from .counterpart import Counterpart
from .stateless import over_time
from .still import Still, stored


class DelayOnGpu(Counterpart):
    """Delay by a whole number of steps."""

    def zeros(self) -> Nested:
        """No parameters."""
        return {}

    def initial(self, batch: int) -> Nested:
        """As ``Layer.initial``; nobody may write into this array."""
        if batch not in self.cache:
            self.cache[batch] = gpu.zeros((self.layer.steps, batch, *self.layer.shape), self._dtype)
        return {"queue": self.cache[batch]}

    def forward(self, x: Any, state: Nested, tape: Nested, draws: Any = None) -> tuple[Any, Nested]:
        """As ``Layer.forward``."""
        tape["static"] = isinstance(x, Still)
        return passed_on(stored(x, tape, "x"), state, "queue", tape)

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        """As ``Layer.trace``."""
        start = traces if "queue" in traces else self.initial(x.shape[1])
        y, after = passed_on(x, start, "queue", tape.setdefault("trace", {}))
        traces |= after
        return y

    def backward(
        self, gy: Any, tape: Nested, grads: Nested, *, after: Any = None, inject: Any = None, wanted: bool = True
    ) -> tuple[Any, Nested]:
        """As ``Layer.backward``."""
        tail = after if after else self.initial(gy.shape[1])
        whole = behind(gy, tail["queue"], tape, "gwhole")
        steps = self.layer.steps
        gx = whole[steps:]
        return (over_time(gx, tape) if tape["static"] and len(gx) > 1 else gx), {"queue": whole[:steps]}


def passed_on(x: Any, state: Nested, name: str, tape: Nested) -> tuple[Any, Nested]:
    """What comes first of a queue and ``x`` behind it, as many steps as ``x`` has; and the queue after that."""
    whole, queue = behind(state[name], x, tape, "whole"), state[name]
    rest = gpu.buffer(tape, "rest", queue.shape, queue.dtype)
    gpu.copy(whole[len(x) :], rest)
    return whole[: len(x)], {name: rest}


def behind(first: Any, second: Any, tape: Nested, name: str) -> Any:
    """Two arrays [T, ...], one behind the other."""
    whole = gpu.buffer(tape, name, (len(first) + len(second), *first.shape[1:]), first.dtype)
    if len(first):
        gpu.copy(first, whole[: len(first)])
    gpu.copy(second, whole[len(first) :])
    return whole
