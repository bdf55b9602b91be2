"""Tiny data sets in the idx format, for tests of everything that reads a folder."""

import gzip
from pathlib import Path

import numpy as np

from nbsnn.data import digits


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write a uint8 array as an idx file, gzipped if the name says so."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def tiny_mnist(folder: Path, train: int = 200, test: int = 50) -> Path:
    """A folder with the four files of MNIST, holding the packaged digits blown up to 28 x 28 pixels."""
    data = digits(flat=False)
    for name, x, y, count in (("train", data.x_train, data.y_train, train), ("t10k", data.x_test, data.y_test, test)):
        images = np.pad(np.kron(x[:count, 0], np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))) * 255
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{name}-labels-idx1-ubyte", y[:count])
    return folder
