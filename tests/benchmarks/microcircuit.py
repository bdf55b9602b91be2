"""W6, pd: the cortical microcircuit of Potjans and Diesmann (2014), scaled down; numbers only.

Eight populations: excitatory and inhibitory of layers 2/3, 4, 5 and 6. At scale s, populations and in-degrees shrink
by s, weights grow by 1/sqrt(s) so that the input's variance stays, and a constant current makes up for its mean:

    I = tau_syn (1 - sqrt(s)) (sum_b K[a, b] w[a, b] rate[b] + w K_ext[a] rate_ext)

Potjans and Diesmann, Cerebral Cortex 24 (2014), doi:10.1093/cercor/bhs358; scaling after van Albada et al.,
PLoS Computational Biology 11 (2015), doi:10.1371/journal.pcbi.1004490.
"""

from __future__ import annotations

from typing import Any

NEURONS = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
PROBABILITY = (  # of a connection, by target (row) and source
    (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
    (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
    (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
)
EXTERNAL = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)  # in-degrees
RATES = (0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523)  # Hz, of the full network
EXTERNAL_RATE = 8.0  # Hz
WEIGHT, RELATIVE_INHIBITION = 87.81, -4.0  # pA
DELAY = (1.5, 0.75)  # ms, of excitatory and inhibitory sources; standard deviation half as large
TAU_SYN = 0.5  # ms
NEURON = {"C_m": 250.0, "tau_m": 10.0, "E_L": -65.0, "V_th": -50.0, "V_reset": -65.0, "t_ref": 2.0}  # pF, ms, mV
FIRST_V = (-58.0, 10.0)  # mV, mean and standard deviation


def scaled(scale: float = 0.1) -> dict[str, Any]:
    """Arrays of the network at ``scale``: neurons, synapses [8, 8], weight [8, 8] pA, current pA, external rates Hz."""
    import numpy as np

    full = np.array(NEURONS)
    # Synapses drawn with replacement that connect a pair with the probability given.
    pairs = full[:, None] * full[None, :]
    degrees = np.log1p(-np.array(PROBABILITY)) / np.log1p(-1.0 / pairs) / full[:, None]
    weight = np.where(np.arange(8) % 2 == 0, WEIGHT, RELATIVE_INHIBITION * WEIGHT) * np.ones((8, 1))
    weight[0, 2] *= 2.0
    neurons = np.round(full * scale).astype(int)
    mean = (degrees * weight * np.array(RATES)).sum(axis=1) + WEIGHT * EXTERNAL_RATE * np.array(EXTERNAL)
    return {
        "neurons": neurons, "synapses": np.round(degrees * scale * neurons[:, None]).astype(int),
        "weight": weight / np.sqrt(scale), "external_weight": WEIGHT / np.sqrt(scale),
        "external_rate": EXTERNAL_RATE * np.array(EXTERNAL) * scale,
        "current": 0.001 * TAU_SYN * (1.0 - np.sqrt(scale)) * mean,
    }  # fmt: skip


def population_rates(unit: Any, neurons: Any, length: float) -> list[float]:
    """Mean rate of each population, Hz, of the units that spiked in ``length`` seconds."""
    import numpy as np

    edges = np.concatenate([[0], np.cumsum(neurons)])
    return [round(float(n), 2) for n in np.histogram(unit, edges)[0] / np.asarray(neurons) / length]
