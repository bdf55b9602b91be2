"""A classifier of spiking neurons."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ..losses import RateCrossEntropy
from .spiking import Spiking, validated

SCALE = 4.0
"""Factor on mean outputs in the softmax."""


class SpikingClassifier(ClassifierMixin, Spiking):
    """Classifier: layers of LIF neurons and a readout whose mean over time decides.

    Scale the features before, by ``StandardScaler`` for the default encoder, by ``MinMaxScaler`` for those that take
    values from 0 to 1.

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
    device : {"cpu", "cuda", "auto", "python"}, default "cpu"
        Where to train.

    Attributes
    ----------
    classes_ : array [C]
        The classes.
    net_ : Sequential
        The trained network, float64.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array [features]
        Their names, if a table has such.

    Examples
    --------
    >>> import numpy as np
    >>> from nbsnn.sklearn import SpikingClassifier
    >>> x = np.array([[-1.0, 0.0], [-0.8, 0.1], [0.9, 0.1], [1.0, -0.1]])
    >>> model = SpikingClassifier(hidden=16, epochs=30, random_state=0).fit(x, ["left", "left", "right", "right"])
    >>> model.predict([[-0.9, 0.0], [0.9, 0.0]]).tolist()
    ['left', 'right']
    """

    classes_: np.ndarray

    def fit(self, X: ArrayLike, y: ArrayLike) -> SpikingClassifier:
        """Train.

        Parameters
        ----------
        X : array [n, features]
        y : array [n]
            Class of each row: numbers or texts.

        Returns
        -------
        SpikingClassifier
            Itself.

        Raises
        ------
        TypeError, ValueError
            If a parameter is none of those allowed, or X or y hold what they cannot.
        """
        x, given = validated(self, X, y)
        check_classification_targets(given)
        self.classes_, labels = np.unique(given, return_inverse=True)
        self._train(x, labels.astype(np.int64), len(self.classes_), RateCrossEntropy(scale=SCALE))
        return self

    def _logits(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        return SCALE * self._outputs(validated(self, X, reset=False)[0])

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Scores [n, C]; of two classes, the second's advantage [n]."""
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Probabilities of the classes, [n, C]."""
        logits = self._logits(X)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """The class of each row [n]."""
        logits = self._logits(X)
        if logits.shape[1] == 2:  # as decision_function has it, also where both are the same
            return self.classes_[(logits[:, 1] - logits[:, 0] > 0.0).astype(int)]
        return self.classes_[logits.argmax(axis=1)]
