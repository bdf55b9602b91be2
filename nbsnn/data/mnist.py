"""MNIST and Fashion-MNIST from the four idx files that their authors publish.

Nothing is downloaded: put the files in a folder, gzipped or not.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from ..validate import switch
from .dataset import Dataset
from .idx import read_idx


def mnist(folder: str | PathLike[str], *, flat: bool = True) -> Dataset:
    """The 70000 handwritten digits of MNIST: 60000 for training, 10000 for testing, 28 x 28 pixels.

    Parameters
    ----------
    folder : str or path
        Where ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte`` are, each with or without ``.gz``; ``.idx3`` and ``.idx1`` are found as well.
    flat : bool, default True
        Samples [n, 784]; otherwise [n, 1, 28, 28], for convolutions.

    Returns
    -------
    Dataset
        float32 in [0, 1] (pixels divided by 255) and int64 labels from 0 to 9.

    Raises
    ------
    FileNotFoundError
        If the folder or a file is missing; says which names were looked for.
    ValueError
        If a file is damaged, or images and labels do not fit together.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), doi:10.1109/5.726791.

    Examples
    --------
    >>> mnist("/no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: no folder /no/such/folder
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    data = Dataset(*_part(folder, "train", flat), *_part(folder, "t10k", flat))
    if data.x_train.shape[1:] != data.x_test.shape[1:]:
        raise ValueError(
            f"{folder}: images for training {list(data.x_train.shape[1:])} and testing "
            f"{list(data.x_test.shape[1:])} differ in size"
        )
    return data


def fashion_mnist(folder: str | PathLike[str], *, flat: bool = True) -> Dataset:
    """The 70000 pictures of clothes of Fashion-MNIST: same files, shapes and errors as ``mnist``.

    Labels: 0 T-shirt or top, 1 trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 boot.

    Parameters
    ----------
    folder : str or path
        Where the four files are; see ``mnist``.
    flat : bool, default True
        Samples [n, 784]; otherwise [n, 1, 28, 28], for convolutions.

    Returns
    -------
    Dataset
        float32 in [0, 1] and int64 labels from 0 to 9.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``mnist``.

    References
    ----------
    Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747.

    Examples
    --------
    >>> fashion_mnist("/no/such/folder")
    Traceback (most recent call last):
    FileNotFoundError: no folder /no/such/folder
    """
    return mnist(folder, flat=flat)


def _part(folder: Path, part: str, flat: bool) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one part, checked against each other."""
    switch("flat", flat)
    image_file, label_file = _find(folder, f"{part}-images", 3), _find(folder, f"{part}-labels", 1)
    images, labels = read_idx(image_file), read_idx(label_file)
    if images.dtype != np.uint8 or images.ndim != 3 or images.size == 0:
        raise ValueError(f"{image_file}: images must be uint8 [n, rows, columns], not {images.dtype} {[*images.shape]}")
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"{label_file}: labels must be uint8 [{len(images)}], one per image, not {labels.dtype} {[*labels.shape]}"
        )
    if labels.max() > 9:
        raise ValueError(f"{label_file}: labels must be from 0 to 9, but one is {labels.max()}")
    x = images.reshape(len(images), -1) if flat else images[:, None]
    return x / np.float32(255.0), labels.astype(np.int64)


def _find(folder: Path, stem: str, ndim: int) -> Path:
    """The first file that exists of the names in use."""
    names = [f"{stem}{dot}idx{ndim}-ubyte{gz}" for dot in "-." for gz in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"{folder} has none of {', '.join(names)}")
