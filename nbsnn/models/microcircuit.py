"""The cortical microcircuit of Potjans and Diesmann 2014: four layers, each with excitation and inhibition.

    10 ms dv/dt = -65 mV - v + (10 ms / 250 pF) I      threshold -50 mV, reset -65 mV, refractory for 2 ms
    0.5 ms dI/dt = -I                                  a spike adds its synapse's weight, 87.8 pA or -4 times as much

Weights (10 %) and delays (50 %) are normal, and drawn again below 0 and below half a step. All numbers stand in
``microcircuit.json``, with their source.

At scale s, s of the neurons remain, each with s of its synapses, so s^2 of all; their weights grow by 1 / sqrt(s), so
that the variance of the input stays, and a constant current makes up for its mean, which would otherwise fall
(van Albada, Helias and Diesmann 2015, doi:10.1371/journal.pcbi.1004490):

    I_a = (1 - sqrt(s)) 0.5 ms (sum_b K_ab w_ab rate_b + K_ext,a w rate_ext),     K, w and rates of the full network
"""

from __future__ import annotations

import functools
import json
import math
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..network import Network
from ..neurons import LIF
from ..sparse import Sparse, values
from ..synapses import Exponential
from ..validate import number

Array = np.ndarray


@functools.cache
def table() -> dict[str, Any]:
    """The numbers of the full network."""
    return json.loads(resources.files("nbsnn.models").joinpath("microcircuit.json").read_text())


def degrees() -> Array:
    """Synapses per neuron of the full network, [target, source]: as many as connect a pair with the given probability.

    Ends of synapses are drawn with replacement, so that some pairs have several.
    """
    n = np.array(table()["neurons"])
    return np.log1p(-np.array(table()["probabilities"])) / np.log1p(-1.0 / np.outer(n, n)) / n[:, None]


def microcircuit(
    seed: int = 0, dt: float = 0.1, dtype: DTypeLike | None = None, scale: float = 0.1, device: str = "cpu",
    comm: object = None,
) -> Network:  # fmt: skip
    """The microcircuit below a square millimetre of cortex, or a part of it.

    Parameters
    ----------
    seed : int
    dt : float, ms
    dtype : {float32, float64}, default float32
    scale : float
        Share of the neurons, and of the inputs of each: 1 has 77,169 neurons and 299 million synapses, 0.1 has 7717
        and 3 million.
    device : {"cpu", "cuda", "python"}
    comm : mpi4py communicator or Ranks, optional
        Ranks that share the network.

    Returns
    -------
    Network
        Populations "L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I".

    References
    ----------
    T. C. Potjans and M. Diesmann 2014, doi:10.1093/cercor/bhs358.

    Examples
    --------
    >>> net = microcircuit(seed=1, scale=0.01)
    >>> recording = net.run(20.0)
    >>> times, units = recording.spikes("L4E")
    """
    number("dt", dt, above=0.0, most=1.0)
    if not number("scale", scale, above=0.0, least=1e-6) <= 1.0:
        raise ValueError(f"scale must be at most 1, the whole network, not {scale!r}")
    given, net = table(), Network(dt, seed, dtype=dtype, device=device, comm=comm)
    neuron, tau, full = given["neuron"], given["tau_syn"], degrees()
    grow, pA = 1.0 / math.sqrt(scale), neuron["tau"] / given["capacitance"]  # mV per pA
    synapse, jump = Exponential(tau), given["weight"] * pA
    weights = np.where(np.arange(8) % 2 == 0, jump, given["g"] * jump) * np.ones((8, 1))
    weights[0, 2] *= given["L4E_to_L23E"]
    # kHz ms: what arrives in the course of a time constant
    lost = (full * weights) @ np.array(given["rates"]) + jump * given["rate_ext"] * np.array(given["K_ext"])
    groups = []
    for name, n, inputs, current in zip(given["populations"], given["neurons"], given["K_ext"], lost, strict=True):
        group = net.population(LIF(**neuron), max(1, round(n * scale)), name=name, v=values.Normal(*given["v"]))
        net.drive(group, given["rate_ext"] * inputs * scale, jump * grow, synapse)
        net.inject(group, (1.0 - math.sqrt(scale)) * 0.001 * tau * current)
        groups.append(group)
    for a, target in enumerate(groups):
        for b, source in enumerate(groups):
            mean, delay = weights[a, b] * grow, given["delays"][b % 2]
            limits = {"low": 0.0} if mean > 0.0 else {"high": 0.0}
            total = round(full[a, b] * scale * target.n)
            if total:
                net.connect(
                    source, target, Sparse(total=total), synapse=synapse,
                    weight=values.Normal(mean, given["relative_sd_weight"] * abs(mean), **limits),
                    delay=values.Normal(delay, given["relative_sd_delay"] * delay, low=0.5 * dt),
                )  # fmt: skip
    return net
