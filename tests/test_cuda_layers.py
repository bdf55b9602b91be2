"""Networks whose arrays live on a GPU, in Numba's simulator: products, runs, states, copies, files, whole trainings."""

import copy

import numpy as np
import pytest

import nbsnn
from nbsnn import BPTT, losses, random
from nbsnn.cli import main
from nbsnn.device import gpu, gpu_products, gpu_sums
from nbsnn.neurons import LI

from .cuda_nets import KINDS, batch, net

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 9, 3), (12, 17, 10)])
def test_products(sizes):
    rows, depth, columns = sizes
    x, w, g, b = (RNG.normal(size=s) for s in ((rows, depth), (depth, columns), (rows, columns), (columns,)))
    given, weight, errors = map(gpu.put, (x, w, g))
    y, gx, total = gpu.empty((rows, columns), float), gpu.empty((rows, depth), float), gpu.put(w)
    gpu_products.multiply(given, weight, y, gpu.put(b))
    np.testing.assert_allclose(gpu.get(y), x @ w + b, 1e-12)
    gpu_products.multiply(given, weight, y, add=True)
    np.testing.assert_allclose(gpu.get(y), 2 * (x @ w) + b, 1e-12)
    gpu_products.multiply_back(errors, weight, gx)
    np.testing.assert_allclose(gpu.get(gx), g @ w.T, 1e-12)
    gpu_products.add_outer(given, errors, total, {})
    np.testing.assert_allclose(gpu.get(total), w + x.T @ g, 1e-12)


def test_long_sums_are_cut():
    x, g = RNG.normal(size=(600, 3)), RNG.normal(size=(600, 2))
    given, total, before = gpu.put(x), gpu.zeros((3, 2), float), gpu.Count.launches
    gpu_products.add_outer(given, gpu.put(g), total, {})
    assert gpu.Count.launches - before == 2
    np.testing.assert_allclose(gpu.get(total), x.T @ g, 1e-12)
    columns, squares = gpu.zeros(3, float), gpu.zeros(1, float)
    gpu_sums.add_columns(given, columns, {})
    gpu_sums.squares(gpu.flat(given), squares, {})
    np.testing.assert_allclose(gpu.get(columns), x.sum(axis=0), 1e-12)
    np.testing.assert_allclose(gpu.get(squares), np.square(x).sum(), 1e-12)


def test_runs_give_numpy_arrays_and_go_on():
    x, here, there = batch("recurrent", 4), net("recurrent", "python"), net("recurrent", "cuda")
    run, other = there.run(x), here.run(x)
    for name in ("v", "spikes"):
        found = run["recurrent1/neurons"][name]
        assert isinstance(found, np.ndarray)
        np.testing.assert_allclose(found, other["recurrent1/neurons"][name], 1e-10)
    np.testing.assert_allclose(run.output, other.output, 1e-10)
    first = there.run(x[:2])
    assert isinstance(first.state["li1"]["v"], np.ndarray)
    np.testing.assert_allclose(there.run(x[2:], first.state).output, other.output[2:], 1e-10)
    np.testing.assert_allclose(there.run(gpu.put(x)).output, other.output, 1e-10)
    with pytest.raises(ValueError, match="batch of 2"):
        there.run(x, {**first.state, "li1": {"v": np.ones((3, 3)), "output": np.ones((3, 3))}})


def test_an_input_that_does_not_change_is_multiplied_once():
    x = np.broadcast_to(batch("dense")[:1], (3, 2, 4))
    there = net("dense", "cuda")
    np.testing.assert_allclose(there.run(x).output, net("dense", "python").run(x).output, 1e-10)
    y, _ = there["dense1"].forward(there.check_input(x), {}, {})
    assert y.array.shape == (1, 2, 5) and y.shape == (3, 2, 5)


def test_steps_can_be_edited():
    outputs = []
    for device in ("cuda", "python"):
        for t, state in net("dense", device).steps(batch("dense")):
            if t == 1:
                state["lif1"]["v"][0, 2] = -5.0
        outputs.append(state["lif1"]["v"])
    np.testing.assert_allclose(*outputs, 1e-10)
    assert outputs[0][0, 2] < -1.0


