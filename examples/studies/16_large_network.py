"""A hundred thousand neurons and a hundred million synapses: how much memory, how long to build, how long to run.

Four of five neurons excite; every neuron has 1000 synapses from random others, and Poisson input that keeps it going.

    python examples/studies/16_large_network.py
"""

import argparse
import time

import nbsnn
from nbsnn.neurons import LIF

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--neurons", type=int, default=100_000)
parser.add_argument("--synapses", type=int, default=1000, help="of each neuron")
parser.add_argument("--duration", type=float, default=200.0, metavar="MS")
arguments = parser.parse_args()

net = nbsnn.Network(dt=0.1, seed=1)
cells = net.population(LIF(tau=20.0, v_threshold=20.0, refractory=2.0), arguments.neurons, name="cells")
split, jump = arguments.neurons * 4 // 5, 100.0 / arguments.synapses  # mV
exc, inh = arguments.synapses * 4 // 5, arguments.synapses - arguments.synapses * 4 // 5
net.connect(cells[:split], cells, nbsnn.Sparse(indegree=exc), weight=jump, delay=1.5)
net.connect(cells[split:], cells, nbsnn.Sparse(indegree=inh), weight=-5.0 * jump, delay=1.5)
net.drive(cells, rate=2.0 * 1000.0 / jump, weight=jump)  # twice what takes the mean membrane to the threshold
print(f"{net.units:,} neurons; synapses will take {net.estimate() / 1e6:,.0f} MB")

start = time.perf_counter()
net.build()
count = sum(map(len, net.connections))
print(f"built {count:,} synapses in {time.perf_counter() - start:.1f} s; the network takes {net.nbytes / 1e6:,.0f} MB")

recording = net.run(arguments.duration, progress=True)
times, units = recording.spikes()
print(f"{arguments.duration:g} ms in {recording.seconds:.2f} s: {len(times):,} spikes, {recording.rate():.1f} Hz")
events = len(times) * count / net.units
print(f"{recording.seconds / max(1.0, events) * 1e9:.1f} ns per spike and synapse")
