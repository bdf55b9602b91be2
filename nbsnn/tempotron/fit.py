"""Training of a Tempotron over epochs."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data import batches
from ..progress.bar import Progress
from ..progress.history import History
from ..random import Draws
from ..validate import choice, count, function, instance, real
from .classic import Classic
from .response import Rule, TempotronLike, check_rule, targets
from .spike_times import Events


def fit(
    t: TempotronLike,
    x: Events | ArrayLike,
    labels: ArrayLike,
    rule: Rule | None = None,
    *,
    epochs: int = 100,
    batch_size: int | None = None,
    test: tuple[Events | ArrayLike, ArrayLike] | None = None,
    encode: Callable[[np.ndarray], Any] | None = None,
    by: str | None = None,
    seed: int = 0,
    progress: Progress | bool = False,
) -> History:
    """Train until ``epochs`` are over, or one has gone by in which there was nothing to learn: a loss of 0.

    Parameters
    ----------
    t : Tempotron
        What to train.
    x : Events, or array [n, N] or [n, N, k] of spike times
        Samples; with ``encode`` an array [n, ...] of whatever that takes.
    labels : array [n] or [n, O]
        Who should fire, as in ``Tempotron.step``.
    rule : Classic or Gradient, optional
        How to learn; ``Classic()`` by default. It keeps its memory from one call to the next.
    epochs : int, default 100
        How long at most.
    batch_size : int, optional
        Samples per step of ``Gradient``; all of them by default. ``Classic`` learns from single patterns anyway.
    test : (x, labels), optional
        Samples on which accuracy is measured after each epoch.
    encode : callable, optional
        From a batch of samples to spike times or ``Events``.
    by : {"threshold", "largest"}, optional
        When a sample counts as right, see ``accuracy``.
    seed : int, default 0
        Seed of the order of samples.
    progress : bool or Progress, default False
        Whether to show progress on the terminal.

    Returns
    -------
    History
        One row per epoch. "train_accuracy" is measured as the samples are met, while learning continues.

    Raises
    ------
    TypeError, ValueError
        As ``Tempotron.run`` and ``Tempotron.step``; as many labels as samples are needed.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> times = np.random.default_rng(0).uniform(0.0, 500.0, (10, 50))          # one spike per input, ms
    >>> tempotron = nbsnn.Tempotron(n_inputs=50, tau=15.0, tau_s=3.75, T=500.0)
    >>> history = nbsnn.tempotron.fit(tempotron, times, np.arange(10) % 2, epochs=100)
    >>> history["train_accuracy"][-1]
    1.0
    """
    count("epochs", epochs, most=1_000_000)
    rule = Classic() if rule is None else check_rule(rule)
    instance("t", t, TempotronLike, "a Tempotron")
    if encode is not None:
        function("encode", encode, "a function of samples", takes=1)
    if test is not None and not (isinstance(test, (tuple, list)) and len(test) == 2):
        raise TypeError(f"test must be a pair (x, labels), not {test!r}")
    Draws(seed)
    x = _samples(t, x, encode)
    wanted, by = targets(labels, (len(x), t.n_outputs)), _by(by, labels, t)
    test_set = None if test is None else (_samples(t, test[0], encode), np.asarray(test[1]))
    if test_set is not None:
        targets(test_set[1], (len(test_set[0]), t.n_outputs))
    size = len(x) if batch_size is None else count("batch_size", batch_size)
    show = Progress.of(progress)
    history = History()
    for epoch in range(epochs):
        start, total, right, done = time.perf_counter(), 0.0, 0, 0
        for indices in batches(len(x), size, Draws(seed), epoch):
            part, target = _events(t, x[indices], encode), wanted[indices]
            value, v_max = rule.learn(t, part, target)
            total, done = total + value * len(indices), done + len(indices)
            right += int(correct(v_max, target, t.v_threshold, by).sum())
            show.bar(f"epoch {epoch + 1}", done, len(x), f"loss {total / done:.4f}")
        row = {"epoch": epoch + 1, "loss": total / done, "train_accuracy": right / done}
        if test_set is not None:
            row["test_accuracy"] = accuracy(t, *test_set, encode=encode, by=by)
        history.rows.append({**row, "seconds": time.perf_counter() - start})
        show.row(history)
        if right == done and total == 0.0:
            break
    return history


def accuracy(
    t: TempotronLike,
    x: Events | ArrayLike,
    labels: ArrayLike,
    *,
    encode: Callable[[np.ndarray], Any] | None = None,
    by: str | None = None,
    size: int = 500,
) -> float:
    """Share of samples that are answered rightly.

    Parameters
    ----------
    t : Tempotron
    x, labels, encode
        As in ``fit``.
    by : {"threshold", "largest"}, optional
        ``"threshold"``: every output fires if it should, and only then; by default with one output or labels [n, O].
        ``"largest"``: the output with the largest ``v_max`` is one that should fire; by default with labels [n].
    size : int, default 500
        Samples at a time.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> import nbsnn
    >>> accuracy(nbsnn.Tempotron(1, weight=np.ones((1, 1))), np.array([[0.0], [-1.0]]), [1, 1])
    0.5
    """
    instance("t", t, TempotronLike, "a Tempotron")
    if encode is not None:
        function("encode", encode, "a function of samples", takes=1)
    count("size", size)
    x = _samples(t, x, encode)
    wanted, by = targets(labels, (len(x), t.n_outputs)), _by(by, labels, t)
    right = 0
    for indices in batches(len(x), count("size", size)):
        v_max = t.run(_events(t, x[indices], encode), spike_times=False).v_max
        right += int(correct(v_max, wanted[indices], t.v_threshold, by).sum())
    return right / len(x)


def correct(v_max: np.ndarray, target: np.ndarray, v_threshold: float, by: str) -> np.ndarray:
    """Correctly answered samples, bool [B]; ``by`` as in ``accuracy``."""
    if by == "threshold":
        return ((v_max >= v_threshold) == target).all(axis=1)
    return np.take_along_axis(target, v_max.argmax(axis=1)[:, None], axis=1)[:, 0]


def _by(by: str | None, labels: ArrayLike, t: TempotronLike) -> str:
    if by is not None:
        return choice("by", by, ("threshold", "largest"))
    return "threshold" if t.n_outputs == 1 or np.ndim(labels) == 2 else "largest"


def _samples(t: TempotronLike, x: Events | ArrayLike, encode: Callable[..., object] | None) -> Events | np.ndarray:
    """What batches are taken of: events made once, or an array that is encoded batch by batch."""
    if encode is not None:
        x = real("x", x)
        if not x.ndim:
            raise ValueError("x must have shape [samples, ...], not []")
        return x
    return x if isinstance(x, Events) else t.events(x)


def _events(t: TempotronLike, part: Events | np.ndarray, encode: Callable[..., object] | None) -> Events:
    return t.events(part if encode is None else encode(part))
