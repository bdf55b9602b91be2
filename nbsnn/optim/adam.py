"""Adam and its relatives: a step of a size that does not depend on the scale of the gradient.

    m = beta1 m + (1 - beta1) g                 mean gradient
    v = beta2 v + (1 - beta2) g^2               mean square
    p = p - lr * (m / bias1) / (sqrt(v / bias2) + eps),     bias1 = 1 - beta1^k,  bias2 = 1 - beta2^k

in step ``k = 1, 2, ...``. A weight decay enters Adam as a gradient, ``g = g + weight_decay p`` (L2 penalty), and
AdamW as a shrinkage of its own, ``p = p - lr weight_decay p``. With ``amsgrad`` the step divides by the largest ``v``
so far, ``sqrt(max(v) / bias2) + eps``. Adamax replaces the mean square by a decaying maximum,
``u = max(beta2 u, |g| + eps)``, and steps ``p = p - lr (m / bias1) / u``.

The means are written ``m + (1 - beta1) (g - m)``, with ``1 - beta1`` from float64: taken in float32, ``1 - 0.999`` is
wrong by 5e-5.

D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015 (Adam, Adamax); I. Loshchilov and
F. Hutter, "Decoupled weight decay regularization", ICLR 2019 (AdamW); S. J. Reddi, S. Kale and S. Kumar, "On the
convergence of Adam and beyond", ICLR 2018 (AMSGrad).
"""

from __future__ import annotations

import math
from contextlib import suppress
from math import sqrt

import numpy as np

from ..validate import fraction, function, number, pair_of, switch
from .optimizer import Optimizer
from .schedules import Schedule


