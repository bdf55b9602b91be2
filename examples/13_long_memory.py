"""Which neurons remember: store and recall with LIF, NoReset, Cooldown and Adaptive, five seeds each.

A stream of random bits passes, one per period. A "store" cue marks one of the first bits; in the last period, after
a delay full of other bits, a "recall" cue asks for it. All networks are 40-40-2 with dense recurrence, trained by the
same back-propagation through time, and all neurons have the same longest time constant, 200 steps: that of the
membrane, in Adaptive that of the threshold, whose membrane has 20. LIF is shown with 20 steps too, lest its membrane
be to blame. Chance is 50 %.

    python examples/13_long_memory.py
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF, Adaptive, Cooldown, NoReset
from nbsnn.surrogates import spike_linear

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--periods", type=int, default=15, help="length of a sample; the bit is in the first three")
parser.add_argument("--steps", type=int, default=10, help="steps in a period")
parser.add_argument("--units", type=int, default=40)
parser.add_argument("--tau", type=float, default=200.0, help="longest time constant, in steps")
parser.add_argument("--iterations", type=int, default=300)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--rate", type=float, default=5e-3)
arguments = parser.parse_args()
steps, periods = arguments.steps, arguments.periods

common = {"surrogate": spike_linear(0.3)}
NEURONS = {
    "LIF": lambda: LIF(arguments.tau, v_reset=None, **common),
    "LIF tau 20": lambda: LIF(20.0, v_reset=None, **common),
    "NoReset": lambda: NoReset(arguments.tau, **common),
    "Cooldown": lambda: Cooldown(arguments.tau, **common),
    "Adaptive": lambda: Adaptive(20.0, arguments.tau, beta=0.2, **common),
}


def samples(count, rng):
    """Spikes of four groups of ten inputs (bit 0, bit 1, store, recall), and the bits to recall."""
    bits = rng.integers(2, size=(periods, count))
    place = rng.integers(3, size=count)
    active = np.zeros((periods, count, 4), bool)
    active[..., 0], active[..., 1] = bits == 0, bits == 1
    active[place, np.arange(count), 2] = True
    active[-1] = False, False, False, True
    rates = np.repeat(np.repeat(np.where(active, 0.3, 0.01), 10, axis=2), steps, axis=0)
    return (rng.random(rates.shape) < rates).astype(np.float32), bits[place, np.arange(count)]


def recalled(output, bits):
    """Cross-entropy of the mean readout in the last period."""
    value, derivative = nbsnn.losses.rate_cross_entropy(output[-steps:], bits)
    g = np.zeros_like(output)
    g[-steps:] = derivative
    return value, g


def accuracy(make, seed):
    rng = np.random.default_rng(seed)
    net = nbsnn.Sequential(
        nbsnn.Dense(40, arguments.units),
        nbsnn.Recurrent(make()),
        nbsnn.Dense(arguments.units, 2),
        LI(tau=steps),
        seed=seed,
    )
    learner = nbsnn.BPTT(net, recalled, nbsnn.optim.Adam(arguments.rate), clip=1.0)
    for _ in range(arguments.iterations):
        learner.step(*samples(arguments.batch, rng))
    x, bits = samples(1000, np.random.default_rng(1000 + seed))
    return 100.0 * np.mean(net.run(x).output[-steps:].mean(0).argmax(-1) == bits)


found = {}
for name, make in NEURONS.items():
    found[name] = [accuracy(make, seed) for seed in range(arguments.seeds)]
    print(f"{name:10} {'  '.join(f'{a:5.1f}' for a in found[name])}", flush=True)

print(f"\nstore and recall over {steps * (periods - 3)} to {steps * (periods - 1)} steps, {arguments.seeds} seeds")
print("neuron      mean   std    min    max   (test accuracy in %)")
for name, values in sorted(found.items(), key=lambda item: -np.mean(item[1])):
    print(f"{name:10} {np.mean(values):5.1f} {np.std(values):5.1f}  {min(values):5.1f}  {max(values):5.1f}")
