"""Neurons of snnTorch and Norse beside their recorded numbers: derivatives, files, pickles, compiled loops."""

import pickle

import numpy as np
import pytest

import nbsnn
from nbsnn.presets import norse, snntorch

RESETS = ("subtract", "zero", "none")
NEURONS = {
    **{name: getattr(norse, name)() for name in (
        "LIFCell", "LIFBoxCell", "LICell", "LIBoxCell", "LIFRefracCell", "IAFCell", "LIFExCell", "LIFAdExCell",
    )},
    "LSNNCell": norse.LSNNCell(tau_adapt_inv=50.0),
    "LIFBoxCell subtract": norse.LIFBoxCell(reset_method="subtract"),
    **{f"{make.__name__} {kind} {delay}": make(reset_mechanism=kind, reset_delay=delay)
       for make in (snntorch.Leaky, snntorch.RLeaky, snntorch.Synaptic) for kind in RESETS for delay in (True, False)},
    **{f"Alpha {kind}": snntorch.Alpha(reset_mechanism=kind) for kind in RESETS},
    "Lapicque beta": snntorch.Lapicque(beta=0.9), "Lapicque R C": snntorch.Lapicque(R=5.0, C=2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", NEURONS)
def test_derivatives_equal_differences(name):
    nbsnn.check(NEURONS[name])


@pytest.mark.parametrize(("make", "name"), [(snntorch.Synaptic, "alpha"), (snntorch.Synaptic, "beta"),
                                            (snntorch.Alpha, "alpha")])  # fmt: skip
def test_a_factor_beyond_one_is_clamped_and_has_no_gradient(make, name):
    net = nbsnn.Sequential(cells=make(learn=(name,)), input_shape=2, device="python", dtype=np.float64)
    x, learner = np.random.default_rng(0).uniform(0.0, 1.5, (6, 2, 2)), nbsnn.BPTT(net, nbsnn.losses.step_mse)
    assert learner.gradients(x, x)[1][f"cells/{name}"] != 0.0
    net["cells"].params[name] = 1.3
    with np.errstate(all="ignore"):
        _, grads = learner.gradients(x, x)
    assert grads[f"cells/{name}"] == 0.0


@pytest.mark.parametrize("name", ["LIFRefracCell", "LSNNCell", "Leaky zero False", "Alpha subtract"])
def test_compiled_equals_interpreted(name):
    x = np.random.default_rng(0).normal(0.4, 1.0, (20, 2, 3)).astype(np.float32)
    kept, plain = (nbsnn.Population(NEURONS[name], 3, device=device).run(x) for device in ("cpu", "python"))
    for variable in NEURONS[name].state:
        np.testing.assert_allclose(kept[variable], plain[variable], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["LIFCell", "LIFBoxCell subtract", "Leaky zero False", "Alpha subtract"])
def test_networks_pickle(name):
    net = nbsnn.Sequential(nbsnn.Dense(3, 4), NEURONS[name], seed=0, device="python")
    x = np.random.default_rng(0).normal(0.4, 1.0, (5, 2, 3)).astype(np.float32)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).run(x).output, net.run(x).output)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: norse.LIFCell(tau=5.0), "LIFCell has no option 'tau'; its options are tau_syn_inv"),
        (
            lambda: norse.LICell(method="super"),
            "LICell has no option 'method'; its options are tau_syn_inv, tau_mem_inv, v_leak",
        ),
        (lambda: norse.IAFCell(dt=0.001), "IAFCell has no option 'dt'"),
        (lambda: norse.LIFCell(method="logistic"), "method must be one of 'super'"),
        (lambda: norse.LIFBoxCell(reset_method="zero"), "reset_method must be one of 'value', 'subtract'"),
        (lambda: snntorch.Leaky(reset_mechanism="hard"), "reset_mechanism must be one of 'subtract', 'zero', 'none'"),
        (lambda: snntorch.Leaky(reset_delay="no"), "reset_delay must be True or False"),
        (lambda: snntorch.Leaky(spike_grad="atan"), "spike_grad must be a surrogate"),
        (lambda: snntorch.Alpha(alpha=0.5, beta=0.5), "alpha must be greater than beta"),
        (lambda: snntorch.Lapicque(), "beta must lie between 0 and 1"),
    ],
)
def test_what_is_wrong_is_named(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()
