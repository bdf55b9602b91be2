"""Training from data to checkpoint in one call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoint.describe import describe
from ..checkpoint.save import fill, fitting, read_npz, save
from ..data import batches
from ..device import products
from ..diagnosis.report import warn_if_silent
from ..encode import Encoder
from ..events import Recordings
from ..files.npz import Entries, reading
from ..layers import Container, Run
from ..layers.layer import Array, Layer
from ..losses import predict
from ..progress.bar import Progress
from ..progress.history import History
from ..random import Draws
from ..spikes.spike_input import SpikeInput
from ..validate import count, function, instance, path, switch
from .learner import Learner

Pair = tuple[Any, Array]
Augment = Callable[[Any, Draws], Any]

COLUMNS = ("loss", "train_accuracy", "seconds")
"""What every row of a training's history has, beside its epoch."""


def fit(
    net: Container,
    train: Pair,
    test: Pair | None = None,
    *,
    encoder: Encoder,
    learner: Learner,
    epochs: int = 10,
    batch_size: int = 128,
    seed: int = 0,
    augment: Augment | None = None,
    checkpoint: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: Progress | bool = True,
    deterministic: bool = False,
    callback: Callable[[Any, History], Any] | None = None,
) -> History:
    """Train a classifier, epoch by epoch.

    Parameters
    ----------
    net : Container
        The network that ``learner`` trains.
    train, test : (x, labels)
        Samples [n, ...], or ``nbsnn.events.Recordings`` of n samples, and integer labels [n]. The test set is only
        measured on, after each epoch.
    encoder : Encoder
        From samples to input over time, from ``nbsnn.encode``; for recordings ``nbsnn.events.binned``.
    learner : Learner
        What changes the parameters.
    epochs, batch_size : int
        How long, and how many samples at a time, in training and on the test set.
    seed : int
        Seed of order, encoding and augmentation. With the same seed, network and data the result is the same bit
        for bit, for any number of threads of nbsnn; BLAS may sum in another order with another number of threads of
        its own (OPENBLAS_NUM_THREADS), unless ``deterministic``.
    augment : callable, optional
        ``augment(x, draws) -> x``, applied to each training batch.
    checkpoint : path, optional
        File that is written after every epoch: network, learner and history.
    resume : bool
        Go on from ``checkpoint`` if it exists, as if training had never stopped.
    progress : bool or Progress
        Whether to show progress on the terminal.
    deterministic : bool
        Whether results are the same for any number of BLAS's threads too, see ``nbsnn.deterministic``.
    callback : callable, optional
        ``callback(net, history)``, called after each epoch; ``nbsnn.Snapshots(net)`` keeps the weights for a page.

    Returns
    -------
    History
        One row per epoch. With recordings it counts "events_merged" and "events_dropped" in the training set.

    Examples
    --------
    >>> import nbsnn
    >>> from nbsnn.neurons import LI, LIF
    >>> data = nbsnn.data.digits()
    >>> net = nbsnn.Sequential(nbsnn.Dense(64, 32), LIF(), nbsnn.Dense(32, 10), LI(), seed=0)
    >>> learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3))
    >>> history = nbsnn.fit(net, (data.x_train, data.y_train), (data.x_test, data.y_test), progress=False,
    ...                     encoder=nbsnn.encode.constant(T=8), learner=learner, epochs=1)
    >>> history["test_accuracy"][-1] > 0.5
    True
    """
    instance("net", net, Layer, "a network")
    instance("learner", learner, Learner, "a learner of nbsnn, BPTT(net, loss) say")
    function("encoder", encoder, "an encoder, nbsnn.encode.poisson(T=100) say", takes=2)
    if augment is not None:
        function("augment", augment, "a function augment(x, draws)", takes=2)
    if callback is not None:
        function("callback", callback, "a function callback(net, history)", takes=2)
    if checkpoint is not None:
        path("checkpoint", checkpoint)
    Draws(seed)
    if learner.net.unfused() is not net.unfused():
        raise ValueError("learner trains another network than the one given")
    train, test = _pair("train", train), None if test is None else _pair("test", test)
    count("epochs", epochs, most=1_000_000)
    count("batch_size", batch_size)
    show = Progress.of(progress)
    history, watching = History(), getattr(learner.optimizer, "watching", [])
    switch("resume", resume)
    switch("deterministic", deterministic)
    if checkpoint is not None:
        describe(net, {})  # what no file can hold shows before the first epoch, not after it
    if resume and checkpoint is not None and Path(checkpoint).exists():
        history = load_training(net, learner, checkpoint)
        for schedule in watching:
            schedule.reset()
            for row in history.rows:
                schedule.observe(row)
    for epoch in range(len(history), epochs):
        with products.deterministic(deterministic):
            row = _epoch(net, train, encoder, learner, batch_size, Draws(seed), epoch, augment, show)
            if test is not None:
                draws = Draws(seed, "test")
                row["test_accuracy"], rates = evaluate(net, *test, encoder, learner.loss, draws, batch_size)
                row |= {f"rate/{name}": rate for name, rate in rates.items()}
        row["seconds"] = row.pop("seconds")  # last column
        history.rows.append(row)
        for schedule in watching:
            schedule.observe(row)
        show.row(history)
        if checkpoint is not None:
            save_training(net, learner, history, checkpoint)
        if callback is not None:
            callback(net, history)
    return history


