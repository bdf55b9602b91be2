"""Events in NumPy's own format: a structured array, or columns x, y, p, t, as DVS128 Gesture is shared."""

from __future__ import annotations

import math
import re
from os import PathLike
from pathlib import Path

import numpy as np

from .. import validate
from ..files.npz import reading
from ..validate import shape_of
from .fields import check_unit, placed
from .recordings import Recording

FIELD = r"\('(?:t|x|y|p)', '[<>|=]?[fiub]\d'\)"
HEADER = re.compile(
    rf"\{{'descr': (?:'(?P<plain>[<>|=]?[fiub]\d)'|(?P<fields>\[{FIELD}(?:, {FIELD}){{1,3}},?\])), "
    r"'fortran_order': (?P<fortran>True|False), 'shape': \((?P<shape>\d{1,18}(?:, \d{1,18})?),?\), ?\}\s*"
)
"""How NumPy writes the head of an array of numbers, or of events."""


def read_npy(path: str | PathLike[str], *, unit: str, shape: tuple[int, ...] = (2, 128, 128)) -> Recording:
    """The events of a ``.npy`` file.

    Parameters
    ----------
    path : str or path
        A structured array with fields t, x and optionally y, p, or numbers [events, 4] with the columns x, y, p, t, as
        the package tonic shares DVS128 Gesture (there t is in ms).
    unit : {"us", "ms", "s"}
        Unit of t, which the file does not tell.
    shape : tuple of int, default (2, 128, 128)
        Of the sensor, as of ``Recordings``.

    Returns
    -------
    Recording

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it holds something else, or is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "0.npy")
    ...     np.save(file, np.array([[3, 9, 1, 0.5]]))
    ...     read_npy(file, unit="ms").events.tolist()
    [(0.5, 3, 9, 1)]
    """
    path, shape = Path(validate.path("path", path)), shape_of("shape", shape)
    check_unit(unit)
    content = path.read_bytes()
    with reading(path):
        array = _array(content)
        if array.dtype.names is None:
            array = _columns(array)
        times, _ = placed(array, shape, "it")
        if (times[1:] < times[:-1]).any():
            raise ValueError(f"time goes backwards at event {int(np.argmax(times[1:] < times[:-1])) + 1}")
    return Recording(array, unit, shape)


def _array(content: bytes) -> np.ndarray:
    """The array of a file, if it is one of numbers and has the length that it says."""
    version = content[6:8] if content[:6] == b"\x93NUMPY" else b""
    if version not in (b"\1\0", b"\2\0") or len(content) < 12:
        raise ValueError(f"it begins with {content[:8]!r}, not as an array does")
    begin = 10 if version == b"\1\0" else 12
    length = int.from_bytes(content[8:begin], "little")
    said = content[begin : begin + min(length, 2**12)].decode("latin1")
    match = HEADER.fullmatch(said)
    if match is None or len(said) != length:
        raise ValueError(f"it is no array of events: {said[:100]!r}")
    dtype = np.dtype(match["plain"]) if match["plain"] else np.dtype(_pairs(match["fields"]))
    shape = tuple(int(n) for n in match["shape"].split(","))
    if math.prod(shape) * dtype.itemsize != len(content) - begin - length:
        raise ValueError(f"{dtype} {list(shape)} are not the {len(content) - begin - length} bytes that it has")
    array = np.frombuffer(content, dtype, offset=begin + length)
    array = array.reshape(shape[::-1]).T if match["fortran"] == "True" else array.reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def _pairs(text: str) -> list[tuple[str, str]]:
    """Names and types of fields, of which none stands twice."""
    pairs = re.findall(r"\('(.)', '([^']+)'\)", text)
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError(f"a field stands twice in {text}")
    return pairs


def _columns(array: np.ndarray) -> np.ndarray:
    """Events from columns x, y, p, t."""
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"events are an array [events, 4] with the columns x, y, p, t, not {list(array.shape)}")
    if not np.isfinite(array).all() or (array[:, :3] != np.floor(array[:, :3])).any() or (abs(array) >= 2.0**62).any():
        raise ValueError("x, y and p must be whole numbers, and t finite")
    if len(array) and (array[:, :2].max() >= 2**15 or array.min() < 0 or array[:, 2].max() > 1):
        raise ValueError("x and y must be below 32768, p 0 or 1, and nothing negative")
    kind = np.dtype([("t", "f8" if array.dtype.kind == "f" else "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")])
    events = np.empty(len(array), kind)
    for k, name in enumerate("xypt"):
        events[name] = array[:, k]
    return events
