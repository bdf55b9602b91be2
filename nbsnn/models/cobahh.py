"""COBAHH: the network of Vogels and Abbott with Hodgkin-Huxley neurons, benchmark 3 of Brette et al. 2007.

    200 pF dv/dt = 10 nS (-60 mV - v) + g_na m^3 h (50 mV - v) + g_k n^4 (-90 mV - v)
                   + g_exc (0 mV - v) + g_inh (-80 mV - v)
    g_na = 20 uS, g_k = 6 uS, rates of m, h and n as in nbsnn.neurons.HodgkinHuxley, shifted by -63 mV
     5 ms dg_exc/dt = -g_exc                       a spike adds 6 nS
    10 ms dg_inh/dt = -g_inh                       a spike adds 67 nS

A spike is the upstroke of v through -20 mV. All channels are shut at first.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..network import Network
from ..neurons import HodgkinHuxley
from ..sparse import values
from .vogels_abbott import EXCITATION, INHIBITION, cells_at, connect, start_conductances


def cobahh(
    seed: int = 0, dt: float = 0.1, dtype: DTypeLike | None = None, scale: float = 1.0, device: str = "cpu",
    weight: float = 6.0, inhibition: float = 67.0,
    comm: object = None,
) -> Network:  # fmt: skip
    """The Hodgkin-Huxley benchmark network: 4000 neurons of Traub and Miles.

    Parameters
    ----------
    seed : int
    dt : float, ms
        With exponential Euler steps of 0.1 ms rates are some 5 % lower than with very short ones.
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
    >>> cobahh(seed=1).groups[0].neuron.kind
    'HodgkinHuxley'
    """
    net = Network(dt, seed, dtype=dtype, device=device, comm=comm)
    neuron = HodgkinHuxley(
        capacitance=200.0, g_leak=10.0, g_na=20000.0, g_k=6000.0, e_leak=-60.0, e_na=50.0, e_k=-90.0, v_shift=-63.0,
        v_threshold=-20.0, refractory=3.0, method="exponential_euler",  # as in the benchmark
    )  # fmt: skip
    cells = net.population(neuron, cells_at(scale), name="cells", v=values.Normal(-65.0, 5.0))
    cells.start(m=0.0, h=0.0, n=0.0)
    start_conductances(cells)
    connect(net, cells, EXCITATION, INHIBITION, weight, inhibition)
    return net
