"""The general loop of a ``Recurrent``, step by step.

Forward, every step is a run of one step with a tape of its own; in reverse, the same steps from the last to the
first. What is fed back next is part of the state, under the name "output".
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..device.host import Host
from ..random import Draws
from ..validate.kinds import is_mapping
from .container import Container
from .join import joined, parted
from .layer import Array, Nested, Start
from .population_tape import PopulationTape
from .spike_trace import as_array


def forward(
    layer: Container, inner: str, join: str, waits: str, x: Array, state: Nested, tape: Nested, draws: Draws | None
) -> tuple[Any, Nested]:
    """See ``Layer.forward``."""
    arrays, x = layer.arrays, layer.arrays.stored(x, tape, "x")
    tape["start"] = isinstance(state, Start)
    steps: list[Nested] = [*tape.get("steps", []), *(Nested() for _ in range(len(x)))][: len(x)]
    tape["steps"] = steps
    y = arrays.buffer(tape, "y", (*x.shape[:2], *layer.shape), layer.setting.dtype)
    fed, late = _one_step(state["output"]), waits == "feedback"
    for t, step in enumerate(steps):
        final: Nested = {}
        back = fed if late else layer._forward("feedback", fed, state, step, draws, final)
        given = joined(arrays, join, [x[t : t + 1], back], step.setdefault("/join", {}))
        fed = layer._forward(inner, given, state, step, draws, final)
        arrays.copy(fed, y[t : t + 1])
        if late:
            fed = layer._forward("feedback", fed, state, step, draws, final)
        state = final
    return y, {**state, "output": arrays.as_result(fed.reshape(*fed.shape[1:]) if late else y[len(y) - 1])}


def backward(
    layer: Container, inner: str, join: str, waits: str, gy: Array, tape: Nested, grads: Nested, after: Nested | None,
    inject: Nested | None,
) -> tuple[Any, Nested]:  # fmt: skip
    """See ``Layer.backward``."""
    arrays, shapes = layer.arrays, [layer.in_shape, layer.children["feedback"].shape]
    gx = arrays.buffer(tape, "gx", (*gy.shape[:2], *layer.in_shape), layer.setting.dtype)
    fed: Any = None if after is None else _one_step(after["output"])
    late, rooms = (
        waits == "feedback",
        tape.setdefault("/gy", ({}, {})),
    )  # in turn, as what is fed back may be the array itself
    before: Nested = {}
    for t in reversed(range(len(gy))):
        step, before, now = tape["steps"][t], {}, _at(inject, t)
        passed: dict[str, Any] = {"after": after, "inject": now, "wanted": True}
        if late:
            fed = arrays.zeros((1, gy.shape[1], *shapes[1]), gy.dtype) if fed is None else fed
            fed = layer._backward("feedback", fed, step, grads, before, **passed)
        own = gy[t : t + 1] if fed is None else arrays.total([gy[t : t + 1], fed], rooms[t % 2], "gy")
        gz: Any = layer._backward(inner, own, step, grads, before, **passed)
        part, back = parted(arrays, join, gz, shapes, step["/join"])
        arrays.copy(part, gx[t : t + 1])
        fed = back if late else layer._backward("feedback", back, step, grads, before, **passed)
        after = before
    fed = fed.reshape(*fed.shape[1:])
    if tape["start"] and not late:
        layer.first_reverse(fed, grads)
    return gx, {**before, "output": arrays.as_result(fed)}


def trace(layer: Container, inner: str, join: str, x: Array, tape: Nested, traces: Nested) -> Any:
    """As ``Layer.trace``: what comes back are the traces of the step before."""
    arrays, step = layer.arrays, tape["steps"][0]
    fed = traces.get("output")
    if fed is None:
        fed = arrays.zeros((1, x.shape[1], *layer.shape), x.dtype)
    back = layer._trace("feedback", fed, step, traces)
    given = joined(arrays, join, [x, back], step.setdefault("/trace", {}))
    offered = as_array(layer._trace(inner, given, step, traces))
    traces["output"] = arrays.copied(offered, {}, "trace")
    return offered


def tape_of(arrays: Host, tape: Nested, name: str) -> Nested:
    """The tape of a layer inside the loop as one run would have left it, as far as records need it."""
    return _together(arrays, [step[name] for step in tape["steps"]])


def _together(arrays: Host, tapes: list[Nested]) -> Nested:
    result: Nested = {}
    for key, value in tapes[0].items():
        values = [tape[key] for tape in tapes]
        if key.startswith("/"):
            continue
        if is_mapping(value):
            result[key] = _together(arrays, values)
        elif isinstance(value, PopulationTape):
            x = np.concatenate([run.x for run in values]) if arrays.numpy else value.x
            result[key] = replace(value, record=_records(arrays, [run.record for run in values]), x=x)
        elif key == "steps":
            result[key] = [step for steps in values for step in steps]
        else:
            result[key] = value
    return result


def _records(arrays: Host, values: list[Any]) -> Any:
    """Records of one step each as one record, whose first row is what was before the first step."""
    variables, _, *lanes = values[0].shape
    whole = arrays.buffer({}, "record", (variables, len(values) + 1, *lanes), values[0].dtype)
    for k in range(variables):
        arrays.copy(values[0][k, :1], whole[k, :1])
        for t, value in enumerate(values):
            arrays.copy(value[k, 1:], whole[k, t + 1 : t + 2])
    return whole


def _at(inject: Mapping[str, Any] | None, t: int) -> Nested | None:
    """Step ``t`` of nested arrays [T, ...]."""
    if inject is None:
        return None
    return {k: _at(v, t) if is_mapping(v) else v[t : t + 1] for k, v in inject.items()}


def _one_step(array: Array) -> Array:
    return array.reshape(1, *array.shape)
