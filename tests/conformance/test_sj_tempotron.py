"""SpikingJelly's Tempotron: all three outputs with their derivatives, training, two layers, kernel, encoder, quirks."""

import numpy as np

from nbsnn.optim import SGD
from nbsnn.presets.spikingjelly import GaussianTuning, Tempotron, mse_loss
from nbsnn.tempotron import dpsp, psp

from .golden import Case, close, exact, golden

FILE = "sj_tempotron.npz"


def neuron(case: Case, weight: np.ndarray) -> Tempotron:
    """A Tempotron with the case's settings; recorded weights are [out, in]."""
    names = ("T", "tau", "tau_s", "v_threshold")
    n_out, n_in = weight.shape
    return Tempotron(n_in, n_out, **{k: case.params[k] for k in names}, weight=weight.T, dtype=case.dtype)


@golden(FILE, where=lambda case: "v_max_cot" in case)
def test_outputs_and_gradients(case: Case) -> None:
    t = neuron(case, case["weight"])
    close(t.v0, case["v0"], what="v0")
    for kind in ("v", "v_max", "spikes"):
        output, record = t.forward(case["in_spikes"], kind)
        (exact if kind == "spikes" else close)(output, case[kind], what=kind)
        assert output.dtype == case.dtype
        grads, g_times = t.backward(record, case[f"{kind}_cot"])
        close(grads["weight"].T, case[f"{kind}_grad_weight"], what=f"{kind}: weight")
        close(g_times, case[f"{kind}_grad_in_spikes"], what=f"{kind}: in_spikes")


@golden(FILE, where=lambda case: "losses" in case)
def test_mse_training(case: Case) -> None:
    t = neuron(case, case["weight"])
    optimizer = SGD(case.params["lr"])
    for k, wanted in enumerate(case["losses"]):
        v_max, record = t.forward(case["in_spikes"], "v_max")
        value, g = mse_loss(v_max, case.params["v_threshold"], case["label"])
        grads, _ = t.backward(record, g)
        close(value, wanted, case.dtype, what=f"loss {k}")
        close(v_max, case["v_max"][k], what=f"v_max {k}")
        close(grads["weight"].T, case["grad_weight"][k], what=f"gradient {k}")
        optimizer.step(t.params, grads)
        close(t.params["weight"].T, case["weight_after"][k], what=f"weight {k}")
    value, g = mse_loss(case["mse_v_max"], case.params["v_threshold"], case["label"])
    close(value, case["mse_loss"], case.dtype, what="loss alone")
    close(g, case["mse_grad_v_max"], what="gradient alone")


@golden(FILE, where=lambda case: "weight2" in case)
def test_two_layers(case: Case) -> None:
    first, second = neuron(case, case["weight1"]), neuron(case, case["weight2"])
    hidden, record1 = first.forward(case["in_spikes"], "spikes")
    v_max, record2 = second.forward(hidden, "v_max")
    exact(hidden, case["hidden"], what="hidden")
    close(v_max, case["v_max"], what="v_max")
    grads2, g_hidden = second.backward(record2, case["cot"])
    grads1, g_times = first.backward(record1, g_hidden)
    close(grads2["weight"].T, case["grad_weight2"], what="weight2")
    close(grads1["weight"].T, case["grad_weight1"], what="weight1")
    close(g_times, case["grad_in_spikes"], what="in_spikes")


@golden(FILE, where=lambda case: "psp" in case)
def test_kernel(case: Case) -> None:
    constants = case.params["tau"], case.params["tau_s"]
    close([psp(t, *constants) for t in case["t"]], case["psp"], what="psp")
    close([dpsp(t, *constants) for t in case["t"]], case["grad_t"], what="slope")


@golden(FILE, where=lambda case: "v" in case and "v_cot" not in case)
def test_overflow(case: Case) -> None:
    close(neuron(case, case["weight"]).forward(case["in_spikes"], "v")[0], case["v"], what="v")


@golden(FILE, where=lambda case: "mu" in case)
def test_gaussian_tuning(case: Case) -> None:
    tuning = GaussianTuning(case.params["n"], case.params["m"], case["x_min"], case["x_max"])
    close(tuning.mu, case["mu"], what="mu")
    close(tuning.sigma2, case["sigma2"], what="sigma2")
    exact(tuning.encode(case["x"], case.params["max_spike_time"]), case["out"], what="times")
