"""What may feed a neuron: a current, and in a simulator conductances and random numbers."""

import numpy as np
import pytest

import nbsnn
from nbsnn import Neuron, Population
from nbsnn.scalar.per_step import WAYS


def conductor(x, g, v, dt, g_leak):
    v = v + dt * (x - (g_leak + g) * v)
    return v, v


def noisy(x, g, u, z, v, dt):
    return u, v + dt * (x - g * v) + z


CONDUCTOR = Neuron(
    conductor,
    state={"v": 1.0},
    params={"dt": 1.0, "g_leak": 0.5},
    per_step={"dt": "dt"},
    inputs=("current", "conductance"),
)


@pytest.mark.parametrize("device", ["python", "cpu"])
def test_a_population_feeds_no_conductance_and_its_step_length(device):
    x = np.random.default_rng(0).normal(size=(6, 2, 3))
    run = Population(CONDUCTOR, 3, dt=0.25, device=device, dtype=np.float64).run(x)
    v = np.ones((2, 3))
    for t in range(6):
        v = v + 0.25 * (x[t] - 0.5 * v)
        np.testing.assert_allclose(run["v"][t], v, 1e-14)


def test_a_share_per_step():
    np.testing.assert_array_equal(WAYS["dt"](np.array([1.0, 0.0, -4.0]), 0.1), [0.1, 0.0, -0.4])
    np.testing.assert_array_equal(WAYS["dt"].slope(np.array([1.0, -4.0]), 0.1), [0.1, 0.1])
    with pytest.raises(ValueError, match="rate must be finite"):
        WAYS["dt"](np.array([np.inf]), 0.1, "rate")


def test_random_numbers_are_for_the_network():
    inputs = ("current", "conductance", "uniform", "normal")
    neuron = Neuron(noisy, state={"v": 0.0}, params={"dt": 1.0}, per_step={"dt": "dt"}, inputs=inputs)
    with pytest.raises(ValueError, match=r"uniform random number .* nbsnn\.Network"):
        Population(neuron, 2)
    with pytest.raises(ValueError, match=r"step must take 5 arguments \(current, uniform, normal, \*state, \*params\)"):
        neuron.replace(inputs=("current", "uniform", "normal"))


@pytest.mark.parametrize("inputs", [(), ("conductance",), ("current", "normal", "uniform"), ("current", "a", "a")])
def test_unknown_or_disordered_inputs_raise(inputs):
    with pytest.raises(ValueError, match="inputs must be 'current', then any of"):
        CONDUCTOR.replace(inputs=inputs)


def test_a_conductance_has_no_gradient():
    with pytest.raises(ValueError, match="cannot have a vjp"):
        CONDUCTOR.replace(vjp=lambda x, v, dt, g_leak, gs, gv: (0.0,) * 4)
    assert nbsnn.neurons.LIF().inputs == ("current",)
    assert CONDUCTOR.replace(inputs="current", step=lambda x, v, dt, g: (v, v)).inputs == ("current",)
