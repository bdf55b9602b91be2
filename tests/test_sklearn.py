"""Estimators for scikit-learn: its own checks, pipelines, grid searches, and rows that do not depend on each other."""

import pickle

import numpy as np
import pytest

import nbsnn

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install nbsnn[sklearn]")

from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from nbsnn.sklearn import SpikingClassifier, SpikingRegressor

FEW = {"hidden": 32, "steps": 5, "epochs": 25, "learning_rate": 0.03}


@parametrize_with_checks([SpikingClassifier(**FEW), SpikingRegressor(**FEW)])
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(
    [
        SpikingClassifier(),
        SpikingRegressor(),
        SpikingClassifier(encoder=nbsnn.encode.constant(T=4)),
    ]
)
def test_the_checks_of_scikit_learn_with_defaults_and_an_own_encoder(estimator, check):
    check(estimator)


def test_a_random_encoder_draws_by_the_row():
    x, y = load_digits(return_X_y=True)
    x, y = x[:80], y[:80]
    options = {"encoder": "poisson", "hidden": 32, "epochs": 10, "steps": 8}
    model = make_pipeline(MinMaxScaler(), SpikingClassifier(**options, random_state=3)).fit(x, y)
    p = model.predict_proba(x)
    order = np.random.default_rng(0).permutation(80)
    np.testing.assert_allclose(model.predict_proba(x[order]), p[order], rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(np.repeat(x[5:6], 3, axis=0)), p[[5, 5, 5]], rtol=1e-9)
    again = make_pipeline(MinMaxScaler(), SpikingClassifier(**options, random_state=3)).fit(x, y)
    np.testing.assert_array_equal(again.predict_proba(x), p)
    other = make_pipeline(MinMaxScaler(), SpikingClassifier(**options, random_state=4)).fit(x, y)
    assert (other.predict_proba(x) != p).any()
    assert model.score(x, y) > 0.8


def test_cross_validation_of_a_regressor_and_several_outputs():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    y = np.stack([x @ [1.0, -2.0, 0.5], 1000.0 + np.abs(x[:, 0])], axis=1)
    assert cross_val_score(SpikingRegressor(hidden=64, random_state=0, epochs=40), x, y, cv=3).mean() > 0.6
    model = SpikingRegressor(random_state=0, **FEW).fit(x, y[:, 0])
    assert model.predict(x).shape == (120,)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"hidden": 0}, "hidden"), ({"hidden": (8, -1)}, "hidden"), ({"steps": 0}, "steps"), ({"tau": 0.0}, "tau"),
        ({"encoder": "rate"}, "encoder must be one of"), ({"epochs": 0}, "epochs"), ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
    ],
)  # fmt: skip
def test_parameters_are_checked_when_it_is_fitted(options, match):
    for kind in (SpikingClassifier, SpikingRegressor):
        with pytest.raises(ValueError, match=match):
            kind(**options).fit(np.eye(4), [0, 1, 0, 1])
