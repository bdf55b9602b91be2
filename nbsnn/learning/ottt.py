"""Online training through time: as SLTT, with the presynaptic spikes replaced by their trace.

    a[t] = decay a[t-1] + s_pre[t],    dL/dW = sum_t  a[t] (x) delta[t]

The trace is what remains of earlier input in a membrane that never spiked, so for one layer with a loss at every
step and a detached reset the rule equals back-propagation through time. ``decay`` is the membrane's of the
presynaptic population; the network's own input is taken as it is.

Xiao et al. 2022, "Online training through time for spiking neural networks", arXiv:2210.04195.
"""

from __future__ import annotations

from ..layers.layer import Array, Nested
from .online import Online


class OTTT(Online):
    """Learner: OTTT.

    Parameters and methods are those of ``Online``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 8), nbsnn.neurons.LIF(), nbsnn.Dense(8, 2), nbsnn.neurons.LI(), seed=0)
    >>> learner = nbsnn.OTTT(net, update="step")
    >>> value = learner.step(np.ones((10, 3, 4), np.float32), np.array([0, 1, 0]))
    """

    def offer(self, x: Array, traces: Nested) -> None:
        self.net.trace(x, self.tape, traces)
