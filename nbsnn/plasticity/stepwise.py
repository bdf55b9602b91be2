"""A plastic layer step by step: for any rule, connection and input."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..layers.layer import Array, Nested
from ..validate.kinds import is_array, is_list_or_tuple
from .plastic_layer import PlasticLayer


class StepwiseRun:
    """The steps of one run of a ``Plastic`` layer; ``signals`` None leaves the weights alone."""

    def __init__(self, layer: PlasticLayer, x: Array, state: Nested, tape: Nested, signals: Nested | None):
        self.layer, self.signals, self.steps = layer, signals, len(x)
        self.whole = np.concatenate([state["input"], x]) if layer.queue else x
        self.inner, self.run = tape["neurons"], tape["neurons"]["run"]
        self.back, self.side = tape.setdefault("connection", {}), tape.setdefault("lateral", {})
        self.rule, self.pending = state["rule"], state.get("pending")

    def advance(self, t0: int, t1: int) -> None:
        """Run steps [t0, t1)."""
        layer, run, whole = self.layer, self.run, self.whole
        drive, output = run.x, run.record[0]
        for t in range(t0, t1):
            now = layer.queue + t
            drive[t] = layer.connection.apply(whole[now - layer.delay : now - layer.delay + 1], self.back, None)[0]
            if layer.lateral is not None:
                drive[t] += layer.lateral.apply(output[t : t + 1], self.side, None)[0]
            layer.neurons.advance(run, t, t + 1)
            if self.signals is not None:
                pre = whole[now - layer.lag[0] : now - layer.lag[0] + 1]
                self._change(t, pre, output[t + 1 - layer.lag[1] : t + 2 - layer.lag[1]], self.signals)

    def finish(self) -> None:
        """Work of the rule at the end of a run."""
        if self.signals is not None:
            self.layer.rule.finish(self.layer.weights)

    def final(self) -> Nested:
        """The state after the last step, but for the neurons."""
        final = {"rule": self.rule}
        if self.layer.queue:
            final["input"] = self.whole[self.steps :].copy()
        if self.layer.defer:
            final["pending"] = self.pending
        return final

    def _change(self, t: int, pre: Array, post: Array, signals: Nested) -> None:
        """Let the rule act on one step."""
        layer = self.layer
        how: dict[str, Any] = {"dt": layer.setting.dt, "device": layer.setting.device}
        if layer.defer:
            used, after = layer.rule.follow(pre, post, self.rule, **how)
            dw = layer.rule.increment(0, layer.weights, pre, post, used, layer.setting.device)
            layer.rule.settle(layer.weights, self.pending, int(self.rule["step"]))
            self.rule, self.pending = after, dw
            return
        now = {name: _at(t, value) for name, value in signals.items()}
        now |= {name: layer.neurons.record(self.inner, name)[t : t + 1] for name in layer.rule.reads}
        self.rule = layer.rule.advance(layer.weights, pre, post, self.rule, **how, **now)


def _at(t: int, value: Any) -> Any:
    """The part of a signal that belongs to step ``t``."""
    if is_list_or_tuple(value):
        return tuple(part[t : t + 1] for part in value)
    return value[t : t + 1] if is_array(value) and value.ndim else value
