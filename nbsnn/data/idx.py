"""The idx file format, in which MNIST and its relatives come.

    0  0  type  d | length 1 ... length d, each four bytes | elements, row by row          all big-endian

Types: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64.
"""

from __future__ import annotations

import gzip
import math
import zlib
from os import PathLike
from pathlib import Path

import numpy as np

from .. import validate

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

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "labels")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     read_idx(file)
    array([7, 2, 1], dtype=uint8)
    """
    path = validate.path("path", path)
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: truncated or damaged gzip file of {len(data)} bytes ({error})") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in DTYPES or data[3] == 0:
        types = ", ".join(f"{code:02X}" for code in DTYPES)
        raise ValueError(
            f"{path}: not an idx file; its first bytes must be 00 00, a type (one of {types}) and the number of "
            f"dimensions, not {data[:4].hex(' ') or 'nothing'}"
        )
    header = 4 + 4 * data[3]
    if len(data) < header:
        raise ValueError(f"{path}: truncated header; expected {header} bytes, found {len(data)}")
    shape = tuple(int.from_bytes(data[i : i + 4], "big") for i in range(4, header, 4))
    dtype = np.dtype(DTYPES[data[2]])
    expected = header + math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        wrong = "truncated" if len(data) < expected else "too long"
        raise ValueError(f"{path}: {wrong}; shape {list(shape)} needs {expected} bytes, found {len(data)}")
    return np.frombuffer(data, dtype, offset=header).astype(dtype.newbyteorder("=")).reshape(shape)
