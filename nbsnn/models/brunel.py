"""Brunel's network of 2000: excitatory and inhibitory neurons with delta synapses and external Poisson input.

    20 ms dv/dt = -v        threshold 20 mV, reset 0 mV, refractory for 2 ms
    a spike moves v by 0.1 mV or by -g 0.1 mV, 1.5 ms later

Every neuron has 1000 excitatory and 250 inhibitory inputs, and external spikes at eta times the rate that would, alone,
take its mean membrane to the threshold: eta 20 mV / (0.1 mV 20 ms). g = 5 and eta = 2 are the asynchronous irregular
state, with rates around 32 Hz.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..network import Network
from ..neurons import LIF
from ..sparse import Sparse
from ..validate import number

ORDER = 2500
"""Inhibitory neurons; there are four times as many excitatory ones."""


def brunel(
    seed: int = 0, dt: float = 0.1, dtype: DTypeLike | None = None, scale: float = 1.0, g: float = 5.0,
    eta: float = 2.0, device: str = "cpu", weight: float = 0.1, comm: object = None,
) -> Network:  # fmt: skip
    """Brunel's network with 12,500 neurons and 15.6 million synapses.

    Parameters
    ----------
    seed : int
    dt : float, ms
    dtype : {float32, float64}, default float32
    scale : float
        Times as many cells, each with 1250 synapses as in the original.
    g : float
        Strength of inhibition relative to excitation.
    eta : float
        External rate relative to that which takes the mean membrane to the threshold.
    device : {"cpu", "cuda", "python"}
    weight : float, mV
        What an excitatory spike adds.
    comm : mpi4py communicator or Ranks, optional
        Ranks that share the network.

    Returns
    -------
    Network
        One population "cells" with the sections "exc" and "inh".

    References
    ----------
    N. Brunel 2000, doi:10.1023/A:1008925309027.

    Examples
    --------
    >>> net = brunel(seed=1, scale=8.0)
    >>> net.units, round(net.estimate() / 1e9, 1)  # bytes of its 125 million synapses
    (100000, 0.5)
    """
    g, eta = number("g", g, least=-1e30, most=1e30), number("eta", eta, least=0.0, most=1e30)
    net = Network(dt, seed, dtype=dtype, device=device, comm=comm)
    tau, v_threshold, jump, inputs = 20.0, 20.0, number("weight", weight, least=1e-30, most=1e30), 1000
    inhibitory = max(1, round(ORDER * number("scale", scale, above=0.0, most=1e5)))
    neuron = LIF(tau=tau, v_threshold=v_threshold, v_reset=0.0, refractory=2.0)
    cells = net.population(neuron, 5 * inhibitory, name="cells")
    exc, inh = cells[: 4 * inhibitory].named("exc"), cells[4 * inhibitory :].named("inh")
    net.connect(exc, cells, Sparse(indegree=inputs), weight=jump, delay=1.5)
    net.connect(inh, cells, Sparse(indegree=inputs // 4), weight=-g * jump, delay=1.5)
    net.drive(cells, rate=1000.0 * eta * v_threshold / (jump * tau), weight=jump)
    return net
