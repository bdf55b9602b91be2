"""Stochastic gradient descent, with momentum if wanted.

    g = g + weight_decay * p
    plain:              p = p - lr * g
    momentum:           b = momentum * b + (1 - dampening) * g;   p = p - lr * b
    Nesterov:           b = momentum * b + g;                     p = p - lr * (g + momentum * b)

After its first step ``b`` is ``g``, whatever the dampening, and the learning rate stands outside it: the convention of
Sutskever et al. (ICML 2013) as PyTorch has it.
"""

from __future__ import annotations

from ..validate import fraction, function, number, switch
from .optimizer import Optimizer
from .schedules import Schedule


def sgd(p: float, g: float, lr: float, weight_decay: float) -> tuple[float]:
    """Plain gradient descent.

    >>> sgd(1.0, 0.5, 0.25, 0.0)
    (0.875,)
    """
    return (p - lr * (g + weight_decay * p),)


def heavy_ball(
    p: float, g: float, b: float, lr: float, momentum: float, gain: float, weight_decay: float
) -> tuple[float, float]:
    """Gradient descent with momentum (Polyak 1964); ``gain`` is 1 - dampening, or 1 in the first step.

    >>> heavy_ball(1.0, 0.5, 0.5, 0.25, 0.5, 1.0, 0.0)
    (0.8125, 0.75)
    """
    b = momentum * b + gain * (g + weight_decay * p)
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
    momentum : float in [0, 1) or schedule, default 0
        Decay of the buffer ``b``; 0 needs no buffer.
    nesterov : bool, default False
        Look one step of momentum ahead; needs ``momentum > 0``, and no dampening.
    weight_decay : float, default 0
        Strength of the L2 penalty ``weight_decay / 2 * p^2``.
    dampening : float in [0, 1), default 0
        How much less of a gradient enters ``b`` after the first step; needs ``momentum > 0``.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.ones(2, np.float32)}
    >>> optimizer = SGD(0.5)
    >>> optimizer.step(params, {"w": np.array([1.0, -1.0], np.float32)})
    >>> params["w"]
    array([0.5, 1.5], dtype=float32)
    >>> optimizer
    SGD(lr=0.5, momentum=0.0, nesterov=False, weight_decay=0.0, dampening=0.0)
    """

    options = ("momentum", "nesterov", "weight_decay", "dampening")

    def __init__(
        self,
        lr: float | Schedule,
        momentum: float | Schedule = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        dampening: float = 0.0,
    ):
        super().__init__(lr)
        switch("nesterov", nesterov)
        say = "a number or a schedule"
        self.momentum = (
            function("momentum", momentum, say, takes=1) if callable(momentum) else fraction("momentum", momentum)
        )
        self.most_decay = 0.0 if callable(self.momentum) else self.momentum
        self.nesterov = bool(nesterov)
        self.weight_decay = number("weight_decay", weight_decay, least=0.0)
        self.dampening = fraction("dampening", dampening)
        if not self.momentum and (self.nesterov or self.dampening):
            raise ValueError(f"{'nesterov=True' if self.nesterov else 'dampening'} needs momentum greater than 0")
        if self.nesterov and self.dampening:
            raise ValueError(f"nesterov=True and dampening={dampening!r} exclude each other")
        self.slots = ("b",) if self.momentum else ()
        self.rule = (nesterov_momentum if self.nesterov else heavy_ball) if self.momentum else sgd
        self.close(SGD)

    def reach(self, lr: float, gradient: float, parameter: float) -> float:
        return 2.0 * (1.0 + lr) * gradient / (1.0 - self.most_decay)

    def hyper(self, lr: float, k: int) -> tuple[float, ...]:
        if not self.momentum:
            return lr, self.weight_decay
        momentum = self.decay_now("momentum", self.momentum) if callable(self.momentum) else self.momentum
        if self.nesterov:
            return lr, momentum, self.weight_decay
        return lr, momentum, 1.0 if k == 1 else 1.0 - self.dampening, self.weight_decay
