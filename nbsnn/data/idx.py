"""The idx file format, in which MNIST and its relatives come.

    0  0  type  d | length 1 ... length d, each four bytes | elements, row by row          all big-endian

Types: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .. import validate
from ..files.npz import believable

MOST_AXES = 32
DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | PathLike[str]) -> np.ndarray:
    """The array in an idx file, gzipped or not (which its first bytes tell, not its name).

    Parameters
    ----------
    path : str or path

    Returns
    -------
    array
        In the file's type and shape, native byte order, writable.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not an idx file, or shorter or longer than its header says.

    References
    ----------
    Y. LeCun, C. Cortes and C. Burges, The MNIST database of handwritten digits, section on file formats.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "labels")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(file)
    array([7, 2, 1], dtype=uint8)
    """
    path = validate.path("path", path)
    with Path(path).open("rb") as plain:
        size = os.fstat(plain.fileno()).st_size
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        if not packed:
            return _read(path, plain, size, packed)
        try:
            return _read(path, gzip.GzipFile(fileobj=plain), size, packed)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: truncated or damaged gzip file of {size} bytes ({error})") from error
        except ValueError as error:
            raise ValueError(f"{error}, unpacked from a gzip file") from None


def _read(path: str | PathLike[str], file: BinaryIO | gzip.GzipFile, size: int, packed: bool) -> np.ndarray:
    """The array in an opened file of ``size`` bytes, of which no more is read than its header says, and one byte."""
    data = file.read(4)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in DTYPES or data[3] == 0:
        types = ", ".join(f"{code:02X}" for code in DTYPES)
        raise ValueError(
            f"{path}: not an idx file; its first bytes must be 00 00, a type (one of {types}) and the number of "
            f"dimensions, not {data.hex(' ') or 'nothing'}"
        )
    header = 4 + 4 * data[3]
    lengths = file.read(4 * data[3])
    if len(lengths) < 4 * data[3]:
        raise ValueError(f"{path}: truncated header; expected {header} bytes, found {4 + len(lengths)}")
    shape = tuple(int.from_bytes(lengths[i : i + 4], "big") for i in range(0, len(lengths), 4))
    dtype = np.dtype(DTYPES[data[2]])
    expected = math.prod(shape) * dtype.itemsize
    if packed and not believable(expected, size):
        raise ValueError(f"{path}: shape {list(shape)} needs {expected} bytes, which {size} packed bytes do not hold")
    content = file.read(expected + 1) if packed or header + expected == size else b""
    if len(content) != expected or not (packed or header + expected == size):
        found = header + len(content) if packed else size
        wrong = "truncated" if found < header + expected else "too long"
        more = " or more" if packed and found > header + expected else ""
        raise ValueError(f"{path}: {wrong}; shape {list(shape)} needs {header + expected} bytes, found {found}{more}")
    if len(shape) > MOST_AXES or math.prod(n or 1 for n in shape) > 2**62:  # one of the lengths is 0
        raise ValueError(f"{path}: no array has shape {list(shape)}")
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("=")).reshape(shape)
