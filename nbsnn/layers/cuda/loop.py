"""The general loop of a ``Recurrent`` on a GPU: ``layers.loop``, step by step, with launches for each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import gpu
from ..layer import Nested, Start
from .join import joined, parted


def initial(layer: Any, batch: int) -> Nested:
    """As ``Layer.initial``: the states inside, and what is fed back at the first step."""
    states = {name: child.initial(batch) for name, child in layer.children.items()}
    first = np.ascontiguousarray(np.broadcast_to(layer.first(), (batch, *layer.shape)), layer.setting.dtype)
    return Start({**{name: state for name, state in states.items() if state}, "output": gpu.put(first)})


def forward(layer: Any, x: Any, state: Nested, tape: Nested, draws: Any) -> tuple[Any, Nested]:
    """As ``Layer.forward``."""
    tape["start"] = isinstance(state, Start)
    tape["steps"] = steps = [*tape.get("steps", []), *({} for _ in range(len(x)))][: len(x)]
    fed = _step(state["output"])
    y = gpu.buffer(tape, "y", (*x.shape[:2], *layer.shape), layer.setting.dtype)
    for t, step in enumerate(steps):
        final: Nested = {}
        back = layer._forward("feedback", fed, state, step, draws, final)
        drive = joined(layer.join, [x[t : t + 1], back], step.setdefault("/join", {}))
        fed = layer._forward(layer.inner, drive, state, step, draws, final)
        gpu.copy(fed, y[t])
        state = final
    return y, {**state, "output": y[len(y) - 1]}


def backward(layer: Any, gy: Any, tape: Nested, grads: Nested, after: Any, inject: Any) -> tuple[Any, Nested]:
    """As ``Layer.backward``."""
    shapes, dtype = [layer.in_shape, layer.children["feedback"].shape], layer.setting.dtype
    gx = gpu.buffer(tape, "gx", (*gy.shape[:2], *layer.in_shape), dtype)
    fed: Any = None if after is None else _step(after["output"])
    own, before = gpu.buffer(tape, "gy", (1, *gy.shape[1:]), dtype), {}
    for t in reversed(range(len(gy))):
        step, before, now = tape["steps"][t], {}, _at(inject, t)
        passed: dict[str, Any] = {"after": after, "inject": now, "wanted": True}
        gpu.copy(gy[t], own)
        if fed is not None:
            gpu.add(fed, own)
        gz = layer._backward(layer.inner, own, step, grads, before, **passed)
        part, back = parted(layer.join, gz, shapes, step["/join"])
        gpu.copy(part, gx[t])
        fed = layer._backward("feedback", back, step, grads, before, **passed)
        after = before
    fed = fed.reshape(*fed.shape[1:])
    if tape["start"] and any(child.starts_learned() for child in _populations(layer)):
        layer.first_reverse(fed, grads)
    return gx, {**before, "output": fed}


def trace(layer: Any, x: Any, tape: Nested, traces: Nested) -> Any:
    """As ``Layer.trace``: what comes back are the traces of the step before."""
    step = tape["steps"][0]
    if "output" not in traces:
        traces["output"] = gpu.zeros((1, x.shape[1], *layer.shape), layer.setting.dtype)
    back = layer.children["feedback"].trace(traces["output"], step["feedback"], traces.setdefault("feedback", {}))
    given = joined(layer.join, [x, back], step.setdefault("/trace", {}))
    offered = layer.children[layer.inner].trace(given, step[layer.inner], traces.setdefault(layer.inner, {}))
    gpu.copy(offered, traces["output"])
    return offered


def tape_of(tape: Nested, name: str) -> Nested:
    """The records of a layer inside the loop as one run would have left them."""
    return _together([step[name] for step in tape["steps"]])


def _together(tapes: list[Nested]) -> Nested:
    result: Nested = {}
    for key, value in tapes[0].items():
        values = [tape[key] for tape in tapes]
        if key == "record":  # its first row is what was before the first step
            result[key] = _records(values)
        elif key == "steps":
            result[key] = [step for steps in values for step in steps]
        elif isinstance(value, Mapping) and not key.startswith("/"):
            result[key] = _together(values)
    return result


def _records(values: list[Any]) -> Any:
    variables, _, *lanes = values[0].shape
    whole = gpu.empty((variables, len(values) + 1, *lanes), values[0].dtype)
    for k in range(variables):
        gpu.copy(values[0][k, 0], whole[k, 0])
        for t, value in enumerate(values):
            gpu.copy(value[k, 1], whole[k, t + 1])
    return whole


def _at(inject: Any, t: int) -> Any:
    """Step ``t`` of nested arrays [T, ...]."""
    if inject is None:
        return None
    return {k: _at(v, t) if isinstance(v, Mapping) else v[t : t + 1] for k, v in inject.items()}


def _step(array: Any) -> Any:
    return array.reshape(1, *array.shape)


def _populations(layer: Any) -> list[Any]:
    return [child for child in layer.layers().values() if hasattr(child, "starts_learned")]
