"""Losses on the largest membrane of each output: value and derivative.

Each is called as ``loss(v_max, target, v_threshold)``, with ``target`` [B, O] true for who should fire, and is a mean
over the samples of a sum over the outputs.

    ThresholdHinge     max(0, margin -+ (v_max - v_threshold)), - for who should fire and + for who should not
    ThresholdMSE       (v_max - v_threshold)^2 of those that are on the wrong side
    MaxCrossEntropy    -log sum_{o should fire} softmax(scale v_max)[o]

The hinge without a margin is the cost that the rule of Guetig and Sompolinsky (2006) descends; the squares are what
SpikingJelly trains with; the cross-entropy asks which of the outputs is largest, and not for the threshold. Where
several should fire, as when a class has several neurons, it is enough for it that one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import numpy as np

from ..validate import number


class Loss(Protocol):
    """A loss on ``v_max``."""

    def __call__(self, v_max: np.ndarray, target: np.ndarray, v_threshold: float) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``v_max``."""
        ...


@dataclass(frozen=True)
class ThresholdHinge:
    """Distance to the threshold of outputs on the wrong side of it, or within ``margin`` of it.

    Parameters
    ----------
    margin : float, membrane unit, default 0.0
        How far from the threshold outputs are to stay.

    Examples
    --------
    >>> ThresholdHinge(0.5)(np.array([[0.75, 3.0]]), np.array([[True, True]]), 1.0)
    (0.75, array([[-1.,  0.]]))
    """

    margin: float = 0.0

    def __post_init__(self) -> None:
        number("margin", self.margin, least=0.0)

    def __call__(self, v_max: np.ndarray, target: np.ndarray, v_threshold: float) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``v_max``."""
        sign = np.where(target, -1.0, 1.0)
        short = self.margin + sign * (v_max - v_threshold)
        # At the threshold an output fires: it is right if it should, and wrong by 0 if it should not.
        wrong = (short > 0.0) | ((short == 0.0) & ~target)
        return float(short[wrong].sum() / len(v_max)), np.where(wrong, sign, 0.0) / len(v_max)


@dataclass(frozen=True)
class ThresholdMSE:
    """Squared distance to the threshold of outputs on the wrong side of it.

    Examples
    --------
    >>> ThresholdMSE()(np.array([[0.5, 3.0]]), np.array([[True, True]]), 1.0)
    (0.25, array([[-1.,  0.]]))
    """

    def __call__(self, v_max: np.ndarray, target: np.ndarray, v_threshold: float) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``v_max``."""
        error = np.where((v_max >= v_threshold) != target, v_max - v_threshold, 0.0)
        return float(np.sum(error**2, dtype=np.float64) / len(v_max)), error * (2.0 / len(v_max))


@dataclass(frozen=True)
class MaxCrossEntropy:
    """Cross-entropy with ``scale * v_max`` as logits: of all outputs the largest should be one that should fire.

    The gradient with respect to the logits is ``softmax - share``, with ``share`` the softmax among those that should
    fire.

    Parameters
    ----------
    scale : float, default 1.0
        Inverse temperature, above 0.

    Examples
    --------
    >>> MaxCrossEntropy()(np.zeros((1, 2)), np.array([[False, True]]), 1.0)[1]
    array([[ 0.5, -0.5]])
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        number("scale", self.scale, above=0.0)

    def __call__(self, v_max: np.ndarray, target: np.ndarray, v_threshold: float) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``v_max``."""
        if v_max.shape[1] < 2 or not target.any(axis=1).all():
            raise ValueError("MaxCrossEntropy needs two outputs at least, and for each sample one that should fire")
        special = import_module("scipy.special")  # a fifth of a second that most programs need not spend
        softmax, logsumexp = special.softmax, special.logsumexp

        logits = self.scale * v_max.astype(np.float64)
        every, wanted = softmax(logits, axis=1), softmax(np.where(target, logits, -np.inf), axis=1)
        values = logsumexp(logits, axis=1) - logsumexp(np.where(target, logits, -np.inf), axis=1)
        return float(values.mean()), (every - wanted) * (self.scale / len(v_max))
