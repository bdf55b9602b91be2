"""What the zoo has no room for: further neurons, rules, sources, synapses and recordings, as one number.

mpiexec -n 3 python -m tests.mpi.others --mpi
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF, AdEx
from nbsnn.plasticity import MSTDP, DiehlCook, Normalize, PairSTDP, TripletSTDP, VogelsSTDP
from nbsnn.sparse import AllToAll, Distance, Gaussian, Multiple, Sparse, grid
from nbsnn.sparse.values import Normal, Uniform
from nbsnn.synapses import Exponential

from .zoo import digest, kept, world

EVENTS = np.array([(1000 * k, k % 3, k % 2) for k in range(1, 30)], [("t", "i8"), ("x", "i2"), ("y", "i2")])


def network(comm=None):
    """Populations of 11, 7 and 2 units, of which some are driven, and connections of every further kind."""
    net = nbsnn.Network(dt=0.5, seed=5, noise=8, device="python", comm=comm)
    neuron = LIF(tau=20.0, v_rest=0.0, v_threshold=20.0, v_reset=0.0, refractory=2.0)
    cells = net.population(neuron, 11, name="cells", positions=grid((11, 1)), v=Uniform(0.0, 20.0), tau=Normal(20, 2))
    others = net.population(AdEx(), 7, name="others", positions=grid((7, 1)))
    out = net.population(LI(tau=10.0), 2, name="out")
    events = net.events(EVENTS, (2, 3), name="events")
    noise = net.poisson(5, rate=np.array([[100.0], [600.0]]), every=10.0, name="noise")
    conductance, delay = Exponential(5.0, reversal=0.0), {"delay": 2.5}
    net.drive(cells[2:9], lambda t: 9000.0 + 300.0 * t, 0.4)
    net.drive(others, 900.0, 6.0, conductance)
    net.inject(others[1:4], 300.0, start=5.0, stop=20.0)
    rules = {
        "triplet": (cells, TripletSTDP()), "inhibitory": (cells, VogelsSTDP()),
        "rewarded": (cells, MSTDP()), "neither": (cells, PairSTDP(a_post=0.05, a_pre=0.05, order="neither")),
        "digits": (events, DiehlCook()),
    }  # fmt: skip
    for name, (source, rule) in rules.items():
        net.connect(
            source, cells, Sparse(probability=0.4), weight=Uniform(0.0, 0.5), plasticity=rule, name=name, **delay
        )
    net.connections[2].reward = 0.5
    held = {"plasticity": PairSTDP(a_post=0.05, a_pre=0.05), "homeostasis": Normalize(2.0, every=5.0)}
    net.connect(noise, cells, Sparse(indegree=3, multapses=False), weight=Uniform(0.0, 3.0), **held, **delay)
    net.connect(noise, others, AllToAll(), weight=Normal(8.0, 1.0), synapse=conductance, delay=Uniform(2.5, 5.0))
    net.connect(cells, others, Distance(Gaussian(0.8, 2.0)), weight=Uniform(0.0, 5.0), synapse=conductance, **delay)
    net.connect(cells, cells, Multiple(Sparse(outdegree=2), 3), weight=Uniform(0.0, 0.3), **delay)
    net.connect(cells, out, AllToAll(), weight=0.3, synapse=Exponential(4.0), **delay)
    return net


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--mpi", action="store_true")
    a = p.parse_args()
    net = network(world() if a.mpi else None)
    cells, others, out = net.groups[:3]
    seen = []

    def listen(net, since):
        seen.extend([since.counts(), *since.spikes(cells[1:5])])
        net.group("cells")["v_threshold"] = 20.0 - 0.1 * net.time

    plastic = {c: {name: [1, 0]} for c, name in zip(net.connections[:3], ("weight", "weight", "weight"), strict=True)}
    run = net.run(30.0, record={cells[1:6]: "spikes", others: ["spikes", "v", "w"], out: "v", **plastic}, every=1.0,
                  callback={listen: 10.0})  # fmt: skip
    weights = [part for c in net.connections for part in c.gather()]
    found = [digest(*part) for part in (run.spikes(), run.variables.values(), seen, weights, kept(net))]
    assert len(run.spikes(others)[0]) > 5 and len(run.spikes(cells[1:6])[0]) > 5
    if net.ranks.rank == 0:
        print(*found, flush=True)


if __name__ == "__main__":
    main()
