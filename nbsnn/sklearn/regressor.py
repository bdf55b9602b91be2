"""A regressor of spiking neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ..losses import rate_mse
from .spiking import Spiking, validated


class SpikingRegressor(RegressorMixin, Spiking):
    """Regressor: layers of LIF neurons and a readout whose mean over time is the value.

    Targets are scaled to mean 0 and standard deviation 1 inside. Scale the features before, by ``StandardScaler`` for
    the default encoder, by ``MinMaxScaler`` for those that take values from 0 to 1.

    Parameters
    ----------
    hidden : int or tuple of int, default 64
        Spiking neurons of each hidden layer.
    steps : int, default 8
        Time steps per row, for an encoder that is given by name.
    encoder : {"constant", "latency", "phase", "poisson"} or Encoder, default "constant"
        How a row becomes input over time. "poisson" is random: what it draws depends on the row's values and
        ``random_state``, not on the row's place or company.
    tau : float, default 2.0
        Membrane time constant in steps.
    epochs, batch_size : int, default 100, 32
        How often every row is seen in training, and how many rows at a time.
    learning_rate : float, default 0.01
        Of Adam, at the beginning; it falls to zero along a cosine.
    random_state : int, RandomState or None, default None
        Seed of weights, order and encoding; with an integer, results are the same bit for bit.
    device : {"cpu", "python"}, default "cpu"
        Where to train.

    Attributes
    ----------
    net_ : Sequential
        The trained network, float64.
    mean_, scale_ : array [outputs]
        What scales its output.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array [features]
        Their names, if a table has such.

    Examples
    --------
    >>> import numpy as np
    >>> from nbsnn.sklearn import SpikingRegressor
    >>> x = np.linspace(-1.0, 1.0, 64)[:, None]
    >>> SpikingRegressor(epochs=60, random_state=0).fit(x, 3.0 * x[:, 0]).score(x, 3.0 * x[:, 0]) > 0.9
    True
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> SpikingRegressor:
        """Train.

        Parameters
        ----------
        X : array [n, features]
        y : array [n] or [n, outputs]

        Returns
        -------
        SpikingRegressor
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is none of those allowed, or X or y hold what they cannot.
        """
        x, given = validated(self, X, y, multi_output=True, y_numeric=True)
        self._flat = given.ndim == 1
        target = np.asarray(given, np.float64).reshape(len(x), -1)
        self.mean_, spread = target.mean(axis=0), target.std(axis=0)
        self.scale_ = np.where(spread > 0.0, spread, 1.0)
        self._train(x, (target - self.mean_) / self.scale_, target.shape[1], rate_mse)
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The value of each row, [n] or [n, outputs] as ``y`` was."""
        check_is_fitted(self)
        found = self._outputs(validated(self, X, reset=False)[0]) * self.scale_ + self.mean_
        return found[:, 0] if self._flat else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
