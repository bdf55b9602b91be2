"""A loop that feeds a neuron everything it asks for, far simpler than the simulator's: for tests of neurons alone."""

import numpy as np

from nbsnn import Population
from nbsnn.compile.fill import kernel
from nbsnn.compile.unroll import row, store
from nbsnn.neuron import INPUTS
from nbsnn.scalar.hole import hole


@hole
def step(*arguments):
    raise NotImplementedError


@hole
def feed(array, t, n):
    raise NotImplementedError


@hole
def state(array, t, n):
    raise NotImplementedError


@hole
def param(array, n):
    raise NotImplementedError


@hole
def keep(array, result, t, n):
    raise NotImplementedError


def loop(t0, t1, n0, n1, x, P, S, y):
    for t in range(t0, t1):
        for n in range(n0, n1):
            r = step(*feed(x, t, n), *state(S, t, n), *param(P, n))
            y[t, n] = r[0]
            keep(S, r, t + 1, n)


def parameters(neuron, units, dt):
    """The parameters per step, [params, N] in float64."""
    silent = neuron.replace(
        inputs=("current",), step=eval(f"lambda x{_names(neuron)}: ({'0.0,' * (1 + len(neuron.state))})")
    )
    return Population(silent, units, dt=dt, dtype=np.float64, device="python").step_parameters()


def _names(neuron):
    return "".join(f", a{k}" for k in range(len(neuron.state) + len(neuron.params)))


def simulate(neuron, steps, units, *, dt=1.0, dtype=np.float64, device="cpu", seed=0, start=None, **inputs):
    """Outputs [T, N] under its name, and states [T, N] after each step.

    ``inputs`` are numbers or arrays that fit [T, N]; random numbers that the neuron asks for come from ``seed``.
    """
    rng, count = np.random.default_rng(seed), len(neuron.state)
    drawn = {"uniform": rng.random, "normal": rng.standard_normal}
    x = np.zeros((len(neuron.inputs), steps, units), dtype)
    for line, name in zip(x, neuron.inputs, strict=True):
        line[...] = inputs[name] if name in inputs else drawn.get(name, np.zeros)((steps, units))
    assert set(inputs) <= set(INPUTS)
    states = np.zeros((max(count, 1), steps + 1, units), dtype)
    for line, (name, value) in zip(states, neuron.state.items(), strict=False):
        line[0] = (start or {}).get(name, value)
    y = np.zeros((steps, units), dtype)
    compiled = kernel(
        loop, device=device, dtype=dtype, step=neuron.step, feed=row(len(neuron.inputs), "t, n"),
        state=row(count, "t, n"), param=row(len(neuron.params), "n"), keep=store(tuple(range(1, 1 + count)), "t, n"),
        **neuron.filling(),
    )  # fmt: skip
    u = np.uintp
    P = parameters(neuron, units, dt).astype(dtype)
    compiled(u(0), u(steps), u(0), u(units), x, P, states, y)
    return {neuron.output: y, **{name: line[1:] for name, line in zip(neuron.state, states, strict=False)}}


def spike_times(spikes, dt):
    """The times of the spikes of one unit, at the end of their steps."""
    return dt * (1 + np.flatnonzero(spikes))
