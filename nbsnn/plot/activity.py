"""Spikes of populations with their rates, and states of units with their spikes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..statistics import population_rate
from ..statistics.window import spikes_within
from ..validate import array_of, count, names, numbers, shaped
from .canvas import check_axes, color, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray
Spikes = tuple[Any, Any, int]


def activity(
    spikes: Spikes | Mapping[str, Spikes],
    stop: float,
    *,
    start: float = 0.0,
    width: float = 5.0,
    smooth: float = 0.0,
    most: int = 1000,
    axes: Sequence[Any] | None = None,
    title: str = "",
) -> Any:
    """A dot for every spike, and under it the rates of the populations.

    Parameters
    ----------
    spikes : (times, units, n), or mapping from names to these
        Spikes of one population or of several: ms, ascending; places of units; number of units. The first population
        is drawn on top.
    stop, start : float
        End and beginning of what is drawn, in ms.
    width, smooth : float
        Bin and Gaussian window of the rates, in ms; see ``nbsnn.statistics.population_rate``.
    most : int
        Of more units than these, altogether, every second, third, ... is drawn. Rates count all.
    axes : two matplotlib axes, optional
        Where to draw dots and rates.
    title : str

    Returns
    -------
    matplotlib figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError
        If these are not spikes as ``nbsnn.statistics`` describes them.

    Examples
    --------
    >>> import nbsnn
    >>> figure = nbsnn.plot.activity({"cells": ([1.0, 2.0, 7.0], [0, 1, 0], 2)}, stop=10.0)
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['unit', 'rate (Hz)']
    """
    if axes is not None and not (
        isinstance(axes, (tuple, list, np.ndarray)) and array_of("axes", axes).shape[:1] == (2,)
    ):
        raise TypeError(f"axes must be two matplotlib axes or None, not {axes!r}")
    for ax in () if axes is None else axes:
        check_axes(ax, title, "axes")
    check_axes(None, title)
    named = dict(spikes) if isinstance(spikes, Mapping) else {"": spikes}
    for name, part in named.items():
        if not isinstance(part, (tuple, list)) or len(part) != 3:
            raise TypeError(f"spikes must be (times, units, n){f', {name!r} too' * bool(name)}, not {part!r}")
    found = {name: (*spikes_within(t, u, n, start, stop), n) for name, (t, u, n) in named.items()}
    curves = [population_rate(*part, stop, start=start, width=width, smooth=smooth) for part in found.values()]
    every = max(1, math.ceil(sum(n for *_, n in found.values()) / count("most", most)))
    dots, rates = new_figure(7.0, 5.0).subplots(2, 1, sharex=True, height_ratios=(3, 1)) if axes is None else axes
    shown = {name: math.ceil(n / every) for name, (*_, n) in found.items()}
    height = 72.0 * dots.get_position().height * dots.figure.get_figheight() / max(1, sum(shown.values()))
    base, ticks = 0, []
    for k, (name, (times, units, _)) in enumerate(found.items()):
        chosen = units % every == 0
        place = base + units[chosen] // every
        size = min(6.0, max(1.8, 0.9 * height))  # points, about as high as a line of units
        style = {"marker": "|", "markersize": size, "markeredgewidth": 0.8}
        dots.plot(times[chosen], place, linestyle="none", color=color(k), rasterized=True, **style)
        rates.plot(*curves[k], color=color(k), linewidth=1.0, label=name)
        ticks.append(base + 0.5 * (shown[name] - 1))
        base += shown[name]
    dots.set(ylim=(base - 0.5, -0.5), xlim=(start, stop), title=title)
    dots.set_ylabel("unit" if every == 1 else f"unit (1 in {every})")
    if isinstance(spikes, Mapping):
        dots.set_yticks(ticks, list(found))
        for k, label in enumerate(dots.get_yticklabels()):
            label.set_color(color(k))
        dots.tick_params(axis="y", length=0)
    rates.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(start, stop))
    rates.set_ylim(bottom=0.0)
    return dots.figure


def traces(
    times: ArrayLike,
    states: ArrayLike | Mapping[str, ArrayLike],
    spikes: ArrayLike | None = None,
    *,
    labels: Sequence[str] | None = None,
    axes: Axes | Sequence[Axes] | None = None,
    title: str = "",
) -> Any:
    """States of units over time, with a stroke at each spike.

    Parameters
    ----------
    times : array [T]
        In ms.
    states : array [T] or [T, K], or mapping from names to these
        A state of one unit or of K units; several states have axes of their own, one above the other.
    spikes : array, or sequence of K arrays, optional
        Times of the spikes of the unit, or of each unit, in ms; drawn with the first state.
    labels : sequence of K str, optional
        Names of the units.
    axes : matplotlib axes, or as many as there are states, optional
    title : str

    Returns
    -------
    matplotlib figure

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If lengths do not agree.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> t = np.arange(0.0, 50.0, 0.1)
    >>> figure = nbsnn.plot.traces(t, {"v (mV)": -70.0 + 0.2 * t}, spikes=[25.0])
    >>> figure.axes[0].get_ylabel()
    'v (mV)'
    """
    check_axes(None, title)
    times = shaped("times", numbers("times", times), (None,))
    named = states if isinstance(states, Mapping) else {"": states}
    columns: dict[str, Array] = {}
    for name, x in named.items():
        array = numbers(f"states {name!r}" if name else "states", x)
        if not array.size or not array.ndim:
            raise ValueError(f"states must have a row for each of {len(times)} times, not shape {list(array.shape)}")
        columns[name] = array.reshape(len(array), -1)
    if not columns:
        raise ValueError("states must name at least one state")
    if spikes is not None:
        if not isinstance(spikes, (list, tuple, np.ndarray)) or (isinstance(spikes, np.ndarray) and not spikes.ndim):
            raise TypeError(f"spikes must be times, or a sequence of times for each unit, not {spikes!r}")
        for train in [spikes] if _flat(spikes) else spikes:
            shaped("spikes", numbers("spikes", train), (None,))
    if labels is not None:
        labels = names("labels", labels)
    units = next(iter(columns.values())).shape[1]
    for name, x in columns.items():
        if x.shape != (len(times), units):
            wanted = f"[{len(times)}, {units}], as there are times and units"
            raise ValueError(
                f"{f'the state {name!r} of ' if name else ''}states must have shape {wanted}, not {list(x.shape)}"
            )
    strokes = [] if spikes is None else [np.asarray(spikes)] if _flat(spikes) else [np.asarray(s) for s in spikes]
    for name, items in (("spikes", strokes), ("labels", labels or [])):
        if len(items) not in (0, units):
            raise ValueError(f"{name} must be given for each of the {units} units, not for {len(items)}")
    if axes is None:
        axes = new_figure(7.0, 1.2 + 1.8 * len(columns)).subplots(len(columns), 1, sharex=True, squeeze=False)
    each = np.atleast_1d(np.asarray(axes, object)).reshape(-1)
    for ax in each:
        if ax is None:
            raise TypeError("axes must be matplotlib axes, not None among others")
        check_axes(ax, title, "axes")
    if len(each) != len(columns):
        raise ValueError(f"axes must be as many as there are states, {len(columns)}, not {len(each)}")
    for ax, (name, x) in zip(each, columns.items(), strict=True):
        for k in range(units):
            ax.plot(times, x[:, k], color=color(k), linewidth=1.0, label=labels[k] if labels else None)
        ax.set(ylabel=name)
    first, x = each[0], next(iter(columns.values()))
    if strokes:
        top = np.nanmax(x) + 0.35 * (np.nanmax(x) - np.nanmin(x) or 1.0)
        for k, at in enumerate(strokes):
            if len(at):
                first.vlines(at, np.interp(at, times, x[:, k]), top, color=color(k), linewidth=1.0)
    if labels:
        first.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small", frameon=False)
    first.set(title=title)
    each[-1].set(xlabel="time (ms)", xlim=(times[0], times[-1]) if len(times) > 1 else None)
    return first.figure


def _flat(spikes: Sequence | np.ndarray) -> bool:
    """True if spikes are one list of times and not one per unit."""
    return len(spikes) == 0 or np.ndim(spikes[0]) == 0
