"""COBA: the conductance-based network of Vogels and Abbott 2005, benchmark 1 of Brette et al. 2007.

    200 pF dv/dt = 10 nS (-60 mV - v) + g_exc (0 mV - v) + g_inh (-80 mV - v)
                                                   threshold -50 mV, reset -60 mV, refractory for 5 ms
     5 ms dg_exc/dt = -g_exc                       a spike adds 6 nS
    10 ms dg_inh/dt = -g_inh                       a spike adds 67 nS

Its activity, at 16 to 20 Hz, is not stable: in some seeds it dies within the first second.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..network import Network
from ..neurons import ConductanceLIF
from ..sparse import values
from .vogels_abbott import EXCITATION, INHIBITION, cells_at, connect, start_conductances


def coba(
    seed: int = 0, dt: float = 0.1, dtype: DTypeLike | None = None, scale: float = 1.0, device: str = "cpu",
    weight: float = 6.0, inhibition: float = 67.0,
    comm: object = None,
) -> Network:  # fmt: skip
    """The conductance-based benchmark network: 4000 integrate-and-fire neurons.

    Parameters
    ----------
    seed : int
    dt : float, ms
    dtype : {float32, float64}, default float32
    scale : float
        Times as many cells, each with as many synapses as in the original, 80 on average.
    device : {"cpu", "cuda", "python"}
    weight, inhibition : float, nS
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
    >>> coba(seed=1).groups[0].neuron.kind
    'ConductanceLIF'
    """
    net = Network(dt, seed, dtype=dtype, device=device, comm=comm)
    neuron = ConductanceLIF(
        capacitance=200.0, g_leak=10.0, v_rest=-60.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0
    )
    cells = net.population(neuron, cells_at(scale), name="cells", v=values.Normal(-65.0, 5.0))
    start_conductances(cells)
    connect(net, cells, EXCITATION, INHIBITION, weight, inhibition)
    return net
