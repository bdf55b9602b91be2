"""Learning without labels: samples are shown one after another, and labels only name what was learned.

Neurons that inhibit each other compete for each sample, the rule moves the winner's weights towards it, and a threshold
that rises with every spike gives the others their turn. Afterwards nothing changes any more, and each neuron gets the
class to which it responds most. P. U. Diehl and M. Cook 2015, doi:10.3389/fncom.2015.00099; as in BindsNET (Hazan et
al. 2018) synapses are currents, and neurons inhibit each other without interneurons.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import init, neurons
from .checkpoint.describe import describe
from .checkpoint.save import fill, fitting, read_npz, save
from .device.gpu import get
from .encode import Encoder
from .files.json_fields import fields
from .files.npz import reading
from .layers import Dense
from .layers.layer import Array, Nested
from .plasticity import Plastic
from .presets.bindsnet import PostPre
from .progress.bar import Progress
from .progress.history import History
from .random import Draws
from .validate import (
    UNITS,
    arguments,
    check_options,
    count,
    finite,
    instance,
    names,
    number,
    path,
    real,
    shaped,
    switch,
)  # fmt: skip
from .voting import VOTES, Assignment, assign_labels

LASTING = ("theta", "theta_low")
"""What the neurons keep from sample to sample: by how much spikes have raised their thresholds."""


def diehl_cook(
    inputs: int = 784,
    units: int = 400,
    *,
    theta_plus: float | None = None,
    nu: tuple[float, float] = (1e-4, 1e-2),
    norm: float = 78.4,
    inhibition: float = 120.0,
    seed: int = 0,
    **setting: Any,
) -> Plastic:
    """The network of Diehl and Cook: inputs, and units whose weights from them are plastic.

    Parameters
    ----------
    inputs, units : int
        Sizes.
    theta_plus : float, mV, optional
        By how much a spike raises the threshold of its unit; by default 0.05 units / 400, as fewer units spike more
        often each.
    nu : (float, float)
        Depression at a presynaptic, potentiation at a postsynaptic spike.
    norm : float
        Sum of the weights onto each unit, restored after each sample.
    inhibition : float, mV
        What a spike subtracts from the membranes of all other units.
    seed : int
        Seed of the weights, which begin uniform between 0 and 0.3.
    **setting
        ``dt`` in ms, ``dtype``, ``device``: see ``plasticity.Plastic``.

    Returns
    -------
    Plastic

    Raises
    ------
    ValueError, TypeError
        If a number is not allowed.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.unsupervised import accuracies, diehl_cook, learn, name_units, respond
    >>> x, labels = np.repeat(np.eye(2), [20, 44], axis=1).repeat(5, axis=0), np.arange(10) // 5
    >>> net, encoder = diehl_cook(64, 4, norm=20.0), nbsnn.encode.poisson(T=100, gain=0.1)
    >>> state = learn(net, x, encoder, epochs=2, progress=False)
    >>> found, counts = name_units(net, x, labels, encoder, state), respond(net, x, encoder, state)
    >>> found.response.shape, counts.shape, list(accuracies(found, counts, labels))
    ((4, 2), (10, 4), ['all', 'proportional'])
    """
    if theta_plus is None:
        theta_plus = 0.05 * count("units", units, most=UNITS) / 400.0
    count("inputs", inputs, most=UNITS)
    count("units", units, most=UNITS)
    number("norm", norm, above=0.0)
    number("inhibition", inhibition)
    check_options("diehl_cook", setting, ["dt", "dtype", "device"])
    neuron = neurons.DiehlCook(theta_plus=theta_plus)
    connection = Dense(inputs, units, bias=False, weight=init.uniform(0.0, 0.3))
    return Plastic(connection, neuron, PostPre(nu, norm=norm), lateral=inhibition, seed=seed, **setting)


def learn(
    layer: Plastic,
    x: Array,
    encoder: Encoder,
    *,
    epochs: int = 1,
    seed: int = 0,
    labels: Array | None = None,
    keep: tuple[str, ...] = LASTING,
    checkpoint: str | PathLike[str] | None = None,
    resume: bool = False,
    every: int = 2000,
    progress: Progress | bool = True,
    history: History | None = None,
) -> Nested:
    """Show all samples ``epochs`` times, each time in another order, while the layer learns.

    Parameters
    ----------
    layer : Plastic
        Its weights change in place.
    x : array [S, n_pre]
        Samples, as the encoder takes them.
    encoder : Encoder
        From ``nbsnn.encode``; Poisson spikes are drawn while the network runs, and never stored.
    epochs, seed : int
        How often each sample is shown; seed of order and spikes. The same seed gives the same bits.
    labels : int array [S], optional
        Nothing is learned from them: if they are given, progress shows how many samples the network would have named
        (units named by the first half of the latest samples, accuracy in the second).
    keep : tuple of str
        What the neurons keep from sample to sample.
    checkpoint : path, optional
        File that is written after every ``every`` samples.
    resume : bool
        Go on from ``checkpoint`` if it exists, as if learning had never stopped.
    every : int
        Samples per row of the history.
    progress : bool or Progress
        Whether to show progress on the terminal.
    history : History, optional
        Gets the rows.

    Returns
    -------
    dict
        The state after the last sample.

    Raises
    ------
    ValueError, TypeError
        If shapes do not fit, or the checkpoint belongs to another course of learning.

    Examples
    --------
    That of ``diehl_cook`` runs the whole course.
    """
    instance("layer", layer, Plastic, "a plastic layer, diehl_cook() say")
    keep = names("keep", keep)
    if checkpoint is not None:
        path("checkpoint", checkpoint)
    switch("resume", resume)
    Draws(seed)
    x = shaped("x: samples", real("x", x), (None, *layer.in_shape))
    total, every = len(x) * count("epochs", epochs, most=1_000_000), count("every", every)
    if labels is not None:
        labels = shaped("labels", real("labels", labels), (len(x),))
    show = Progress.of(progress)
    history = History() if history is None else instance("history", history, History, "a History")
    story = {"samples": len(x), "seed": int(seed), "encoder": repr(encoder), "every": every}
    state, done = layer.initial(1), 0
    if resume and checkpoint is not None and Path(checkpoint).exists():
        state, done = _load(layer, checkpoint, story, history, keep)
    draws = Draws(seed)
    while done < total:
        start, stop, counts = time.perf_counter(), min(done + every, total), []
        order = shown_order(draws, len(x), done, stop)
        for part in np.array_split(order, max(1, len(order) // 100)):
            shown = layer.present(x[part], encoder, draws.fold("learn"), state=state, keep=keep, first=done)
            state, done = shown.state, done + len(part)
            counts.append(shown.counts)
            show.bar("samples", done, total, f"{counts[-1].sum(1).mean():.1f} spikes each")
        row = _row(np.concatenate(counts), None if labels is None else labels[order])
        theta = {"theta": float(state["neurons"]["theta"].mean())} if "theta" in keep else {}
        history.rows.append({"samples": done, **row, **theta, "seconds": time.perf_counter() - start})
        show.row(history)
        if checkpoint is not None:
            lasting = {f"state/{name}": state["neurons"][name] for name in keep}
            extra = {"done": np.array(done), "story": np.array(json.dumps(story))}
            save(layer, checkpoint, {**lasting, **extra, "history": np.array(json.dumps(history.rows))})
    return state


def shown_order(draws: Draws, samples: int, first: int, stop: int) -> Array:
    """Samples shown at places [first, stop) of the course: each epoch is a permutation of all."""
    epochs = range(first // samples, -(-stop // samples))
    order = np.concatenate([draws.fold("order", epoch).permutation(samples) for epoch in epochs])
    return order[first - epochs.start * samples : stop - epochs.start * samples]


def respond(
    layer: Plastic, x: Array, encoder: Encoder, state: Nested, *, stream: str = "respond", seed: int = 0,
    keep: tuple[str, ...] = LASTING, progress: Progress | bool = False,
) -> Array:  # fmt: skip
    """Count spikes with weights and thresholds as they are; the order of the samples does not matter.

    Parameters
    ----------
    layer, x, encoder
        As in ``learn``.
    state : dict
        What ``learn`` returned.
    stream, seed : str, int
        What the spikes depend on.
    keep, progress
        As in ``learn``.

    Returns
    -------
    int array [S, N]
        Spikes of each unit for each sample.

    Examples
    --------
    That of ``diehl_cook`` runs the whole course.
    """
    instance("layer", layer, Plastic, "a plastic layer, diehl_cook() say")
    x = real("x", x)
    if not x.ndim:
        raise ValueError("x must have shape [samples, ...], not []")
    instance("encoder", encoder, Encoder, "one of nbsnn.encode")
    instance("state", state, Mapping, "what learn returned")
    show, keep = Progress.of(progress), names("keep", keep)
    draws, counts = Draws(seed, stream), []
    for first in range(0, len(x), 500):
        part = x[first : first + 500]
        shown = layer.present(part, encoder, draws, state=state, keep=keep, learn=False, first=first, batch=10)
        counts.append(shown.counts)
        show.bar(stream, first + len(part), len(x))
    return np.concatenate(counts) if counts else np.zeros((0, *layer.shape), np.int64)


def name_units(layer: Plastic, x: Array, labels: Array, encoder: Encoder, state: Nested, **options: Any) -> Assignment:
    """Give each unit the class of the samples to which it responds most.

    Parameters
    ----------
    layer, x, labels, encoder, state, **options
        As in ``respond``; ``labels`` are the classes of the samples, int [S].

    Returns
    -------
    Assignment

    Examples
    --------
    That of ``diehl_cook`` runs the whole course.
    """
    check_options("name_units", options, arguments(respond, "layer", "x", "encoder", "state"))
    if np.shape(real("x", x))[:1] == (0,):
        raise ValueError("x must have at least one sample")
    return assign_labels(respond(layer, x, encoder, state, **{"stream": "labelled", **options}), labels)


def accuracies(found: Assignment, counts: Array, labels: Array) -> dict[str, float]:
    """Share of samples that each vote names rightly.

    Parameters
    ----------
    found, counts, labels : Assignment, int array [S, N], int array [S]
        From ``name_units``; from ``respond``; classes of the samples.

    Returns
    -------
    dict of str to float
        "all" and "proportional", from 0 to 1; see ``nbsnn.voting``.

    Examples
    --------
    >>> accuracies(assign_labels(np.eye(2), np.arange(2)), np.eye(2), np.arange(2))
    {'all': 1.0, 'proportional': 1.0}
    """
    instance("found", found, Assignment, "what name_units returned")
    labels = shaped("labels", real("labels", labels), (len(shaped("counts", real("counts", counts), (None, None))),))
    return {vote: float(np.mean(found.predict(counts, vote) == labels)) for vote in VOTES}


def _row(counts: Array, labels: Array | None) -> dict[str, float]:
    """Row of the history for the latest samples."""
    row = {"spikes": float(counts.sum(1).mean())}
    half = len(counts) // 2
    if labels is not None and half:
        found = assign_labels(counts[:half], labels[:half])
        row["train_accuracy"] = accuracies(found, counts[half:], labels[half:])["all"]
    return row


def _load(
    layer: Plastic, path: str | PathLike[str], story: Mapping[str, Any], history: History, keep: tuple[str, ...]
) -> tuple[Nested, int]:
    """Weights into ``layer`` and rows into ``history``; returns the state and how many samples have been shown."""
    arrays = read_npz(path)
    if "story" not in arrays:
        raise ValueError(f"{path} holds a network, but no course of learning to resume")
    with reading(path):
        known: dict[str, Any] = {"samples": int, "seed": int, "encoder": str, "every": int}
        written = fields("its story", arrays.description("story"), known)
    for name, value in story.items():
        if written.get(name) != value:
            raise ValueError(f"{path} was written with {name} = {written.get(name)!r}, not {value!r}: cannot resume")
    with reading(path):
        network = arrays.description("nbsnn")
        if not isinstance(network, dict) or network.get("net") != json.loads(json.dumps(describe(layer, {}))):
            raise ValueError(f"{path} was written by a network with other options than this one: cannot resume")
        _, parameters = fitting(arrays, path, layer)
        for name, value in layer.parameters().items():
            if name != "connection/weight" and not np.array_equal(parameters[f"param/{name}"], get(value)):
                raise ValueError(f"{path} was written by a network with another {name}: cannot resume")
        state = layer.initial(1)
        for name in keep:
            like = state["neurons"][name]
            array = arrays.array(f"state/{name}", like.dtype.kind, tuple(like.shape))
            if array.dtype != like.dtype:
                raise ValueError(f"state/{name} holds {array.dtype}, not {like.dtype}")
            state["neurons"][name] = finite(f"{path}: state/{name}", array)
        done = arrays.whole("done", least=1)
        rows = History.from_rows(
            arrays.description("history"), "samples", ("spikes", "seconds"), ("train_accuracy", "theta")
        ).rows
        if not rows or rows[-1]["samples"] != done:
            raise ValueError(f"its history ends before or after the {done} samples that were shown")
    fill(layer, parameters)
    history.rows[:] = rows
    return state, done