@pytest.mark.filterwarnings("ignore:overflow")
def test_dropout_drops_the_same_units():
    x, outputs = batch("dropout"), []
    for device in ("cuda", "python"):
        made = net("dropout", device)
        y, _ = made["dropout1"].forward(made.check_input(x), {}, {}, random.Draws(3, "a"))
        outputs.append(gpu.get(y))
    assert np.array_equal(*outputs) and 0 < (outputs[0] == 0.0).sum() < x.size


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_method_is_replaced(kind):
    made = net(kind, "cuda")
    for layer in (made, *made.layers().values()):
        assert not [name for name in vars(layer) if callable(getattr(type(layer), name, None))]
        assert layer.ops is (layer.cuda or layer)
    assert all(layer.cuda is None for layer in net(kind, "cpu").layers().values())


def test_copies_twins_and_files(tmp_path):
    there, x = net("learned", "cuda"), batch("learned")
    output = there.run(x).output
    other = copy.deepcopy(there)
    gpu.fill(other["dense1"].params["weight"], 0.0)
    np.testing.assert_array_equal(there.run(x).output, output)
    assert not gpu.get(other["dense1"].params["weight"]).any()
    np.testing.assert_allclose(there.twin(device="python").run(x).output, output, 1e-12)
    nbsnn.save(there, tmp_path / "net.npz")
    read = nbsnn.load(tmp_path / "net.npz", device="cuda")
    np.testing.assert_array_equal(read.run(x).output, output)
    assert gpu.on_gpu(read["dense1"].params["weight"])
    assert not gpu.on_gpu(nbsnn.load(tmp_path / "net.npz")["dense1"].params["weight"])
    nbsnn.load(tmp_path / "net.npz", other)
    np.testing.assert_array_equal(other.run(x).output, output)


@pytest.mark.long
def test_reports_and_rates():
    there, here, x = net("dense", "cuda"), net("dense", "cpu"), batch("dense", 8)
    assert str(nbsnn.report(there, x)) == str(nbsnn.report(here, x))
    assert nbsnn.target_rate(there, x, 0.3, 0.1) == nbsnn.target_rate(here, x, 0.3, 0.1)
    np.testing.assert_array_equal(gpu.get(there["dense1"].params["weight"]), here["dense1"].params["weight"])
    assert nbsnn.check(there, trials=1).rows


def test_fit_and_resume(tmp_path):
    x, labels = RNG.random((4, 4)), np.array([0, 1, 2, 1])
    results = []
    for device in ("cuda", "python"):
        made = net("dense", device)
        learner = BPTT(made, losses.rate_cross_entropy)
        options = {"encoder": nbsnn.encode.constant(T=2, dtype=np.float64), "batch_size": 2, "progress": False}
        path = tmp_path / f"{device}.npz"
        nbsnn.fit(made, (x, labels), (x, labels), learner=learner, epochs=1, checkpoint=path, **options)
        again = net("dense", device, seed=5)
        other = BPTT(again, losses.rate_cross_entropy)
        history = nbsnn.fit(
            again, (x, labels), (x, labels), learner=other, epochs=2, checkpoint=path, resume=True, **options
        )
        results.append((history["loss"], gpu.get_all(again.parameters())))
    np.testing.assert_allclose(results[0][0], results[1][0], 1e-8)
    for name, array in results[1][1].items():
        np.testing.assert_allclose(results[0][1][name], array, 1e-7, 1e-10)


@pytest.mark.filterwarnings("ignore:overflow")
def test_train_digits_from_the_command_line(tmp_path, capsys):
    options = "--device cuda --samples 2 --batch-size 2 --epochs 1 --hidden 3 --steps 2"
    assert main(["train", "digits", *options.split(), "--out", str(tmp_path)]) == 0
    assert "test accuracy" in capsys.readouterr().out
    assert nbsnn.load(tmp_path / "checkpoint.npz")["w1"].params["weight"].shape == (64, 3)


def test_feedback_of_numbers_on_a_gpu_is_that_of_the_cpu():
    """What a loop without spikes tells its own units at four steps, forward and back, with three units of a block."""
    x, found = np.random.default_rng(0).normal(size=(4, 2, 3)), []
    for device in ("python", "cuda"):
        net = nbsnn.Sequential(nbsnn.Recurrent(LI(3.0)), input_shape=(3,), device=device, dtype=np.float64, seed=1)
        _, grads = nbsnn.BPTT(net, nbsnn.losses.step_mse).gradients(x, np.ones((4, 2, 3)))
        found.append([net.run(x).output, *(np.array(grads[name]) for name in sorted(grads))])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, 1e-11, 1e-13)
        assert one.any()
