"""Directions shared by all patterns, and how to damp the gradient along them.

Inputs that spike at about the same time in nearly every pattern, as the dark pixels of a picture do, move all membranes
together. Their weights have most of the gradient and nothing to tell patterns apart, and the learning rate must be so
small that they do not make the membranes swing. With orthonormal columns U [N, Q] that span what patterns share,

    gradient = gradient - (1 - keep) U U^T gradient

takes the swing out: gradient descent in coordinates in which the shared directions are ``sqrt(keep)`` times as long.
The minima are where they were, and the learning rate may be larger by up to ``1 / keep``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..validate import count
from .response import TempotronLike
from .spike_times import Events


def shared_directions(t: TempotronLike, x: Events | ArrayLike, times: int = 8) -> np.ndarray:
    """Directions of weights that all patterns share.

    They span the mean potentials ``mean_b v0 K(t - t_i)`` of the inputs ``i`` at some times ``t``: what the membranes
    of the mean pattern depend on.

    Parameters
    ----------
    t : Tempotron
        Whose inputs they are.
    x : Events, or array [B, N] or [B, N, k] of spike times
        Patterns; a few hundred do.
    times : int, default 8
        Number of times, spread evenly over (0, T].

    Returns
    -------
    array [N, Q]
        Orthonormal columns.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> t = nbsnn.Tempotron(3, T=50.0)
    >>> shared_directions(t, np.array([[10.0, 10.0, -1.0], [10.0, 10.0, -1.0]])).round(3).shape
    (3, 1)
    """
    events = t.events(x)
    at = np.linspace(0.0, t.T, count("times", times) + 1)[1:]
    mean = np.zeros((t.n_inputs, times))
    for q in range(times):
        g = np.zeros((times, len(events), t.n_outputs), t.dtype)
        g[q, :, 0] = 1.0 / len(events)
        mean[:, q] = t.v_vjp(events, g, at)[0]["weight"][:, 0]
    u, size, _ = np.linalg.svd(mean, full_matrices=False)
    return np.ascontiguousarray(u[:, size > 1e-6 * size[0]], t.dtype)


def damped(gradient: np.ndarray, directions: np.ndarray, keep: float) -> np.ndarray:
    """``gradient`` [N, O] with its part along ``directions`` [N, Q] reduced to the share ``keep``.

    >>> damped(np.array([[3.0], [4.0]]), np.array([[1.0], [0.0]]), 0.5)
    array([[1.5],
           [4. ]])
    """
    return gradient - directions @ ((1.0 - keep) * (directions.T @ gradient)).astype(gradient.dtype)
