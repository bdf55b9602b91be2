"""Synapses that compete: spike-timing-dependent plasticity makes weights bimodal and the output rate steady.

Each of five leaky neurons has a thousand excitatory synapses of its own, conductances that start anywhere between 0 and
their maximum, driven by independent Poisson spikes of 10 to 50 Hz, and inhibition at a fixed rate. Pairs of spikes
change the synapses: pre before post strengthens, post before pre weakens a little more. Nothing else tells them apart,
yet they end near 0 or near the maximum: a neuron that fires at random weakens its synapses, and one that fires because
of its input strengthens those that came in time. So the rate of the output settles where few enough synapses are left
for chance to decide when it fires, nearly wherever the rate of the input is. S. Song, K. D. Miller and L. F. Abbott
2000, Competitive Hebbian learning through spike-timing-dependent synaptic plasticity, doi:10.1038/78829, with their
constants.

    python examples/studies/17_sparse_plasticity.py --out competition.png
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.plasticity import PairSTDP
from nbsnn.plot import pyplot, save
from nbsnn.synapses import Exponential

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seconds", type=float, default=1000.0, help="simulated time")
parser.add_argument("--dt", type=float, default=0.5, help="time step, ms")
parser.add_argument("--synapses", type=int, default=1000, help="per neuron")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--out", default="competition.png", help="the figure (needs matplotlib)")
arguments = parser.parse_args()

MOST = 0.015  # largest excitatory conductance, in units of the leak
RATES = np.array([10.0, 20.0, 30.0, 40.0, 50.0])  # of the inputs, Hz
cells, each = len(RATES), arguments.synapses
unit = arguments.seconds * 1000.0 / 50  # ms between two looks

net = nbsnn.Network(dt=arguments.dt, seed=arguments.seed)
inputs = net.poisson(cells * each, np.repeat(RATES, each), name="inputs")
output = net.population(LIF(tau=20.0, v_rest=-70.0, v_threshold=-54.0, v_reset=-60.0), cells, name="output")
pairs = nbsnn.Explicit(np.arange(cells * each), np.repeat(np.arange(cells), each))
rule = PairSTDP(0.005 * MOST, 1.05 * 0.005 * MOST, tau_pre=20.0, tau_post=20.0, w_max=MOST)
learns = net.connect(
    inputs, output, pairs, weight=nbsnn.values.Uniform(0.0, MOST), synapse=Exponential(5.0, reversal=0.0),
    plasticity=rule,
)  # fmt: skip
net.drive(output, 200 * 10.0, 0.05, Exponential(5.0, reversal=-70.0))  # 200 inhibitory synapses at 10 Hz

start = learns.weight.reshape(cells, each) / MOST
recording = net.run(
    arguments.seconds * 1000.0, record={output: "spikes", learns: ["weight"]}, every=unit, progress=True
)
weights = recording[learns, "weight"].reshape(-1, cells, each) / MOST
times, units = recording.spikes(output)
edges = np.arange(51) * unit
rates = np.stack([np.histogram(times[units == k], edges)[0] for k in range(cells)]) / (unit / 1000.0)
final, mean = weights[-1], weights.mean(2)
first, last = np.bincount(units[times <= 1000.0], minlength=cells), rates[:, -10:].mean(1)

print("input    output at first, at the end    weights below a tenth, between, above nine tenths")
for k in range(cells):
    low, high = np.mean(final[k] < 0.1), np.mean(final[k] > 0.9)
    print(f"{RATES[k]:3.0f} Hz {first[k]:10.1f} Hz {last[k]:8.1f} Hz {low:25.0%} {1 - low - high:13.0%} {high:10.0%}")
print(f"{arguments.seconds:g} s in {recording.seconds:.1f} s")

try:
    figure, axes = pyplot().subplots(2, 3, figsize=(11.0, 6.0), layout="constrained")
except ImportError as error:
    raise SystemExit(f"no figure: {error}") from None
for k, axis in zip((0, 1, 3), axes[0], strict=True):
    bins = np.linspace(0.0, 1.0, 21)
    axis.hist(start[k], bins, histtype="step", color="0.6", label="at first")
    axis.hist(final[k], bins, color=f"C{k}", alpha=0.8, label="at the end")
    axis.set(title=f"inputs at {RATES[k]:g} Hz", xlabel="weight / maximum", ylabel="synapses", xlim=(0, 1))
    axis.legend(frameon=False)
seconds = edges[1:] / 1000.0
for k in range(cells):
    axes[1, 0].plot(seconds, rates[k], color=f"C{k}", lw=1.0, label=f"{RATES[k]:g} Hz")
    axes[1, 1].plot(seconds, mean[:, k], color=f"C{k}", lw=1.0)
axes[1, 0].set(xlabel="time (s)", ylabel="output (Hz)", yscale="log", title="the output settles")
axes[1, 0].legend(title="inputs", frameon=False, fontsize="small")
axes[1, 1].set(
    xlabel="time (s)", ylabel="mean weight / maximum", ylim=(0, 1), title="the stronger the input, the less of it"
)
axes[1, 2].plot(RATES, first, "o--", color="0.6", label="in the first second")
axes[1, 2].plot(RATES, last, "o-", color="k", label="at the end")
axes[1, 2].set(xlabel="input (Hz)", ylabel="output (Hz)", ylim=(0, None), title="the output hardly follows the input")
axes[1, 2].legend(frameon=False)
save(figure, arguments.out)
print("wrote", arguments.out)
