"""The handwritten digits that come with the package: enough to train a first network in seconds, offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..random import Draws
from ..validate import switch
from .dataset import Dataset


def digits(*, flat: bool = True) -> Dataset:
    """The 1797 handwritten digits of the UCI repository, 8 x 8 pixels: 1437 for training and 360 for testing.

    A pixel counts the ink in a block of 4 x 4 of the scan, 0 to 16; here it is divided by 16. The split never changes:
    each class is put in random order by ``Draws(0, "digits", class)``, and of the classes in a row every fifth sample
    is for testing, so each class gives a fifth of its samples. The same writers are in both parts.

    Parameters
    ----------
    flat : bool, default True
        Samples [n, 64]; otherwise [n, 1, 8, 8], for convolutions.

    Returns
    -------
    Dataset
        float32 in [0, 1] and int64 labels from 0 to 9.

    References
    ----------
    E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    doi:10.24432/C50P49, licence CC BY 4.0. These are the 1797 samples of its test file, by writers of their own.

    Examples
    --------
    >>> data = digits()
    >>> data.x_train.shape, data.x_test.shape
    ((1437, 64), (360, 64))
    """
    switch("flat", flat)
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"], file["labels"].astype(np.int64)
    x = images.astype(np.float32).reshape(len(images), *((64,) if flat else (1, 8, 8))) / np.float32(16.0)
    rows = []
    for label in range(10):
        members = np.flatnonzero(labels == label)
        rows.append(members[Draws(0, "digits", label).permutation(len(members))])
    test = np.zeros(len(labels), bool)
    test[np.concatenate(rows)[::5]] = True
    return Dataset(x[~test], labels[~test], x[test], labels[test])
