"""Learning by gradient descent on a loss of the largest membranes, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..optim import Adam
from .events import Events
from .losses import Loss, ThresholdHinge

if TYPE_CHECKING:
    from .model import Tempotron


class Gradient:
    """Batch gradient descent with any loss and optimiser.

    Parameters
    ----------
    loss : callable, default ThresholdHinge()
        From ``nbsnn.tempotron``, or of one's own: ``loss(v_max, target, v_threshold) -> (value, derivative)``.
    optimizer : optional
        From ``nbsnn.optim``; Adam with its defaults when not given.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> t = nbsnn.Tempotron(2, T=50.0, weight=np.full((2, 1), 0.1))
    >>> rule = nbsnn.tempotron.Gradient(nbsnn.tempotron.ThresholdMSE(), nbsnn.optim.SGD(0.5))
    >>> x = np.array([[10.0, 20.0]])
    >>> round(t.step(x, [1], rule), 3), t.run(x).v_max.round(3)
    (0.689, array([[1.392]], dtype=float32))
    """

    def __init__(self, loss: Loss | None = None, optimizer: Any = None):
        self.loss = ThresholdHinge() if loss is None else loss
        self.optimizer = Adam() if optimizer is None else optimizer

    def learn(self, t: Tempotron, events: Events, target: np.ndarray) -> tuple[float, np.ndarray]:
        """One step; see ``Rule``."""
        answer = t.run(events, spike_times=False)
        value, g = self.loss(answer.v_max, target, t.v_threshold)
        self.optimizer.step(t.params, t.vjp(answer, g)[0])
        return value, answer.v_max

    def __repr__(self) -> str:
        return f"Gradient({self.loss!r}, {self.optimizer!r})"
