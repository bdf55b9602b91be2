"""All published firing patterns of Izhikevich's and the AdEx model: membrane, and the current that evokes them.

python examples/studies/15_firing_patterns.py --out patterns.png
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import adex_patterns, izhikevich_patterns
from nbsnn.plot import pyplot

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--out", default="firing_patterns.png", help="the figure (needs matplotlib)")
args = parser.parse_args()

families = {"Izhikevich": izhikevich_patterns(), "AdEx": adex_patterns()}
panels = []
for family, patterns in families.items():
    for name, pattern in patterns.items():
        run = nbsnn.Population(pattern.neuron, 1, dt=pattern.dt, dtype=np.float64).run(pattern.input())
        v, spikes = run["v"].ravel(), run["spikes"].ravel()
        panels.append((family, name, pattern, v, spikes))
        print(f"{family:11s} {name:28s} {int(spikes.sum()):3d} spikes in {pattern.duration:3.0f} ms")

figure, axes = pyplot().subplots(7, 5, figsize=(15, 14), layout="constrained")
for axis, (family, name, pattern, v, spikes) in zip(axes.flat, panels, strict=True):
    current = pattern.input().ravel()
    peak = float(pattern.neuron.params["v_peak"])
    scale = 12.0 / max(np.ptp(current), 1e-9)
    axis.plot(pattern.times, np.where(spikes > 0.5, peak, v), lw=0.7, color="C0")  # a spike reaches its peak
    axis.plot(pattern.times, -105.0 + scale * (current - current.min()), lw=0.8, color="0.5")
    axis.set(title=f"{name} ({family})", ylim=(-110, 35), xlim=(0, pattern.duration))
    axis.title.set_fontsize(8)
    axis.tick_params(labelsize=6)
for axis in axes[:, 0]:
    axis.set_ylabel("v (mV)", fontsize=7)
for axis in axes[-1]:
    axis.set_xlabel("time (ms)", fontsize=7)
figure.savefig(args.out, dpi=100)
print("wrote", args.out)
