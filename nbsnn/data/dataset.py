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

    def standardized(self) -> "Dataset":
        """Samples less their mean and divided by their standard deviation, each channel (the last axis) by itself.

        Both are those of the training set. A channel that never varies there is 0 in it.

        Examples
        --------
        >>> data = Dataset(np.array([[1.0, 5.0], [3.0, 5.0]]), np.arange(2), np.array([[5.0, 7.0]]), np.arange(1))
        >>> data.standardized().x_test
        array([[3., 2.]])
        """
        axes = tuple(range(self.x_train.ndim - 1))
        mean, deviation = self.x_train.mean(axes, dtype=np.float64), self.x_train.std(axes, dtype=np.float64)
        deviation[deviation == 0.0] = 1.0
        new = [((x - mean) / deviation).astype(x.dtype) for x in (self.x_train, self.x_test)]
        return Dataset(new[0], self.y_train, new[1], self.y_test)
