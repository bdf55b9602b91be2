"""Networks that are interrupted, restored elsewhere, run twice at once, or asked for what they do not have."""

import _thread
import os
import signal
import threading
import time

import numpy as np
import pytest

import nbsnn
import nbsnn.network.loop as loops
from nbsnn.checkpoint.save import write_npz
from nbsnn.files.spikes import SpikeFile, SpikeWriter
from nbsnn.files.variables import VariableFile, VariableWriter
from nbsnn.network import State
from nbsnn.neurons import LIF
from nbsnn.plasticity import MSTDPET, PairSTDP
from nbsnn.synapses import TsodyksMarkram


@pytest.fixture(autouse=True)
def _threads():
    yield
    nbsnn.set_threads(None)


def brain(device="python", n=3, normalize=None, **options):
    net = nbsnn.Network(dt=0.1, seed=1, device=device, **options)
    inputs = net.poisson(20, rate=300.0, name="inputs")
    cells = net.population(LIF(tau=20.0, v_threshold=5.0), n, name="cells")
    rule = PairSTDP(a_post=0.01, a_pre=0.01, normalize=normalize)
    net.connect(inputs, cells, nbsnn.AllToAll(), weight=1.0, delay=0.5, plasticity=rule)
    net.connect(cells, cells, nbsnn.OneToOne(), weight=0.1, delay=0.3, short_term=TsodyksMarkram())
    return net, cells


def check_whole(net, twin):
    """The network is as a twin that has run so long, and goes on as that does."""
    assert net.step > 0
    twin.run(net.time)
    mine, other = net.state(), twin.state()
    assert mine.step == other.step
    for name, array in mine.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)
    for a, b in zip(mine.history, other.history, strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(net.run(5.0).spikes(), twin.run(5.0).spikes(), strict=True):
        np.testing.assert_array_equal(a, b)


class Full:
    """A file on a disk that is full after two writes."""

    left = 2

    def append(self, data):
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")
        super().append(data)


class FullSpikes(Full, SpikeWriter):
    pass


class FullVariables(Full, VariableWriter):
    pass


@pytest.mark.parametrize("normalize", [None, nbsnn.plasticity.Normalize(10.0)])
@pytest.mark.parametrize("device", ["python", pytest.param("cpu", marks=pytest.mark.long)])
def test_after_a_full_disk_time_and_arrays_belong_together(device, normalize, tmp_path, monkeypatch):
    monkeypatch.setattr(loops, "PIECE", 0.0)  # pieces of 66 steps, which are 22 windows
    net, _ = brain(device, normalize=normalize)
    writer = FullSpikes(tmp_path / "spikes", net.units, 0.1)
    with pytest.raises(OSError, match="No space left"):
        net.run(60.0, to=writer)
    assert net.step == 198 and SpikeFile(tmp_path / "spikes").records["step"].max() <= 132
    check_whole(net, brain(device, normalize=normalize)[0])


@pytest.mark.parametrize("record", ["v", "weight"])
def test_after_a_full_disk_for_variables_time_and_arrays_belong_together(record, tmp_path):
    net, cells = brain()
    what = {cells: "v"} if record == "v" else {net.connections[0]: "weight"}
    net.run(0.2, record=what, every=0.2, variables_to=tmp_path / "rows")
    writer = FullVariables.resume(tmp_path / "rows")
    with pytest.raises(OSError, match="No space left"):
        net.run(20.0, record=what, every=0.2, variables_to=writer, callback=repr, callback_every=0.4)
    check_whole(net, brain()[0])


@pytest.mark.parametrize("device", ["python", pytest.param("cpu", marks=pytest.mark.long)])
def test_after_an_error_of_a_callback_time_and_arrays_belong_together(device):
    net, _ = brain(device)

    def callback(net):
        if net.time > 1.95:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        net.run(20.0, callback=callback)
    assert net.step == 20
    check_whole(net, brain(device)[0])


@pytest.mark.parametrize(("device", "threads", "n"), [("python", 1, 3), ("cpu", 1, 30), ("cpu", 2, 30)])
def test_after_ctrl_c_time_and_arrays_belong_together_and_files_are_whole(device, threads, n, tmp_path, monkeypatch):
    nbsnn.set_threads(threads)
    monkeypatch.setattr(loops, "SHARE", 10)
    net, _ = brain(device, n)
    net.run(0.1)
    begun = net.step

    def interrupt():
        while net.step < begun + 64:
            time.sleep(0.01)
        _thread.interrupt_main()

    timer = threading.Thread(target=interrupt)
    timer.start()
    record = {"cells": "spikes", "inputs": "spikes", net.group("cells")[:2]: "v"}
    with pytest.raises(KeyboardInterrupt):
        net.run(1e7, to=tmp_path / "spikes", variables_to=tmp_path / "rows", record=record)
    timer.join()
    twin, cells = brain(device, n)
    twin.run(0.1)
    run = twin.run(net.time - twin.time, record={cells: ["spikes"], "inputs": "spikes", cells[:2]: "v"})
    for a, b in zip(SpikeFile(tmp_path / "spikes").spikes(), run.spikes(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(VariableFile(tmp_path / "rows").rows, run[cells[:2], "v"])
    check_whole(net, brain(device, n)[0])


class Interrupted(SpikeWriter):
    """A file during whose third write Ctrl-C comes."""

    left = 3

    def append(self, data):
        self.left -= 1
        if not self.left:
            _thread.interrupt_main()
            sum(range(1000))  # the interpreter looks at signals
        super().append(data)


@pytest.mark.parametrize("device", ["python", "cpu"])
def test_a_piece_is_handed_on_whole_though_ctrl_c_comes_meanwhile(device, tmp_path, monkeypatch):
    monkeypatch.setattr(loops, "PIECE", 0.0)
    net, _ = brain(device)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        net.run(1000.0, to=Interrupted(tmp_path / "spikes", net.units, net.dt))
    assert signal.getsignal(signal.SIGINT) is before
    assert 0.0 < net.time < 1000.0
    twin, _ = brain(device)
    for a, b in zip(SpikeFile(tmp_path / "spikes").spikes(), twin.run(net.time).spikes(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_that_have_begun_together_end_together_whenever_a_signal_comes(monkeypatch):
    nbsnn.set_threads(3)
    monkeypatch.setattr(loops, "SHARE", 10)
    net, _ = brain("cpu", 60)
    net.run(0.1)
    loop, left = net.loop(), [1]
    assert loop.parts == 3
    kernel = loop.call

    def call(part, *arguments):
        if part == 0 and left[0]:
            left[0] -= 1
            raise KeyboardInterrupt  # the others wait for this one already
        return kernel(part, *arguments)

    loop.call = call
    with pytest.raises(KeyboardInterrupt):
        net.run(5.0)
    loop.call = kernel
    check_whole(net, brain("cpu", 60)[0])


def test_an_error_within_an_interpreted_step_leaves_the_network_before_it():
    def step(x, v):
        if v > 0.6:
            raise ZeroDivisionError("in the middle of a step")
        return 0.0 * x, v + 0.1 * x

    net = nbsnn.Network(dt=0.1, device="python")
    first = net.population(LIF(), 2)
    cells = net.population(nbsnn.Neuron(step, state={"v": 0.0}), 3)
    net.inject(first, 1.0)
    net.inject(cells, 1.0)
    net.run(0.3)
    before = net.state()
    with pytest.raises(ZeroDivisionError):
        net.run(1.0)
    assert net.step == 3
    np.testing.assert_array_equal(net.state().arrays["states"], before.arrays["states"])
    net.run(0.2)
    assert net.step == 5


def test_a_run_that_does_not_begin_leaves_no_file(tmp_path):
    net = nbsnn.Network(dt=0.1, device="python")
    source, cells = net.spikes([1.0], [0], 1), net.population(LIF(), 2)
    net.connect(source, cells, nbsnn.AllToAll(), weight=0.5)
    net.build()
    cells["v"][1] = np.nan
    with pytest.raises(ValueError, match="a run cannot begin there"):
        net.run(1.0, record={cells: ["spikes", "v"]}, to=tmp_path / "spikes", variables_to=tmp_path / "rows")
    assert not os.listdir(tmp_path)


def several(dt=0.1, seed=0, names="ab", n=3, dtype=np.float32, delay=0.4, weight=1.0, neuron=None, tau=20.0):
    net = nbsnn.Network(dt=dt, seed=seed, dtype=dtype, device="python")
    a = net.poisson(5, 1000.0, name=names[0])
    b = net.population(neuron or LIF(tau=tau), n, name=names[1])
    net.connect(a, b, nbsnn.Sparse(indegree=2), weight=weight, delay=delay, plasticity=PairSTDP())
    return net


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"dt": 0.2}, "its steps are 0.1 ms long, those of this network 0.2 ms"),
        ({"dtype": np.float64}, "its numbers are float32, those of this network float64"),
        ({"names": "xb"}, "number 1 of its populations is 'a' of 5 units, that of this network 'x' of 5 units"),
        ({"names": "ba"}, "number 1 of its populations is 'a' of 5 units, that of this network 'b'"),
        ({"n": 4}, "number 2 of its populations is 'b' of 3 units with v, that of this network 'b' of 4 units"),
        ({"neuron": nbsnn.neurons.Izhikevich()}, "with v, that of this network 'b' of 3 units with v, u"),
        ({"delay": 0.5}, "the synapses of 'a to b' are between other units, or have other delays"),
        ({"seed": 5}, "the synapses of 'a to b' are between other units"),
    ],
)
def test_a_state_is_refused_by_another_network_which_stays_as_it_is(other, message, tmp_path):
    net, twin = several(), several(**other)
    net.run(2.0)
    net.state().save(tmp_path / "state.npz")
    twin.run(2.0)
    before = twin.state()
    for state in (net.state(), State.load(tmp_path / "state.npz"), net.state().copy()):
        with pytest.raises(ValueError, match=message):
            twin.restore(state)
    for name, array in twin.state().arrays.items():
        np.testing.assert_array_equal(array, before.arrays[name])


def test_connections_tell_networks_apart_too():
    net, more = several(), several()
    more.connect("b", "b", nbsnn.AllToAll(), weight=0.1)
    net.run(1.0)
    with pytest.raises(ValueError, match="number 2 of its connections is missing, that of this network 'b to b' from"):
        more.restore(net.state())


def test_a_file_that_is_restored_is_checked_as_a_state_is(tmp_path):
    net, more, file = several(), several(), tmp_path / "state.npz"
    more.connect("b", "b", nbsnn.AllToAll(), weight=0.1)
    net.state().save(file)
    with pytest.raises(ValueError, match=r"state\.npz is the state of another network: number 2 of its connections"):
        more.restore(file)
    with pytest.raises(FileNotFoundError, match=r"other\.npz"):
        net.restore(tmp_path / "other.npz")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"state\.npz is not a readable"):
        net.restore(file)


def test_a_state_brings_weights_and_rewards_but_no_parameters():
    def made(tau):
        net = nbsnn.Network(dt=0.1, device="python", dtype=np.float64)
        source, cells = net.spikes([1.0], [0], 1), net.population(LIF(tau=tau, v_threshold=99.0), 1, name="cells")
        one = net.connect(source, cells, nbsnn.AllToAll(), weight=1.0)
        two = net.connect(source, cells, nbsnn.AllToAll(), weight=0.0, plasticity=MSTDPET())
        return net, one, two

    net, one, two = made(20.0)
    net.build()
    one.weight, two.reward = 3.0, 0.5
    other, one, two = made(5.0)
    other.restore(net.state())
    assert one.weight == 3.0 and two.reward == 0.5
    v = other.run(3.0, record={"cells": "v"})["cells", "v"][:, 0]
    np.testing.assert_allclose(v[[10, 20]], 3.0 * np.exp([0.0, -1.0 / 5.0]))


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        (
            "step",
            (-5, 1.5, "7", float("nan"), None, True, 2**53 + 1, 2**64, np.float64(3.0)),
            "step of a state must be",
        ),
        ("history", ([([7], [0])], [([-1], [0])]), "spikes of population"),
        ("history", ([([0], [99])], [([1], [-1])]), "spikes of unit"),
        ("history", ([([0] * 60, [1] * 60)],), "two spikes of a unit"),
        ("history", ([([0, 0], [0])],), "2 populations and 1 units"),
        ("history", ([([0.0], [0.0])], [3], [([0],)], [([[0]], [[0]])]), "two lists of integers"),
        ("history", (None, 3, "x"), "history must hold the spikes of the latest"),
        ("arrays", (None, {}, {"states": 3}), "arrays of a state must be"),
    ],
)
def test_a_state_whose_fields_cannot_be_is_refused(field, values, message):
    net = several()
    net.run(2.0)
    for value in values:
        state, before = net.state(), net.state()
        if field == "history" and isinstance(value, list):
            value = [tuple(map(np.array, pair)) if isinstance(pair, tuple) else pair for pair in value] * len(
                state.history
            )
        setattr(state, field, value)
        with pytest.raises((TypeError, ValueError), match=message):
            net.restore(state)
        assert net.step == before.step
        for name, array in net.state().arrays.items():
            np.testing.assert_array_equal(array, before.arrays[name])
    for history in (net.state().history[:-1], net.state().history * 25, []):
        state.history, state.step, state.arrays = history, 20, net.state().arrays
        with pytest.raises(ValueError, match="latest 4 steps"):
            net.restore(state)


def test_a_state_with_nan_is_refused_in_every_array():
    net, _ = brain()
    net.run(2.0)
    for name, array in net.state().arrays.items():
        if array.size and array.dtype.kind == "f":
            for bad in (np.nan, np.inf) if name in ("states", "ring", "weights", "traces", "factors") else (np.nan,):
                state = net.state()
                state.arrays[name].flat[-1] = bad
                with pytest.raises(ValueError, match=f"{name} contains 1 NaN or infinite"):
                    net.restore(state)


def test_something_else_than_a_state_is_refused():
    net = several()
    for wrong in (None, 3, net, {}):
        with pytest.raises(TypeError, match="a State of this network is needed"):
            net.restore(wrong)
    with pytest.raises(ValueError, match="does not say to which network"):
        net.restore(State(0, net.state().arrays, []))


def test_a_state_file_without_its_network_or_with_nonsense_is_refused(tmp_path):
    net = several()
    net.run(2.0)
    path = tmp_path / "state.npz"
    net.state().save(path)
    with np.load(path) as file:
        content = dict(file)
    for change, message in (
        ({"network": None}, "is of an earlier version"),
        ({"weights": None}, "it has no weights"),
        ({"step": np.array(-3)}, "step of a state must be an integer from 0"),
        ({"step": np.array(1.5)}, "its step is no integer"),
        ({"step": np.array("x")}, "its step is no integer"),
        ({"lengths": np.array([5, -5])}, "its latest spikes"),
        ({"lengths": np.array([1.0])}, "its latest spikes"),
        ({"units": content["units"][:-1]}, "its latest spikes"),
        ({"weights": np.full_like(content["weights"], np.nan)}, "weights contains"),
        ({"weights": np.array(["a"])}, "weights must be numbers"),
        ({"nbsnn": np.array("x")}, "not the state of a network"),
        *(({"network": np.array(text)}, "is damaged") for text in ("null", "{}", "[]", "{", "3", "[" * 10**5)),
    ):
        write_npz(path, {name: array for name, array in {**content, **change}.items() if array is not None})
        with pytest.raises(ValueError, match=message) as error:
            State.load(path)
        assert str(path) in str(error.value)


def test_a_network_that_runs_refuses_to_run_again_in_callbacks_and_threads():
    net, _ = brain()
    seen = []

    def callback(net):
        for call in (lambda: net.run(0.1), lambda: next(net.steps(0.1)), net.reset, lambda: net.restore(start)):
            with pytest.raises(RuntimeError, match="this network is running"):
                call()
        here = net.state()
        here.arrays["states"][...] = 0.0
        net.restore(here)  # of this very time
        seen.append(net.step)

    net.build()
    start = net.state()
    net.run(0.3, callback=callback)
    assert seen == [1, 2, 3] and net.step == 3

    failed = []

    def other():
        for call in (lambda: net.run(0.1), net.state, lambda: net.restore(start), net.reset):
            try:
                call()
            except RuntimeError as error:
                failed.append(str(error))

    def wait(net):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    net.run(0.1, callback=wait)
    assert len(failed) == 4 and all("running" in text for text in failed) and "another thread" in failed[0]
    net.run(0.1)
    assert net.step == 5


def test_two_threads_never_run_one_network_at_once():
    net, _ = brain()
    net.build()
    outcomes, ready = [], threading.Barrier(4)

    def go():
        ready.wait()
        try:
            net.run(2.0)
            outcomes.append(True)
        except RuntimeError:
            outcomes.append(False)

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) >= 1 and net.step == 20 * outcomes.count(True)
    check_whole(net, brain()[0])


def test_attributes_that_would_have_no_effect_cannot_be_set():
    net, cells = brain()
    run, part, inputs = net.run(1.0, record={cells: "v"}), cells[:2], net.group("inputs")
    state = net.state()
    for thing, names in (
        (inputs, ("rates", "n", "name", "neuron", "v", "values")), (cells, ("v", "tau", "list", "initial")),
        (part, ("lo", "hi", "group", "name", "v", "n")), (net, ("dt", "seed", "step", "time", "dtype", "groups", "x")),
        (run, ("times", "spikes", "rates", "duration", "variables")), (state, ("stpe", "time", "states")),
    ):  # fmt: skip
        for name in names:
            with pytest.raises(AttributeError, match=f"{type(thing).__name__}: .*{name}"):
                setattr(thing, name, 3)
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del cells.n

    class Mine(nbsnn.Network):
        def __init__(self):
            super().__init__(dt=0.1, device="python")
            self.cells = self.population(LIF(), 2)

    assert Mine().cells.n == 2


def test_sections_can_be_recorded(tmp_path):
    def made():
        net = nbsnn.Network(dt=0.1, device="python")
        source = net.spikes([0.2, 0.2, 0.5, 0.6, 0.7], [0, 7, 4, 9, 5], 10, name="source")
        cells = net.population(LIF(tau=20.0, v_threshold=0.5), 10, name="cells")
        cells[8:].named("last")
        net.connect(source, cells, nbsnn.OneToOne(), weight=np.arange(10) / 10.0)
        return net, source, cells

    net, source, cells = made()
    whole = net.run(1.0, record={source: "spikes", cells: ["spikes", "v"]})
    record = lambda net, source, cells: {source[4:6]: "spikes", cells[3:6]: ["v", "spikes"], "last": {"v": [1]}}  # noqa: E731
    for files in ({}, {"to": tmp_path / "spikes", "variables_to": tmp_path / "rows"}):
        net, source, cells = made()
        run = net.run(1.0, record=record(net, source, cells), **files)
        np.testing.assert_array_equal(run[cells[3:6], "v"], whole["cells", "v"][:, 3:6])
        np.testing.assert_array_equal(run["last", "v"], whole["cells", "v"][:, 9:])
        for a, b in zip(run.spikes(source), ([0.5, 0.7], [4, 5]), strict=True):
            np.testing.assert_allclose(a, b)
        assert run.spikes(cells[3:6])[1].tolist() == [2]
        assert len(run.spikes(cells)[0]) == 1
    assert VariableFile(tmp_path / "rows").names == [("cells[3:6]", "v"), ("last", "v")]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda net, c: net.run(1.0, record=[c]), TypeError, "record must say what of whom"),
        (lambda net, c: net.run(1.0, record=5), TypeError, "record must say what of whom"),
        (lambda net, c: net.run(1.0, record={c: 5}), TypeError, "what to record must be names"),
        (lambda net, c: net.run(1.0, record={c: ["v", 5]}), TypeError, "what to record must be names"),
        (lambda net, c: net.run(1.0, record={5: "v"}), TypeError, "record must be a population, or the name"),
        (lambda net, c: net.run(1.0, record={c: {"spikes": [1]}}), ValueError, "spikes of cells are recorded of all"),
        (lambda net, c: net.run(1.0, record={c[1:3]: {"v": [2]}}), ValueError, "integers from 0 to 1"),
        (lambda net, c: net.run(1.0, record={brain()[1]: "v"}), KeyError, "of another network"),
        (lambda net, c: net.run(1.0, record={brain()[0].connections[0]: "weight"}), KeyError, "no connection"),
        (lambda net, c: net.run(1.0, callback=1), TypeError, "callback must be a function"),
        (lambda net, c: net.run(1.0, callback_every=1.0), ValueError, "there is none"),
        (lambda net, c: net.run(1.0, every=1.0), ValueError, "none are recorded"),
        (lambda net, c: net.drive(c, 10.0, 1.0, "x"), TypeError, "synapse must be a Synapse"),
        (lambda net, c: net.drive(c, 1e30, 1.0), ValueError, "rate must be at most 1e.09 Hz"),
        (lambda net, c: net.drive(c, 1.0, np.nan), ValueError, "weight must be finite"),
        (lambda net, c: net.inject(c, "3*mV"), TypeError, "a current must be a number or an array"),
        (lambda net, c: net.inject(c, lambda t: "x"), TypeError, "current: the function .* fails at t = 0.05 ms"),
        (lambda net, c: net.inject(c, lambda t: [t] * 3), ValueError, r"must give a number or \[4\], not \[3\]"),
        (lambda net, c: net.inject(c, lambda: 1.0), TypeError, "a number, an array, or a function of time"),
        (lambda net, c: net.inject(c, 1.0, start=2.0, stop=1.0), ValueError, "stop must be later than start"),
        (lambda net, c: net.drive(c, lambda t: -t, 1.0), ValueError, "rate must be at least 0"),
        (lambda net, c: net.poisson(2, lambda t: 1e9), ValueError, "at most one per step"),
        (lambda net, c: c.set_rate(5.0), AttributeError, "these are no Poisson units"),
        (lambda net, c: c.set_spikes([1.0], [0]), ValueError, "fires by itself"),
        (lambda net, c: net.stop(), RuntimeError, "not running: stop is for a callback"),
        (lambda net, c: net.run(1.0, callback={print: 1.0}, callback_every=1.0), ValueError, "a mapping says those"),
        (lambda net, c: c.parameters(tua=1.0), KeyError, "has no parameter 'tua'"),
        (lambda net, c: c.parameters(tau=-1.0), ValueError, "tau of cells must be a time constant greater than 0"),
        (lambda net, c: c.parameters(tau=[1.0, 2.0]), ValueError, r"tau of cells must be a number, have shape \[4\]"),
        (lambda net, c: c.__setitem__("tau", "x"), TypeError, "tau of cells must be a number or an array"),
        (lambda net, c: net.spikes([1e300], [0], 1), ValueError, r"at most 2\^53 steps"),
        (lambda net, c: net.spikes(["a"], [0], 1), TypeError, "times must be numbers"),
        (lambda net, c: net.spikes([[1.0], [1.0, 2.0]], [0], 1), TypeError, "times .* rows of several lengths"),
        (lambda net, c: net.population(LIF(), 2, name=np.nan), TypeError, "name of a population must be a text"),
        (lambda net, c: net.poisson(2, [[1.0], [1.0, 2.0]]), TypeError, "rate must be an array of numbers"),
        (lambda net, c: net.connect(c, c, [[1], [1, 2]]), TypeError, "a connection needs a pattern"),
        (lambda net, c: net.poisson(2, 1.0, name=""), TypeError, "name of a population must be a text"),
        (lambda net, c: net.population(LIF(), 2**31), ValueError, r"fewer than 2\^31 units"),
        (lambda net, c: net.population(LIF(), 2, v=[1.0, 2.0, 3.0]), ValueError, r"shape \[2\]"),
        (lambda net, c: net.population(LIF(), 2, v=np.nan), ValueError, "must be finite"),
        (
            lambda net, c: net.population(LIF(), 2, v="x"),
            TypeError,
            "v of population1 must be a number or an array of numbers",
        ),
        (lambda net, c: c[:2].named(3), TypeError, "a name must be a text"),
        (lambda net, c: c.__setitem__(0, 1.0), TypeError, "a section cannot be set"),
        (lambda net, c: c.__setitem__(slice(0, 2), 1.0), TypeError, "a section cannot be set"),
        (lambda net, c: net.group(5), TypeError, "must be a population, or the name"),
        (lambda net, c: net.run(1.0).cv(start=1.0), ValueError, "start must be within the run"),
    ],
)
def test_bad_input_is_refused_at_the_call(call, error, message):
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(LIF(), 4, name="cells")
    groups = len(net.groups)
    with pytest.raises(error, match=message):
        call(net, cells)
    assert len(net.groups) == groups and not cells.ports
    assert net.step in (0, 10)


