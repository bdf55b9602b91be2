"""Learned parameters of neurons: they stay in their range, and runs start where they say."""

import numpy as np
import pytest

import nbsnn
from nbsnn import BPTT, Dense, Neuron, Recurrent, Sequential, losses, optim
from nbsnn.neurons import ALIF, CLIF, LI, LIF, PLIF, Adaptive, CubaLIF

X, LABELS = np.full((6, 4, 3), 0.8, np.float32), np.array([0, 1, 0, 1])


def trained(neuron, lr, steps=12, dt=1.0, device="python", dtype=np.float32):
    """A network after some steps, whose gradients are turned so that all parameters of the neuron fall."""
    parts = (Dense(3, 4), neuron, Dense(4, 2), LI()) if neuron.output == "spikes" else (Dense(3, 2), neuron)
    net = Sequential(*parts, seed=1, dt=dt, device=device, dtype=dtype)
    learner = BPTT(net, losses.rate_cross_entropy, optim.SGD(lr))
    name = list(net.children)[1]
    for _ in range(steps):
        _, grads = learner.gradients(X, LABELS)
        for key, g in grads.items():
            if key.startswith(f"{name}/"):
                g[...] = 1.0
        learner.change(grads)
        assert np.isfinite(net.run(X).output).all()
    return net[name].params


@pytest.mark.parametrize("dt", [1.0, 0.7, 0.1])
@pytest.mark.parametrize("decay", ["exp", "euler"])
@pytest.mark.parametrize(
    ("make", "names"),
    [
        (LIF, ("tau",)),
        (LI, ("tau",)),
        (CubaLIF, ("tau", "tau_syn")),
        (ALIF, ("tau", "tau_adapt")),
        (Adaptive, ("tau", "tau_adapt")),
        (CLIF, ("tau", "tau_p", "tau_q")),
    ],
)
def test_a_learned_time_constant_stays_where_it_is_allowed(make, names, decay, dt):
    params = trained(make(decay=decay, learn=names), 30.0, dt=dt)
    for name in names:
        wanted = dt if decay == "euler" else 0.1 * dt
        assert params[name] == pytest.approx(wanted, rel=1e-6)


def test_per_unit_values_are_kept_one_by_one_and_a_smaller_start_is_its_own_limit():
    params = trained(LIF(np.array([0.03, 5.0, 400.0, 2.0]), learn="tau"), 1.0, steps=10)
    np.testing.assert_allclose(params["tau"], [0.03, 0.03, 390.0, 0.03], rtol=1e-5)


def test_what_an_adaptive_threshold_is_divided_by_stays_above_zero():
    params = trained(Adaptive(learn=("v_threshold", "beta")), 1.0)
    assert params["v_threshold"] == np.float32(1e-3) and params["beta"] == 0.0


def test_a_logit_goes_anywhere():
    assert trained(PLIF(), 30.0)["w"] < -300.0


def test_a_neuron_of_ones_own_states_its_limits():
    def step(x, v, gain):
        return v + x / gain, v + x / gain

    def vjp(x, v, gain, gy, gv):
        return (gy + gv) / gain, gy + gv, -(gy + gv) * x / gain**2

    own = {"state": {"v": 0.0}, "params": {"gain": 3.0}, "learn": "gain", "output": "y"}
    assert trained(Neuron(step, vjp, least={"gain": 0.5}, **own), 1.0)["gain"] == 0.5
    with pytest.raises(ValueError, match="least names 'other'; the parameters of this neuron are"):
        Neuron(step, vjp, least={"other": 0.5}, **own)


@pytest.mark.parametrize("compact", [True, False])
def test_a_run_starts_at_the_trained_rest_and_the_gradient_knows(compact):
    net = Sequential(Dense(3, 2), LI(5.0, v_rest=0.25, learn="v_rest"), seed=0, dtype=np.float64, device="python")
    for array in net["dense1"].params.values():
        array[...] = 0.0
    learner = BPTT(net, lambda y, t: (float(y.sum()), np.ones_like(y)), compact=compact)
    _, grads = learner.gradients(X, None)
    assert grads["li1/v_rest"] == pytest.approx(6 * 4 * 2)  # without input the output is v_rest at every step
    net["li1"].params["v_rest"] = 0.75
    np.testing.assert_allclose(net.run(X).output, 0.75)
    np.testing.assert_allclose(net.initial(2)["li1"]["v"], 0.75)


@pytest.mark.parametrize(
    "neuron",
    [
        lambda: LIF(v_rest=0.1, learn=("v_rest", "tau")),
        lambda: LIF(v_rest=0.2, first="spike", learn=("v_rest", "v_threshold")),
        lambda: LIF(v_rest=np.array([0.1, 0.2, 0.3]), refractory=2.0, learn="v_rest"),
        lambda: LIF(v_rest=0.2, learn=("v_rest", "initial_v")),
        lambda: CubaLIF(v_rest=-0.2, learn=("v_rest", "tau_syn")),
        lambda: ALIF(v_rest=0.1, learn="v_rest"),
        lambda: PLIF(v_rest=0.2, learn="v_rest"),
    ],
)
def test_gradients_of_a_rest_at_which_runs_start_equal_finite_differences(neuron):
    net = Sequential(Dense(2, 3), Recurrent(neuron()), Dense(3, 2), LI(v_rest=0.1, learn="v_rest"), seed=0)
    nbsnn.check(net)


def test_a_trained_initial_value_is_not_tied_to_the_rest():
    net = Sequential(Dense(3, 2), LIF(v_rest=0.2, learn=("v_rest", "initial_v")), seed=0, device="python")
    net["lif1"].params["v_rest"] = 0.6
    np.testing.assert_allclose(net.initial(1)["lif1"]["v"], 0.2)
