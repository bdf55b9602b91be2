"""The course of a training, and the spikes of one sample."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import validate
from ..layers.run import Run
from ..progress.history import History
from ..validate import count, instance, numbers
from .canvas import check_axes, pyplot, save

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


def training(history: History, run: Run, path: str | PathLike[str], sample: int = 0) -> None:
    """Write a figure of the course of a training and of one sample's spikes to ``path``.

    Parameters
    ----------
    history : History
        What ``fit`` returned.
    run : Run
        A run of the network that was trained.
    path : str or path
        The image file.
    sample : int, default 0
        Which sample of the run is drawn.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.progress.history import History
    >>> row = {"loss": 0.5, "train_accuracy": 0.9, "rate/lif1": 0.1, "seconds": 1.0}
    >>> history = History([{"epoch": 1, **row}, {"epoch": 2, **row}])
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(), seed=0, device="python")
    >>> run = net.run(np.ones((5, 1, 3), np.float32))
    >>> nbsnn.plot.training(history, run, "training.png")                      # doctest: +SKIP
    """
    validate.path("path", path)
    instance("history", history, History, "the history of a training")
    instance("run", run, Run, "what a network's run returns")
    sample = count("sample", sample, least=0, most=run.output.shape[1] - 1)
    plt = pyplot()
    layers = [name for name in run.keys() if "spikes" in run[name]]  # noqa: SIM118 (a Run is no dict)
    figure, axes = plt.subplots(1, 2 + max(1, len(layers)), figsize=(4 * (2 + max(1, len(layers))), 3.4))
    epochs = history["epoch"]
    axes[0].plot(epochs, history["loss"], "k.-")
    axes[0].set(xlabel="epoch", ylabel="loss", yscale="log")
    for name in ("train_accuracy", "test_accuracy"):
        if name in history.rows[-1]:
            axes[1].plot(epochs, 100.0 * np.array(history[name]), ".-", label=name.replace("_accuracy", ""))
    axes[1].set(xlabel="epoch", ylabel="accuracy (%)")
    axes[1].legend()
    for ax, name in zip(axes[2:], layers, strict=False):
        raster(run[name]["spikes"][:, sample], ax, f"{name}, one sample")
    if not layers:
        axes[2].plot(run.output[:, sample])
        axes[2].set(xlabel="step", title="output, one sample")
    figure.tight_layout()
    save(figure, path)
    plt.close(figure)
