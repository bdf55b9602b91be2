"""Weights: as a matrix, as pictures of what units respond to, and over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..sparse import Rows
from ..validate import count, instance, numbers, shape_of, shaped
from .canvas import COLORS, axes_or_new, check_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray

PIXELS = 500
"""Most fields along a side; a larger matrix is drawn with this many, each the mean of its pairs."""


def weight_matrix(weight: ArrayLike, rows: Rows | None = None, *, ax: Axes | None = None, title: str = "") -> Any:
    """Weights as an image, sources downwards and targets to the right.

    Parameters
    ----------
    weight : array [n_pre, n_post]; with ``rows`` a number or an array [synapses]
        Pairs without a synapse count as 0, and several synapses of a pair add up.
    rows : Rows, optional
        The synapses that the weights belong to.
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
        If shapes do not agree.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> figure = nbsnn.plot.weight_matrix(np.random.default_rng(0).normal(size=(20, 10)), title="before training")
    """
    check_axes(ax, title)
    if rows is not None:
        instance("rows", rows, Rows, "the rows of a connection")
    image, shape = _sparse_image(weight, rows) if rows is not None else _dense_image(weight)
    ax = axes_or_new(ax, 5.2, 4.4)
    low, high = float(np.nanmin(image, initial=0.0)), float(np.nanmax(image, initial=0.0))
    if low < 0.0:
        far = max(-low, high)
        scale = {"cmap": "RdBu_r", "vmin": -far, "vmax": far}
    else:
        scale = {"cmap": "Greys", "vmin": 0.0, "vmax": high or 1.0}
    extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
    aspect = "equal" if 0.25 < shape[0] / shape[1] < 4.0 else "auto"
    drawn = ax.imshow(image, extent=extent, interpolation="nearest", aspect=aspect, **scale)
    reduced = image.shape != shape
    ax.figure.colorbar(drawn, ax=ax, label="weight, mean over pairs" if reduced else "weight", shrink=0.85)
    ax.set(xlabel="target", ylabel="source", title=title)
    return ax.figure


def receptive_fields(
    weight: ArrayLike, shape: tuple[int, int], *, columns: int | None = None, ax: Axes | None = None, title: str = ""
) -> Any:
    """The weights onto each unit as a picture, side by side.

    Parameters
    ----------
    weight : array [n_pre, n_post]
        With ``n_pre = height * width``, the width fastest.
    shape : (height, width)
        Of a picture.
    columns : int, optional
        Pictures per line; as many as make a square by default.
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
        If ``weight`` has another number of sources than a picture has points.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> figure = nbsnn.plot.receptive_fields(np.random.default_rng(0).random((64, 9)), (8, 8))
    """
    check_axes(ax, title)
    weight, grid = numbers("weight", weight), shape_of("shape", shape)
    if len(grid) != 2:
        raise ValueError(f"shape must be (height, width), not {shape}")
    height, width = grid
    if weight.ndim != 2 or weight.shape[0] != height * width or not weight.shape[1]:
        raise ValueError(f"weight must have shape [{height * width}, targets], not {list(weight.shape)}")
    n = weight.shape[1]
    across = math.ceil(math.sqrt(n)) if columns is None else count("columns", columns, most=10_000)
    down = math.ceil(n / across)
    tiles = np.full((down, height + 1, across, width + 1), np.nan)
    for k in range(n):
        tiles[k // across, :height, k % across, :width] = weight[:, k].reshape(height, width)
    image = tiles.reshape(down * (height + 1), across * (width + 1))[:-1, :-1]
    if ax is None:
        wide = min(10.0, max(3.0, 0.7 * across))
        ax = axes_or_new(None, wide + 1.0, wide * image.shape[0] / image.shape[1] + 0.4)
    low, high = float(np.nanmin(image)), float(np.nanmax(image))
    far = max(-low, high)
    scale = {"cmap": "RdBu_r", "vmin": -far, "vmax": far} if low < 0.0 else {"cmap": "hot_r", "vmin": 0.0, "vmax": high}
    ax.set_facecolor("0.6")
    drawn = ax.imshow(image, interpolation="nearest", **scale)
    ax.figure.colorbar(drawn, ax=ax, label="weight", shrink=0.8)
    ax.set(xticks=[], yticks=[], title=title)
    return ax.figure


def weights_over_time(times: ArrayLike, weights: ArrayLike, *, ax: Axes | None = None, title: str = "") -> Any:
    """Weights over time: a line for each of up to 30 synapses, the spread and the median of more.

    Parameters
    ----------
    times : array [T]
        In ms.
    weights : array [T, K]
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
        If lengths do not agree.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> weights = np.random.default_rng(0).normal(size=(100, 8)).cumsum(0)
    >>> figure = nbsnn.plot.weights_over_time(np.arange(100.0), weights)
    """
    check_axes(ax, title)
    times, weights = shaped("times", numbers("times", times), (None,)), numbers("weights", weights)
    if weights.ndim != 2 or len(weights) != len(times) or not weights.size:
        raise ValueError(f"weights must have shape [{len(times)}, synapses], as there are times, not {weights.shape}")
    ax = axes_or_new(ax)
    if weights.shape[1] <= 30:
        ax.plot(times, weights, color="0.6", linewidth=0.8)
    else:
        for part, shade in ((5, "0.88"), (25, "0.72")):
            low, high = np.percentile(weights, (part, 100 - part), axis=1)
            ax.fill_between(times, low, high, color=shade, linewidth=0.0, label=f"{part} to {100 - part} %")
    ax.plot(times, np.median(weights, axis=1), color=COLORS[0], label="median")
    ax.plot(times, weights.mean(axis=1), color=COLORS[1], linestyle="--", label="mean")
    ax.set(xlabel="time (ms)", ylabel="weight", title=title)
    ax.legend(frameon=False)
    return ax.figure


def _dense_image(weight: ArrayLike) -> tuple[Array, tuple[int, int]]:
    weight = numbers("weight", weight)
    if weight.ndim != 2 or not weight.size:
        raise ValueError(f"weight must have shape [n_pre, n_post], not {list(weight.shape)}")
    image = weight.astype(np.float64)
    for axis in (0, 1):
        edges, sizes = _fields(weight.shape[axis])
        if len(edges) < weight.shape[axis]:
            sums = np.add.reduceat(image, edges, axis=axis)
            image = sums / (sizes[:, None] if axis == 0 else sizes)
    return image, (weight.shape[0], weight.shape[1])


def _sparse_image(weight: ArrayLike, rows: Rows) -> tuple[Array, tuple[int, int]]:
    shape = rows.n_pre, rows.n_post
    numbers("weight", weight)
    if np.shape(weight) not in ((), (len(rows),)):
        raise ValueError(f"weight must be a number or have shape [{len(rows)}], not {list(np.shape(weight))}")
    if not all(shape):
        raise ValueError(f"{rows} has no pairs to draw")
    (first, tall), (second, wide) = _fields(shape[0]), _fields(shape[1])
    i = np.repeat(np.arange(len(first)), np.diff(rows.start[np.append(first, shape[0])]))
    place = i * len(second) + (np.searchsorted(second, np.arange(shape[1]), side="right") - 1)[rows.post]
    values = np.broadcast_to(np.asarray(weight, np.float64), (len(rows),))
    image = np.bincount(place, weights=values, minlength=len(first) * len(second)).reshape(len(first), len(second))
    return image / (tall[:, None] * wide), shape


def _fields(n: int) -> tuple[Array, Array]:
    """Start of each of at most ``PIXELS`` fields along a side of n, and its size."""
    edges = np.arange(min(n, PIXELS)) * n // min(n, PIXELS)
    return edges, np.diff(np.append(edges, n))
