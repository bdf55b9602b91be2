"""Estimators for scikit-learn: spiking networks in pipelines, grid searches and cross-validation.

Needs scikit-learn: ``pip install "nbsnn[sklearn]"``.

>>> import nbsnn
>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> x, y = load_iris(return_X_y=True)
>>> model = make_pipeline(StandardScaler(), nbsnn.sklearn.SpikingClassifier(epochs=30, random_state=0))
>>> model.fit(x, y).score(x, y) > 0.9
True
"""

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError:
    raise ImportError('nbsnn.sklearn needs scikit-learn: pip install "nbsnn[sklearn]"') from None

from .classifier import SpikingClassifier as SpikingClassifier
from .regressor import SpikingRegressor as SpikingRegressor
