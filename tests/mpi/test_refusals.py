"""What does not run on ranks is refused where it is asked for, by its name; no MPI is needed to say so."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nbsnn
from nbsnn.cli import main
from nbsnn.network import State
from nbsnn.network.files import Files, opened
from nbsnn.neurons import LI, LIF
from nbsnn.plasticity import Clopath, MetaNearestSTDP, PairSTDP
from nbsnn.ranks import Alone, Ranks
from nbsnn.sparse import AllToAll, Sparse
from nbsnn.sparse.values import Uniform
from nbsnn.synapses import Graded


class Quarter(Alone):
    """The second of four ranks, which all say the same."""

    rank, size = 1, 4

    def every(self, value):
        return [value] * 4


def test_a_state_has_the_synapses_of_its_rank_alone():
    alone = nbsnn.Network(dt=0.5, device="python")
    alone.population(LIF(tau=20.0), 12)
    state = alone.state()
    shared = State(state.step, state.arrays, state.history, state.network, SimpleNamespace(ranks=Quarter()))
    with pytest.raises(ValueError, match="has the synapses of rank 1 of 4 alone: save it on all of them"):
        alone.restore(shared)


def test_files_lie_where_all_ranks_see_them(tmp_path):
    class Blind(Alone):
        size = 2

        def every(self, value):
            return [value, [Path("run.spikes")] if value == [] else value]

    net = nbsnn.Network(dt=0.5, device="python")
    net.population(LIF(tau=20.0), 12)
    with pytest.raises(FileNotFoundError, match=r"rank 1 does not see run\.spikes, which the first rank writes"):
        opened(Blind(), lambda: Files(net, tmp_path / "run.spikes", None, [], 1, 0, 10), [])
    assert not (tmp_path / "run.spikes").exists()


def test_an_mpi_for_one_thread(monkeypatch):
    comm = SimpleNamespace(rank=0, size=2, Dup=lambda: comm)
    mpi = SimpleNamespace(Intracomm=lambda comm: comm, Query_thread=lambda: 1, THREAD_MULTIPLE=3)
    monkeypatch.setattr("nbsnn.ranks._mpi", lambda: mpi)
    with pytest.raises(RuntimeError, match="ranks need an MPI that several threads may call"):
        Ranks(comm)


@pytest.fixture
def net():
    made = nbsnn.Network(dt=0.5, device="python", comm=Quarter())
    made.population(LIF(tau=20.0), 12, name="cells")
    return made


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plasticity": Clopath()}, "such as Clopath, read neurons between spikes: they do not run on ranks"),
        ({"plasticity": MetaNearestSTDP()}, "MetaNearestSTDP needs the traces of all targets .* not run on ranks"),
        ({"plasticity": PairSTDP(), "delay": Uniform(1.0, 9.0)}, "on ranks plastic synapses share one delay"),
        ({"synapse": Graded(-40.0, 4.0)}, "has a gate of each source, which .* nor several ranks"),
    ],
)
def test_connections_that_need_what_other_ranks_have(options, message, net):
    with pytest.raises(ValueError, match=message):
        net.connect("cells", "cells", AllToAll(), weight=0.1, **options)
    assert not net.connections


def test_trials_are_of_one_process(net):
    with pytest.raises(NotImplementedError, match="trials are copies in one process; this network runs on ranks"):
        net.trials(2, 1.0)


def test_wiring_stays_as_it_was_built(net):
    made = net.connect("cells", "cells", Sparse(indegree=3), weight=0.1)
    net.build()
    for change in (lambda: made.add(0, 3), lambda: made.disconnect(synapses=[0])):
        with pytest.raises(NotImplementedError, match="on ranks wiring stays as it was built"):
            change()
    with pytest.raises(NotImplementedError, match="on ranks wiring stays as it was built"):
        net.connect("cells", "cells", AllToAll(), weight=0.1)
    assert net.connections == [made]


def test_a_gpu_is_of_one_process(monkeypatch):
    monkeypatch.setattr("nbsnn.network.simulation.resolve", lambda device: "cuda")
    with pytest.raises(ValueError, match="a network on a GPU does not run on ranks: device='cpu' does"):
        nbsnn.Network(device="cuda", comm=Quarter())


def test_off_the_grid_there_is_one_process():
    with pytest.raises(ValueError, match="ranks or a GPU"):
        nbsnn.Network(off_grid=True, device="python", comm=Quarter())


def fitted(*, layers=(), learner=None, **options):
    """A training of a small network on ranks."""
    net = nbsnn.Sequential(nbsnn.Dense(2, 2), *layers, LI(), device="python")
    make = learner or nbsnn.BPTT
    data = np.ones((4, 3, 2), np.float32), np.array([0, 1, 0, 1])
    nbsnn.fit(net, options.pop("data", data), learner=make(net, loss=nbsnn.losses.rate_cross_entropy),
              progress=False, epochs=1, comm=Quarter(), **options)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learner": lambda net, loss: nbsnn.OTTT(net, loss=loss, update="step")}, 'update="step" changes parameters'),
        ({"layers": [nbsnn.layers.BatchNorm()]}, "pieces of a batch would each have statistics of their own"),
        ({"micro": 3}, "micro must be at least the number of ranks, 4, not 3"),
        ({"accumulate": 2}, "accumulate=2 and micro=8 cannot be used together"),
    ],
)
def test_trainings_whose_steps_are_no_sums(options, message):
    with pytest.raises(ValueError, match=message):
        fitted(**options)


@pytest.mark.parametrize("option", ["--resume", "--page x.html"])
@pytest.mark.parametrize("command", ["simulate cuba", "train digits"])
def test_commands(command, option, tmp_path, capsys):
    status = main([*command.split(), "--mpi", *option.split(), "--out", str(tmp_path / "out")])
    assert status and "--mpi takes neither --resume nor --page yet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
