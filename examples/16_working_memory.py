# %% [markdown]
# # A memory of spikes
#
# A cell forgets within some 20 ms. Yet in prefrontal cortex cells fire on for seconds after a cue is gone, as long as a
# monkey has to remember it. In the network of Wang (2002; Brunel and Wang 2001) cells that excite each other keep each
# other firing, and the slow NMDA receptor keeps that steady: its gates stay open for 100 ms, so that what a cell gets
# is the mean activity of its group and no single spike; and they saturate, so that fast firing adds little.
#
# 1600 excitatory cells, 15 % of them in each of two groups, are connected all to all with 400 inhibitory ones.

# %%
import numpy as np

import nbsnn

net = nbsnn.models.wang(seed=1, potentiation=1.8, cue=40.0, coherence=100.0, start=500.0, stop=1000.0)
exc, inh = net.group("exc"), net.group("inh")
groups = {name: net.sections[name] for name in ("first", "second", "others")} | {"inhibitory": inh}
run = net.run(2500.0, record={exc: ["spikes", "nmda.s"], inh: "spikes"}, every=5.0)

# %% [markdown]
# `record` takes the gate of each source, "nmda.s". **See** the first group, which got the cue (grey), go on firing when
# it is over, its gates mostly open, and hold the second one down by way of the inhibitory cells.

# %%
figure, (raster, rates, gates) = nbsnn.plot.pyplot().subplots(1, 3, figsize=(10.5, 2.8), layout="constrained")
times, units = run.spikes(exc)
some = units % 4 == 0
raster.plot(times[some], units[some], ",", color="black")
edges = np.arange(0.0, 2501.0, 50.0)
for name, group in groups.items():
    counts, _ = np.histogram(run.spikes(group)[0], edges)
    rates.plot(edges[:-1] + 25.0, counts / group.n / 0.05, label=name)
for name in ("first", "second"):
    gates.plot(run.times, run[exc, "nmda.s"][:, net.sections[name].units].mean(axis=1), label=name)
for ax, label in ((raster, "excitatory cell"), (rates, "rate (Hz)"), (gates, "open gates")):
    ax.axvspan(500.0, 1000.0, color="0.85", zorder=-1)
    ax.set(xlabel="time (ms)", ylabel=label)
rates.legend(fontsize="small")
nbsnn.plot.save(figure, "16_working_memory.png")
after = {name: (run.spikes(g)[0] > 1500.0).sum() / g.n for name, g in groups.items()}
print({name: f"{rate:.1f} Hz" for name, rate in after.items()})
assert after["first"] > 20.0 > 5.0 > after["second"]

# %% [markdown]
# **Try** `potentiation=1.0`: nothing is remembered. `coherence=0.0`: both groups get the same cue, and one of them
# wins, which one is chance (`noise=` of a network, or another `seed`). `nbsnn simulate wang` draws all of it.
