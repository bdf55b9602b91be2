"""Soft time of a membrane's maximum, which can be differentiated, for layers behind a Tempotron.

    p = softmax_k(sharpness v[k]),        soft_time = sum_k at[k] p[k]
    d soft_time / d v[k] = sharpness p[k] (at[k] - soft_time)

The time of a maximum jumps when another one overtakes it; its soft form moves over gradually, the more so the smaller
``sharpness`` is. SpikingJelly's Tempotron takes the number of steps for it.
"""

from __future__ import annotations

import numpy as np

from ..validate import number, numbers, shaped


def soft_time(v: np.ndarray, at: np.ndarray, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Soft time of the maximum, and its derivative with respect to the membrane.

    Parameters
    ----------
    v : array [G, B, O]
        Membranes at the times ``at`` [G].
    at : array [G]
    sharpness : float, 1 / membrane unit

    Returns
    -------
    time : array [B, O]
    slope : array [G, B, O]

    Examples
    --------
    >>> time, slope = soft_time(np.array([0.0, 1.0, 0.0]).reshape(3, 1, 1), np.arange(3.0), 50.0)
    >>> time, bool(abs(slope).max() < 1e-12)
    (array([[1.]]), True)
    """
    v, at = numbers("v", v), shaped("at", numbers("at", at), (None,))
    if v.ndim != 3 or len(v) != len(at) or not len(at):
        raise ValueError(f"v must have shape [{len(at)}, B, O], a row for each time in at, not {list(v.shape)}")
    number("sharpness", sharpness, above=0.0)
    p = np.exp(sharpness * (v - v.max(axis=0)))
    p /= p.sum(axis=0)
    column = at.reshape(-1, 1, 1)
    time = (column * p).sum(axis=0)
    return time, sharpness * p * (column - time)
