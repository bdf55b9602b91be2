"""Spatial learning through time: at every step, errors go back through the layers but not through time.

    dL/dW = sum_t  s_pre[t] (x) delta[t],    delta[t] from the loss and the surrogate at step t alone

Meng et al. 2023, "Towards memory- and time-efficient backpropagation for training spiking neural networks",
arXiv:2302.14311.
"""

from __future__ import annotations

from .online import Online


class SLTT(Online):
    """Learner: spatial learning through time (SLTT), the leanest online rule.

    For neurons without memory it equals back-propagation through time.

    Parameters
    ----------
    net, loss, optimizer, update, clip, seed, window, compact
        As in ``Online``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LIF(), seed=0)
    >>> learner = nbsnn.SLTT(net)
    >>> steps = (np.ones((3, 4), np.float32) for t in range(10))        # never in memory all at once
    >>> value = learner.step(steps, np.array([0, 1, 0]))
    """