def evaluate(
    net: Container, x: Array, labels: Array, encoder: Encoder, loss: Any, draws: Draws | None = None, size: int = 128
) -> tuple[float, dict[str, float]]:
    """Accuracy on a data set, and each spiking layer's mean rate (spikes per unit and step).

    The class is decided as the loss says (``loss.decision``), by the largest sum over time if it says nothing. ``size``
    samples run at a time, in the same arrays.
    """
    right, rates, tape = 0, {}, {}
    for indices in batches(len(x), size):
        part = draws.fold(int(indices[0])) if draws else None
        given = net.check_input(encoded(net, encoder, x[indices], part))
        run = Run(net, net.forward(given, net.initial(len(indices)), tape)[0], {}, tape)
        right += int((predict(run.output, getattr(loss, "decision", "count")) == labels[indices]).sum())
        for name, layer in net.layers().items():
            if layer.recorded()[:1] == ["spikes"]:
                rates[name] = rates.get(name, 0.0) + float(run[name]["spikes"].mean()) * len(indices) / len(x)
    return right / len(x), rates


def encoded(net: Container, encoder: Encoder, x: Array, draws: Draws | None) -> Any:
    """The input of ``net``; of a network on a GPU made there."""
    if isinstance(x, Recordings):  # whose events become an array on arrival
        return encoder(x, draws)
    return net.arrays.encoded(encoder, x, draws)


def save_training(net: Container, learner: Learner, history: History, path: str | PathLike[str]) -> None:
    """Write network, learner and history to one file."""
    extra = {f"learner/{name}": array for name, array in learner.state().items()}
    save(net, path, {**extra, "history": np.array(json.dumps(history.rows))})


def load_training(net: Container, learner: Learner, path: str | PathLike[str]) -> History:
    """Read into network and learner what ``save_training`` wrote; returns the history so far."""
    arrays = read_npz(path)
    if "history" not in arrays:
        raise ValueError(f"{path} holds a network, but no training to resume")
    with reading(path):
        history = History.from_rows(arrays.description("history"), "epoch", COLUMNS, ["test_accuracy"])
        if history["epoch"] != list(range(1, len(history) + 1)) or not len(history):
            raise ValueError(f"its history has the epochs {history['epoch'][:5]} ..., not 1, 2, 3")
        _, parameters = fitting(arrays, path, net)
        learner.load_state(_learner_state(arrays, learner, net))
    fill(net, parameters)
    return history


def _learner_state(arrays: Entries, learner: Learner, net: Container) -> dict[str, np.ndarray]:
    """Content of a file of a learner, in the dtypes and shapes that ``learner`` has, or will have."""
    likes = {name: np.asarray(array) for name, array in learner.state().items()}
    parameters, state = net.parameters(), {}
    for entry in arrays:
        if not entry.startswith("learner/"):
            continue
        name = entry.removeprefix("learner/")
        _, _, parameter = name.removeprefix("optimizer/").partition("/")
        like = likes[name] if name in likes else parameters.get(parameter)
        if like is not None and like.dtype.kind == "i" and not like.ndim:
            state[name] = np.array(arrays.whole(entry))
        else:
            kinds = "fiubU" if like is None else like.dtype.kind
            state[name] = arrays.array(entry, kinds, None if like is None else tuple(like.shape))
    if missing := {"optimizer_iteration", "iteration"} - state.keys():
        raise ValueError(f"it lacks {', '.join(f'learner/{name}' for name in sorted(missing))}")
    return state


def _epoch(
    net: Container,
    train: Pair,
    encoder: Encoder,
    learner: Learner,
    batch_size: int,
    draws: Draws,
    epoch: int,
    augment: Augment | None,
    show: Progress,
) -> dict[str, Any]:
    """Train on every sample once."""
    x, labels = train
    start, total, right, done, counted = time.perf_counter(), 0.0, 0, 0, {}
    for number, indices in enumerate(batches(len(x), batch_size, draws, epoch)):
        part = draws.fold("batch", epoch, number)
        samples = x[indices] if augment is None else augment(x[indices], part.fold("augment"))
        given = encoded(net, encoder, samples, part.fold("encode"))
        if isinstance(given, SpikeInput):
            for name in ("merged", "dropped"):
                counted[f"events_{name}"] = counted.get(f"events_{name}", 0) + getattr(given, name)
        total += learner.step(given, labels[indices]) * len(indices)
        right += int((predict(learner.output, getattr(learner.loss, "decision", "count")) == labels[indices]).sum())
        done += len(indices)
        if epoch == 0 and number == 0:
            warn_if_silent(Run(learner.net, learner.output, {}, learner.tape), stacklevel=4)
        show.bar(f"epoch {epoch + 1}", done, len(x), f"loss {total / done:.4f}")
    seconds = time.perf_counter() - start
    return {"epoch": epoch + 1, "loss": total / done, "train_accuracy": right / done, **counted, "seconds": seconds}


def _pair(name: str, pair: Any) -> Pair:
    """Samples and labels of equal number, at least one."""
    try:
        x, labels = pair
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a pair (x, labels)") from None
    try:
        x, labels = x if isinstance(x, Recordings) else np.asarray(x), np.asarray(labels)
    except ValueError:
        raise TypeError(f"{name} must be arrays, (x, labels)") from None
    if not isinstance(x, Recordings) and (not x.ndim or x.dtype.kind not in "fiub"):
        raise TypeError(f"{name} needs samples [samples, ...] of numbers, not {x.dtype} {list(x.shape)}")
    if not len(x):
        raise ValueError(f"{name} has no samples")
    if labels.shape != (len(x),) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{name} needs one integer label for each of its {len(x)} samples, not {labels.dtype} {list(labels.shape)}"
        )
    return x, labels
