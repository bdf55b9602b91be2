"""Spoken digits: the Free Spoken Digit Dataset through a filter bank."""

from __future__ import annotations

import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files.npz import reading
from ..validate import count
from .bytes_of import opened, read_member
from .filter_bank import filter_bank
from .wav import parsed, read_wav

NAME = re.compile(r"(?:^|/)(\d)_([a-z]+)_(\d+)\.wav$")


class SpokenDigits(NamedTuple):
    """Samples and labels for training and for testing, and what was lost.

    >>> x_train, y_train, x_test, y_test, cut = SpokenDigits(*[np.zeros(0)] * 4, 0)
    """

    x_train: np.ndarray
    """float32 [samples, T, bands] from 0 to 1."""
    y_train: np.ndarray
    """int64 [samples]."""
    x_test: np.ndarray
    """float32 [samples, T, bands] from 0 to 1."""
    y_test: np.ndarray
    """int64 [samples]."""
    cut: int
    """Recordings that are longer than T steps and lost their end."""


def spoken_digits(folder: str | PathLike[str], *, T: int = 80, **bank: float) -> SpokenDigits:
    """The Free Spoken Digit Dataset, as levels in bands of frequencies over time.

    Parameters
    ----------
    folder : str or path
        Where ``recordings`` is, a folder or a zip archive, with files ``<digit>_<speaker>_<index>.wav``.
    T : int, default 80
        Number of steps. A longer recording loses its end, and is counted; a shorter one ends with zeros.
    **bank
        Options of ``filter_bank``: bands, low, high, dt, depth.

    Returns
    -------
    SpokenDigits
        float32 [samples, T, bands] and int64 labels, in the official split, index 0 to 4 for testing; and how many
        recordings were cut.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or nothing in it.
    ValueError
        If a file is damaged.

    References
    ----------
    Z. Jackson and contributors, Free Spoken Digit Dataset, CC BY-SA 4.0.

    Examples
    --------
    >>> spoken_digits("/no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: no folder /no/such/folder
    """
    folder = Path(folder)
    count("T", T)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    archive, inside = folder / "recordings.zip", folder / "recordings"
    if archive.is_file():
        names, read = _zipped(archive)
    elif inside.is_dir():
        names, read = [p.name for p in inside.iterdir()], lambda name: read_wav(inside / name)
    else:
        raise FileNotFoundError(f"{folder} has neither recordings.zip nor a folder recordings")
    files = sorted((int(m[1]), m[2], int(m[3]), name) for name in names if (m := NAME.search(name)))
    if not files:
        raise FileNotFoundError(f"{folder} has no recordings <digit>_<speaker>_<index>.wav")
    x, cut = [], 0
    for *_, name in files:
        levels = filter_bank(*read(name), **bank)  # type: ignore[arg-type]
        cut += len(levels) > T
        x.append(np.pad(levels[:T], ((0, max(0, T - len(levels))), (0, 0))))
    samples, labels = np.stack(x), np.array([digit for digit, *_ in files], np.int64)
    test = np.array([index < 5 for _, _, index, *_ in files])
    return SpokenDigits(samples[~test], labels[~test], samples[test], labels[test], cut)


def _zipped(path: Path) -> tuple[list[str], Callable[[str], tuple[np.ndarray, int]]]:
    """The names in an archive, and what reads one of them."""
    archive = opened(path)

    def read(name: str) -> tuple[np.ndarray, int]:
        with reading(f"{path}: {name}"):
            return parsed(read_member(archive, path, name))

    return archive.namelist(), read
