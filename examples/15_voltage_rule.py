# %% [markdown]
# # A rule that sees the membrane
#
# Pairs of spikes say little of what a synapse needs to know: repeated fast they potentiate, repeated slowly the same
# pairs depress. The rule of Clopath, Busing, Vasilaki and Gerstner (2010) reads the membrane instead. A presynaptic
# spike depresses if the membrane was depolarised in the last ms; whenever it is far above rest, and was depolarised
# before, the synapse grows with the trace x of presynaptic spikes.
#
# A `MembraneRule` takes variables of the neurons where others take traces, and says what weights do between spikes.

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import ClopathAdEx
from nbsnn.plasticity import LowPass, MembraneRule, Trace


def depress(w, pre, post, x, v, u_plus, u_minus, a_ltp, a_ltd, high, low):
    return 0.0, -a_ltd * max(u_minus - low, 0.0) * pre


def potentiate(w, x, v, u_plus, u_minus, a_ltp, a_ltd, high, low):
    return a_ltp * x * max(v - high, 0.0) * max(u_plus - low, 0.0)


rule = MembraneRule(
    depress,
    pre={"x": Trace(15.0, amount=1 / 15.0, order="decay use add")},
    post={"v": LowPass("v"), "u_plus": LowPass("v", 7.0, delay=4.0), "u_minus": LowPass("v", 10.0, delay=4.0)},
    params={"a_ltp": 8e-5, "a_ltd": 14e-5, "high": -45.3, "low": -70.6},
    drift=potentiate,
)

# %% [markdown]
# Each neuron gets pairs: a presynaptic spike, and a strong input `lag` ms later that makes it fire, at a rate. All
# pairs are simulated at once, a unit each. `ClopathAdEx` is a neuron whose spikes last, so that the rule can see them.


# %%
def learned(lags, rates, pairs):
    """Weight at the end, as a share of that at the start and per 75 pairs."""
    net, n = nbsnn.Network(dt=0.1), len(lags)
    post = 50.1 + 1000.0 / rates[:, None] * np.arange(pairs)
    early, late = (np.round(times, 1) for times in (post - lags[:, None], post - 0.1))
    units = np.repeat(np.arange(n), pairs)
    cells, source = net.population(ClopathAdEx(), n), net.spikes(early.ravel(), units, n)
    net.connect(net.spikes(late.ravel(), units, n), cells, nbsnn.OneToOne(), weight=80.0)
    plastic = net.connect(source, cells, nbsnn.OneToOne(), weight=0.5, plasticity=rule)
    net.run(float(post.max()) + 100.0)
    return 100.0 + 7500.0 / pairs * (plastic.weight - 0.5) / 0.5


rates, lags = np.array([1.0, 10.0, 20.0, 30.0, 40.0, 50.0]), np.linspace(-30.0, 30.0, 25)
before, after = (learned(np.full(6, lag), rates, 5) for lag in (10.0, -10.0))
window = learned(lags, np.full(25, 20.0), 6)

# %% [markdown]
# **See** the paper's figure 2: presynaptic spikes that come before potentiate, and the more so the faster they are
# repeated; those that come after depress, but fast ones potentiate too. To the right, the window at 20 Hz.

# %%
figure, (left, right) = nbsnn.plot.pyplot().subplots(1, 2, figsize=(7.5, 2.8), layout="constrained")
left.plot(rates, before, "o-", label="pre 10 ms before")
left.plot(rates, after, "o-", label="pre 10 ms after")
left.set(xlabel="rate of pairs (Hz)", ylabel="weight after 75 pairs (%)")
left.legend()
right.plot(lags, window)
right.set(xlabel="post minus pre (ms)")
nbsnn.plot.save(figure, "15_voltage_rule.png")
print(f"before: {before.round()}\nafter:  {after.round()}")

# %% [markdown]
# **Try** `nbsnn.plasticity.Clopath()`, which is this rule, with `u_ref=65.0`: homeostasis makes depression stronger
# where the membrane is depolarised for long.
