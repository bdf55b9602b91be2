"""Keep gradients small before a step; both functions change them in place.

R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..validate import finite, instance, number


def clip_by_norm(grads: Mapping[str, np.ndarray], limit: float) -> float:
    """Scale all gradients by one factor so that their common norm is at most ``limit``.

        norm = sqrt(sum of all squares);   g = g * min(1, limit / norm)

    Parameters
    ----------
    grads : dict of float arrays
        Changed in place.
    limit : float
        Largest norm allowed, greater than 0.

    Returns
    -------
    float
        The norm before clipping.

    Raises
    ------
    TypeError, ValueError
        Something is no writable float array, or holds NaN or infinity; then nothing is changed.

    Examples
    --------
    >>> grads = {"a": np.array([3.0]), "b": np.array([4.0])}
    >>> clip_by_norm(grads, 1.0), grads["a"].round(12), grads["b"].round(12)
    (5.0, array([0.6]), array([0.8]))
    """
    limit = number("limit", limit, above=0.0)
    _check(grads)
    # Relative to the largest element, no square overflows.
    largest = max((float(np.abs(g).max()) for g in grads.values() if g.size), default=0.0)
    if largest == 0.0:
        return 0.0
    squares = (float(np.square(np.divide(g, largest, dtype=np.float64)).sum()) for g in grads.values())
    norm = largest * sum(squares) ** 0.5
    if norm > limit:
        for g in grads.values():
            g *= limit / norm
    return norm


def clip_by_value(grads: Mapping[str, np.ndarray], limit: float) -> None:
    """Cut every element of every gradient to ``[-limit, limit]``.

    Parameters
    ----------
    grads : dict of float arrays
        Changed in place.
    limit : float
        Largest absolute value allowed, greater than 0.

    Raises
    ------
    TypeError, ValueError
        As ``clip_by_norm``.

    Examples
    --------
    >>> grads = {"a": np.array([-3.0, 0.5])}
    >>> clip_by_value(grads, 1.0)
    >>> grads["a"]
    array([-1. ,  0.5])
    """
    limit = number("limit", limit, above=0.0)
    _check(grads)
    for g in grads.values():
        np.clip(g, -limit, limit, out=g)


def _check(grads: Mapping[str, np.ndarray]) -> None:
    instance("grads", grads, Mapping, "a mapping from names to arrays")
    for name, g in grads.items():
        if not isinstance(g, np.ndarray) or g.dtype.kind != "f":
            raise TypeError(f"grads[{name!r}] must be a float array, not {getattr(g, 'dtype', type(g).__name__)}")
        if not g.flags.writeable:
            raise ValueError(f"grads[{name!r}] is read-only and cannot be clipped in place")
        finite(f"grads[{name!r}]", g)
