"""A data set: four arrays."""

from typing import NamedTuple

import numpy as np


class Dataset(NamedTuple):
    """Samples and labels for training and for testing.

    Parameters
    ----------
    x_train : array [samples, ...]
        Samples for training.
    y_train : int array [samples]
        Their labels.
    x_test : array [samples, ...]
        Samples for testing.
    y_test : int array [samples]
        Their labels.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 2)), np.arange(3), np.zeros((1, 2)), np.arange(1))
    >>> x_train, y_train, x_test, y_test = data
    """

    x_train: np.ndarray
    """float32 [n, ...] in [0, 1]."""
    y_train: np.ndarray
    """int64 [n]."""
    x_test: np.ndarray
    """float32 [m, ...] in [0, 1]."""
    y_test: np.ndarray
    """int64 [m]."""
