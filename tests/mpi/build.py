"""What ranks build: bytes of synapses, the most memory while building, and how many random numbers they draw.

Also the most memory beyond what is held, while a state is saved and read, and its synapses are hashed.

mpiexec -n 4 python -m tests.mpi.build probability --mpi
mpiexec -n 4 python -m tests.mpi.build indegree --units 2000 --degree 400 --state --mpi
"""

import argparse
import json
import os
import resource
import tracemalloc
from importlib import import_module

import nbsnn
from nbsnn.cli.manners import digest
from nbsnn.cli.simulate import everything
from nbsnn.network import shares
from nbsnn.random import squares32
from nbsnn.ranks import ranks_of
from nbsnn.sparse import Distance, Gaussian, Sparse, grid
from nbsnn.sparse.values import Normal, Uniform

from .zoo import world


class Drawn:
    """How many random numbers have been drawn, where loops are interpreted."""

    count = 0


def counted(counter, key):
    """``squares32``, counted."""
    Drawn.count += 1
    return squares32(counter, key)


def network(rule, n, degree, comm=None):
    """One population, connected to itself by a rule, with weights and delays of their own."""
    net = nbsnn.Network(dt=0.1, seed=4, device="python", comm=comm)
    cells = net.population(nbsnn.neurons.LIF(), n)
    patterns = {
        "probability": Sparse(probability=degree / n), "indegree": Sparse(indegree=degree),
        "distinct": Sparse(indegree=degree, multapses=False), "total": Sparse(total=n * degree),
        "few": Sparse(indegree=1), "distance": Distance(Gaussian(0.6, 4.0), cutoff=10.0),
    }  # fmt: skip
    side = int(n**0.5)
    places = {"coordinates": grid((side, n // side))} if rule == "distance" else {}
    net.connect(cells, cells, patterns[rule], weight=Normal(0.1, 0.01), delay=Uniform(1.0, 3.0), **places)
    return net


def while_kept(net, path):
    """The most memory, beyond what is held, while the state is saved and read, and synapses are hashed."""
    run, found = net.run(0.1), []
    net.state().save(path)  # what is loaded for it stays
    for work in (lambda: net.state().save(path), lambda: net.restore(path), lambda: digest(everything(net, run))):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        work()
        found.append(tracemalloc.get_traced_memory()[1] - before)
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("rule")
    p.add_argument("--mpi", action="store_true")
    p.add_argument("--units", type=int, default=900)
    p.add_argument("--degree", type=int, default=40)
    p.add_argument("--state", help="file of a state, of which blocks are small")
    a = p.parse_args()
    ranks = ranks_of(world() if a.mpi else None)
    if os.environ.get("NUMBA_DISABLE_JIT"):
        for name in ("connect", "distance", "values"):
            import_module(f"nbsnn.kernels.synapses.{name}").squares32 = counted
    network(a.rule, 100, 40, ranks).build()  # what is compiled, and imported, is no memory of synapses
    net = network(a.rule, a.units, a.degree, ranks)
    Drawn.count = 0  # what is described has been tried
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    layout = net.layout
    peak, rss = tracemalloc.get_traced_memory()[1], 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    held = layout.index.nbytes + layout.weights.nbytes
    found = {"synapses": sum(map(len, net.connections)), "bytes": held, "peak": peak, "rss": rss, "drawn": Drawn.count}
    found["rows"] = net.loop().synapses.bounds.nbytes + sum(c.start.nbytes + c.senders.nbytes for c in net.connections)
    found |= {"all": net.nbytes, "estimated": net.estimate().ranks(ranks.size).bytes}
    if a.state:
        shares.BLOCK = 1 << 13
        found["kept"] = while_kept(net, a.state)
    every = ranks.every(found)
    if ranks.rank == 0:
        print(json.dumps({name: [one[name] for one in every] for name in found}), flush=True)


if __name__ == "__main__":
    main()
