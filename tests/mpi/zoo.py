"""A network of everything that ranks must share, and what comes of it as one number.

mpiexec -n 3 python -m tests.mpi.zoo run --mpi
python -m tests.mpi.zoo save PATH; mpiexec -n 2 python -m tests.mpi.zoo go PATH --mpi
"""

import argparse
import hashlib
import os
import signal
import sys
import time

import numpy as np

import nbsnn
from nbsnn.network import loop
from nbsnn.network.state import State
from nbsnn.neurons import LIF, Izhikevich
from nbsnn.plasticity import MSTDP, NearestSTDP, Normalize, PairSTDP, PostPreInt, Scaling
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
        cells[3:9], cells[2:], Sparse(outdegree=3), weight=Uniform(0.0, 0.5), plasticity=MSTDP(), **delay
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


def outcome(net, duration, hook=None):
    """Spikes, recorded variables and weights, all synapses, variables, state."""
    cells, plastic = net.groups[0], net.connections[0]
    run = net.run(duration, record={**{g: ["spikes"] for g in net.groups}, cells: ["spikes", "v"], plastic: "weight"},
                  every=1.0, callback=hook, callback_every=None if hook is None else 5.0)  # fmt: skip
    variables = [group[name].copy() for group in net.groups if group.neuron for name in group.neuron.state]
    synapses = [part for c in net.connections for part in c.gather()]
    state = list(net.state().arrays.values())
    parts = [*run.spikes()], [run[cells, "v"]], [run[plastic, "weight"]], synapses, variables, state
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


def fail(kind, rank):
    """A callback that lets one rank end in some way at 10 ms."""

    def hook(network):
        if network.time >= 10.0 and network.ranks.rank == rank:
            end(kind)

    return hook


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["run", "save", "go", "fail", "exchanges"])
    p.add_argument("path", nargs="?")
    p.add_argument("--mpi", action="store_true")
    p.add_argument("--device", default="python")
    p.add_argument("--rank", type=int, default=1)
    p.add_argument("--timeout", type=float, default=600.0)
    a = p.parse_args()
    loop.SHARE = 1  # as many threads as are asked for
    comm = nbsnn.ranks.Ranks(world(), timeout=a.timeout) if a.mpi else None
    net = network(comm, a.device, small=a.what == "fail")
    first = comm is None or comm.rank == 0
    if a.what == "go":
        net.restore(State.load(a.path))
    if a.what == "save":
        net.run(15.0)
        state = net.state()
        if first:
            state.save(a.path)
        return
    if a.what == "exchanges":
        net.run(30.0)
        if first:
            print(net.loop().exchanges)
        return
    hook = fail(a.path, a.rank) if a.what == "fail" else None
    found = outcome(net, 15.0 if a.what == "go" else 30.0, hook)
    if first:
        print(found, flush=True)


if __name__ == "__main__":
    main()
