"""Gradients of several batches added up before a step: a large batch in little memory."""

from __future__ import annotations

from ..device.gpu import get
from ..layers.layer import Array
from ..losses.checks import Target
from ..validate import instance, number
from .learner import Learner


class Accumulator:
    """Adds up gradients of a learner and steps once with their sum.

    Parameters
    ----------
    learner : Learner
        One that changes parameters once per batch.

    Attributes
    ----------
    grads : dict of str to array
        The sum so far, by parameter.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LI(), seed=0)
    >>> learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy)
    >>> accumulator = nbsnn.Accumulator(learner)
    >>> x, labels = np.ones((10, 6, 4), np.float32), np.array([0, 1, 0, 1, 1, 0])
    >>> for part in (slice(0, 3), slice(3, 6)):
    ...     value = accumulator.add(x[:, part], labels[part], weight=0.5)
    >>> accumulator.step()
    """

    def __init__(self, learner: Learner):
        self.learner = instance("learner", learner, Learner, "a learner of nbsnn, BPTT(net, loss) say")
        if getattr(learner, "update", "sample") == "step":
            raise ValueError('gradients cannot be added up for update="step": parameters change after every step')
        self.grads: dict[str, Array] = {}

    def add(self, x: object, target: Target, weight: float = 1.0) -> float:
        """Add ``weight`` times the gradient on a batch; returns the batch's loss.

        Parameters
        ----------
        x : array [T, B, ...]
            Input.
        target : array
            As for ``learner.step``.
        weight : float, default 1
            With a share of all samples the sum is the gradient of their mean loss.
        """
        weight = number("weight", weight, least=0.0)
        value, grads = self.learner.gradients(x, target)
        for name, g in grads.items():
            part = get(g) * g.dtype.type(weight)
            self.grads[name] = self.grads[name] + part if name in self.grads else part
        self.learner.past.iteration += 1
        return value

    def step(self) -> None:
        """One step of the optimiser with the sum, which then is empty."""
        if not self.grads:
            raise ValueError("there is no gradient yet: add(x, target) comes first")
        self.learner.take(self.grads)
        self.grads = {}
