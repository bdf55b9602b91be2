"""The general loop of a ``Recurrent``, step by step.

Forward, every step is a run of one step with a tape of its own; in reverse, the same steps from the last to the
first. What is fed back next is part of the state, under the name "output".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..random import Draws
from .container import Container
from .join import joined, parted
from .layer import Array, Nested, Start


def forward(
    layer: Container, inner: str, join: str, x: Array, state: Nested, tape: Nested, draws: Draws | None
) -> tuple[Array, Nested]:
    """As ``Layer.forward``."""
    tape["start"] = isinstance(state, Start)
    tape["steps"] = steps = [*tape.get("steps", []), *({} for _ in x)][: len(x)]
    fed, outputs = state["output"][None], []
    for t, step in enumerate(steps):
        final: Nested = {}
        back = layer._forward("feedback", fed, state, step, draws, final)
        fed = layer._forward(inner, joined(join, [x[t : t + 1], back]), state, step, draws, final)
        outputs.append(fed)
        state = final
    return np.concatenate(outputs), {**state, "output": fed[0].copy()}


def backward(
    layer: Container, inner: str, join: str, gy: Array, tape: Nested, grads: Nested, after: Nested | None,
    inject: Nested | None,
) -> tuple[Array, Nested]:  # fmt: skip
    """As ``Layer.backward``."""
    shapes = [layer.in_shape, layer.children["feedback"].shape]
    gx = np.empty((*gy.shape[:2], *layer.in_shape), layer.setting.dtype)
    fed: Any = np.zeros_like(gy[:1]) if after is None else after["output"][None]
    before: Nested = {}
    for t in reversed(range(len(gy))):
        step, before, now = tape["steps"][t], {}, _at(inject, t)
        passed: dict[str, Any] = {"after": after, "inject": now, "wanted": True}
        gz: Any = layer._backward(inner, gy[t : t + 1] + fed, step, grads, before, **passed)
        gx[t : t + 1], back = parted(join, gz, shapes)
        fed = layer._backward("feedback", back, step, grads, before, **passed)
        after = before
    if tape["start"]:
        layer.first_reverse(fed[0], grads)
    return gx, {**before, "output": fed[0].copy()}


def trace(layer: Container, inner: str, join: str, x: Array, tape: Nested, traces: Nested) -> Array:
    """As ``Layer.trace``: what comes back are the traces of the step before."""
    step = tape["steps"][0]
    fed = traces.get("output", np.zeros((1, x.shape[1], *layer.shape), x.dtype))
    back = layer.children["feedback"].trace(fed, step["feedback"], traces.setdefault("feedback", {}))
    given = joined(join, [x, back])
    offered = layer.children[inner].trace(given, step[inner], traces.setdefault(inner, {}))
    traces["output"] = offered.copy()
    return offered


def tape_of(tape: Nested, name: str) -> Nested:
    """The tape of a layer inside the loop as one run would have left it, as far as records need it."""
    return _together([step[name] for step in tape["steps"]])


def _together(tapes: list[Nested]) -> Nested:
    result: Nested = {}
    for key, value in tapes[0].items():
        values = [tape[key] for tape in tapes]
        if isinstance(value, Mapping):
            result[key] = _together(values)
        elif key == "record":  # its first row is what was before the first step
            result[key] = np.concatenate([value[:, :1], *(record[:, 1:] for record in values)], axis=1)
        elif key == "x":
            result[key] = np.concatenate(values)
        elif key == "steps":
            result[key] = [step for steps in values for step in steps]
        else:
            result[key] = value
    return result


def _at(inject: Nested | None, t: int) -> Nested | None:
    """Step ``t`` of nested arrays [T, ...]."""
    if inject is None:
        return None
    return {k: _at(v, t) if isinstance(v, Mapping) else v[t : t + 1] for k, v in inject.items()}  # type: ignore[arg-type]
