# %% [markdown]
# # Synapses that come and go
#
# Neurons that fire less than they should grow boutons and spines; those that fire more withdraw them. Free ones find
# each other, and so a network wires itself until every neuron has its rate (Butz and van Ooyen 2013; also NEST's
# structural plasticity). Here it does, loses part of its input, as a cortex does whose retina is damaged, and recovers.
#
# A callback does it: `disconnect` and `add` change the synapses of a connection in the middle of a run, and all that
# stays keeps its state.
#
#     python examples/studies/19_structural_plasticity.py

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.sparse import grid
from nbsnn.synapses import Exponential

SIDE, GOAL, EVERY, SECOND = 12, 8.0, 500.0, 1000.0  # Hz, ms
rng = np.random.default_rng(0)

net = nbsnn.Network(dt=0.5, seed=1)
neuron = LIF(tau=20.0, v_rest=-70.0, v_threshold=-50.0, v_reset=-60.0, refractory=2.0)
start = nbsnn.values.Uniform(-70.0, -50.0)
cells = net.population(neuron, SIDE**2, name="cells", positions=grid((SIDE, SIDE)), v=start)
others = net.population(neuron, SIDE**2 // 4, name="inhibitory", v=start)
net.drive(others, 700.0, 1.0)
net.connect(cells, others, nbsnn.Sparse(probability=0.2), weight=5.0, synapse=Exponential(5.0))
net.connect(others, cells, nbsnn.Sparse(probability=0.3), weight=-3.0, synapse=Exponential(10.0))
wires = net.connect(cells, cells, nbsnn.Explicit([], []), weight=4.0, delay=1.5, synapse=Exponential(5.0))

middle = (abs(cells.positions - SIDE / 2) < SIDE / 4).all(axis=1)
net.drive(cells[~middle], 1380.0, 0.7)
sight = net.drive(cells[middle], 1380.0, 0.7)

# %% [markdown]
# Calcium is the rate, smoothed over five seconds. Elements grow with it between `least` and the goal, and shrink beyond
# on both sides: `2 exp(-((calcium - middle) / width)^2) - 1` times the speed of growth. Boutons need more activity
# than spines.

# %%
calcium = np.zeros(cells.n)
elements = {"pre": np.zeros(cells.n), "post": np.zeros(cells.n)}
LEAST = {"pre": 1.0, "post": 0.1}
distance = np.linalg.norm(cells.positions[:, None] - cells.positions, axis=2)


def growth(least):
    width = (GOAL - least) / (2.0 * np.sqrt(np.log(2.0)))
    return 0.4 * (2.0 * np.exp(-(((calcium - (least + GOAL) / 2.0) / width) ** 2)) - 1.0)  # per second


def beyond(units, room):
    """Synapses, chosen at random, for which their units have no room."""
    mixed = rng.permutation(len(units))
    by_unit = mixed[np.argsort(units[mixed], kind="stable")]
    number = np.arange(len(units)) - np.searchsorted(units[by_unit], units[by_unit])
    gone = np.zeros(len(units), bool)
    gone[by_unit] = number >= room[units[by_unit]]
    return gone


def rewire(net, since):
    seconds = (since.stop - since.start) / SECOND
    calcium[:] += (since.counts(cells) / seconds - calcium) * (1.0 - np.exp(-seconds / 5.0))
    for side, number in elements.items():
        number[:] = np.maximum(number + seconds * growth(LEAST[side]), 0.0)
    room = {side: number.astype(int) for side, number in elements.items()}
    wires.disconnect(synapses=beyond(wires.pre, room["pre"]) | beyond(wires.post, room["post"]))
    used = {"pre": np.bincount(wires.pre, minlength=cells.n), "post": np.bincount(wires.post, minlength=cells.n)}
    free = {side: rng.permutation(np.repeat(np.arange(cells.n), room[side] - used[side])) for side in room}
    pre, post = (free[side][: min(map(len, free.values()))] for side in ("pre", "post"))
    meet = (pre != post) & (rng.random(len(pre)) < np.exp(-0.5 * (distance[pre, post] / 3.0) ** 2))
    wires.add(pre[meet], post[meet])
    onto = np.bincount(wires.post, minlength=cells.n)
    history.append([(c[middle].mean(), c[~middle].mean()) for c in (calcium, onto)])


# %%
history, sources, centre = [], [], cells.n // 2 + SIDE // 2
net.run(150.0 * SECOND, record={}, callback={rewire: EVERY})
sources.append(wires.sources_of(centre))
sight.set(rate=1230.0)
net.run(200.0 * SECOND, record={}, callback={rewire: EVERY})
sources.append(wires.sources_of(centre))

# %% [markdown]
# **See** the rate of all cells come to 8 Hz. When those in the middle lose input, their rate falls to less than half;
# they grow spines, and get synapses from each other and from their neighbours until they fire as before. To the right,
# where the synapses onto a cell in the middle come from, before and after.

# %%
figure, axes = nbsnn.plot.pyplot().subplots(1, 4, figsize=(10.5, 2.6), layout="constrained")
seconds = np.arange(1, len(history) + 1) * EVERY / SECOND
for ax, values, label in zip(
    axes[:2], np.transpose(history, (1, 0, 2)), ("rate (Hz)", "synapses onto a cell"), strict=True
):
    ax.plot(seconds, values, label=["in the middle", "around it"])
    ax.axvline(150.0, color="grey", linestyle=":")
    ax.set(xlabel="time (s)", ylabel=label)
axes[0].legend()
for ax, units, title in zip(axes[2:], sources, ("sources before", "and after"), strict=True):
    nbsnn.plot.partners(cells.positions, units, of=cells.positions[centre], ax=ax, title=title)
nbsnn.plot.save(figure, "19_structural_plasticity.png")
rates = [np.mean(history[k - 20 : k], axis=0)[0] for k in (300, 360, 700)]
print(
    f"Hz in the middle and around: {rates[0].round(1)}, after the loss {rates[1].round(1)}, at last {rates[2].round(1)}"
)
assert abs(rates[0] - GOAL).max() < 1.5 and rates[1][0] < 0.6 * GOAL and rates[2][0] > 0.8 * GOAL

# %% [markdown]
# **Try** another goal for some cells: `GOAL` may be an array. Or let only close cells meet (`0.5 * (distance / 1.0)`).
