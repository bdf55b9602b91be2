# %% [markdown]
# # Traces and the window of STDP
#
# Spike-timing-dependent plasticity needs no list of past spikes. Each side of a synapse keeps a trace that jumps at a
# spike and decays: the presynaptic one is read when the postsynaptic neuron spikes, and the other way round.
#
#     pre spike:   w -= a_pre * trace_post,    trace_pre jumps
#     post spike:  w += a_post * trace_pre,    trace_post jumps
#
# One pair of spikes at every lag, and the change of the weight, gives the learning window.

# %%
import numpy as np

import nbsnn
from nbsnn.plasticity import PairSTDP, TripletSTDP, window

lags = np.arange(-60, 61)
rules = {
    "pairs, tau 20 and 20 ms": PairSTDP(a_post=0.010, a_pre=0.0105, tau_pre=20.0, tau_post=20.0),
    "pairs, tau 10 and 30 ms": PairSTDP(a_post=0.010, a_pre=0.0050, tau_pre=10.0, tau_post=30.0),
    "triplets": TripletSTDP(),
}
figure, (left, right) = nbsnn.plot.pyplot().subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
for name, rule in rules.items():
    _, change = window(rule, lags)
    left.plot(lags, change / np.abs(change).max(), label=name)
left.axhline(0.0, color="0.7", linewidth=0.8)
left.set(xlabel="post - pre (ms)", ylabel="change of the weight, scaled", title="pairs of spikes")
left.legend(fontsize="small")

# %% [markdown]
# Many pairs: the pre neuron leads by 5 ms, or lags by as much, at 10 Hz.

# %%
rule = rules["pairs, tau 20 and 20 ms"]
for shift, color in ((5, "C0"), (-5, "C3")):
    pre, post = np.zeros((2000, 1, 1), np.float32), np.zeros((2000, 1, 1), np.float32)
    pre[100::100], post[100 + shift :: 100] = 1.0, 1.0
    result = rule.run(np.full((1, 1), 0.5, np.float32), pre, post, record=("weights",))
    weight = np.asarray(result["weights"]).reshape(-1)
    right.plot(weight, color=color, label=f"post {'after' if shift > 0 else 'before'} pre, by 5 ms")
    print(f"post - pre = {shift:+d} ms: weight 0.5 -> {weight[-1]:.3f}")
right.set(xlabel="time (ms)", ylabel="weight", title="one synapse, 19 pairs")
right.legend(fontsize="small")

# %% [markdown]
# **See** causality: what came just before is strengthened, what came just after is weakened. The triplet rule does not
# strengthen at all for one pair: it needs a second postsynaptic spike nearby.

# %%
nbsnn.plot.save(figure, "07_stdp_windows.png")

# %% [markdown]
# **Try** pairs at 50 Hz. Neighbouring pairs meet, and the rule sees post before pre as well.
