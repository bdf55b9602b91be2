# %% [markdown]
# # A sparse recurrent network
#
# 4000 neurons, four fifths of them excitatory, each connected to 2 % of the others: 320,000 synapses, no input, and yet
# it goes on by itself, irregularly. Excitation and inhibition nearly cancel, and what is left are fluctuations. (T. P.
# Vogels and L. F. Abbott 2005, the version with currents.)

# %%
import nbsnn
from nbsnn.neurons import LIF
from nbsnn.synapses import Exponential

brain = nbsnn.Network(dt=0.1, seed=1)
cell = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)
cells = brain.population(cell, 4000, name="cells", v=nbsnn.values.Uniform(-60.0, -50.0))
excitatory, inhibitory = cells[:3200], cells[3200:]
brain.connect(excitatory, cells, nbsnn.Sparse(probability=0.02), weight=1.62, synapse=Exponential(tau=5.0))
brain.connect(inhibitory, cells, nbsnn.Sparse(probability=0.02), weight=-9.0, synapse=Exponential(tau=10.0))
run = brain.run(1000.0, record={cells: {"spikes": None, "v": [0, 1]}})

print(f"mean rate {run.rate(cells):.1f} Hz, coefficient of variation {run.cv(cells):.2f}")
print(f"one second took {run.seconds:.2f} s")

# %% [markdown]
# **See** no stripes in the raster: no two neurons do the same. The coefficient of variation of the intervals between
# spikes is 0 for a clock and 1 for a Poisson process; this network is half way between.

# %%
figure = nbsnn.plot.activity(
    {
        "excitatory": (*run.spikes(cells[:300]), 300),
        "inhibitory": (*run.spikes(cells[3200:3275]), 75),
    },
    stop=1000.0,
    start=600.0,
)
nbsnn.plot.save(figure, "10_balanced_network.png")

# %% [markdown]
# **Try** `weight=-4.0` for inhibition: the balance is lost, and rates rise to what refractoriness allows.
