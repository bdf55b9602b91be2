"""Tactile Braille letters: twelve pressure sensors slide over a letter."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from ..files.npz import Entries, reading
from ..validate import path as path_of
from .dataset import Dataset

TAXELS = 1, 2, 6, 10
"""The sensors that ever change."""

STEPS = 76


def braille(folder: str | PathLike[str]) -> Dataset:
    """The 1350 readings of the letters A to Z and of a blank, 50 of each, over 76 steps.

    Parameters
    ----------
    folder : str or path
        Where ``braille_letters.npz`` is, with the entries ``taxels`` uint8 [n, 77, 12], ``labels`` and ``repetition``
        uint8 [n].

    Returns
    -------
    Dataset
        float32 [samples, 76, 4], pressure from 0 (no touch) to 1, of the sensors that ever change; int64 labels, 0 for
        a blank and 1 to 26 for A to Z. Every fifth repetition of each letter is for testing.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no such file in it.
    ValueError
        If the file is damaged.

    References
    ----------
    S. F. Mueller-Cleve and others (2022), doi:10.3389/fnins.2022.951164, data CC BY 4.0, doi:10.5281/zenodo.6556273.

    Examples
    --------
    >>> braille("/no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: no folder /no/such/folder
    """
    folder = Path(path_of("folder", folder))
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    path = folder / "braille_letters.npz"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no braille_letters.npz")
    arrays = Entries(path)
    with reading(path):
        labels = arrays.array("labels", "u")
        n = len(labels) if labels.ndim == 1 else 0
        taxels, repetition = arrays.array("taxels", "u", (n, STEPS + 1, 12)), arrays.array("repetition", "u", (n,))
        if not n or labels.max() > 26 or any(array.dtype != np.uint8 for array in (labels, taxels, repetition)):
            raise ValueError("it holds other arrays than those of the data set, uint8, with labels from 0 to 26")
        test = repetition % 5 == 4
        if test.all() or not test.any():
            raise ValueError("its repetitions leave nothing for training or for testing")
    x = np.float32(1.0) - taxels[:, :STEPS, list(TAXELS)] / np.float32(255.0)
    y = labels.astype(np.int64)
    return Dataset(x[~test], y[~test], x[test], y[test])
