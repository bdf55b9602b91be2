"""Checkpoints: round trips, and files that are damaged, foreign or do not fit."""

import inspect
import io
import json
import time
import zipfile

import numpy as np
import pytest

import nbsnn
from nbsnn import Neuron, dspike, plasticity, spike
from nbsnn.checkpoint.describe import describe
from nbsnn.neurons import ALIF, CLIF, IF, LI, LIF, PLIF, CubaLIF
from nbsnn.plasticity.describe import describe_rule, rebuild_rule
from nbsnn.presets import bindsnet
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

    def fail(stream, array, **options):
        stream.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OSError, match="disk full"):
        nbsnn.save(net, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["net.npz"]


def test_extra_names_are_the_callers(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(), seed=0)
    with pytest.raises(ValueError, match="extra must not use"):
        nbsnn.save(net, tmp_path / "net.npz", {"param/dense1/weight": np.zeros(1)})


def rewritten(path, **changes):
    """An .npz whose entries are replaced ("/" is "__"; bytes as they are; None: left out), with right checksums."""
    with zipfile.ZipFile(path) as file:
        entries = {name: file.read(name) for name in file.namelist()}
    for name, new in changes.items():
        out = io.BytesIO()
        if new is not None and not isinstance(new, bytes):
            np.lib.format.write_array(out, np.asarray(new))
        entries[name.replace("__", "/") + ".npy"] = new if isinstance(new, bytes) else out.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            if content:
                file.writestr(name, content)


def header(shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


SMALL = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(tau=np.array([2.0, 3.0])), seed=0, device="python")


def story(*path, **changes):
    """The description of a small network, with an object at ``path`` changed; None takes a field away."""
    found = {"format": 1, "version": "0", "setting": {"dt": 1.0, "dtype": "float32"}, "in_shape": [3]}
    found["net"] = describe(SMALL, {})
    at = found
    for name in path:
        at = at[name]
    for name, value in changes.items():
        at.pop(name, None) if value is None else at.update({name: value})
    return json.dumps(found)


DENSE = ("net", "children", "dense1")
LIF1 = ("net", "children", "lif1")
DAMAGE = {
    "null": {"nbsnn": "null"},
    "cut": {"nbsnn": story()[:-9]},
    "deep": {"nbsnn": "[" * 100_000},
    "twice": {"nbsnn": story().replace('"format": 1', '"format": 1, "format": 1')},
    "no net": {"nbsnn": story(net=None)},
    "unknown field": {"nbsnn": story(*DENSE, more=1)},
    "no layer": {"nbsnn": story(*DENSE, layer="Nothing")},
    "no class of layers": {"nbsnn": story(*DENSE, layer="__class__")},
    "a list": {"nbsnn": story("net", children=[1])},
    "negative": {"nbsnn": story(*DENSE, "options", n_post=-1)},
    "too many": {"nbsnn": story(*DENSE, "options", n_post=10**9)},
    "far too many": {"nbsnn": story(*DENSE, "options", n_post=10**30)},
    "wide input": {"nbsnn": story(in_shape=[10**9])},
    "no switch": {"nbsnn": story(*LIF1, "options", detach_reset="yes")},
    "no neuron": {"nbsnn": story(*LIF1, neuron="Surrogate")},
    "no surrogate": {"nbsnn": story(*LIF1, "options", surrogate={"surrogate": "atan", "options": {"beta": 1.0}})},
    "no array": {"nbsnn": story(*LIF1, "options", tau={"array": "value/none"})},
    "setting": {"nbsnn": story("setting", dt="1")},
    "bytes as text": {"nbsnn": np.array(b"x")},
    "text": {"param__dense1__bias": np.array(["a", "b"])},
    "bool": {"param__dense1__bias": np.array([True, False])},
    "int64": {"param__dense1__bias": np.array([1, 2])},
    "structured": {"param__dense1__bias": np.zeros(2, [("a", "f4")])},
    "beyond float32": {"param__dense1__bias": np.array([1e300, 0.0])},
    "missing": {"param__dense1__bias": None},
    "no magic": {"param__dense1__bias": b"hello"},
    "huge": {"param__dense1__bias": header("(1000000000000,)") + bytes(8)},
    "negative shape": {"param__dense1__bias": header("(-1, -2)") + bytes(8)},
    "no header": {"param__dense1__bias": header("(2,") + bytes(8)},
    "bool tau": {"value__lif1__tau": np.array([True, True])},
    "unpacks to much": {"value__lif1__tau": header("(50000000,)") + bytes(200_000_000)},
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_entry_is_one_error_with_the_path(name, tmp_path):
    path = tmp_path / "net.npz"
    nbsnn.save(SMALL, path)
    rewritten(path, **DAMAGE[name])
    start = time.process_time()
    with pytest.raises(ValueError) as error:
        nbsnn.load(path)
    assert type(error.value) is ValueError and str(error.value).startswith(str(path))
    assert time.process_time() - start < 2.0


def test_entries_that_nobody_asks_for_are_not_unpacked(tmp_path):
    path = tmp_path / "net.npz"
    nbsnn.save(SMALL, path)
    rewritten(path, surplus=header("(50000000,)") + bytes(200_000_000))
    start = time.process_time()
    np.testing.assert_array_equal(nbsnn.load(path)["dense1"].params["weight"], SMALL["dense1"].params["weight"])
    assert time.process_time() - start < 0.5


def test_flipped_bits_of_the_zip_are_named(tmp_path):
    path = tmp_path / "net.npz"
    nbsnn.save(SMALL, path)
    whole = path.read_bytes()
    begin = whole.find(b"PK\x01\x02")
    for place, bits in ((10, 99), (8, 1), (6, 200)):  # method, encryption, version
        path.write_bytes(whole[: begin + place] + bytes([whole[begin + place] ^ bits]) + whole[begin + place + 1 :])
        with pytest.raises(ValueError, match=r"net\.npz"):
            nbsnn.load(path)


def test_numbers_of_numpy_are_saved_as_what_they_are(tmp_path, x):
    net = nbsnn.Sequential(
        nbsnn.Conv2d(np.int64(1), np.int32(2), np.int64(3)), nbsnn.Flatten(), nbsnn.Dropout(np.float32(0.25)),
        nbsnn.Delay(np.int64(1)), nbsnn.Dense(np.int64(8), np.uint8(4)),
        LIF(tau=np.float32(3.3), v_threshold=np.arange(3)[1], detach_reset=np.bool_(True), refractory=np.float64(1.0),
            surrogate=superspike(np.float32(25.1))),
        input_shape=(np.int64(1), 4, 4), dt=np.float32(0.3), seed=0, device="python",
    )  # fmt: skip
    nbsnn.save(net, tmp_path / "net.npz")
    other = nbsnn.load(tmp_path / "net.npz", device="python")
    np.testing.assert_array_equal(other.run(x).output, net.run(x).output)


def test_a_function_among_the_options_is_named_before_anything_is_written(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(tau=lambda shape: np.full(shape, 2.0)), seed=0, device="python")
    with pytest.raises(TypeError, match="tau of lif1/LIF is a function, which a file cannot hold"):
        nbsnn.save(net, tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())


RULES = [
    make() for make in vars(plasticity).values()
    if inspect.isfunction(make) and inspect.get_annotations(make).get("return") in ("Rule", "RewardRule", "MetaRule")
]  # fmt: skip


@pytest.mark.parametrize(
    "rule", [*RULES, bindsnet.WeightDependentPostPre((1e-4, 1e-2))], ids=lambda r: r.change.__name__
)
def test_every_rule_of_a_plastic_layer_is_kept(rule, tmp_path):
    net = nbsnn.Sequential(plasticity.Plastic(nbsnn.Dense(4, 3, bias=False), LIF(), rule), seed=0, device="python")
    nbsnn.save(net, tmp_path / "net.npz")
    found = nbsnn.load(tmp_path / "net.npz")["plastic1"].rule
    assert type(found) is type(rule) and repr(found) == repr(rule)


def test_a_file_names_rules_of_this_package_alone(tmp_path):
    story = describe_rule(plasticity.PairSTDP())
    for change in ("os.path.join", "nbsnn.plasticity.pair.par", "nbsnn.__main__.main", 3):
        with pytest.raises(ValueError, match="there is no rule"):
            rebuild_rule({**story, "change": change})
    with pytest.raises(ValueError, match=r"kind of a rule must be one of .* not 'Ruler'"):
        rebuild_rule({**story, "kind": "Ruler"})
