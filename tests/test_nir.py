"""NIR files: what is written is read, here and elsewhere; what cannot be said is refused by name; damage is refused."""

import random
import re
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import Dense, Parallel, Recurrent, Sequential
from nbsnn.neurons import ALIF, IF, LI, LIF, CubaLIF, Izhikevich, LateReset, MultiSpike
from nbsnn.nir import NirWarning, read, write

from .nir_nets import NETS, NOTED, READ, net

for module in ("pyfive", "h5py"):
    pytest.importorskip(module, reason=f'NIR files need {module}: pip install "nbsnn[nir]"')

from nbsnn.nir.file import load, store  # noqa: E402
from nbsnn.nir.graph import Graph  # noqa: E402

OURS = Path(__file__).parent / "nir" / "ours.npz"
PAGE = Path(__file__).parent.parent / "examples" / "docs" / "nir.md"


def quietly(function, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NirWarning)
        return function(*arguments, **options)


def image(network, steps=30, seed=0):
    return np.random.default_rng(seed).random((steps, 2, *network.in_shape)) * 2.0


def graph(nodes, edges="", start=(3,), end=(3,)):
    """A graph from texts such as "input a output, a b"; nodes lack nothing but input and output."""
    ends = {"input": {"type": "Input", "shape": np.array(start)}, "output": {"type": "Output", "shape": np.array(end)}}
    rows = [row.split() for row in (edges or "input " + " ".join(nodes) + " output").split(",")]
    return Graph({**ends, **nodes}, [pair for row in rows for pair in pairwise(row)])


def lif(n=3, tau=3e-4, r=1.0, v_leak=0.0, v_reset=0.0, v_threshold=1.0):
    given = {"tau": tau, "r": r, "v_leak": v_leak, "v_reset": v_reset, "v_threshold": v_threshold}
    return {"type": "LIF", **{name: np.full(n, value) for name, value in given.items()}}


def affine(n_pre=3, n_post=3, seed=0, bias=True):
    rng = np.random.default_rng(seed)
    weight = {"weight": rng.uniform(-0.3, 1.0, (n_post, n_pre))}
    return {"type": "Affine", **weight, "bias": rng.uniform(0, 0.3, n_post)} if bias else {"type": "Linear", **weight}


@pytest.fixture
def stored(tmp_path):
    """A graph in a file."""

    def made(nodes, edges="", **shapes):
        path = tmp_path / "graph.nir"
        store(graph(nodes, edges, **shapes), str(path))
        return path

    return made


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [*NETS, *NOTED])
def test_what_is_written_is_read_as_the_same_network(name, dtype, tmp_path):
    given = net({**NETS, **NOTED}[name], name, dtype=dtype, dt=0.5)
    path = tmp_path / "net.nir"
    if name in NETS:
        write(given, path)
    else:
        with pytest.warns(NirWarning) as told:
            write(given, path)
        assert len(told) == 1 and str(told[0].message).startswith(f"{path} tells other libraries nothing of this: ")
    again = read(path, device="python")
    assert (again.setting.dt, again.setting.dtype) == (0.5, dtype)
    x = image(given)
    np.testing.assert_allclose(
        again.run(x).output, given.run(x).output, rtol=0, atol=0 if dtype == np.float64 else 1e-5
    )
    assert sum(map(np.size, again.parameters().values())) <= sum(map(np.size, given.parameters().values()))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("convention", ["nir", "spikingjelly"])
def test_the_nodes_alone_say_the_same(name, convention, tmp_path):
    given = net(NETS[name], name, dtype=np.float64)
    write(given, tmp_path / "net.nir")
    again = read(tmp_path / "net.nir", convention, 1e-4, "hard", device="python")
    assert again.setting.dt == 1e-4
    x = image(given)
    if convention == "nir" or name != "euler":  # there runs of SpikingJelly start at v_reset
        np.testing.assert_allclose(again.run(x).output, given.run(x).output, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", [*NETS, *NOTED])
def test_nir_itself_takes_what_is_written(name, tmp_path):
    nir = pytest.importorskip("nir")
    quietly(write, net({**NETS, **NOTED}[name], name), tmp_path / "net.nir")
    found = nir.read(tmp_path / "net.nir", type_check=name != "conv")  # it infers another shape behind groups
    assert {type(node).__name__ for node in found.nodes.values()} >= {"Input", "Output"}


@pytest.mark.parametrize("name", READ)
def test_other_libraries_compute_the_same_from_what_is_written(name, tmp_path):
    """The rasters in nir/ours.npz were made by snnTorch 1.0.0, SpikingJelly 2.0.0, Norse 1.1.0 and Sinabs 3.1.3, from
    files of these networks; the numbers of the files lie beside them."""
    dialect, layers = READ[name]
    given = net(layers, name)
    quietly(write, given, tmp_path / "net.nir", dialect)
    nodes = load(str(tmp_path / "net.nir")).nodes
    with np.load(OURS) as file:
        found = {key.removeprefix(f"{name}/"): file[key] for key in file.files if key.startswith(f"{name}/")}
    for key in (key for key in found if key.startswith("node/")):
        _, node, field = key.split("/")
        np.testing.assert_allclose(nodes[node][field], np.broadcast_to(found[key], nodes[node][field].shape), rtol=1e-6)
    x = np.unpackbits(found["x"])[: np.prod(found["shape"])].reshape(found["shape"])
    output = given.run(x[:, None].astype(np.float32)).output[:, 0]
    readers = found.keys() & {"snntorch", "spikingjelly", "norse", "sinabs"}
    assert readers == ({dialect} if dialect != "nir" else readers) and readers
    for reader in readers:
        np.testing.assert_allclose(output, found[reader], rtol=0, atol=1e-5, err_msg=reader)


def test_a_norse_current_jumps_then_charges_then_decays(stored):
    tau, tau_syn = 4e-6, 2e-6
    fields = {
        "tau_mem": tau,
        "tau_syn": tau_syn,
        "r": 1.0,
        "w_in": 1.0,
        "v_leak": 0.1,
        "v_reset": 0.0,
        "v_threshold": 0.8,
    }
    node = {"type": "CubaLIF", **{key: np.full(2, value) for key, value in fields.items()}}
    found = quietly(read, stored({"n": node}, start=(2,)), "norse", device="python")
    x, i, v = np.random.default_rng(0).random((20, 1, 2)) * 1.5, np.zeros(2), np.full(2, 0.1)
    run = found.run(x)
    for t in range(20):
        i = i + x[t, 0]
        v = v + 1e-6 / tau * (0.1 - v + i)
        i = i * (1.0 - 1e-6 / tau_syn)
        spikes = v > 0.8
        v = np.where(spikes, 0.0, v)
        np.testing.assert_array_equal(run.output[t, 0], spikes)
        np.testing.assert_allclose(run["n"]["v"][t, 0], v, atol=1e-12)
    assert 0.1 < run.output.mean() < 0.9


@pytest.mark.parametrize(("convention", "bias_at_first"), [("nir", False), ("spikingjelly", False), ("snntorch", True)])
def test_the_bias_of_a_loop_is_there_at_the_first_step_in_snntorch_alone(convention, bias_at_first, stored):
    loop = affine(seed=1)
    path = stored({"fc": affine(), "n": lif(), "rec": loop}, "input fc n output, n rec n")
    found = quietly(read, path, convention, 1e-4, device="python")
    x = np.random.default_rng(2).random((15, 1, 3))
    run, v, s, fc = found.run(x), np.zeros(3), None, affine()
    for t in range(15):
        z = fc["weight"] @ x[t, 0] + fc["bias"]
        if s is not None:
            z = z + loop["weight"] @ s + loop["bias"]
        elif bias_at_first:
            z = z + loop["bias"]
        v = v + (z - v) / 3.0
        s = (v > 1.0).astype(float)
        v = np.where(s, 0.0, v)
        np.testing.assert_array_equal(run.output[t, 0], s)
        np.testing.assert_allclose(run["n"]["neurons"]["v"][t, 0], v, atol=1e-12)
    assert run.output.any()


def test_a_factor_goes_into_the_weights_or_before_the_neuron(stored):
    found = read(stored({"fc": affine(), "n": lif(r=1.5)}), dt=1e-4)
    np.testing.assert_allclose(found["fc"].params["weight"], affine()["weight"].T * 0.5)
    assert list(found.layers()) == ["fc", "n"]
    shared = read(stored({"fc": affine(), "a": lif(r=1.5), "b": lif()}, "input fc a output, fc b output"), dt=1e-4)
    assert "sum1/a/a_gain" in shared.layers()
    np.testing.assert_allclose(shared["sum1/a/a_gain"].params["scale"], 0.5)
    alone = read(stored({"n": lif(r=np.array([1.0, 2.0, 4.0]))}), dt=1e-4)
    np.testing.assert_allclose(alone["n_gain"].params["scale"], np.array([1.0, 2.0, 4.0]) / 3.0)


def test_rounding_of_two_divisions_is_taken_back(stored):
    for factor in (0.5, 0.25, 0.75, 0.875, 0.625, 0.96875):
        tau = 1e-4 / (1.0 - factor)
        found = quietly(read, stored({"n": lif(tau=tau, r=tau / 1e-4)}), "snntorch", dtype=np.float64)
        assert list(found.layers()) == ["n"] and not found["n"].neuron.options["decay_input"]
        assert found["n"].step_parameters()[0, 0] == factor


def test_what_has_no_meaning_to_the_writer_is_said(stored):
    nodes = {"a": {**lif(tau=3.0, r=2.0, v_reset=0.5)}, "b": {**lif(), "type": "IF"}}
    with pytest.warns(NirWarning) as told:
        found = read(stored(nodes), "sinabs")
    assert [layer.kind for layer in found.layers().values()] == ["multispike", "multispike"]
    assert len(told) == 1 and all(
        f"{field} of node 'a' is not {value}, and has no meaning in files of sinabs" in str(told[0].message)
        for field, value in (("r", 1), ("v_reset", 0))
    )
    threshold = {"type": "Threshold", "threshold": np.ones(3)}
    assert read(stored({"t": threshold}), "sinabs")["t"].kind == "discontinuous"
    with pytest.warns(NirWarning, match="r of node 'b' is not 1"):
        read(stored({"b": {**lif(r=2.0), "type": "IF"}}), "norse", reset=0.0)


def test_names_that_are_options_or_lie_inside_are_names_all_the_same(stored):
    found = read(stored({"dt": affine(), "seed": lif(), "1.lif": lif()}), dt=1e-4)
    assert list(found.layers()) == ["dt_", "seed_", "1.lif"]


def test_precision_is_that_of_the_file_unless_it_is_told(tmp_path):
    write(net(NETS["lif"]), tmp_path / "net.nir")
    assert read(tmp_path / "net.nir").setting.dtype == np.float32
    assert read(tmp_path / "net.nir", dtype="float64").setting.dtype == np.float64


def test_a_trained_network_is_read_on_a_gpu(tmp_path):
    given = net(NETS["trained"], dtype=np.float64)
    given["lif1"].params["tau"][:] = [3.0, 2.5, 2.0, 6.0]
    write(given, tmp_path / "net.nir")
    again = read(tmp_path / "net.nir", device="cuda")
    x = image(given, 5)
    np.testing.assert_allclose(again.run(x).output, given.run(x).output, atol=1e-12)
    np.testing.assert_allclose(np.asarray(again.twin(device="cpu").parameters()["lif1/tau"]), [3.0, 2.5, 2.0, 6.0])
    write(again, tmp_path / "again.nir")
    assert load(str(tmp_path / "again.nir")).edges == load(str(tmp_path / "net.nir")).edges


BOX = (1, 4, 4)
REFUSED = [
    (lambda: [nbsnn.MaxPool2d(2)], BOX, "nir", "maxpool2d1: NIR has no node for a MaxPool2d"),
    (lambda: [nbsnn.TemporalConv(3, 3, 2)], 3, "nir", "temporalconv1: NIR has no node for a TemporalConv"),
    (lambda: [Parallel(Dense(3, 2), Dense(3, 2))], 3, "nir", "parallel1: NIR adds what comes together"),
    (lambda: [Parallel(nbsnn.Identity(), nbsnn.Identity(), join="sum")], 3, "nir", "input is added twice"),
    (lambda: [ALIF()], 3, "nir", "alif1: NIR has no node for a ALIF; it has for LIF, "),
    (lambda: [LIF().replace(kind="", options={})], 3, "nir", "NIR has no node for a neuron of your own"),
    (lambda: [LIF(refractory=2.0)], 3, "nir", "lif1: NIR has no refractory period"),
    (lambda: [IF(drain=0.1)], 3, "nir", "if1: NIR has no drain"),
    (lambda: [LIF(tau=1e30)], 3, "nir", "lif1: tau is so long that nothing leaks"),
    (lambda: [Recurrent(LIF(), Dense(3, 3), join="sum")], 3, "nir", "the bias of its feedback acts at the first step"),
    (lambda: [Dense(3, 3), Parallel(Recurrent(LIF(), Dense(3, 3)), Dense(3, 3), join="sum")], 3, "nir",
     "dense1, which goes elsewhere, too"),
    (lambda: [Recurrent(LIF(first=1.0))], 3, "nir", 'comes back at the first step differs .*waits="feedback"'),
    (lambda: [Recurrent(LIF(), nbsnn.Delay(1))], 3, "nir", "comes back at the first step differs"),
    (lambda: [Recurrent(Dense(6, 3), join="concatenate")], 3, "nir", "NIR adds what comes together"),
    (lambda: [Recurrent(Parallel(LIF(), LI(), join="sum"))], 3, "nir", "no one node to which it comes back"),
    (lambda: [LI()], 3, "norse", "li1: norse reads no node of type LI"),
    (lambda: [Recurrent(LIF())], 3, "norse", "norse reads no branches that are added, and no loops"),
    (lambda: [LIF(v_reset=None)], 3, "norse", "lif1: norse has no soft reset"),
    (lambda: [LIF(v_reset=0.1)], 3, "norse", "a LIF with a v_leak or v_reset of 0 only"),
    (lambda: [CubaLIF(v_rest=0.1)], 3, "norse", "a CubaLIF with a v_leak or v_reset of 0 only"),
    (lambda: [LIF()], 3, "norse", "lif1: norse adds its input times another factor"),
    (lambda: [LIF()], 3, "sinabs", "lif1: sinabs has no hard reset"),
    (lambda: [LateReset()], 3, "sinabs", "latereset1: sinabs has no reset one step late"),
    (lambda: [MultiSpike()], 3, "norse", "multispike1: norse has no several spikes"),
    (lambda: [CubaLIF(v_reset=None)], 3, "sinabs", "cubalif1: sinabs reads no node of type CubaLIF"),
    (lambda: [nbsnn.AvgPool2d(2)], BOX, "sinabs", "sinabs reads no node of type AvgPool2d"),
    (lambda: [nbsnn.SumPool2d(2, padding=1)], BOX, "sinabs", "sinabs reads no padding"),
    (lambda: [nbsnn.Conv2d(1, 2, 3), LIF(v_reset=None)], BOX, "sinabs", "LIF of units in a row only, not of"),
    (lambda: [nbsnn.Conv2d(2, 2, 3, groups=2)], (2, 4, 4), "norse", "norse reads no convolution in groups"),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "shape", "dialect", "words"), REFUSED)
def test_what_cannot_be_written_is_refused_by_name_and_nothing_is_written(layers, shape, dialect, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        write(Sequential(*layers(), input_shape=shape), tmp_path / "net.nir", dialect)
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_refused(tmp_path):
    path = tmp_path / "net.nir"
    write(net(NETS["lif"]), path)
    for options, words in [
        ({"convention": "brian"}, "convention must be one of 'nir', 'snntorch'"),
        ({"dt": 0.0}, "dt must be greater than 0"),
        ({"reset": "zero"}, "reset must be one of 'hard', 'soft', 'none', 'late'"),
        ({"convention": "snntorch", "reset": "soft"}, "is not what snnTorch computes"),
        ({"device": "tpu"}, "device must be one of"),
        ({"decay_input": True}, 'decay_input is for convention="sinabs"'),
    ]:
        with pytest.raises(ValueError, match=words):
            read(path, **options)
    with pytest.raises(TypeError, match="decay_input must be True or False"):
        read(path, decay_input=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dialect must be one of 'nir', 'norse', 'sinabs'"):
        write(net(NETS["lif"]), path, "brian")
    with pytest.raises(TypeError, match="net must be a network"):
        write(LIF(), path)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not built yet"):
        write(Sequential(LIF()), path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.nir")


def pool(padding=0):
    sizes = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (padding, padding)}
    return {"type": "AvgPool2d", **{key: np.array(value) for key, value in sizes.items()}}


UNREADABLE = [
    ({"a": affine()}, "input a output", {}, "NIR files have no time step: give dt"),
    ({"a": {"type": "Izhikevich"}}, "input a output", {"dt": 1e-4},
     "node 'a' is of type 'Izhikevich'; what can be read are"),
    ({"a": affine(), "b": affine()}, "input a output", {"dt": 1e-4}, "node 'b' is not reached from the input"),
    ({"a": affine(), "b": affine()}, "input a output, a b", {"dt": 1e-4}, "node 'b' leads nowhere"),
    ({"a": affine(), "c": {"type": "Input", "shape": np.array([3])}}, "input a output, c a", {"dt": 1e-4},
     "2 nodes of type Input"),
    ({k: affine() for k in "abcd"}, "input a c output, input b d output, a d", {"dt": 1e-4},
     "the branches of the graph cross"),
    ({k: affine() for k in "ab"} | {"n": lif()}, "input a n output, a b n, b a", {"dt": 1e-4},
     "two entries or two exits"),
    ({"d": {"type": "Delay", "delay": np.array([1e-4, 2e-4, 2e-4])}}, "", {"dt": 1e-4}, "node 'd' .*one delay for all"),
    ({"d": {"type": "Delay", "delay": np.full(3, 2.5e-4)}}, "", {"dt": 1e-4}, "2.5 steps is not a whole number"),
    ({"n": lif(tau=1e-5)}, "", {"dt": 1e-4}, "node 'n' .LIF.: tau of 1e-05 is shorter than the step, dt = 0.0001"),
    ({"n": lif(tau=-1.0)}, "", {"dt": 1e-4}, "tau must be greater than 0"),
    ({"n": lif(n=4)}, "", {"dt": 1e-4, "reset": 0.5}, None),
    ({"n": lif(n=4, v_threshold=np.arange(4.0))}, "", {"dt": 1e-4}, "n: parameter .* of shape .4. does not fit units"),
    ({"n": {**lif(), "type": "IF"}}, "", {"dt": 1e-4, "reset": "late"}, "an IF cannot be read with reset=\"late\""),
    ({"n": {k: v for k, v in lif().items() if k != "tau"}}, "", {"dt": 1e-4}, "node 'n' .LIF.: field 'tau' is missing"),
    ({"n": lif(r=np.nan)}, "", {"dt": 1e-4}, "is damaged, or is not a NIR file: field 'r' holds NaN"),
    ({"a": affine(4, 3)}, "", {"dt": 1e-4}, "a: Dense.4, 3. needs an input of 4 units"),
    ({"s": {"type": "Scale", "scale": np.ones(4)}}, "", {"dt": 1e-4}, "scale has shape .4., but the layer's is .3."),
    ({"p": pool(2)}, "", {"dt": 1e-4}, "node 'p' .AvgPool2d.: padding must be at most half"),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "edges", "options", "words"), UNREADABLE)
def test_what_cannot_be_read_is_refused_by_name(nodes, edges, options, words, stored):
    path = stored(nodes, edges)
    if words is None:
        assert read(path, **options)["n"].neuron.options["v_reset"] == 0.5
        return
    with pytest.raises(ValueError, match=words) as told:
        read(path, **options)
    assert str(told.value).startswith(str(path))


def test_a_later_feedback_with_a_bias_has_no_meaning_in_snntorch(stored):
    path = stored({"n": lif(), "a": affine(), "b": affine()}, "input n output, n a b n")
    with pytest.raises(ValueError, match="the bias of 'b', at the end of a longer feedback"):
        read(path, "snntorch")
    assert read(path, dt=1e-4)["n"].waits == "feedback"


def test_files_that_are_none(tmp_path):
    path = tmp_path / "x.nir"
    for data in (b"", b"nonsense" * 99, b"\x89HDF\r\n\x1a\n" + bytes(500)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is damaged, or is not a NIR file") as told:
            read(path, dt=1.0)
        assert str(told.value).startswith(str(path))


def test_a_claim_of_more_numbers_than_the_file_holds_is_refused(stored):
    h5py = pytest.importorskip("h5py")
    path = stored({"a": affine()})
    with h5py.File(path, "a") as file:
        del file["node/nodes/a/weight"]
        file["node/nodes/a"].create_dataset("weight", (50_000, 50_000), np.float64, chunks=(1000, 1000))
    started = time.monotonic()
    with pytest.raises(ValueError, match="is larger than the file allows"):
        read(path, dt=1e-4)
    assert time.monotonic() - started < 2.0


def test_damaged_files_are_errors_that_name_the_file_or_are_right(stored):
    source = stored({"fc": affine(), "n": lif(), "rec": affine(seed=1)}, "input fc n output, n rec n")
    data, draw, longest, outcomes = source.read_bytes(), random.Random(0), 0.0, set()
    used = [k for k, byte in enumerate(data) if byte]
    for trial in range(150):
        damaged = bytearray(data)
        if trial % 5 == 0:
            del damaged[draw.randrange(len(data)) :]
        for _ in range(draw.choice([1, 2, 10])):
            place = draw.choice(used)
            if place < len(damaged):
                damaged[place] ^= 1 << draw.randrange(8)
        source.write_bytes(damaged)
        started = time.monotonic()
        try:
            read(source, dt=1e-4)
            outcomes.add("read")
        except ValueError as error:
            assert str(error).startswith(str(source))  # noqa: PT017
            outcomes.add("refused")
        longest = max(longest, time.monotonic() - started)
    assert longest < 2.0 and outcomes == {"read", "refused"}


@pytest.mark.parametrize(("missing", "use"), [("pyfive", "read"), ("h5py", "write")])
def test_without_the_extra_the_message_says_how_to_get_it(missing, use, tmp_path, monkeypatch):
    path = tmp_path / "net.nir"
    write(net(NETS["lif"]), path)
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(ImportError, match=rf'NIR files need {missing}.*pip install "nbsnn\[nir\]"'):
        read(path) if use == "read" else write(net(NETS["lif"]), path)


def test_a_file_that_cannot_be_written_leaves_the_earlier_one(tmp_path):
    path = tmp_path / "net.nir"
    write(net(NETS["lif"]), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="NIR has no node for a Izhikevich"):
        write(Sequential(Izhikevich(), input_shape=3), path)
    assert path.read_bytes() == before


def test_metadata_of_others_are_left_alone_and_ours_are_checked(stored, tmp_path):
    nodes = {"n": lif()}
    nodes["n"]["metadata"] = {"note": "a text", "number": 3.0}
    assert read(stored(nodes), dt=1e-4).setting.dt == 1e-4
    own = graph(nodes)
    own.metadata = {"nbsnn": '{"format": 99}'}
    store(own, str(tmp_path / "own.nir"))
    with pytest.raises(ValueError, match="metadata are not of format 1"):
        read(tmp_path / "own.nir")
    assert read(tmp_path / "own.nir", "spikingjelly").setting.dt == 1e-4  # who names a library does not ask for them


def test_the_page_is_true(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE):
        exec(compile(block, str(PAGE), "exec"), scope)
    said = capsys.readouterr().out
    assert 'reset="late"' in said and "NIR has no node for a MaxPool2d" in said


def test_the_page_names_all_that_is_read():
    from nbsnn.nir.convention import CONVENTIONS
    from nbsnn.nir.dialect import ALL, DIALECTS

    text = PAGE.read_text()
    assert all(kind in text for kind in ALL)
    assert all(f'"{name}"' in text for name in [*CONVENTIONS, *DIALECTS])


def test_an_array_in_more_pieces_than_the_file_has_room_for_is_refused_at_once(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "net.nir", "w") as file:
        file["version"] = "1.0"
        node = file.create_group("node")
        node["type"] = "NIRGraph"
        inside = node.create_group("nodes/fc")
        inside["type"] = "Linear"
        inside.create_dataset("weight", (3_000_000, 1), "f4", chunks=(1, 1))
    with pytest.raises(ValueError, match="more pieces than the file has room for"):
        read(tmp_path / "net.nir", dt=1e-4)
