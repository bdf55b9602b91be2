"""Units in space, and those that one of them is connected with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..validate import finite, real
from .canvas import axes_or_new, check_axes, color

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def partners(
    positions: ArrayLike, units: ArrayLike, *, of: ArrayLike | None = None, ax: Axes | None = None, title: str = ""
) -> Any:
    """Positions of a population, with some of its units marked: the targets, or sources, of one unit.

    Parameters
    ----------
    positions : array [n, 2] or [n]
        As ``group.positions``; along a line if it has one axis.
    units : int array
        Units that are marked, the larger the more often they are named: ``connection.targets_of(5)``.
    of : array [2] or number, optional
        Where the unit is whose targets these are: a star.
    ax : matplotlib axes, optional
    title : str

    Returns
    -------
    matplotlib figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError
        If there are more dimensions than two, or no such units.

    Examples
    --------
    >>> import nbsnn
    >>> figure = nbsnn.plot.partners(nbsnn.sparse.grid((5, 5)), [6, 7, 7, 12], of=[1.5, 1.5])
    """
    check_axes(ax, title)
    places = _plane("positions", positions)
    chosen = np.atleast_1d(real("units", units))
    chosen = chosen if chosen.size else chosen.astype(int)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise TypeError(f"units must be a list of integers, not {units!r}")
    if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(places):
        raise ValueError(f"units must be from 0 to {len(places) - 1}, as there are positions, not {units!r}")
    star = None if of is None else _plane("of", real("of", of)[None])[0]
    ax = axes_or_new(ax, 4.2, 4.0)
    ax.scatter(*places.T, s=4.0, color="0.8", linewidths=0.0)
    marked, times = np.unique(chosen, return_counts=True)
    ax.scatter(*places[marked].T, s=14.0 * times, color=color(0), linewidths=0.0)
    if star is not None:
        ax.plot(*star, "*", color=color(1), markersize=12.0)
    ax.set(xlabel="x", ylabel="y", aspect="equal", title=title)
    return ax.figure


def _plane(name: str, given: ArrayLike) -> np.ndarray:
    """Points of a plane: float64 [n, 2]."""
    array = finite(name, real(name, given).astype(np.float64))
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not 1 <= array.shape[1] <= 2:
        raise ValueError(f"{name} must have shape [n, 2] or [n], not {list(array.shape)}")
    return np.column_stack([array, np.zeros(len(array))])[:, :2]
