"""SpikingJelly's surrogate functions, point by point, with corners and the threshold itself among the points."""

import numpy as np

from nbsnn.presets.spikingjelly import SURROGATES
from nbsnn.surrogates import Surrogate, at_or_above

from .golden import Case, close, exact, golden

FILE = "sj_surrogate.npz"


def surrogate_of(case: Case) -> Surrogate:
    return SURROGATES[case.params["surrogate"]](**case.params["surrogate_params"])


def has_primitive(case: Case) -> bool:
    return case.params["has_primitive"]


def ambiguous(case: Case) -> np.ndarray:
    """Points on a corner of the primitive where its recorded derivative is another one than the recorded slope."""
    x, options = np.abs(case["x"]), case.params["surrogate_params"]
    if case.params["surrogate"] == "PiecewiseLeakyReLU":
        return x == options["w"]
    if case.params["surrogate"] == "Rect":
        return np.abs(x - 0.5 / options["alpha"]) < 1e-12
    return np.zeros(x.shape, bool)


@golden(FILE)
def test_spikes(case: Case) -> None:
    exact([at_or_above(x) for x in case["x"]], case["spikes"])


@golden(FILE)
def test_grad_x(case: Case) -> None:
    slope = surrogate_of(case).slope
    close(case["cot"] * [slope(x) for x in case["x"]], case["grad_x"], case.dtype)


@golden(FILE, where=has_primitive)
def test_primitive(case: Case) -> None:
    smooth = surrogate_of(case).smooth
    close([smooth(x) for x in case["x"]], case["primitive"], case.dtype)


@golden(FILE, where=has_primitive)
def test_primitive_grad_x(case: Case) -> None:
    surrogate, x = surrogate_of(case), case["x"]
    derivative = np.array([surrogate.slope(u) for u in x])
    if surrogate.name == "s2nn":  # the primitive has 1e-5 in its logarithm, the slope has not
        above = surrogate.options["beta"] / (x + 1.0 + surrogate.options["eps"])
        derivative = np.where(x >= 0.0, above, derivative)
    clear = ~ambiguous(case)
    close((case["cot"] * derivative)[clear], case["primitive_grad_x"][clear], case.dtype)