def test_what_is_handed_over_keeps_the_value_it_had():
    v, current, times = np.full(3, 0.25), np.full((2, 1), 2.0), np.array([0.5, 1.0])
    units, rest = np.array([0, 1]), np.full(3, 0.5)
    net = nbsnn.Network(dt=0.1, device="python", dtype=np.float64)
    cells = net.population(LIF(tau=10.0, v_rest=rest, v_threshold=9.0), 3, v=v)
    source = net.spikes(times, units, 2)
    net.inject(cells, current, every=1.0)
    for array in (v, current, times, units, rest):
        array[...] = 1
    net.reset()
    np.testing.assert_array_equal(cells["v"], 0.25)
    run = net.run(2.0, record={cells: "v", source: "spikes"})
    for _ in range(2):
        assert run.spikes(source)[0].tolist() == [0.5, 1.0] and run.spikes(source)[1].tolist() == [0, 1]
        want = 2.5 + (0.25 - 2.5) * np.exp(-2.0 / 10.0)
        np.testing.assert_allclose(run[cells, "v"][-1], want)
        net.reset()
        np.testing.assert_array_equal(cells["v"], 0.25)
        run = net.run(2.0, record={cells: "v", source: "spikes"})
    cells["v"][1] = 3.0  # the array itself
    assert cells["v"][1] == 3.0 == net.state().arrays["states"][1]


def test_a_silent_network_has_a_rate_but_no_irregularity_and_short_runs_are_drawn():
    pytest.importorskip("matplotlib")
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(LIF(), 4)
    run = net.run(1.0)
    assert run.rate(cells) == 0.0 and np.isnan(run.cv(cells)) and np.isnan(run.cv())
    run.plot()
    net.run(0.1).plot()


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.float64, np.float32])
def test_address_events_before_the_beginning_are_refused_with_their_place(kind):
    net = nbsnn.Network(dt=1.0, device="python")
    for t, index in (([5, 7, -2_000_000, -7], 2), ([-1, 5], 0)):
        events = np.zeros(len(t), [("t", kind), ("x", "i2")])
        events["t"] = t
        with pytest.raises(ValueError, match=f"t of events .*the first at index {index}: -"):
            net.events(events, (5,))
