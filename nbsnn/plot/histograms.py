"""Histograms of rates and irregularity over units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..validate import count, real
from .canvas import axes_or_new, check_axes, color

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def rate_histogram(
    rates: ArrayLike | Mapping[str, ArrayLike], *, bins: int = 30, ax: Axes | None = None, title: str = ""
) -> Any:
    """Histogram of the units' rates; a line marks the mean.

    Parameters
    ----------
    rates : array [N], or mapping from names to these
        In Hz, as ``nbsnn.statistics.rates`` gives them.
    bins : int
    ax : matplotlib axes, optional
    title : str

    Returns
    -------
    matplotlib figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If there is no number.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.plot.rate_histogram([1.0, 2.0, 2.5]).axes[0].get_xlabel()
    'rate (Hz)'
    """
    return _histogram("rates", rates, "rate (Hz)", "Hz", bins, ax, title)


def cv_histogram(
    cv: ArrayLike | Mapping[str, ArrayLike], *, bins: int = 30, ax: Axes | None = None, title: str = ""
) -> Any:
    """Histogram of the units' coefficients of variation of inter-spike intervals; a line marks the mean.

    Parameters
    ----------
    cv : array [N], or mapping from names to these
        As ``nbsnn.statistics.cv_per_unit`` gives them: NaN is left out.
    bins, ax, title
        As ``rate_histogram``.

    Returns
    -------
    matplotlib figure

    Examples
    --------
    >>> import nbsnn
    >>> figure = nbsnn.plot.cv_histogram({"excitatory": [0.9, 1.1], "inhibitory": [0.8, float("nan"), 1.0]})
    """
    return _histogram("cv", cv, "CV of inter-spike intervals", "", bins, ax, title)


def _histogram(
    what: str, given: ArrayLike | Mapping[str, ArrayLike], label: str, unit: str, bins: int, ax: Axes | None, title: str
) -> Any:
    check_axes(ax, title)
    parts = given if isinstance(given, Mapping) else {"": given}
    named = {k: real(what, v).astype(np.float64).ravel() for k, v in parts.items()}
    named = {name: values[~np.isnan(values)] for name, values in named.items()}
    for values in named.values():
        if np.isinf(values).any() or values.min(initial=0.0) < 0.0:
            raise ValueError(f"{what} must be finite and at least 0, but span {values.min():g} to {values.max():g}")
    if not any(len(values) for values in named.values()):
        raise ValueError(f"{what} must hold at least one number; there is none")
    high = max(values.max(initial=0.0) for values in named.values()) or 1.0
    edges = _edges(np.unique(np.concatenate(list(named.values()))), high, count("bins", bins, most=1 << 20))
    ax = axes_or_new(ax)
    for k, (name, values) in enumerate(named.items()):
        if not len(values):
            continue
        text = f"{name} " * bool(name) + f"mean {values.mean():.3g} {unit}".rstrip()
        heights = np.histogram(values, edges)[0]
        ax.stairs(heights, edges, fill=True, color=color(k), alpha=0.25)
        ax.stairs(heights, edges, color=color(k), linewidth=1.0, label=text)
        ax.axvline(values.mean(), color=color(k), linewidth=1.0, linestyle="--")
    ax.set(xlabel=label, ylabel="units", title=title, xlim=(edges[0], edges[-1]))
    ax.legend(frameon=False)
    return ax.figure


def _edges(values: np.ndarray, high: float, bins: int) -> np.ndarray:
    """Edges of about ``bins`` bins from 0 to ``high``.

    Rates are multiples of one spike per duration; bins that hold now two, now three such multiples would look like a
    comb, so there every bin holds as many.
    """
    step = np.diff(values, prepend=0.0)
    step = step[step > 1e-9 * high].min(initial=high)
    places = np.rint(values / step)
    if places.max() > 100 * bins or not np.allclose(places * step, values, rtol=1e-6, atol=1e-6 * step):
        return np.linspace(0.0, high, bins + 1)
    width = math.ceil((places.max() + 1) / bins)
    return (np.arange(math.ceil((places.max() + 1) / width) + 1) * width - 0.5) * step
