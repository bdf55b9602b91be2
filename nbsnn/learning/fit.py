"""Training from data to checkpoint in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ..checkpoint.describe import describe
from ..device import products
from ..encode import Encoder
from ..layers import Container
from ..layers.layer import Layer
from ..progress.bar import Progress
from ..progress.compiling import compiling
from ..progress.history import History
from ..random import Draws
from ..ranks import ranks_of
from ..validate import choice, count, function, instance, number, path, switch
from ..validate.kinds import is_list_or_tuple
from .best import Best
from .feed import Arrays, Given, Stream, feed
from .learner import Learner
from .passes import Augment, Passes, class_weights
from .pieces import Pieces
from .resume import checksum, load_training, save_training

Callback = Callable[[Container, History], object]


def fit(
    net: Container,
    train: Given,
    test: Given | None = None,
    *,
    learner: Learner,
    encoder: Encoder | None = None,
    epochs: int = 10,
    batch_size: int = 128,
    seed: int = 0,
    validation: float | Given | None = None,
    monitor: str | None = None,
    patience: int | None = None,
    class_weight: Sequence[float] | str | None = None,
    accumulate: int = 1,
    augment: Augment | Sequence[Augment] | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    log: str | PathLike[str] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: Progress | bool = True,
    deterministic: bool = False,
    comm: object = None,
    micro: int | None = None,
) -> History:
    """Train a network, epoch by epoch.

    Parameters
    ----------
    net : Container
        The network that ``learner`` trains.
    train, test : tuple or iterable
        ``(x, target)`` or ``(x, target, weight)``: samples [n, ...], arrays in memory or mapped from a file, or
        ``nbsnn.events.Recordings``; integer labels [n], or any target [n, ...] that the loss takes, which is [n, T,
        ...] where the loss takes one per step; how much each sample counts. Or an iterable of such batches, iterated
        every epoch (a loader, a list), or a function of draws that makes one: ``def batches(draws): yield x, target``.
        Without ``validation`` the test set is measured on after each epoch; with it, once at the end.
    learner : Learner
        What changes the parameters.
    encoder : Encoder, optional
        From samples to input over time, from ``nbsnn.encode``; for recordings ``nbsnn.events.binned``. Without one,
        samples are series [n, T, ...] that go in as they are.
    epochs, batch_size : int
        How long at most, and how many samples of arrays at a time, in training and when measured.
    seed : int
        Seed of order, encoding and augmentation. With the same seed, network and data the result is the same bit
        for bit, for any number of threads. A BLAS other than OpenBLAS may sum in another order with another number of
        threads of its own (MKL_NUM_THREADS, say), unless ``deterministic``.
    validation : float, tuple or iterable, optional
        What to choose the best epoch by: a set like ``test``, or a share of ``train``, which is held back then. At the
        end ``net`` has the parameters of its best epoch.
    monitor : str, optional
        Column of the history that says which epoch is the best, one that ends with "accuracy" by its largest value,
        others by their smallest; "validation_loss" by default, or "loss" without ``validation``.
    patience : int, optional
        End when so many epochs in a row were no better than the best.
    class_weight : sequence of float or "balanced", optional
        How much samples of each class count in training; "balanced" gives all classes the same share.
    accumulate : int, default 1
        How many batches make a step of the optimiser, which then is the step of one batch as large as all of them.
    augment : callable or sequence of them, optional
        ``augment(x, draws) -> x``, applied to each training batch, in turn; see ``nbsnn.augment``.
    callback : callable or sequence of them, optional
        ``callback(net, history)``, called after each epoch; training ends if it returns True. ``nbsnn.Snapshots(net)``
        keeps the weights for a page.
    log : path, optional
        A .csv or .json file that has the history after every epoch.
    checkpoint : path, optional
        File that is written after every epoch: network, learner, history and best epoch.
    resume : bool
        Resume from ``checkpoint`` if it exists, as if training had never stopped.
    progress : bool or Progress
        Whether to show progress on the terminal.
    deterministic : bool
        Whether results are the same for any number of threads of any BLAS too, see ``nbsnn.deterministic``.
    comm : mpi4py communicator or Ranks, optional
        Ranks that share the batches, with the same result for any number of them. All must make the same call; the
        first one shows progress and writes files.
    micro : int, optional
        Into how many pieces every batch is cut, each with random numbers of its own, at least one for each rank: part
        of what is trained, like ``batch_size``. 8 with ``comm``, 1 without. Layers with statistics of their batches
        and ``update="step"`` take whole batches alone.

    Returns
    -------
    History
        One row per epoch; ``best`` and ``test`` with ``validation``. With recordings it counts "events_merged" and
        "events_dropped" in the training set.

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
    if encoder is not None:
        function("encoder", encoder, "an encoder, nbsnn.encode.poisson(T=100) say", takes=2)
    augments = _functions("augment", augment, "a function augment(x, draws)")
    callbacks = _functions("callback", callback, "a function callback(net, history)")
    for name, file in (("checkpoint", checkpoint), ("log", log)):
        if file is not None:
            path(name, file)
    if log is not None:
        History.check_path(log, "log")
    draws = Draws(seed)
    if learner.net.unfused() is not net.unfused():
        raise ValueError("learner trains another network than the one given")
    count("epochs", epochs, most=1_000_000)
    count("batch_size", batch_size)
    count("accumulate", accumulate)
    ranks = ranks_of(comm)
    micro = (1 if comm is None else 8) if micro is None else count("micro", micro)
    if accumulate > 1 and micro > 1:
        raise ValueError(f"accumulate={accumulate} and micro={micro} cannot be used together yet: one of them is 1")
    pieces, first = Pieces(learner, ranks, micro), ranks.rank == 0
    train_on, test_on = feed("train", train, epochs), None if test is None else feed("test", test, epochs)
    train_on, validate_on = _held_back(train_on, validation, epochs, draws)
    weights = class_weights(class_weight, train_on, net.shape[-1])
    show = Progress.of(progress if first else False)
    passes = Passes(net, learner, encoder, batch_size, augments, weights, accumulate, show, pieces)
    best = _best(net, monitor, patience, validate_on is not None)
    history, watching = History(), getattr(learner.optimizer, "watching", [])
    if switch("resume", resume) and checkpoint is None:
        raise ValueError("resume=True needs checkpoint=, the path of the file to resume from")
    switch("deterministic", deterministic)
    if checkpoint is not None:
        describe(net, {})  # what no file can hold shows before the first epoch, not after it
    if resume and checkpoint is not None and Path(checkpoint).exists():
        kept = dict[str, Any]()
        history = load_training(net, learner, checkpoint, kept, micro)
        for schedule in watching:
            schedule.reset()
        for row in history.rows:
            best.observe(row)
            for schedule in watching:
                schedule.observe(row)
        best.resume(kept, len(history))
        if log is not None and first:  # which a kill may have left one epoch behind
            history.save(log)
    stopped = False
    while len(history) < epochs and not stopped and not best.over:
        with products.deterministic(deterministic), compiling(show):
            row = passes.train(train_on, draws, len(history))
            if validate_on is not None:
                scores, rates = passes.measure(validate_on, Draws(seed, "validation"), "validation")
                row |= scores | rates
            elif test_on is not None:
                scores, rates = passes.measure(test_on, Draws(seed, "test"), "test")
                if "test_accuracy" in scores:
                    del scores["test_loss"]
                row |= scores | rates
        row["seconds"] = max(ranks.every(row.pop("seconds")))  # last column
        if ranks.size > 1:
            ranks.agree("parameters", checksum(net))
        if best.observe(row):
            best.note()
        history.rows.append(row)
        for schedule in watching:
            schedule.observe(row)
        show.row(history)
        if checkpoint is not None and first:
            kept = best.arrays if best.epoch < len(history) else None
            save_training(net, learner, history, checkpoint, kept, micro)
        if log is not None and first:
            history.save(log)
        stopped = any(ranks.every(any([each(net, history) is True for each in callbacks])))
    if validate_on is not None:
        best.restore()
        history.best = best.epoch
        if test_on is not None:
            with products.deterministic(deterministic):
                scores, rates = passes.measure(test_on, Draws(seed, "test"), "test")
            history.test = scores | rates
    return history


