"""Stochastic gradient descent, with momentum if wanted.

    g = g + weight_decay * p
    plain:              p = p - lr * g
    momentum:           b = momentum * b + g;   p = p - lr * b
    Nesterov:           b = momentum * b + g;   p = p - lr * (g + momentum * b)

The buffer ``b`` starts at 0, so it is ``g`` after the first step, and the learning rate stands outside it: the
convention of Sutskever et al. (ICML 2013) as PyTorch has it, without dampening.
"""

from __future__ import annotations

from ..validate import number, switch
from .optimizer import Optimizer, fraction
from .schedules import Schedule


def sgd(p: float, g: float, lr: float, weight_decay: float) -> tuple[float]:
    """Plain gradient descent.

    >>> sgd(1.0, 0.5, 0.25, 0.0)
    (0.875,)
    """
    return (p - lr * (g + weight_decay * p),)


def heavy_ball(p: float, g: float, b: float, lr: float, momentum: float, weight_decay: float) -> tuple[float, float]:
    """Gradient descent with momentum (Polyak 1964).

    >>> heavy_ball(1.0, 0.5, 0.5, 0.25, 0.5, 0.0)
    (0.8125, 0.75)
    """
    b = momentum * b + (g + weight_decay * p)
    return p - lr * b, b


def nesterov_momentum(
    p: float, g: float, b: float, lr: float, momentum: float, weight_decay: float
) -> tuple[float, float]:
    """Gradient descent with Nesterov's momentum.

    >>> nesterov_momentum(1.0, 0.5, 0.5, 0.25, 0.5, 0.0)
    (0.78125, 0.75)
    """
    g = g + weight_decay * p
    b = momentum * b + g
    return p - lr * (g + momentum * b), b


class SGD(Optimizer):
    """Stochastic gradient descent; see the top of this file for the equations.

    Parameters
    ----------
    lr : float or schedule
        Learning rate.
    momentum : float in [0, 1), default 0
        Decay of the buffer ``b``; 0 needs no buffer.
    nesterov : bool, default False
        Look one step of momentum ahead; needs ``momentum > 0``.
    weight_decay : float, default 0
        Strength of the L2 penalty ``weight_decay / 2 * p^2``.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.ones(2, np.float32)}
    >>> optimizer = SGD(0.5)
    >>> optimizer.step(params, {"w": np.array([1.0, -1.0], np.float32)})
    >>> params["w"], optimizer
    (array([0.5, 1.5], dtype=float32), SGD(lr=0.5, momentum=0.0, nesterov=False, weight_decay=0.0))
    """

    options = ("momentum", "nesterov", "weight_decay")

    def __init__(self, lr: float | Schedule, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0):
        super().__init__(lr)
        switch("nesterov", nesterov)
        self.momentum = fraction("momentum", momentum)
        self.nesterov = bool(nesterov)
        self.weight_decay = number("weight_decay", weight_decay, least=0.0)
        if self.nesterov and self.momentum == 0.0:
            raise ValueError("nesterov=True needs momentum greater than 0")
        self.slots = ("b",) if self.momentum else ()
        self.rule = (nesterov_momentum if self.nesterov else heavy_ball) if self.momentum else sgd

    def reach(self, lr: float, gradient: float, parameter: float) -> float:
        return 2.0 * (1.0 + lr) * gradient / (1.0 - self.momentum)

    def hyper(self, lr: float, k: int) -> tuple[float, ...]:
        return (lr, self.momentum, self.weight_decay) if self.momentum else (lr, self.weight_decay)
