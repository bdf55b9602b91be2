"""Tempotrons in layers: each tells the next when its membrane is largest.

A hidden output that reaches its threshold sends one spike, at the time ``t_max`` of its largest membrane; a silent one
sends none. The last layer answers with ``v_max``. Backwards, the gradient of a hidden spike's time goes to the
membrane through its soft form (``soft_time``), as in SpikingJelly: the time itself jumps where one maximum overtakes
another, and would tell the weights of the lower one nothing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from ..optim.optimizer import Optimizer
from ..validate import function, instance, number, shown
from .losses import Loss
from .model import Tempotron
from .response import Response, targets
from .soft_time import soft_time
from .spike_times import Events


class Stack:
    """Layers of Tempotrons.

    Parameters
    ----------
    *layers : Tempotron
        Each with as many inputs as the one before has outputs, and one dtype and one T for all.
    sharpness : float, optional
        Of the soft time, per membrane unit; by default T, as many as there are steps of 1 (SpikingJelly's choice).
    step : float, default 1.0
        Distance of the times at which the soft time looks at the membrane.

    Attributes
    ----------
    params : dict
        ``"1/weight"``, ``"2/weight"``, ...: the layers' own arrays.

    Raises
    ------
    TypeError, ValueError
        Layers that do not fit each other, or none.

    Examples
    --------
    >>> import numpy as np
    >>> net = Stack(Tempotron(20, 8, T=50.0, seed=0), Tempotron(8, 2, T=50.0, seed=1))
    >>> net.run(np.full((3, 20), 10.0))[-1].v_max.shape
    (3, 2)
    """

    def __init__(self, *layers: Tempotron, sharpness: float | None = None, step: float = 1.0):
        if not layers:
            raise ValueError("a Stack needs a layer")
        for layer in layers:
            instance("layer", layer, Tempotron, "a Tempotron")
        for before, after in pairwise(layers):
            if before.n_outputs != after.n_inputs:
                raise ValueError(f"{after!r} follows {before!r}, but has {after.n_inputs} inputs")
            if before.T != after.T or before.dtype != after.dtype:
                raise ValueError(f"{after!r} follows {before!r}, but T or dtype differs")
        self.layers, self.T = layers, layers[0].T
        self.step_size = number("step", step, above=0.0)
        self.sharpness = self.T if sharpness is None else number("sharpness", sharpness, above=0.0)
        self.params = {f"{k}/weight": layer.weight for k, layer in enumerate(layers, 1)}

    def run(self, x: Events | ArrayLike) -> list[Response]:
        """What each layer answers to a batch; ``x`` as in ``Tempotron.run``."""
        answers: list[Response] = []
        for layer in self.layers:
            answers.append(layer.run(x, spike_times=False))
            x = np.where(answers[-1].spikes > 0.0, answers[-1].t_max, np.inf)
        return answers

    def vjp(self, answers: list[Response], g: np.ndarray) -> dict[str, np.ndarray]:
        """Gradient of ``sum(g * v_max)`` of the last layer with respect to ``params``; ``answers`` of ``run``."""
        grads: dict[str, np.ndarray] = {}
        at = np.arange(0.0, self.T + 0.5 * self.step_size, self.step_size).astype(self.layers[0].dtype)
        for k in range(len(self.layers), 0, -1):
            layer, answer, hidden = self.layers[k - 1], answers[k - 1], k < len(self.layers)
            if hidden:
                slope = soft_time(layer.v(answer.events, at), at, self.sharpness)[1]
                found, g = layer.v_vjp(answer.events, g * slope, at, times=k > 1)
            else:
                found, g = layer.vjp(answer, g, times=k > 1)
            grads[f"{k}/weight"] = found["weight"]
        return grads

    def step(self, x: Events | ArrayLike, labels: ArrayLike, loss: Loss, optimizer: Optimizer) -> float:
        """One training step on a batch; returns the loss before it.

        Parameters
        ----------
        x, labels
            As in ``Tempotron.step``.
        loss : callable
            ``loss(v_max, target, v_threshold) -> (value, derivative)``, from ``nbsnn.tempotron``.
        optimizer
            From ``nbsnn.optim``.
        """
        function("loss", loss, "loss(v_max, target, v_threshold)", takes=3)
        if isinstance(optimizer, type) or not hasattr(optimizer, "load"):
            raise TypeError(f"optimizer must be one of nbsnn.optim, Adam(1e-3) say, not {shown(optimizer)}")
        answers = self.run(x)
        last = answers[-1].v_max
        value, g = loss(last, targets(labels, last.shape), self.layers[-1].v_threshold)
        optimizer.step(self.params, self.vjp(answers, g))
        return value

    def __repr__(self) -> str:
        return f"Stack({', '.join(map(repr, self.layers))})"