def _functions(name: str, given: object, say: str) -> list[Callable[..., Any]]:
    """None, a function or several as a list."""
    if given is None:
        return []
    several = is_list_or_tuple(given)
    if not (each := given if several else [given]):
        raise ValueError(f"{name} must be {say} or several, not {given!r}")
    return [function(f"{name}[{k}]" if several else name, f, say, takes=2) for k, f in enumerate(each)]


def _held_back(
    train: Arrays | Stream, validation: object, epochs: int, draws: Draws
) -> tuple[Arrays | Stream, Arrays | Stream | None]:
    """What is trained on, and what the best epoch is chosen by."""
    if validation is None:
        return train, None
    if isinstance(validation, (bool, int, float)):
        share = number("validation", validation, above=0.0)
        if share >= 1.0:
            raise ValueError(f"validation must be a share of train, less than 1, or a set (x, target), not {share:g}")
        if not isinstance(train, Arrays):
            raise ValueError("validation must be a set (x, target): batches that come one by one have no share")
        return train.split("validation", share, draws.fold("validation"))
    return train, feed("validation", validation, epochs)  # type: ignore[arg-type]


def _best(net: Container, monitor: str | None, patience: int | None, validated: bool) -> Best:
    """What watches for the best epoch."""
    if patience is not None:
        count("patience", patience, most=1_000_000)
    if monitor is not None:
        instance("monitor", monitor, str, "the name of a column of the history")
        if not validated and patience is None:
            raise ValueError("monitor chooses the best epoch for patience or validation, and neither is given")
        columns = ("loss", "train_accuracy", *(("validation_loss", "validation_accuracy") if validated else ()))
        choice("monitor", monitor, columns)
    return Best(net, monitor or ("validation_loss" if validated else "loss"), patience, keep=validated)
