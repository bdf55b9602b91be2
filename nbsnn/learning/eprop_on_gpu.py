"""One step of e-prop back on a GPU: what ``EProp.reverse`` does, with launches that wait for nothing."""

from __future__ import annotations

import functools
from typing import Any

from ..device import gpu, gpu_products
from ..device.constant_input import stored
from ..layers.layer import Nested


def reverse(learner: Any, x: Any, gy: Any, traces: Nested) -> None:
    """Add the gradients of the step just made, as ``EProp.reverse``."""
    room = traces.setdefault("room", {})
    tape = learner.tape[learner.hidden]["neurons"] if learner.recurrent else learner.tape[learner.hidden]
    before, now = tape["record"][0, 0], tape["record"][0, 1]
    (batch, units), dtype = now.shape, now.dtype
    error = gpu.buffer(room, "error", gy.shape[1:], dtype)
    gpu.launch(
        "arrays.elementwise_cuda",
        "multiply",
        dtype,
        error.size,
        dtype.type(learner.gain),
        gpu.flat(gy),
        gpu.flat(error),
    )
    signal = gpu.buffer(room, "signal", (batch, units), dtype)
    gpu_products.multiply_back(error, learner.feedback_weight, signal)
    derivatives = jacobian(learner.population, tape, room)
    if "ones" not in room:
        gpu.fill(gpu.buffer(room, "ones", (batch, 1), dtype), 1)
    ones, given = room["ones"], stored(x, room, "x")
    pres = {f"{learner.first}/weight": given[0], f"{learner.first}/bias": ones}
    pres |= {f"{learner.hidden}/feedback/weight": before, f"{learner.hidden}/feedback/bias": ones}
    for name, pre in pres.items():
        *path, last = name.split("/")
        grads = functools.reduce(lambda nested, key: nested.get(key, {}), path, learner.grads)
        if last in grads:
            _advance(learner.kappa, pre, derivatives, signal, traces.setdefault(name, {}), grads[last])
    # The readout is linear, so its own eligibility is a trace of what it receives.
    grads = learner.grads[learner.last]
    for name, pre in (("weight", now), ("bias", ones)):
        if name in grads:
            key = f"{learner.last}/{name}"
            if key not in traces:
                traces[key] = gpu.zeros(pre.shape, dtype)
            trace = traces[key]
            gpu.launch("arrays.trace_cuda", "last", dtype, trace.size, dtype.type(learner.kappa),
                       pre.reshape(1, pre.size), gpu.flat(trace))  # fmt: skip
            gpu_products.add_outer(trace, error, grads[name].reshape(trace.shape[1], error.shape[1]), room)


def jacobian(population: Any, tape: Nested, room: Nested) -> Any:
    """As ``eprop.jacobian``: derivatives of output and states [1 + K] by input and states [1 + K, B, N]."""
    states, (batch, units) = list(population.neuron.state), tape["x"].shape[1:]
    dtype = population.setting.dtype
    result = gpu.buffer(room, "jacobian", (1 + len(states), 1 + len(states), batch, units), dtype)
    if "one" not in room:
        gpu.fill(gpu.buffer(room, "one", (1, batch, *population.shape), dtype), 1)
        gpu.fill(gpu.buffer(room, "zero", (1, batch, *population.shape), dtype), 0)
    for k, name in enumerate([None, *states]):
        gy, after = (room["one"], {}) if name is None else (room["zero"], {name: room["one"]})
        gx, before = population.backward(gy, tape, {}, after=after)
        for m, column in enumerate([gx, *(before[state] for state in states)]):
            gpu.copy(column, result[k, m])
    return result


def _advance(kappa: float, pre: Any, derivatives: Any, signal: Any, traces: Nested, grads: Any) -> None:
    """One step of the eligibility of all synapses that share ``pre`` [B, I]; adds to ``grads``."""
    dtype, (batch, n_pre), n_post, states = signal.dtype, pre.shape, signal.shape[1], len(derivatives) - 1
    if not traces:
        traces["eps"] = gpu.zeros((n_pre, batch, states, n_post), dtype)
        traces["traced"] = gpu.zeros((n_pre, batch, n_post), dtype)
        traces["work"] = gpu.empty((n_pre, 1 + states, n_post), dtype)
    arrays = pre, derivatives, traces["eps"], traces["traced"], signal, traces["work"], grads.reshape(n_pre, n_post)
    compiled = gpu.compiled("arrays.eligibility_cuda", "eligibility", dtype)
    gpu.start(compiled, n_pre * n_post, 0, n_pre, dtype.type(kappa), *arrays)
