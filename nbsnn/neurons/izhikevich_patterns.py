"""The firing patterns of Izhikevich's papers.

Seven kinds of cortical and thalamic neurons of the paper of 2003 (doi:10.1109/TNN.2003.820440, figure 2), which
does not say under what current it shows them; and the twenty properties of spiking neurons of the paper of 2004
(doi:10.1109/TNN.2004.832719, figure 1), with parameters, currents and steps of the program that its author published:
one Euler step for each variable.
"""

from __future__ import annotations

import numpy as np

from .firing_pattern import Pattern, steps
from .izhikevich import Izhikevich

KINDS = {  # a, b, c, d; current
    "regular spiking": ((0.02, 0.2, -65, 8), 10),
    "intrinsically bursting": ((0.02, 0.2, -55, 4), 10),
    "chattering": ((0.02, 0.2, -50, 2), 10),
    "fast spiking": ((0.1, 0.2, -65, 2), 10),
    "low-threshold spiking": ((0.02, 0.25, -65, 2), 10),
    "thalamo-cortical": ((0.02, 0.25, -65, 0.05), 1.5),
    "resonator": ((0.1, 0.26, -65, 2), 0.5),
}


def _ramp(start, rate, base=0.0):
    return lambda t: np.where(t > start, base + rate * (t - start), base)


def _climbs(t):
    slow, fast = np.where(t < 200.0, t / 25.0, 0.0), np.where((t >= 300.0) & (t < 312.5), (t - 300.0) / 12.5 * 4.0, 0.0)
    return slow + fast


def _inhibited(t):
    return np.where((t < 50.0) | (t > 250.0), 80.0, 75.0)


END = 1e9

# a, b, c, d; membrane at the start; step and duration in ms; current.
FEATURES = {
    "tonic spiking": ((0.02, 0.2, -65, 6), -70, 0.25, 100, steps((10, END, 14))),
    "phasic spiking": ((0.02, 0.25, -65, 6), -64, 0.25, 200, steps((20, END, 0.5))),
    "tonic bursting": ((0.02, 0.2, -50, 2), -70, 0.25, 220, steps((22, END, 15))),
    "phasic bursting": ((0.02, 0.25, -55, 0.05), -64, 0.2, 200, steps((20, END, 0.6))),
    "mixed mode": ((0.02, 0.2, -55, 4), -70, 0.25, 160, steps((16, END, 10))),
    "spike frequency adaptation": ((0.01, 0.2, -65, 8), -70, 0.25, 85, steps((8.5, END, 30))),
    "class 1 excitable": ((0.02, -0.1, -55, 6), -60, 0.25, 300, _ramp(30, 0.075)),
    "class 2 excitable": ((0.2, 0.26, -65, 0), -64, 0.25, 300, _ramp(30, 0.015, -0.5)),
    "spike latency": ((0.02, 0.2, -65, 6), -70, 0.2, 100, steps((10, 13, 7.04))),
    "subthreshold oscillations": ((0.05, 0.26, -60, 0), -62, 0.25, 200, steps((20, 25, 2))),
    "resonance": (
        (0.1, 0.26, -60, -1), -62, 0.25, 400, steps(*((t, t + 4, 0.65) for t in (40, 60, 280, 320))),
    ),
    "integrator": (
        (0.02, -0.1, -55, 6), -60, 0.25, 100, steps(*((t, t + 2, 9) for t in (100 / 11, 100 / 11 + 5, 70, 80))),
    ),
    "rebound spike": ((0.03, 0.25, -60, 4), -64, 0.2, 200, steps((20, 25, -15))),
    "rebound burst": ((0.03, 0.25, -52, 0), -64, 0.2, 200, steps((20, 25, -15))),
    "threshold variability": (
        (0.03, 0.25, -60, 4), -64, 0.25, 100, steps((10, 15, 1), (70, 75, -6), (80, 85, 1)),
    ),
    "bistability": (
        (0.1, 0.26, -60, 0), -61, 0.25, 300, steps((37.5, 42.5, 1.24), (216, 221, 1.24), base=0.24),
    ),
    "depolarizing after-potential": ((1, 0.2, -60, -21), -70, 0.1, 50, steps((9, 11, 20))),
    "accommodation": ((0.02, 1, -55, 4), -65, 0.5, 400, _climbs),
    "inhibition-induced spiking": ((-0.02, -1, -60, 8), -63.8, 0.5, 350, _inhibited),
    "inhibition-induced bursting": ((-0.026, -1, -45, -2), -63.8, 0.5, 350, _inhibited),
}  # fmt: skip

# Three properties need other coefficients.
OTHERS = {
    "class 1 excitable": {"slope": 4.1, "constant": 108.0},
    "integrator": {"slope": 4.1, "constant": 108.0},
    "accommodation": {"v_u": -65.0, "leak_u": 0.0, "u_start": -16.0},
}


def izhikevich_patterns() -> dict[str, Pattern]:
    """The published patterns: name -> neuron, current, duration and step.

    Returns
    -------
    dict
        The seven neurons of 2003, at rest and from 100 ms on under a constant current, and the twenty properties of
        2004.

    Examples
    --------
    >>> import nbsnn
    >>> patterns = nbsnn.neurons.izhikevich_patterns()
    >>> len(patterns), patterns["fast spiking"].neuron
    (27, Izhikevich(a=0.1, b=0.2, c=-65.0, d=2.0, ...))
    """
    patterns = {}
    for name, (shape, level) in KINDS.items():
        b = shape[1]
        rest = (b - 5.0 - np.sqrt((5.0 - b) ** 2 - 22.4)) / 0.08  # where dv/dt = 0 and u = b v
        neuron = Izhikevich(*map(float, shape), v_start=float(rest), substeps=1, method="euler")
        patterns[name] = Pattern(neuron, steps((100, END, level)), 500.0, 0.25)
    for name, (shape, v, dt, duration, current) in FEATURES.items():
        options = {"v_start": float(v), "substeps": 1, "method": "euler", **OTHERS.get(name, {})}
        patterns[name] = Pattern(Izhikevich(*map(float, shape), **options), current, float(duration), dt)
    return patterns