def adam(
    p: float, g: float, m: float, v: float,
    lr: float, gain1: float, gain2: float, bias1: float, bias2: float, eps: float, weight_decay: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Adam for one number; ``gain1 = 1 - beta1``, ``gain2 = 1 - beta2``.

    The first step is ``lr`` against the sign of the gradient:

    >>> p, m, v = adam(1.0, 0.03, 0.0, 0.0, 0.125, 0.1, 0.001, 0.1, 0.001, 0.0, 0.0)
    >>> round(p, 9)
    0.875
    """
    g = g + weight_decay * p
    m = m + gain1 * (g - m)
    v = v + gain2 * (g * g - v)
    return p - lr * (m / bias1) / (sqrt(v / bias2) + eps), m, v


def adamw(
    p: float, g: float, m: float, v: float,
    lr: float, gain1: float, gain2: float, bias1: float, bias2: float, eps: float, weight_decay: float,
) -> tuple[float, float, float]:  # fmt: skip
    """AdamW for one number: shrink the parameter, then step as Adam does.

    >>> adamw(1.0, 0.0, 0.0, 0.0, 0.5, 0.1, 0.001, 0.1, 0.001, 1e-8, 0.5)
    (0.75, 0.0, 0.0)
    """
    return adam(p - lr * weight_decay * p, g, m, v, lr, gain1, gain2, bias1, bias2, eps, 0.0)


def amsgrad(
    p: float, g: float, m: float, v: float, top: float,
    lr: float, gain1: float, gain2: float, bias1: float, bias2: float, eps: float, weight_decay: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Adam with the largest mean square so far, ``top``, for one number.

    >>> p, m, v, top = amsgrad(1.0, 0.0, 0.0, 0.0, 4.0, 0.5, 0.1, 0.5, 0.1, 1.0, 0.0, 0.0)
    >>> p, v, top
    (1.0, 0.0, 4.0)
    """
    g = g + weight_decay * p
    m = m + gain1 * (g - m)
    v = v + gain2 * (g * g - v)
    top = max(top, v)
    return p - lr * (m / bias1) / (sqrt(top / bias2) + eps), m, v, top


def amsgradw(
    p: float, g: float, m: float, v: float, top: float,
    lr: float, gain1: float, gain2: float, bias1: float, bias2: float, eps: float, weight_decay: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """AMSGrad after the parameter has shrunk, for one number.

    >>> amsgradw(1.0, 0.0, 0.0, 0.0, 4.0, 0.5, 0.1, 0.001, 0.1, 0.001, 1e-8, 0.5)
    (0.75, 0.0, 0.0, 4.0)
    """
    return amsgrad(p - lr * weight_decay * p, g, m, v, top, lr, gain1, gain2, bias1, bias2, eps, 0.0)


def adamax(
    p: float, g: float, m: float, u: float,
    lr: float, gain1: float, beta2: float, bias1: float, eps: float, weight_decay: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Adamax for one number; ``gain1 = 1 - beta1``.

    >>> p, m, u = adamax(1.0, 0.5, 0.0, 2.0, 0.125, 0.1, 0.75, 0.1, 0.0, 0.0)
    >>> round(p, 9), u
    (0.958333333, 1.5)
    """
    g = g + weight_decay * p
    m = m + gain1 * (g - m)
    u = max(beta2 * u, abs(g) + eps)
    return p - lr * (m / bias1) / u, m, u


class Adam(Optimizer):
    """Adam, with weight decay as an L2 penalty; see the top of this file for the equations.

    Parameters
    ----------
    lr : float or schedule, default 1e-3
        Learning rate: about the size of a step.
    betas : (float, float), default (0.9, 0.999)
        Decay of the mean gradient and of the mean square, in [0, 1); the first may be a schedule.
    eps : float, default 1e-8
        Added to the root of the mean square.
    weight_decay : float, default 0
        Strength of the L2 penalty.
    amsgrad : bool, default False
        Divide by the largest mean square so far, not by the present one.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.ones(2, np.float32)}
    >>> optimizer = Adam(0.25)
    >>> optimizer.step(params, {"w": np.array([3.0, -0.001], np.float32)})
    >>> params["w"].round(3), sorted(optimizer.state)
    (array([0.75, 1.25], dtype=float32), ['m/w', 'v/w'])
    """

    rule = staticmethod(adam)
    _rule_of_largest = staticmethod(amsgrad)
    slots: tuple[str, ...] = ("m", "v")
    options = ("betas", "eps", "weight_decay", "amsgrad")

    def __init__(
        self,
        lr: float | Schedule = 1e-3,
        betas: tuple[float | Schedule, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        super().__init__(lr)
        self.amsgrad = switch("amsgrad", amsgrad)
        if self.amsgrad:
            self.rule, self.slots = self._rule_of_largest, ("m", "v", "top")
        self.betas = _decays(betas)
        self.most_decay = 0.0 if callable(self.betas[0]) else self.betas[0]
        self.eps = number("eps", eps, above=0.0)
        self.weight_decay = number("weight_decay", weight_decay, least=0.0)
        self.close(Adam)

    def reach(self, lr: float, gradient: float, parameter: float) -> float:
        gain1, eps = 1.0 - self.most_decay, float(np.float32(self.eps))
        shrunk = lr * self.weight_decay * parameter
        return gradient / gain1 * max(gradient, 1.0 + lr / eps) + shrunk if eps else math.inf

    def gradient_of(self, slot: str, largest: float) -> float:
        return math.sqrt(max(0.0, largest)) if slot in ("v", "top") else largest

    def hyper(self, lr: float, k: int) -> tuple[float, ...]:
        beta1, beta2 = self.betas
        beta1 = self.decay_now("betas[0]", beta1) if callable(beta1) else beta1
        return lr, 1.0 - beta1, 1.0 - beta2, 1.0 - beta1**k, 1.0 - beta2**k, self.eps, self.weight_decay


class AdamW(Adam):
    """Adam with decoupled weight decay: parameters shrink by ``lr * weight_decay`` of themselves at every step.

    Parameters
    ----------
    lr, betas, eps
        As in ``Adam``.
    weight_decay : float, default 0.01
        Shrinkage per unit of learning rate.
    amsgrad
        As in ``Adam``.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.ones(1)}
    >>> AdamW(0.5, weight_decay=0.5).step(params, {"w": np.zeros(1)})
    >>> params["w"]
    array([0.75])
    """

    rule = staticmethod(adamw)
    _rule_of_largest = staticmethod(amsgradw)

    def __init__(
        self,
        lr: float | Schedule = 1e-3,
        betas: tuple[float | Schedule, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
    ):
        super().__init__(lr, betas, eps, weight_decay, amsgrad)
        self.close(AdamW)


class Adamax(Adam):
    """Adam with a decaying maximum of gradients in place of their mean square.

    Parameters
    ----------
    lr : float or schedule, default 2e-3
        Learning rate: the size of the largest step.
    betas
        As in ``Adam``.
    eps : float, default 1e-8
        Added to the absolute gradient.
    weight_decay
        As in ``Adam``.

    Examples
    --------
    >>> import numpy as np
    >>> params = {"w": np.ones(1)}
    >>> Adamax(0.25).step(params, {"w": np.ones(1)})
    >>> params["w"].round(6)
    array([0.75])
    """

    rule = staticmethod(adamax)
    slots = ("m", "u")
    options = ("betas", "eps", "weight_decay")

    def __init__(
        self,
        lr: float | Schedule = 2e-3,
        betas: tuple[float | Schedule, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(lr, betas, eps, weight_decay)
        self.close(Adamax)

    def hyper(self, lr: float, k: int) -> tuple[float, ...]:
        beta1, beta2 = self.betas
        beta1 = self.decay_now("betas[0]", beta1) if callable(beta1) else beta1
        return lr, 1.0 - beta1, beta2, 1.0 - beta1**k, self.eps, self.weight_decay


def _decays(betas: tuple[float | Schedule, float]) -> tuple[float | Schedule, float]:
    """The two decays of Adam, checked as far as they are numbers."""
    with suppress(TypeError, IndexError, KeyError):
        if callable(schedule := betas[0]) and len(betas) == 2:
            return function("betas[0]", schedule, "a number or a schedule", takes=1), fraction("betas[1]", betas[1])
    first, second = pair_of("betas", betas)
    return fraction("betas[0]", first), fraction("betas[1]", second)
