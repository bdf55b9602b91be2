"""CUDA kernels against the CPU's loops: the same numbers, and the same contract.

In Numba's simulator (see ``conftest.py``) float32 arithmetic is that of NumPy, so the results are equal bit for bit.
A real GPU fuses multiplications and additions: there the comparison is to rounding.
"""

import inspect

import numpy as np
import pytest
from numba import config

from nbsnn import Population
from nbsnn.device import gpu
from nbsnn.kernels.population import loops as cpu
from nbsnn.kernels.population import loops_cuda as cuda
from nbsnn.layers.layer import Setting
from nbsnn.neurons import ALIF, EIF, LI, LIF, PLIF, QIF, AdEx, CubaLIF, HodgkinHuxley, Izhikevich
from nbsnn.random import Draws
from nbsnn.surrogates import sigmoid

T, B, N = 6, 2, 3
X = np.random.default_rng(0).uniform(-0.3, 1.4, (T, B, N)).astype(np.float32)
TAUS = np.array([1.5, 3.0, 9.0])

# Name -> neuron, whether the loss depends on states, whether the input is constant in time.
CASES = {
    "lif": (LIF(2.0), False, False),
    "lif learned": (LIF(TAUS, 0.9, None, learn=("tau", "v_threshold", "v_rest")), True, False),
    "refractory": (LIF(3.0, 0.6, refractory=1, learn="v_threshold"), False, False),
    "alif": (ALIF(4.0, 20.0, 0.3, 0.7, learn=("beta", "tau_adapt")), True, False),
    "cuba static": (CubaLIF(4.0, TAUS, learn=("tau_syn", "tau")), True, True),
    "li static": (LI(3.0, v_rest=0.1, learn="tau"), False, True),
    "plif": (PLIF(2.0, 0.4, decay_input=True), False, False),
}


def outcome(neuron, inject, static, device, dtype=np.float32):
    """Everything that the forward and the backward kernel write."""
    rng = np.random.default_rng(1)
    population = Population(neuron, N)
    population.build((N,), Setting(1.0, dtype, device), Draws(0))
    x = population.check_input(np.broadcast_to(X[:1], X.shape) if static else X)
    tape, grads = {}, population.zeros()
    population.forward(x, population.initial(B), tape)
    put = gpu.put if device == "cuda" else np.copy
    gy, *rest = (put(rng.normal(size=X.shape).astype(dtype)) for _ in range(1 + len(neuron.state)))
    states = dict(zip(neuron.state, rest, strict=True)) if inject else None
    gx, before = population.backward(gy, tape, grads, inject=states)
    names = [population.neuron.output, *neuron.state]
    record = {f"record {name}": line for name, line in zip(names, gpu.get(tape["run"].record), strict=True)}
    before.pop(population.neuron.output, None)  # always zero
    return gpu.get_all({**record, "x": gx, **{f"before {k}": g for k, g in before.items()}, **grads})


def compare(name, other):
    neuron, inject, static = CASES[name]
    on_gpu, expected = (outcome(neuron, inject, static, device) for device in ("cuda", other))
    assert on_gpu.keys() == expected.keys()
    for key, value in expected.items():
        assert on_gpu[key].dtype == np.float32
        if config.ENABLE_CUDASIM:
            np.testing.assert_array_equal(on_gpu[key], value, err_msg=key)
        else:
            np.testing.assert_allclose(on_gpu[key], value, 1e-4, 1e-5, err_msg=key)
    assert "record spikes" not in expected or 0 < expected["record spikes"].sum() < expected["record spikes"].size
    assert np.all([np.any(expected[key]) for key in neuron.learn])


@pytest.mark.parametrize("name", CASES)
def test_cuda_equals_interpreted_loops(name):
    compare(name, "python")


def test_cuda_equals_compiled_loops():
    compare("lif", "cpu")


def test_a_surrogate_with_an_exponential_agrees_to_rounding():
    neuron = LIF(2.0, surrogate=sigmoid())
    on_gpu, expected = (outcome(neuron, False, False, device) for device in ("cuda", "python"))
    for key, value in expected.items():
        np.testing.assert_allclose(on_gpu[key], value, 1e-5, 1e-6, err_msg=key)


def test_a_window_in_the_middle_touches_nothing_else():
    population = Population(LIF(2.0), N, device="cuda")
    tape = {}
    run = population.ops.begin(population.check_input(X), population.initial(B), tape)
    before = gpu.get(run.record)
    before[:, 1:] = -7.0
    gpu.assign(run.record, before)
    population.ops.advance(run, 0, 2)
    whole, record = Population(LIF(2.0), N, device="python").run(X), gpu.get(run.record)
    np.testing.assert_allclose(record[1, 1:3], whole["v"][:2], 1e-6)
    assert np.all(record[:, 3:] == -7.0)


def functions(module):
    """Name -> signature and whether it is a hole, of all functions that a module defines."""
    found = inspect.getmembers(module, inspect.isfunction)
    return {
        name: (str(inspect.signature(f)), getattr(f, "hole", False))
        for name, f in found
        if f.__module__ in (module.__name__, cpu.__name__)
    }


def test_both_devices_have_the_same_kernels_and_holes():
    # Sums and gradients that a thread keeps in registers are tuples, for which the GPU has holes of its own.
    assert functions(cuda).items() >= functions(cpu).items()
    assert functions(cuda).keys() - functions(cpu).keys() == {"carried", "learned", "more"}
    assert {"forward", "backward", "step", "vjp"} <= functions(cpu).keys()
    numbers = [{k: v for k, v in vars(m).items() if k.isupper()} for m in (cpu, cuda)]
    assert {**numbers[0], "END": 1} == numbers[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exponentials_and_conductances(dtype):
    x = (np.random.default_rng(0).random((20, B, N)) * 2000.0).astype(dtype)
    for neuron in (HodgkinHuxley(), AdEx(substeps=2), EIF(refractory=0.25), QIF(), Izhikevich(substeps=1)):
        gpu, cpu = (Population(neuron, N, dt=0.1, dtype=dtype, device=d).run(x) for d in ("cuda", "python"))
        for name in neuron.state:
            np.testing.assert_allclose(gpu[name], cpu[name], 1e-3 if dtype == np.float32 else 1e-10, 1e-7, err_msg=name)
