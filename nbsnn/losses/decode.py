"""Decoding: class numbers ``[B]`` of outputs ``[T, B, C]``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..validate import choice
from . import checks


def predict(y: np.ndarray, decision: str = "count") -> np.ndarray:
    """The class that an output decides for; ties go to the lowest class number.

    Parameters
    ----------
    y : float array [T, B, C]
        Spikes or membranes.
    decision : {"count", "max", "last", "first"}, default "count"
        The class with the largest sum over time, the largest value at any step, the largest value at the last step,
        or the earliest step with ``y > 0`` (a unit that never has one counts as step ``T``). Each loss names the one
        that belongs to it in its attribute ``decision``.

    Returns
    -------
    integer array [B]

    Raises
    ------
    TypeError, ValueError
        ``y`` is no finite float array of three axes, or ``decision`` is none of the four.

    Examples
    --------
    >>> y = np.zeros((4, 1, 3), np.float32)
    >>> y[3, 0, 1] = 1.0
    >>> y[1:3, 0, 2] = 1.0
    >>> predict(y), predict(y, "max"), predict(y, "last"), predict(y, "first")
    (array([2]), array([1]), array([1]), array([2]))
    """
    checks.output("predict", y)
    choice("decision", decision, ("count", "max", "last", "first"))
    if decision == "count":
        return y.sum(axis=0, dtype=np.float64).argmax(axis=1)
    if decision == "max":
        return y.max(axis=0).argmax(axis=1)
    if decision == "last":
        return y[-1].argmax(axis=1)
    fires = y > 0.0
    return np.where(fires.any(axis=0), fires.argmax(axis=0), len(y)).argmin(axis=1)


def accuracy(y: np.ndarray, labels: ArrayLike, decision: str = "count") -> float:
    """Share of samples whose predicted class is the labelled one.

    Parameters
    ----------
    y : float array [T, B, C]
    labels : integer array [B]
    decision : str, default "count"
        As in ``predict``.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    TypeError, ValueError
        As ``predict``; or labels that are no integers, out of range, or not ``B`` of them.

    Examples
    --------
    >>> y = np.zeros((4, 2, 3), np.float32)
    >>> y[:, :, 1] = 1.0
    >>> accuracy(y, [1, 2])
    0.5
    """
    predicted = predict(y, decision)
    _, batch, classes = y.shape
    return float(np.mean(predicted == checks.labels("accuracy", labels, (batch,), classes)))
