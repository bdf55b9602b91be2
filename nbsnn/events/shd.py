"""Spiking Heidelberg Digits and its kin: HDF5 files with a list of times and one of units for each sample."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import validate
from ..files.npz import reading
from ..validate import count, number
from .recordings import Recordings

MEMORY = 2**29, 16
"""Bytes that a reader may take: for any file, and per byte of the file."""
TIME = 1.0, 1e-7
"""Seconds of work, likewise."""
PATIENCE = 60.0
"""Seconds to wait at least, on a machine that does other work, too."""


class Spoken(NamedTuple):
    """What ``read_shd`` returns.

    >>> x, labels, speakers = Spoken(None, np.zeros(3, int), None)
    """

    x: Recordings
    """Recordings of shape (units,), t in s."""
    labels: np.ndarray
    """int64 [samples]."""
    speakers: np.ndarray | None
    """int64 [samples], if the file has them."""


def read_shd(path: str | PathLike[str], *, units: int = 700, seconds: float | None = None) -> Spoken:
    """The samples of ``shd_train.h5``, ``shd_test.h5``, ``ssc_*.h5``; needs h5py, ``pip install "nbsnn[hdf5]"``.

    The file is opened in a process of its own, with limits of time and memory: a damaged one can crash or hang the
    library that reads it.

    Parameters
    ----------
    path : str or path
    units : int, default 700
        Channels of the cochlea.
    seconds : float, optional
        How long the file may be worked at; by default a second, and one more for each 10 MB.

    Returns
    -------
    Spoken
        Recordings (t in s, x = channel), labels, speakers.

    Raises
    ------
    ImportError
        If h5py is not installed.
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, of another kind, or reading it takes too long or too much memory.

    References
    ----------
    Cramer, Stradmann, Schemmel and Zenke (2022), doi:10.1109/TNNLS.2020.3044364.

    Examples
    --------
    >>> read_shd("shd_train.h5")                                   # doctest: +SKIP
    Spoken(x=Recordings(8156 samples, ...
    """
    path = Path(validate.path("path", path))
    count("units", units, most=2**31 - 1)
    if importlib.util.find_spec("h5py") is None:
        raise ImportError('HDF5 files are read by h5py, which is not installed: pip install "nbsnn[hdf5]"')
    with path.open("rb"):  # what the operating system says of a file that is not there
        size = os.path.getsize(path)
    limit = TIME[0] + TIME[1] * size if seconds is None else number("seconds", seconds, above=0.0)
    with reading(path):
        output = _asked(path, limit, MEMORY[0] + MEMORY[1] * size)
        found = [np.lib.format.read_array(output, allow_pickle=False) for _ in range(4)]
        counts, times, places, labels = found
        speakers = (
            np.lib.format.read_array(output, allow_pickle=False) if output.read(1) and output.seek(-1, 1) else None
        )
        events = np.empty(len(times), [("t", "f8"), ("x", "i8")])
        events["t"], events["x"] = times, places
        samples = np.split(events, np.cumsum(counts)[:-1]) if len(counts) else []
        if not samples:
            raise ValueError("it has no samples")
        return Spoken(Recordings(samples, (units,), unit="s"), labels, speakers)


def _asked(path: Path, seconds: float, size: int) -> io.BytesIO:
    """What another process reads."""
    child = Path(__file__).with_name("shd_child.py")
    command = [sys.executable, "-P", str(child), str(path), str(seconds), str(size)]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each thread would take memory
    wait = max(PATIENCE, 10.0 * seconds)
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=wait, env=env, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"reading it did not end within {wait:g} s") from None
    if done.returncode == 3:
        raise ValueError(done.stderr.decode("utf8", "replace"))
    if done.returncode == -27:  # SIGPROF
        raise ValueError(f"reading it did not end within {seconds:.1f} s of work; seconds= allows more")
    if done.returncode:
        said = done.stderr.decode("utf8", "replace").strip().splitlines()
        raise ValueError(
            f"it crashed the library that reads it (exit {done.returncode}{', ' + said[-1] if said else ''})"
        )
    return io.BytesIO(done.stdout)
