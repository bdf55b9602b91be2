"""Which neurons remember: a delayed recall with LIF, NoReset, Cooldown and Adaptive, five seeds each.

One of four groups of inputs is active for 10 steps; then comes a delay of 80 steps of noise, then a cue of 10 steps,
during which the readout must name the group. The networks (50-40-4) have no recurrence, so that the memory is in the
neurons, and are trained by the same back-propagation through time. All membranes have a time constant of 20 steps, a
quarter of the delay; so has the threshold of Adaptive, and in a second variant one of 100 steps, which is what such a
threshold is for. What tells the neurons apart is what a spike leaves behind: in LIF it takes away what is remembered.
LIF with a membrane of 100 steps is the control: it needs no help. Chance is 25 %.

The ranking belongs to this delay: after 60 steps (--delay 60) LIF, NoReset and Adaptive with the short threshold are
within 5 % of each other, at about 75 %; Cooldown, Adaptive with the long one and the control stay above 99 %.

    python examples/studies/13_long_memory.py
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF, Adaptive, Cooldown, NoReset
from nbsnn.surrogates import spike_linear

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--delay", type=int, default=80, help="steps between what is shown and the cue")
parser.add_argument("--tau", type=float, default=20.0, help="membrane time constant, in steps")
parser.add_argument("--long", type=float, default=100.0, help="the longer time constant, in steps")
parser.add_argument("--units", type=int, default=40)
parser.add_argument("--iterations", type=int, default=800)
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--samples", type=int, default=2000, help="test samples")
arguments = parser.parse_args()
tau, long, slope = arguments.tau, arguments.long, spike_linear(0.3)
NEURONS = {
    f"LIF {tau:g}": LIF(tau, v_reset=None, surrogate=slope),
    f"NoReset {tau:g}": NoReset(tau, surrogate=slope),
    f"Cooldown {tau:g}": Cooldown(tau, surrogate=slope),
    f"Adaptive {tau:g}, {tau:g}": Adaptive(tau, tau, surrogate=slope),
    f"Adaptive {tau:g}, {long:g}": Adaptive(tau, long, surrogate=slope),
    f"LIF {long:g} (control)": LIF(long, v_reset=None, surrogate=slope),
}


def samples(count, rng):
    """Spikes of four groups of ten inputs and of ten cues, and the group that was active."""
    group = rng.integers(4, size=count)
    rates = np.full((10 + arguments.delay + 10, count, 5), 0.02)
    rates[:10, np.arange(count), group] = 0.5
    rates[-10:, :, 4] = 0.5
    rates = np.repeat(rates, 10, axis=2)
    return (rng.random(rates.shape) < rates).astype(np.float32), group


def recalled(output, group):
    """Cross-entropy of the mean readout during the cue."""
    value, derivative = nbsnn.losses.rate_cross_entropy(output[-10:], group)
    return value, np.concatenate([np.zeros_like(output[:-10]), derivative])


def accuracy(neuron, seed):
    """Test accuracy in % after training."""
    rng = np.random.default_rng(seed)
    net = nbsnn.Sequential(
        nbsnn.Dense(50, arguments.units), neuron, nbsnn.Dense(arguments.units, 4), LI(5.0), seed=seed
    )
    learner = nbsnn.BPTT(net, recalled, nbsnn.optim.Adam(5e-3), clip=1.0)
    for _ in range(arguments.iterations):
        learner.step(*samples(64, rng))
    x, group = samples(arguments.samples, np.random.default_rng(1000 + seed))
    return 100.0 * np.mean(net.run(x).output[-10:].mean(0).argmax(-1) == group)


found = {}
for name, neuron in NEURONS.items():
    found[name] = [accuracy(neuron, seed) for seed in range(arguments.seeds)]
    print(f"{name:18} {'  '.join(f'{value:5.1f}' for value in found[name])}", flush=True)

print(f"\nrecall after {arguments.delay} steps: test accuracy in %, {arguments.seeds} seeds")
print(f"{'neuron, tau':18}  mean   std    min    max")
for name, values in sorted(found.items(), key=lambda item: -np.mean(item[1])):
    print(f"{name:18} {np.mean(values):5.1f} {np.std(values):5.1f}  {min(values):5.1f}  {max(values):5.1f}")
