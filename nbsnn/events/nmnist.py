"""N-MNIST's format, also that of ``.bs2`` files: five bytes an event.

    x | y | p and t, 24 bits, big-endian: the highest is the polarity (1 = ON), the others are microseconds

A sensor with at most 240 rows may mark a clock that has overflowed by y = 240: 2^13 microseconds are then added to all
later times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files.npz import reading
from ..validate import affordable, count, shape_of
from .bytes_of import bytes_of, called, opened, read_member
from .fields import EVENT
from .recordings import Recording, Recordings

MARK, MARKED = 240, 2**13
NAME = re.compile(r"(?:^|/)(\d)/(\d+)\.(?:bin|bs2)$")


class EventDataset(NamedTuple):
    """Recordings and labels for training and for testing.

    >>> x_train, y_train, x_test, y_test = EventDataset(None, np.zeros(0, int), None, np.zeros(0, int))
    """

    x_train: Recordings | None
    """``Recordings``."""
    y_train: np.ndarray
    """int64 [samples]."""
    x_test: Recordings | None
    """``Recordings``."""
    y_test: np.ndarray
    """int64 [samples]."""


def read_nmnist(
    path: str | PathLike[str], member: str | None = None, *, shape: tuple[int, int] = (34, 34)
) -> Recording:
    """The events of a ``.bin`` or ``.bs2`` file.

    Parameters
    ----------
    path : str or path
        The file, or a zip archive.
    member : str, optional
        Name of the file in the archive: "Train/5/00001.bin".
    shape : (height, width), default (34, 34)
        Of the sensor: (128, 128) for DVS128 Gesture.

    Returns
    -------
    Recording
        In microseconds.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it ends within an event, an event lies outside the sensor, or time goes backwards.

    References
    ----------
    Orchard, Jayawant, Cohen and Thakor (2015), doi:10.3389/fnins.2015.00437.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "7.bin")
    ...     _ = file.write_bytes(bytes([3, 9, 0b10000000, 1, 44]))
    ...     read_nmnist(file).events.tolist()
    [(300, 3, 9, 1)]
    """
    sensor = shape_of("shape", shape)
    if len(sensor) != 2 or max(sensor) > 256:
        raise ValueError(f"shape must be (height, width) of at most 256 each, not {shape}")
    return _parsed(bytes_of(path, member), called(path, member), sensor)


def _parsed(content: bytes, where: str, shape: tuple[int, ...]) -> Recording:
    if len(content) % 5:
        raise ValueError(f"{where} is damaged: {len(content)} bytes are not a whole number of events of five")
    raw = np.frombuffer(content, np.uint8).reshape(-1, 5)
    t = (raw[:, 2].astype(np.int64) & 127) << 16 | raw[:, 3].astype(np.int64) << 8 | raw[:, 4]
    marks = raw[:, 1] == MARK if shape[0] <= MARK else np.zeros(len(raw), bool)
    t += MARKED * np.cumsum(marks)
    events = np.empty(len(raw) - int(marks.sum()), EVENT)
    events["t"], events["x"], events["y"], events["p"] = (a[~marks] for a in (t, raw[:, 0], raw[:, 1], raw[:, 2] >> 7))
    for name, size in (("y", shape[0]), ("x", shape[1])):
        if len(events) and events[name].max() >= size:
            k = int(np.argmax(events[name] >= size))
            raise ValueError(f"{where} is damaged: event {k} has {name} = {events[name][k]}, and the sensor {size}")
    if (events["t"][1:] < events["t"][:-1]).any():
        k = int(np.argmax(events["t"][1:] < events["t"][:-1]))
        raise ValueError(
            f"{where} is damaged: time goes backwards at event {k + 1}, from {events['t'][k]} microseconds"
        )
    return Recording(events, "us", (2, *shape), {"overflow marks": int(marks.sum())} if marks.any() else {})


def nmnist(folder: str | PathLike[str], *, samples: int | None = None) -> EventDataset:
    """N-MNIST: MNIST's digits, seen by a moving event camera of 34 x 34 pixels.

    Parameters
    ----------
    folder : str or path
        Where ``Train`` and ``Test`` are, folders or zip archives (``Train.zip``, ``train_1000.zip``), with a file
        ``<label>/<number>.bin`` for each recording.
    samples : int, optional
        Read only this many of each part, the first, in the order of their numbers, MNIST's.

    Returns
    -------
    EventDataset
        Recordings of shape (2, 34, 34) in microseconds; int64 labels from 0 to 9.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no such part in it.
    ValueError
        If a file is damaged.

    Examples
    --------
    >>> nmnist("/no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: no folder /no/such/folder
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    if samples is not None:
        count("samples", samples)
    return EventDataset(*_part(folder, "train", samples), *_part(folder, "test", samples))


def _part(folder: Path, part: str, samples: int | None) -> tuple[Recordings, np.ndarray]:
    """Recordings and labels of one part."""
    found = sorted(p for p in folder.iterdir() if p.name.lower().startswith(part))
    found = [p for p in found if p.is_dir() or p.suffix.lower() == ".zip"]
    if not found:
        raise FileNotFoundError(f"{folder} has no folder and no zip archive whose name begins with {part!r}")
    listed, read = _zip(found[0]) if found[0].is_file() else _directory(found[0])
    files = sorted((int(m[2]), int(m[1]), name) for name in listed if (m := NAME.search(name)))[:samples]
    if not files:
        raise ValueError(f"{found[0]} has no files <label>/<number>.bin")
    affordable(f"{len(files)} recordings of {found[0]}", 120_000.0 * len(files))  # about, while they are read
    recordings = [_parsed(read(name), called(found[0], name), (34, 34)) for _, _, name in files]
    return Recordings(recordings), np.array([label for _, label, _ in files], np.int64)


def _zip(path: Path) -> tuple[Iterable[str], Callable[[str], bytes]]:
    archive = opened(path)
    with reading(path):
        names = archive.namelist()
    return names, lambda name: read_member(archive, path, name)


def _directory(path: Path) -> tuple[Iterable[str], Callable[[str], bytes]]:
    return (p.relative_to(path).as_posix() for p in path.glob("*/*.b*")), lambda name: (path / name).read_bytes()
