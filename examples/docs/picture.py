"""The README's picture: ``python examples/docs/picture.py`` writes ``picture.png`` beside this file."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.synapses import Exponential

START, STOP = 600.0, 1000.0  # ms

cell = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)
net = nbsnn.Network(dt=0.1, seed=1)
cells = net.population(cell, 4000, name="cells", v=nbsnn.values.Uniform(-60.0, -50.0))
net.connect(cells[:3200], cells, nbsnn.Sparse(probability=0.02), weight=1.62, synapse=Exponential(tau=5.0))
net.connect(cells[3200:], cells, nbsnn.Sparse(probability=0.02), weight=-9.0, synapse=Exponential(tau=10.0))
run = net.run(STOP, record={cells: {"spikes": None, "v": [7, 3211]}})

figure, axes = plt.subplots(3, 1, figsize=(8.0, 4.6), sharex=True, height_ratios=(5, 1.3, 2.4), layout="constrained")
populations = {"excitatory": (*run.spikes(cells[:3200]), 3200), "inhibitory": (*run.spikes(cells[3200:]), 800)}
nbsnn.plot.activity(populations, STOP, start=START, most=700, axes=axes[:2])
axes[0].set_title("A balanced network of 4000 neurons and 320,000 synapses", fontsize=10, loc="left")
axes[1].set_xlabel("")
times, units = run.spikes(cells)
late = run.times >= START
spikes = [times[(units == k) & (times >= START)] for k in (7, 3211)]
nbsnn.plot.traces(run.times[late], {"membrane (mV)": run[cells, "v"][late]}, spikes, axes=axes[2:])
axes[2].set(xlim=(START, STOP), ylabel="membrane (mV)")
figure.savefig(Path(__file__).with_name("picture.png"), dpi=110)
