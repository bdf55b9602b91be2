"""Learning by gradient descent on a loss of the largest membranes, a batch at a time."""

from __future__ import annotations

import numpy as np

from ..optim import Adam
from ..optim.named import as_optimizer
from ..optim.optimizer import Optimizer
from ..validate import finite, function, number, real, shaped
from .losses import Loss, ThresholdHinge
from .response import TempotronLike
from .shared_directions import damped
from .spike_times import Events


class Gradient:
    """Batch gradient descent with any loss and optimiser.

    Parameters
    ----------
    loss : callable, default ThresholdHinge()
        From ``nbsnn.tempotron``, or custom: ``loss(v_max, target, v_threshold) -> (value, derivative)``.
    optimizer : optional
        From ``nbsnn.optim``; Adam with its defaults when not given.
    damp : array [n_inputs, Q], optional
        Directions along which the gradient is reduced, from ``shared_directions``; see there.
    keep : float in (0, 1], default 0.01
        To which share of itself.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> t = nbsnn.Tempotron(2, T=50.0, weight=np.full((2, 1), 0.1))
    >>> rule = nbsnn.tempotron.Gradient(nbsnn.tempotron.ThresholdMSE(), nbsnn.optim.SGD(0.5))
    >>> x = np.array([[10.0, 20.0]])
    >>> round(t.step(x, [1], rule), 3), t.run(x).v_max.round(3)
    (0.689, array([[1.392]], dtype=float32))
    """

    def __init__(
        self,
        loss: Loss | None = None,
        optimizer: Optimizer | None = None,
        *,
        damp: np.ndarray | None = None,
        keep: float = 0.01,
    ):
        say = "a loss of nbsnn.tempotron, ThresholdHinge() say, or a function of v_max, target and v_threshold"
        self.loss = ThresholdHinge() if loss is None else function("loss", loss, say, takes=3)
        self.optimizer = as_optimizer(Adam() if optimizer is None else optimizer)
        self.damp = None if damp is None else finite("damp", shaped("damp", real("damp", damp), (None, None)))
        self.keep = number("keep", keep, above=0.0)
        if self.keep > 1.0:
            raise ValueError(f"keep must be at most 1, not {keep!r}")

    def learn(self, t: TempotronLike, events: Events, target: np.ndarray) -> tuple[float, np.ndarray]:
        """One step; see ``Rule``."""
        answer = t.run(events, spike_times=False)
        value, g = self.loss(answer.v_max, target, t.v_threshold)
        grads = t.vjp(answer, g)[0]
        if self.damp is not None:
            shaped("damp", self.damp, (t.n_inputs, None))
            grads["weight"] = damped(grads["weight"], self.damp, self.keep)
        self.optimizer.step(t.params, grads)
        return value, answer.v_max

    def __repr__(self) -> str:
        return f"Gradient({self.loss!r}, {self.optimizer!r})"
