"""CUBA: the current-based network of Vogels and Abbott 2005, benchmark 2 of Brette et al. 2007.

    20 ms dv/dt = g_exc + g_inh - (v + 49 mV)      threshold -50 mV, reset -60 mV, refractory for 5 ms
     5 ms dg_exc/dt = -g_exc                       a spike adds 1.62 mV
    10 ms dg_inh/dt = -g_inh                       a spike takes 9 mV

It fires at 5 to 6 Hz, asynchronously and irregularly, with nothing but its own spikes and the leak to drive it.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..network import Network
from ..neurons import LIF
from ..sparse import values
from ..synapses import Exponential
from .vogels_abbott import cells_at, connect


def cuba(
    seed: int = 0, dt: float = 0.1, dtype: DTypeLike | None = None, scale: float = 1.0, device: str = "cpu",
    weight: float = 1.62, inhibition: float = -9.0,
    comm: object = None,
) -> Network:  # fmt: skip
    """The current-based benchmark network: 4000 integrate-and-fire neurons that keep each other going.

    Parameters
    ----------
    seed : int
    dt : float, ms
    dtype : {float32, float64}, default float32
    scale : float
        Times as many cells, each with as many synapses as in the original, 80 on average.
    device : {"cpu", "cuda", "python"}
    weight, inhibition : float, mV
        What a spike of an excitatory and of an inhibitory cell adds.
    comm : mpi4py communicator or Ranks, optional
        Ranks that share the network.

    Returns
    -------
    Network
        One population "cells" with the sections "exc" and "inh".

    References
    ----------
    Vogels and Abbott 2005, doi:10.1523/JNEUROSCI.3508-05.2005; Brette et al. 2007, doi:10.1007/s10827-007-0038-6.

    Examples
    --------
    >>> net = cuba(seed=1, scale=0.1)
    >>> recording = net.run(50.0)
    >>> times, units = recording.spikes("exc")
    """
    net = Network(dt, seed, dtype=dtype, device=device, comm=comm)
    neuron = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)
    cells = net.population(neuron, cells_at(scale), name="cells", v=values.Uniform(-60.0, -50.0))
    connect(net, cells, Exponential(5.0), Exponential(10.0), weight, inhibition)
    return net
