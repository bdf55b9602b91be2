"""A training in a file: network, learner, history and best epoch, from which it resumes bit for bit."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from os import PathLike

import numpy as np

from ..checkpoint.save import arrays_of, checked, fill, fitting, read_npz, save
from ..device.gpu import get
from ..files.npz import Entries, reading
from ..layers import Container
from ..layers.layer import Array
from ..progress.history import History
from .learner import Learner

COLUMNS = ("loss", "seconds")
"""What every row of a training's history has, beside its epoch."""

OPTIONAL = [f"{name}_{what}" for name in ("train", "validation", "test") for what in ("loss", "accuracy")]


def save_training(
    net: Container,
    learner: Learner,
    history: History,
    path: str | PathLike[str],
    best: Mapping[str, Array] | None = None,
    micro: int = 1,
) -> None:
    """Write network, learner, history, the arrays of the best epoch and the number of pieces to one file."""
    extra = {f"learner/{name}": array for name, array in learner.state().items()}
    extra |= {f"best/{name}": get(array) for name, array in (best or {}).items()}
    save(net, path, {**extra, "history": np.array(json.dumps(history.rows)), "micro": np.array(micro)})


def load_training(
    net: Container, learner: Learner, path: str | PathLike[str], best: dict[str, Array] | None = None, micro: int = 1
) -> History:
    """Read into network and learner what ``save_training`` wrote, and into ``best``; returns the history so far."""
    arrays = read_npz(path)
    if "history" not in arrays:
        raise ValueError(f"{path} holds a network, but no training to resume")
    with reading(path):
        cut = int(arrays.whole("micro")) if "micro" in arrays else 1
        if cut != micro:
            raise ValueError(f"its batches were cut into micro={cut} pieces, not {micro}")
        history = History.from_rows(arrays.description("history"), "epoch", COLUMNS, OPTIONAL)
        if history["epoch"] != list(range(1, len(history) + 1)) or not len(history):
            raise ValueError(f"its history has the epochs {history['epoch'][:5]} ..., not 1, 2, 3")
        _, parameters = fitting(arrays, path, net)
        like, kept = arrays_of(net), {}
        if any(name.startswith("best/") for name in arrays):
            kept = {name: checked(arrays, path, f"best/{name}", array) for name, array in like.items()}
        learner.load_state(_learner_state(arrays, learner, net))
    fill(net, parameters)
    if best is not None:
        best |= kept
    return history


def checksum(net: Container) -> int:
    """A number that tells parameters from others."""
    found = 0
    for array in net.parameters().values():
        found = zlib.crc32(np.ascontiguousarray(get(array)).view(np.uint8).data, found)
    return found


def _learner_state(arrays: Entries, learner: Learner, net: Container) -> dict[str, np.ndarray]:
    """Content of a file of a learner, in the dtypes and shapes that ``learner`` has, or will have."""
    likes = {name: np.asarray(array) for name, array in learner.state().items()}
    parameters, state = net.parameters(), dict[str, np.ndarray]()
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
