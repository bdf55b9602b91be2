"""Online training through time: as SLTT, with the presynaptic spikes replaced by their trace.

    a[t] = decay a[t-1] + s_pre[t],    dL/dW = sum_t  a[t] (x) delta[t]

The trace is what remains of earlier input in a membrane that never spiked, so for one layer with a loss at every
step and a detached reset the rule equals back-propagation through time. ``decay`` is the membrane's of the
presynaptic population; the network's own input is taken as it is, unless ``input_decay`` says otherwise. Biases have
no trace.

Xiao et al. 2022, "Online training through time for spiking neural networks", arXiv:2210.04195.
"""

from __future__ import annotations

from typing import Any

from ..layers.layer import Layer
from ..optim.optimizer import Optimizer
from ..scalar.per_step import resolved
from ..validate import arguments, check_options, fraction
from .learner import Loss, check_net
from .online import Online


class OTTT(Online):
    """Learner: online training through time (OTTT).

    Parameters
    ----------
    net, loss, optimizer
        As in ``Online``.
    input_decay : float, default 0.0
        Factor per step, 0 <= input_decay < 1, of a trace of the network's input. The first layer's gradient is exact
        if it is the decay of the neurons behind (``exp(-dt/tau)``); Xiao et al. use the input as it is, which is 0.
    **options
        ``update``, ``clip``, ``seed``, ``window`` and ``compact`` of ``Online``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 8), nbsnn.neurons.LIF(), nbsnn.Dense(8, 2), nbsnn.neurons.LI(), seed=0)
    >>> learner = nbsnn.OTTT(net, update="step")
    >>> value = learner.step(np.ones((10, 3, 4), np.float32), np.array([0, 1, 0]))
    """

    def __init__(
        self,
        net: Layer,
        loss: Loss | str | None = None,
        optimizer: Optimizer | str | None = None,
        *,
        input_decay: float = 0.0,
        **options: Any,
    ):
        check_options("OTTT", options, ["input_decay", *arguments(Online, "net", "loss", "optimizer")])
        decay, dtype = fraction("input_decay", input_decay), check_net(net).setting.dtype
        self.input_decay = resolved("input_decay", decay, dtype)
        super().__init__(net, loss, optimizer, **options)
        self.close(OTTT)
