"""A network of everything that ranks must share, and what comes of it as one number.

mpiexec -n 3 python -m tests.mpi.zoo run --mpi
python -m tests.mpi.zoo save PATH; mpiexec -n 2 python -m tests.mpi.zoo go PATH --mpi
"""

import argparse
import errno
import functools
import gc
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time

import numpy as np

import nbsnn
from nbsnn.network import loop, shares
from nbsnn.network.state import State
from nbsnn.neurons import LIF, Izhikevich
from nbsnn.plasticity import MSTDPET, NearestSTDP, Normalize, PairSTDP, PostPreInt, Scaling
from nbsnn.sparse import AllToAll, Disc, Distance, Explicit, OneToOne, Sparse, grid
from nbsnn.sparse.values import Normal, Uniform
from nbsnn.synapses import Exponential, TsodyksMarkram

PAIR = PairSTDP(a_post=0.05, a_pre=0.0525)
STEPS = 60


def world():
    from mpi4py import MPI

    return MPI.COMM_WORLD


def network(comm=None, device="python", small=False):
    """Populations of 11, 7 and 5 units, inputs of every kind, and connections of every rule; ``small``: some."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, comm=comm)
    neuron = LIF(tau=20.0, v_rest=0.0, v_threshold=20.0, v_reset=0.0, refractory=2.0)
    cells = net.population(neuron, 11, name="cells", v=Uniform(0.0, 20.0))
    others = net.population(Izhikevich(), 7, name="others")
    noise = net.poisson(5, rate=300.0, name="noise")
    rng = np.random.default_rng(1)
    listed = net.spikes(times=np.sort(rng.uniform(1.0, 28.0, 40)).round(), units=np.arange(40) % 6, n=6, name="listed")
    net.drive(cells, 12000.0, 0.4)
    net.inject(others, rng.uniform(0.0, 2.0, (STEPS, 7)))
    connect, delay = net.connect, {"delay": 2.5}
    connect(cells, cells, Sparse(probability=0.4), weight=Uniform(0.0, 0.9), plasticity=PAIR, **delay)
    connect(noise, cells, AllToAll(), weight=rng.uniform(0.0, 3.0, 55), **delay)
    connect(listed, others, Explicit([3, 0, 5, 3, 1], [6, 2, 0, 1, 6], weight=[0.5, 0.25, 1.0, 2.0, 0.125]), **delay)
    connect(cells, others, Sparse(total=30), weight=Normal(0.3, 0.1, low=0.2), delay=Uniform(2.5, 6.0))
    if small:
        return net
    connect(
        cells,
        cells,
        Sparse(total=40, multapses=False, autapses=False),
        weight=0.2,
        short_term=TsodyksMarkram(),
        **delay,
    )
    connect(
        cells[3:9], cells[2:], Sparse(outdegree=3), weight=Uniform(0.0, 0.5), plasticity=MSTDPET(), **delay
    ).reward = 0.5
    connect(noise, others, Sparse(indegree=3), weight=3.0, plasticity=PostPreInt(-800, 5000, w_max=60), **delay)
    connect(cells, cells, OneToOne(), weight=0.3, synapse=Exponential(3.0), delay=4.0)
    held = {"plasticity": NearestSTDP(), "homeostasis": Scaling(rate=5.0, every=10.0)}
    connect(others, cells, Sparse(probability=0.5), weight=Uniform(0.0, 0.4), **held, **delay)
    rule = PairSTDP(a_post=0.05, a_pre=0.05, normalize=Normalize(4.0, when="every"))
    connect(
        listed,
        cells,
        Sparse(probability=0.7),
        weight=Uniform(0.0, 1.0),
        plasticity=rule,
        short_term=TsodyksMarkram(),
        **delay,
    )
    places = grid((11, 1)), grid((7, 1))
    connect(cells, others, Distance(Disc(2.0)), weight=Uniform(0.0, 0.2), coordinates=places, **delay)
    return net


def digest(*arrays):
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def recorded(net):
    """All kinds of variables, of all units and synapses and of some, at intervals of their own."""
    cells, others, plastic = *net.groups[:2], net.connections[0]
    what = {**{group: ["spikes"] for group in net.groups}, cells: ["spikes", "v"], others[2:5]: ["v"]}
    what[plastic], every = {"weight": None, "x": None, "y": [3, 0]}, {others[2:5]: 2.5, cells: 1.0, plastic: 5.0}
    for c in net.connections:
        if isinstance(c.pattern, Explicit):
            what[c], every[c] = {"weight": [4, 0, 2, 0]}, 6.0
        if c.short_term:
            what[c], every[c] = ["u", "R"], 4.0
        if getattr(c.rule, "tau_e", None):
            what[c], every[c] = ["eligibility"], 3.0
    return what, every


def kept(net):
    """The arrays of the state, of all synapses, as the file has them."""
    folder = net.ranks.every(net.ranks.first(tempfile.mkdtemp))[0]
    net.state().save(f"{folder}/state.npz")
    net.restore(State.load(f"{folder}/state.npz"))  # all of it, of which a rank takes its own
    net.restore(net.state().copy())
    arrays = net.ranks.first(lambda: list(State.load(f"{folder}/state.npz").arrays.values()))
    net.ranks.first(lambda: shutil.rmtree(folder))
    return arrays or []


def outcome(net, duration, hook=None):
    """Spikes, recorded variables and weights, all synapses, variables, state, and weights that are drawn anew."""
    what, every = recorded(net)
    run = net.run(duration, record=what, every=every, callback=hook, callback_every=None if hook is None else 5.0)
    variables = [group[name].copy() for group in net.groups if group.neuron for name in group.neuron.state]
    synapses = [part for c in net.connections for part in c.gather()]
    listed = [part.copy() for c in net.connections for part in net.layout.shares.listed(c)]
    state = kept(net)
    net.connections[0].weight = Uniform(0.1, 0.2)
    anew = [net.connections[0].gather()[2]]
    parts = [*run.spikes()], list(run.variables.values()), synapses, listed, variables, state, anew
    assert len(run.spikes()[0]) > 20
    return " ".join(digest(*part) for part in parts)


def end(kind):
    """End this rank in some way."""
    if kind == "raise":
        raise ArithmeticError("wrong on one rank")
    if kind == "exit":
        sys.exit(5)
    if kind == "hang":
        time.sleep(60)
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "term": signal.SIGTERM}[kind])


def written(net, path):
    """What a run leaves that writes all into files, as all ranks find it there, and the files."""
    cells, plastic = net.groups[0], net.connections[0]
    files = f"{path}.spikes", f"{path}.vars"

    def hook(net):
        tapes = [one for one in gc.get_objects() if isinstance(one, loop.Tape)]
        assert tapes and not any(tape.spikes or tape.rows[1:] for tape in tapes)

    run = net.run(30.0, record={cells: ["spikes", "v"], plastic: "weight"}, every=1.0, to=files[0],
                  variables_to=files[1], callback=hook, callback_every=12.0)  # fmt: skip
    assert all(isinstance(array, np.memmap) for array in (run._step, run._unit, *run.variables.values()))
    found = digest(*run.spikes(), run[cells, "v"], run[plastic, "weight"])
    assert len(set(net.ranks.every(found))) == 1
    return " ".join([found, *(digest(np.fromfile(file, np.uint8)) for file in files)])


def full(net, path):
    """What all ranks are told when the first has no room for a state, in the midst of it, and where they come then."""
    header, said = np.lib.format.write_array_header_1_0, ""
    if net.ranks.rank == 0:
        np.lib.format.write_array_header_1_0 = functools.partial(no_room, header)
    net.run(15.0)
    try:
        net.state().save(path)
    except OSError as error:
        said = f"{error.strerror}, {error.__notes__[0]}"
    np.lib.format.write_array_header_1_0 = header
    return f"{sorted(set(net.ranks.every(said)))} {outcome(net, 15.0)}"


def no_room(header, stream, head):
    """Write the head of an array, and then no more."""
    header(stream, head)
    raise OSError(errno.ENOSPC, "No space left on device")


def fail(kind, rank):
    """A callback that lets one rank end in some way, or do what the others do not, at 10 ms."""

    def hook(network):
        if network.time >= 10.0 and network.ranks.rank == rank:
            if kind == "stop":
                network.stop()
                return
            if kind == "reward":
                rewarded = next(c for c in network.connections if getattr(c.rule, "tau_e", None))
                rewarded.reward = 0.25
                return
            if kind == "pause":
                network.connections[0].learning = False
                return
            end(kind)

    return hook


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["run", "save", "go", "on", "fail", "exchanges", "write", "full"])
    p.add_argument("path", nargs="?")
    p.add_argument("--mpi", action="store_true")
    p.add_argument("--device", default="python")
    p.add_argument("--rank", type=int, default=1)
    p.add_argument("--timeout", type=float, default=600.0)
    a = p.parse_args()
    loop.SHARE = 1  # as many threads as are asked for
    shares.BLOCK = 7
    if a.path == "version" and world().rank == a.rank:
        nbsnn.ranks.__version__ = "another"
    comm = nbsnn.ranks.Ranks(world(), timeout=a.timeout) if a.mpi else None
    net = network(comm, a.device, small=a.what == "fail" and a.path != "reward")
    first = comm is None or comm.rank == 0
    if a.what == "go":
        net.restore(a.path)
    if a.what == "save":
        net.run(15.0)
        net.state().save(a.path)
        return
    if a.what == "exchanges":
        net.run(30.0)
        if first:
            print(net.loop().exchanges)
        return
    if a.what in ("write", "full"):
        found = {"write": written, "full": full}[a.what](net, a.path)
        if first:
            print(found, flush=True)
        return
    hook = fail(a.path, a.rank) if a.what == "fail" else None
    if a.what == "on":
        net.run(15.0)
    found = outcome(net, 15.0 if a.what in ("go", "on") else 30.0, hook)
    if first:
        print(found, flush=True)


if __name__ == "__main__":
    main()
