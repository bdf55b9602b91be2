"""Networks on ranks have the bits of one process, also from a state of other ranks; who fails ends all."""

import inspect
import subprocess
import sys
import time

import numpy as np
import pytest

import nbsnn
from nbsnn.network import State
from nbsnn.ranks import Alone, Ranks, tree

from . import others, test_refusals
from . import zoo as zoo_of_ranks
from .launched import ROOT, needs_mpi, printed, python
from .zoo import network


def zoo(ranks, *arguments, module="zoo"):
    """What a module of ``tests.mpi`` prints, on so many ranks, or for 0 without MPI."""
    return printed(ranks, module, *arguments)


@pytest.fixture(scope="module")
def alone():
    return zoo(0, "run")


@needs_mpi
@pytest.mark.parametrize("ranks", [3, *(pytest.param(ranks, marks=pytest.mark.long) for ranks in (1, 2, 4))])
def test_ranks_change_no_bit(ranks, alone):
    assert zoo(ranks, "run") == alone


@needs_mpi
@pytest.mark.long
def test_ranks_change_no_bit_of_other_rules_sources_and_recordings():
    expected = zoo(0, module="others")
    for ranks in range(1, 5):
        assert zoo(ranks, module="others") == expected


def test_every_rule_runs_on_ranks_or_is_refused_there():
    used = inspect.getsource(zoo_of_ranks) + inspect.getsource(others) + inspect.getsource(test_refusals)
    no_rules = {"BOUNDS", "LowPass", "Normalize", "ORDERS", "Plastic", "Rule", "RuleResult", "Scaling", "Trace"}
    names = {name for name in dir(nbsnn.plasticity) if name[0].isupper()} - no_rules
    assert "PairSTDP" in names and all(f"{name}(" in used for name in names - {"MembraneRule"})  # as is Clopath


@needs_mpi
@pytest.mark.long
def test_threads_within_ranks_change_no_bit(alone, monkeypatch):
    monkeypatch.setenv("NBSNN_THREADS", "2")
    assert zoo(2, "run", "--device", "cpu") == alone


@pytest.fixture(scope="module")
def half_way(tmp_path_factory):
    """A state that one process has saved, and where a process comes that goes on without it."""
    path = tmp_path_factory.mktemp("half way") / "state.npz"
    zoo(0, "save", path)
    return path, zoo(0, "on")


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("ranks", range(1, 5))
def test_ranks_save_and_continue_the_state_of_one_process(ranks, half_way, tmp_path):
    """So a state goes from any number of them to any other."""
    path, end = half_way
    zoo(ranks, "save", tmp_path / "state.npz")
    with np.load(tmp_path / "state.npz") as mine, np.load(path) as expected:
        assert mine.files == expected.files
        for name in expected.files:
            np.testing.assert_array_equal(mine[name], expected[name], err_msg=name)
    assert zoo(ranks, "go", path) == end


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("ranks", range(1, 5))
def test_the_first_rank_writes_the_files_of_one_process(ranks, tmp_path):
    assert zoo(ranks, "write", tmp_path / "run") == zoo(0, "write", tmp_path / "alone")


@needs_mpi
@pytest.mark.long
def test_a_full_disk_is_told_to_all_and_changes_nothing(half_way, tmp_path):
    found = zoo(3, "full", tmp_path / "state.npz")
    assert found == f"['No space left on device, raised on rank 0'] {half_way[1]}" and not [*tmp_path.iterdir()]


@needs_mpi
def test_spikes_are_exchanged_once_in_a_shortest_delay():
    assert zoo(2, "exchanges") == str(-(-60 // 5))


@needs_mpi
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("raise", "error on rank 1"),
        ("exit", "rank 1 has ended, while rank 0 waits"),
        ("reward", "ranks have different parameters, rewards or connections that learn"),
        pytest.param("pause", "ranks have different parameters", marks=pytest.mark.long),
        pytest.param("stop", "", marks=pytest.mark.long),
        pytest.param("hang", "rank 0 has waited for 5 s for rank 1: ", marks=pytest.mark.long),
        pytest.param("version", "('version of nbsnn', 'another')", marks=pytest.mark.long),
        pytest.param("kill", "", marks=pytest.mark.long),
        pytest.param("term", "", marks=pytest.mark.long),
    ],
)
def test_a_rank_that_ends_or_hangs_ends_all(kind, says):
    start = time.monotonic()
    done = python(2, "-m", "tests.mpi.zoo", "fail", kind, "--timeout", 5)
    assert done.returncode != 0 and says in done.stderr and time.monotonic() - start < 55.0


@needs_mpi
@pytest.mark.parametrize("ranks", [3, *(pytest.param(ranks, marks=pytest.mark.long) for ranks in (1, 2, 4))])
def test_ranks_change_no_bit_of_a_training(ranks):
    assert zoo(ranks, module="training") == zoo(0, module="training")


