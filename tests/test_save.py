"""Checkpoints: round trips, and files that are damaged, foreign or do not fit."""

import json

import numpy as np
import pytest

import nbsnn
from nbsnn import Neuron, dspike, spike
from nbsnn.neurons import ALIF, CLIF, IF, LI, LIF, PLIF, CubaLIF
from nbsnn.surrogates import Surrogate, superspike


def everything():
    return nbsnn.Sequential(
        nbsnn.Conv2d(1, 2, 3, padding=1), IF(v_reset=None), nbsnn.MaxPool2d(2), nbsnn.Flatten(), nbsnn.Dropout(0.1),
        nbsnn.Dense(8, 6), nbsnn.Recurrent(ALIF()), nbsnn.Residual(nbsnn.Dense(6, 6, bias=False), PLIF(tau=3.0)),
        nbsnn.Delay(2), LIF(tau=np.linspace(2, 3, 6), refractory=2.0, learn="tau", surrogate=superspike(25.0)),
        nbsnn.Residual(nbsnn.Dense(6, 4), CubaLIF(compare=">"), shortcut=nbsnn.Dense(6, 4)),
        nbsnn.Dense(4, 4), CLIF(), nbsnn.Dense(4, 3), LI(decay="euler"),
        input_shape=(1, 4, 4), dt=0.5, seed=3,
    )  # fmt: skip


@pytest.fixture
def x():
    return np.random.default_rng(0).random((6, 2, 1, 4, 4)).astype(np.float32) * 3


def test_a_loaded_network_runs_as_the_saved_one(tmp_path, x):
    net = everything()
    nbsnn.save(net, tmp_path / "net.npz")
    other = nbsnn.load(tmp_path / "net.npz")
    assert other.setting == net.setting
    assert repr(other) == repr(net)
    a, b = (n.twin(device="python").run(x) for n in (net, other))
    np.testing.assert_array_equal(a.output, b.output)


def test_numpy_alone_reads_it(tmp_path):
    net = everything()
    nbsnn.save(net, tmp_path / "net.npz", {"note": np.arange(3)})
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["param/dense1/weight"], net["dense1"].params["weight"])
        story = json.loads(str(file["nbsnn"]))
        np.testing.assert_array_equal(file["note"], np.arange(3))
    assert story["setting"] == {"dt": 0.5, "dtype": "float32"}
    assert story["net"]["children"]["if1"]["options"]["v_reset"] is None


def own_step(x, v):
    s = spike(v + x - 1.0)
    return s, v + x - s


def own_vjp(x, v, gs, gv):
    g = (gs - gv) * dspike(v + x - 1.0) + gv
    return g, g


def test_own_neurons_need_the_network(tmp_path):
    def make(seed):
        neuron = Neuron(own_step, own_vjp, state={"v": 0.0})
        return nbsnn.Sequential(nbsnn.Dense(3, 2), neuron, seed=seed)

    net, other = make(0), make(1)
    nbsnn.save(net, tmp_path / "net.npz")
    with pytest.raises(ValueError, match=r"own_step of your own.*net="):
        nbsnn.load(tmp_path / "net.npz")
    assert nbsnn.load(tmp_path / "net.npz", net=other) is other
    np.testing.assert_array_equal(other["dense1"].params["weight"], net["dense1"].params["weight"])


def test_own_surrogates_need_the_network(tmp_path):
    own = Surrogate("mine", {}, lambda u: u, lambda u: 1.0)
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(surrogate=own), seed=0)
    nbsnn.save(net, tmp_path / "net.npz")
    with pytest.raises(ValueError, match="surrogate of your own"):
        nbsnn.load(tmp_path / "net.npz")


def test_damaged_and_foreign_files(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(), seed=0)
    path = tmp_path / "net.npz"
    nbsnn.save(net, path)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not a zip file", whole[:-30]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"net\.npz"):
            nbsnn.load(path)
    np.savez(path, a=np.zeros(3))
    with pytest.raises(ValueError, match="was not written by nbsnn"):
        nbsnn.load(path)
    with pytest.raises(FileNotFoundError):
        nbsnn.load(tmp_path / "missing.npz")


def test_files_that_do_not_fit(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(), seed=0)
    nbsnn.save(net, tmp_path / "net.npz")
    wider = nbsnn.Sequential(nbsnn.Dense(3, 4), LIF(), seed=0)
    before = wider["dense1"].params["weight"].copy()
    with pytest.raises(ValueError, match=r"dense1/weight is \[3, 2\], but the network's is \[3, 4\]"):
        nbsnn.load(tmp_path / "net.npz", net=wider)
    np.testing.assert_array_equal(wider["dense1"].params["weight"], before)
    with pytest.raises(ValueError, match="holds the parameters"):
        nbsnn.load(tmp_path / "net.npz", net=nbsnn.Sequential(nbsnn.Dense(3, 2, bias=False), LIF()))
    net["dense1"].params["weight"][0, 0] = np.nan
    nbsnn.save(net, tmp_path / "nan.npz")
    with pytest.raises(ValueError, match="NaN"):
        nbsnn.load(tmp_path / "nan.npz")


def test_nothing_is_half_written(tmp_path, monkeypatch):
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(), seed=0)
    path = tmp_path / "net.npz"
    nbsnn.save(net, path)
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        nbsnn.save(net, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_extra_names_are_the_callers(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(), seed=0)
    with pytest.raises(ValueError, match="extra must not use"):
        nbsnn.save(net, tmp_path / "net.npz", {"param/dense1/weight": np.zeros(1)})
