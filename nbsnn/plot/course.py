"""The course of a training, and the spikes of one sample."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .. import validate
from ..layers.run import Run
from ..losses import predict
from ..progress.history import History
from ..validate import affordable, choice, count, instance, numbers
from .canvas import axes_or_new, check_axes, new_figure, pyplot, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def raster(spikes: np.ndarray, ax: Axes | None = None, title: str = "") -> Any:
    """A dot for every spike, steps to the right and units upwards.

    Parameters
    ----------
    spikes : array [T, N]
        Spikes of one sample.
    ax : matplotlib axes, optional
        Where to draw; a new figure by default.
    title : str

    Returns
    -------
    matplotlib axes

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> axes = nbsnn.plot.raster(np.eye(5), title="one after the other")
    >>> axes.get_xlabel()
    'step'
    """
    check_axes(ax, title)
    if isinstance(spikes, Run):
        raise TypeError('spikes must be an array [T, N], such as run["lif1"]["spikes"][:, 0], not a whole run')
    spikes = numbers("spikes", spikes)
    if spikes.ndim < 2:
        raise ValueError(f"spikes must have shape [T, units...], not {list(spikes.shape)}")
    axes: Axes = pyplot().subplots()[1] if ax is None else ax
    steps, units = np.nonzero(spikes.reshape(len(spikes), -1))
    axes.scatter(steps, units, s=4, marker="|" if len(spikes) > 40 else ".", color="black", linewidths=0.6)
    axes.set(xlabel="step", ylabel="unit", title=title, xlim=(-0.5, len(spikes) - 0.5))
    return axes


def fields(weights: np.ndarray, path: str | PathLike[str], side: int | None = None) -> None:
    """A figure of what each unit is sensitive to, written to ``path``: its weights as a picture, unit by unit.

    Parameters
    ----------
    weights : array [n_pre, n_post]
        Dark is strong.
    path : path
        The image file.
    side : int, optional
        Width of a unit's picture; by default it is square.
    """
    n_pre, units = weights.shape
    side = round(n_pre**0.5) if side is None else side
    if side < 1 or n_pre % side:
        raise ValueError(f"{n_pre} weights do not fill a picture {side} wide: pass side")
    across = int(np.ceil(np.sqrt(units)))
    down = -(-units // across)
    tiles = np.zeros((down * across, n_pre // side, side), weights.dtype)
    tiles[:units] = weights.T.reshape(units, -1, side)
    framed = np.pad(tiles, ((0, 0), (0, 1), (0, 1)), constant_values=tiles.max() / 3.0)
    picture = framed.reshape(down, across, *framed.shape[1:]).swapaxes(1, 2).reshape(down * framed.shape[1], -1)
    pyplot().imsave(path, np.kron(picture, np.ones((2, 2))), cmap="hot_r")


def training(
    history: History,
    run: Run | None = None,
    path: str | PathLike[str] | None = None,
    sample: int = 0,
    labels: ArrayLike | None = None,
    decision: str = "count",
) -> Any:
    """Draw a training's course, the spikes of one sample, and which classes are taken for which.

    Parameters
    ----------
    history : History
        What ``fit`` returned.
    run : Run, optional
        Of the trained network; every population in it that spikes gets a raster, in whatever container it is.
    path : path, optional
        Where to write the figure, too.
    sample : int, default 0
        The sample whose spikes are shown.
    labels : integer array [B], optional
        Labels of the samples of ``run``: they add a confusion matrix.
    decision : str, default "count"
        How an output decides for a class, as in ``losses.predict``.

    Returns
    -------
    array of matplotlib axes

    Examples
    --------
    >>> from nbsnn.progress.history import History
    >>> axes = training(History([{"epoch": 1, "loss": 0.5, "train_accuracy": 0.9}]))
    >>> [ax.get_ylabel() for ax in axes]
    ['loss', 'accuracy (%)']
    """
    if path is not None:
        validate.path("path", path)
    instance("history", history, History, "the history of a training")
    choice("decision", decision, ("count", "max", "last", "first"))
    if not len(history):
        raise ValueError("history has no epoch yet")
    if run is not None:
        instance("run", run, Run, "what a network's run returns")
        sample = count("sample", sample, least=0, most=run.output.shape[1] - 1)
    elif labels is not None:
        raise ValueError("labels need the run that they belong to")
    layers = [] if run is None else spiking(run)
    accuracies = [name for name in history.rows[-1] if name.endswith("accuracy")]
    others = [name for name in history.rows[-1] if name.endswith("loss") and name != "loss"]
    shown = run is not None
    panels = 1 + bool(accuracies) + (max(1, len(layers)) if shown else 0) + (labels is not None)
    axes = new_figure(4.0 * panels, 3.4).subplots(1, panels, squeeze=False)[0]
    rest = iter(axes)
    epochs, ax = history["epoch"], next(rest)
    for name in ("loss", *others):
        ax.plot(epochs, history[name], ".-", label=name.replace("_", " "), color=None if others else "black")
    ax.set(xlabel="epoch", ylabel="loss", yscale="log" if min(history["loss"]) > 0.0 else "linear")
    ax.yaxis.set_minor_formatter("")
    if others:
        ax.legend()
    if accuracies:
        ax = next(rest)
        for name in accuracies:
            ax.plot(epochs, 100.0 * np.array(history[name]), ".-", label=name.removesuffix("_accuracy"))
        ax.set(xlabel="epoch", ylabel="accuracy (%)")
        ax.legend()
    if run is not None:
        for name, spikes in layers:
            raster(spikes[:, sample], next(rest), f"{name}, one sample")
        if not layers:
            ax = next(rest)
            ax.plot(run.output[:, sample].reshape(len(run.output), -1))
            ax.set(xlabel="step", title="output, one sample")
        if labels is not None:
            confusion(labels, predict(run.output, decision), next(rest))
    if path is not None:
        save(axes[0].figure, path)
    return axes


def spiking(run: Run, prefix: str = "") -> list[tuple[str, np.ndarray]]:
    """Names and spikes [T, B, ...] of all populations in a run, those inside of containers too."""
    found: list[tuple[str, np.ndarray]] = []
    for name in run.keys():  # noqa: SIM118 (a Run is no dict)
        inner = run[name]
        if isinstance(inner, Run):
            found += spiking(inner, f"{prefix}{name}/")
        elif name == "spikes":
            found.append((prefix.rstrip("/") or "output", inner))
    return found


def confusion(labels: ArrayLike, predicted: ArrayLike, ax: Axes | None = None, title: str = "") -> Any:
    """Draw which classes are taken for which: a row for each true class, a column for each decision.

    Parameters
    ----------
    labels, predicted : integer array [B]
        True classes, and what ``losses.predict`` returned.
    ax : matplotlib axes, optional
        Where to draw; a new figure by default.
    title : str

    Returns
    -------
    matplotlib axes

    Examples
    --------
    >>> ax = confusion([0, 1, 1], [0, 1, 0])
    >>> [text.get_text() for text in ax.texts]
    ['1', '0', '1', '1']
    """
    check_axes(ax, title)
    given = []
    for name, value in (("labels", labels), ("predicted", predicted)):
        array = numbers(name, value)
        if array.ndim != 1 or not len(array) or (array != array.astype(int)).any() or array.min() < 0:
            raise ValueError(f"{name} must be class numbers [B], not {value!r}")
        given.append(array.astype(int))
    if len(given[0]) != len(given[1]):
        raise ValueError(f"predicted must have one class for each of the {len(given[0])} labels, not {len(given[1])}")
    classes = int(max(map(np.max, given))) + 1
    affordable(f"a matrix of {classes} classes", 8.0 * classes**2)
    table = np.zeros((classes, classes), int)
    np.add.at(table, (given[0], given[1]), 1)
    axes = axes_or_new(ax, 4.0, 3.8)
    axes.imshow(table / np.maximum(table.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0.0, vmax=1.0)
    if classes <= 20:
        for true, row in enumerate(table):
            for decided, n in enumerate(row):
                dark = n > 0.5 * row.sum()
                axes.text(decided, true, str(n), ha="center", va="center", size=8, color="white" if dark else "black")
    axes.set(xlabel="predicted class", ylabel="true class", title=title)
    return axes