@needs_mpi
@pytest.mark.long
def test_a_training_resumes_on_other_ranks(tmp_path):
    whole = zoo(0, "--epochs", 3, module="training")
    zoo(3, "--epochs", 1, "--checkpoint", tmp_path / "c.npz", module="training")
    assert zoo(2, "--epochs", 3, "--checkpoint", tmp_path / "c.npz", module="training") == whole


def test_a_batch_in_pieces_is_refused_where_it_means_something_else(tmp_path):
    x, y = np.ones((4, 3, 2), np.float32), np.array([0, 1, 0, 1])
    normed = nbsnn.Sequential(nbsnn.Dense(2, 2), nbsnn.layers.BatchNorm(), nbsnn.neurons.LI(), device="python")
    plain = nbsnn.Sequential(nbsnn.Dense(2, 2), nbsnn.neurons.LI(), device="python")
    loss, options = nbsnn.losses.rate_cross_entropy, {"progress": False, "epochs": 1}
    each = nbsnn.OTTT(plain, loss=loss, update="step")
    for net, learner, more, message in (
        (normed, nbsnn.BPTT(normed, loss=loss), {"micro": 2}, "statistics of their own"),
        (plain, each, {"micro": 2}, 'update="step"'),
        (plain, nbsnn.BPTT(plain, loss=loss), {"micro": 2, "accumulate": 2}, "cannot be used together"),
        (plain, nbsnn.BPTT(plain, loss=loss), {"micro": 0}, "micro must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            nbsnn.fit(net, (x, y), learner=learner, **more, **options)
    learner, file = nbsnn.BPTT(plain, loss=loss), tmp_path / "c.npz"
    nbsnn.fit(plain, (x, y), learner=learner, micro=2, checkpoint=file, **options)
    with pytest.raises(ValueError, match="micro=2 pieces, not 1"):
        nbsnn.fit(plain, (x, y), learner=learner, checkpoint=file, resume=True, **options)


def test_one_process_is_its_own_share():
    alone = Alone()
    assert alone.share(7) == (0, 7) and alone.every(3) == [3] and alone.first(lambda: 5) == 5
    assert nbsnn.Network(device="python").ranks.size == 1


@pytest.mark.parametrize(("here", "synapses"), [(1, 30), (4, 120)])
def test_memory_is_needed_for_the_synapses_of_this_machine(here, synapses, monkeypatch):
    class Quarter(Alone):
        rank, size = 1, 4

        def every(self, value):
            return [value] * here

    net = nbsnn.Network(device="python", comm=Quarter())
    cells = net.population(nbsnn.neurons.LIF(), 12)
    net.connect(cells, cells, nbsnn.Sparse(indegree=10), weight=0.1)
    monkeypatch.setattr("nbsnn.network.simulation.free_memory", lambda: 0)
    with pytest.raises(MemoryError, match=f"{synapses} synapses"):
        net.build()


def test_a_tree_adds_pairs_of_pairs():
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    a, b, c, d, e, f, g = rows
    np.testing.assert_array_equal(tree(rows), ((a + b) + (c + d)) + ((e + f) + g))


def test_what_is_no_communicator_is_refused():
    with pytest.raises(TypeError, match="comm must be a communicator"):
        Ranks(3)
    with pytest.raises(TypeError, match="comm must be a communicator"):
        nbsnn.Network(comm="world")


def test_processes_that_share_nothing_are_told_so():
    code = "import nbsnn, sys; nbsnn.Network(device='python'); nbsnn.Network(device='python')"
    code += "; assert 'mpi4py' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], env={"PMI_SIZE": "2"}, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.count("each of these processes does all of the work") == 1 and done.returncode == 0


def test_a_run_keeps_its_state_in_a_file(tmp_path):
    file, whole = tmp_path / "state.npz", zoo_network()
    expected = whole.run(12.0).spikes()
    net, seen = zoo_network(), []
    run = net.run(12.0, checkpoint=file, checkpoint_every=5.0, callback=lambda n: seen.append(file.exists()),
                  callback_every=6.0)  # fmt: skip
    for a, b in zip(run.spikes(), expected, strict=True):
        np.testing.assert_array_equal(a, b)
    assert seen == [True, True] and State.load(file).step == net.step == 24
    stopped = zoo_network()
    with pytest.raises(ArithmeticError):
        stopped.run(12.0, checkpoint=file, checkpoint_every=5.0, callback=fail_at_8, callback_every=8.0)
    again = zoo_network()
    again.restore(State.load(file))
    assert again.time == 5.0
    for a, b in zip(again.run(7.0).spikes(), expected, strict=True):
        np.testing.assert_array_equal(a, b[expected[0] > 5.0])
    for options in ({"checkpoint": file}, {"checkpoint_every": 5.0}):
        with pytest.raises(ValueError, match="both, or none"):
            zoo_network().run(1.0, **options)


def fail_at_8(net):
    if net.time == 8.0:
        raise ArithmeticError("in the middle")


def zoo_network():
    return network(small=True)
