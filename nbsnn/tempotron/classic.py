"""The rule that the Tempotron was introduced with.

A pattern that is answered wrongly changes the weights of the inputs that came before the membrane's maximum:

    change[i] = +-lr sum_{t_i < t_max} v0 K(t_max - t_i) + momentum * (change[i] of the last error)
    weight[i] = weight[i] + change[i]

with + for a neuron that should have fired and - for one that should not. Patterns come one after another, and each is
met with the weights that the earlier ones have left. It is gradient descent on the distance of ``v_max`` to the
threshold, pattern by pattern, and is at rest where all patterns are right.

R. Guetig and H. Sompolinsky, Nature Neuroscience 9 (2006), doi:10.1038/nn1643; momentum: its supplementary methods.
"""

from __future__ import annotations

import numpy as np

from ..kernels.tempotron.classic import Learning
from ..validate import finite, fraction, number
from .losses import ThresholdHinge
from .response import TempotronLike
from .spike_times import Events


class Classic:
    """The rule of Guetig and Sompolinsky 2006.

    Parameters
    ----------
    lr : float, default 0.01
        Size of a change (lambda in the paper), above 0.
    momentum : float in [0, 1), default 0.0
        Share of the last change that is repeated at the next error.

    Attributes
    ----------
    change : array [n_inputs, n_outputs] or None
        The last change, for the momentum.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> t = nbsnn.Tempotron(2, T=50.0, weight=np.full((2, 1), 0.1))
    >>> history = t.fit(np.array([[10.0, 12.0], [10.0, -1.0]]), [1, 0], nbsnn.tempotron.Classic(lr=0.1))
    >>> history["train_accuracy"][-1]
    1.0
    """

    def __init__(self, lr: float = 0.01, momentum: float = 0.0):
        self.lr, self.momentum = number("lr", lr, above=0.0), fraction("momentum", momentum)
        self.change: np.ndarray | None = None

    def learn(self, t: TempotronLike, events: Events, target: np.ndarray) -> tuple[float, np.ndarray]:
        """Go through the samples once, in their order; see ``Rule``."""
        if self.change is None:
            self.change = np.zeros_like(t.weight)
        if self.change.shape != t.weight.shape or self.change.dtype != t.dtype:
            raise ValueError(f"this rule has a memory of {list(self.change.shape)} weights; use a new one for {t!r}")
        finite("weight", t.weight)
        numbers = Learning(t.v_threshold / t.v0, self.lr * t.v0, self.momentum)
        v_max = t.sweeps.learn(t, events, target, numbers, self.change)
        v_max *= t.dtype.type(t.v0)
        return ThresholdHinge()(v_max, target, t.v_threshold)[0], v_max

    def __repr__(self) -> str:
        return f"Classic(lr={self.lr!r}, momentum={self.momentum!r})"
