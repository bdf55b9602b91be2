"""What both estimators share: parameters, network, training, and the mean output of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from .. import optim
from ..data import batches
from ..encode import Encoder
from ..layers import Dense, Sequential
from ..learning import BPTT
from ..neurons import LI, LIF
from ..random import Draws
from ..validate import count, number
from .rows import encoded, encoder_of

TOGETHER = 256
"""Rows that are predicted at a time."""


def validated(
    estimator: BaseEstimator, x: ArrayLike, *y: ArrayLike | None, **options: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Rows as float64, and targets if there are to be such, as scikit-learn checks them."""
    if not y:
        return validate_data(estimator, x, dtype=np.float64, **options), np.empty(0)  # type: ignore[arg-type, return-value]
    return validate_data(estimator, x, *y, dtype=np.float64, **options)  # type: ignore[arg-type, return-value]


class Spiking(BaseEstimator):
    """Layers of spiking neurons, trained by back-propagation through time, with a readout that integrates."""

    net_: Sequential
    n_features_in_: int

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 64,
        *,
        steps: int = 8,
        encoder: str | Encoder = "constant",
        tau: float = 2.0,
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 0.01,
        random_state: int | np.random.RandomState | None = None,
        device: str = "cpu",
    ):
        self.hidden = hidden
        self.steps = steps
        self.encoder = encoder
        self.tau = tau
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.device = device

    def _train(self, x: np.ndarray, target: np.ndarray, outputs: int, loss: Callable) -> None:
        """Make a network and train it on rows [n, N]."""
        sizes = self.hidden if isinstance(self.hidden, (tuple, list)) else (self.hidden,)
        for size in sizes:
            count("hidden", size)
        number("tau", self.tau, above=0.0)
        number("learning_rate", self.learning_rate, above=0.0)
        count("epochs", self.epochs)
        count("batch_size", self.batch_size)
        encoder = encoder_of(self.encoder, self.steps)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        draws = Draws(seed, "sklearn")
        inputs = encoded(encoder, x[:1], draws).shape[2]
        layers, before = [], inputs
        for size in sizes:
            layers += [Dense(before, size), LIF(tau=self.tau)]
            before = size
        layers += [Dense(before, outputs), LI(tau=self.tau)]
        net: Any = Sequential(*layers, seed=seed, dtype=np.float64, device=self.device)
        iterations = self.epochs * -(-len(x) // self.batch_size)
        learner = BPTT(net, loss, optim.Adam(optim.Cosine(self.learning_rate, iterations)), seed=seed)
        for epoch in range(self.epochs):
            for index in batches(len(x), self.batch_size, draws, epoch):
                learner.step(encoded(encoder, x[index], draws.fold("train", epoch)), target[index])
        self.net_ = net if net.setting.device == "cpu" else net.twin(device="cpu")  # which can be pickled
        self.encoder_, self.seed_ = encoder, seed

    def _outputs(self, x: np.ndarray) -> np.ndarray:
        """The readout's mean over time, float64 [n, outputs]; a row's does not depend on the others."""
        draws = Draws(self.seed_, "sklearn", "predict")
        parts = []
        for place in range(0, len(x), TOGETHER):
            given = encoded(self.encoder_, x[place : place + TOGETHER], draws)
            parts.append(self.net_.run(given).output.mean(axis=0))
        return np.concatenate(parts)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags
