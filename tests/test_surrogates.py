"""Every function in nbsnn.surrogates, found by listing the package, so that a new one is tested without being named."""

import importlib
import inspect
import math
import os
import pkgutil
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from nbsnn import surrogates
from nbsnn.compile.fill import kernel
from nbsnn.surrogates import Surrogate, dspike, spike

MODULES = [importlib.import_module(f"nbsnn.surrogates.{m.name}") for m in pkgutil.iter_modules(surrogates.__path__)]
FUNCTIONS: dict[str, Callable[..., Surrogate]] = {
    name: function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and function.__annotations__.get("return") in (Surrogate, "Surrogate")
    if name != "as_surrogate"  # which makes none
}
PARAMETERS = [(name, p) for name, function in FUNCTIONS.items() for p in inspect.signature(function).parameters]


def other_arguments(function: Callable) -> dict[str, float]:
    """Arguments that differ from the defaults. A positive ``eps`` parts ``smooth`` from ``slope``, so it stays."""
    defaults = {name: p.default for name, p in inspect.signature(function).parameters.items() if name != "eps"}
    return {name: value + 1 if isinstance(value, int) else 1.7 * value + 0.05 for name, value in defaults.items()}


MADE = [f() for f in FUNCTIONS.values()]
MADE += [f(**other_arguments(f)) for f in FUNCTIONS.values() if inspect.signature(f).parameters]
MADE += [surrogates.piecewise_leaky_relu(w=0.5, c=0.0)]  # the one whose integral is finite in a special case
each = pytest.mark.parametrize("surrogate", MADE, ids=repr)

EXTREMES = np.array([-1e4, -97.0, -1.0, -1e-6, -1e-38, -0.0, 0.0, 1e-38, 1e-6, 1.0, 97.0, 1e4])


def test_the_package_exports_every_function() -> None:
    assert len(FUNCTIONS) >= 22
    for name, function in FUNCTIONS.items():
        assert getattr(surrogates, name) is function


@each
def test_slope_is_the_derivative_of_smooth(surrogate: Surrogate) -> None:
    rng, h = np.random.default_rng(0), 1e-6
    # Random points: none of them is on a corner.
    for u in np.concatenate([rng.uniform(-3.0, 3.0, 200), rng.uniform(-0.1, 0.1, 50), rng.uniform(-50.0, 50.0, 50)]):
        difference = (surrogate.smooth(u + h) - surrogate.smooth(u - h)) / (2.0 * h)
        assert surrogate.slope(u) == pytest.approx(difference, rel=1e-6, abs=1e-7), u


@each
def test_smooth_is_continuous_at_the_threshold_and_centred_there(surrogate: Surrogate) -> None:
    below, at, above = (surrogate.smooth(u) for u in (-1e-9, 0.0, 1e-9))
    assert below == pytest.approx(at, abs=1e-7)
    assert above == pytest.approx(at, abs=1e-7)
    if surrogate.integral == 1.0:
        assert at == pytest.approx(0.5)


def test_a_step_whose_slope_has_another_area_is_centred_too() -> None:
    assert surrogates.circ(0.4).smooth(0.0) == surrogates.no_slope().smooth(7.0) == 0.5


@each
@pytest.mark.parametrize("u", [-5.3, -0.7, -0.4, 0.3, 0.7, 4.9])
def test_smooth_rises_by_the_area_under_the_slope(surrogate: Surrogate, u: float) -> None:
    area, _ = quad(surrogate.slope, 0.0, u, limit=200, points=[0.05 * u, 0.2 * u, 0.5 * u])
    assert surrogate.smooth(u) - surrogate.smooth(0.0) == pytest.approx(area, rel=1e-5)


@each
def test_integral(surrogate: Surrogate) -> None:
    low, high = surrogate.support
    if math.isnan(surrogate.integral):  # both halves are infinite, with opposite signs
        assert surrogate.smooth(1e6) == surrogate.smooth(-1e6) < -1e5
    elif math.isfinite(surrogate.integral):
        area = quad(surrogate.slope, low, 0.0, limit=200)[0] + quad(surrogate.slope, 0.0, high, limit=200)[0]
        assert area == pytest.approx(surrogate.integral, rel=1e-6)
    else:  # the integral over (-reach, reach) has no limit: it grows, or swings
        reach = np.concatenate([np.linspace(1000.0, 1010.0, 50), [1e5, 1e6]])
        area = [surrogate.smooth(u) - surrogate.smooth(-u) for u in reach]
        assert max(area) - min(area) > 0.1


@each
def test_slope_is_zero_outside_its_support_and_not_inside(surrogate: Surrogate) -> None:
    low, high = surrogate.support
    for edge, out in ((low, -1.0), (high, 1.0)):
        if math.isfinite(edge):
            assert [surrogate.slope(edge + out * d) for d in (1e-9, 1e-3, 1.0, 1e4)] == [0.0] * 4
            assert low == high or surrogate.slope(edge - out * 1e-6) != 0.0
        else:
            assert surrogate.slope(out * 4.1) != 0.0


@each
def test_extreme_inputs_stay_finite(surrogate: Surrogate) -> None:
    for u in EXTREMES:
        for value in (surrogate.smooth(float(u)), surrogate.slope(float(u))):
            assert isinstance(value, float), u
            assert math.isfinite(value), u


def evaluate(u, y):
    """The smallest template: both functions on an array. What it returns tells the type that they compute in."""
    for i in range(u.size):
        y[0, i] = spike(u[i])
        y[1, i] = dspike(u[i])
    return spike(u[0]), dspike(u[0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_equals_plain_python_and_stays_float32(name: str) -> None:
    surrogate = FUNCTIONS[name]()
    compiled = kernel(evaluate, dtype=np.float32, spike=surrogate.smooth, dspike=surrogate.slope)
    u = np.concatenate([np.linspace(-4.0, 4.0, 97), EXTREMES]).astype(np.float32)
    y = np.empty((2, u.size), np.float32)
    compiled(u, y)
    assert np.isfinite(y).all()
    plain = np.array([[f(float(x)) for x in u[:97]] for f in (surrogate.smooth, surrogate.slope)])
    np.testing.assert_allclose(y[:, :97], plain, rtol=1e-5, atol=1e-5)
    if not os.environ.get("NUMBA_DISABLE_JIT"):
        assert [str(s.return_type) for s in compiled.nopython_signatures] == ["UniTuple(float32 x 2)"]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "steep", None])
def test_bad_parameters_are_named(name: str, parameter: str, value: object) -> None:
    if (name, parameter, value) == ("sfs", "B", -1):
        pytest.skip("a bound may lie below the threshold")
    with pytest.raises((ValueError, TypeError), match=f"^{parameter} of {name} must be "):
        FUNCTIONS[name](**{parameter: value})


@pytest.mark.parametrize(
    "make",
    [
        lambda: surrogates.sigmoid(0.0),
        lambda: surrogates.rect(0),
        lambda: surrogates.q_pseudo_spike(1.0),
        lambda: surrogates.multi_gaussian(sigma=0.0),
        lambda: surrogates.squarewave_fourier_series(n=1),
    ],
)
def test_the_border_of_a_range_is_outside_it(make: Callable) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()


@each
def test_repr_is_the_call_that_made_it(surrogate: Surrogate) -> None:
    again = eval(repr(surrogate), dict(FUNCTIONS))
    assert (again.name, again.options) == (surrogate.name, surrogate.options)
    assert list(surrogate.options) == list(inspect.signature(FUNCTIONS[surrogate.name]).parameters)


U = np.linspace(-2.5, 2.5, 41)


@pytest.mark.parametrize(
    ("surrogate", "published"),
    [
        (surrogates.superspike(beta=25.0), 1.0 / (1.0 + 25.0 * np.abs(U)) ** 2),
        (surrogates.soft_sign(alpha=3.0), 1.5 / (1.0 + 3.0 * np.abs(U)) ** 2),
        (surrogates.spike_linear(gamma=0.3), 0.3 * np.maximum(0.0, 1.0 - np.abs(U))),
        (surrogates.gaussian(alpha=0.25), stats.norm.pdf(U, scale=0.5)),
        (surrogates.erf(alpha=2.0), stats.norm.pdf(U, scale=0.5 / np.sqrt(2.0))),
        (surrogates.stbp_gaussian(alpha=0.5), np.exp(-(U**2)) / np.pi),
        (
            surrogates.multi_gaussian(height=0.15, scale=6.0, sigma=0.5),
            1.15 * stats.norm.pdf(U, 0.0, 0.5) - 0.15 * (stats.norm.pdf(U, 0.5, 3.0) + stats.norm.pdf(U, -0.5, 3.0)),
        ),
    ],
    ids=repr,
)
def test_slope_equals_the_published_formula(surrogate: Surrogate, published: np.ndarray) -> None:
    np.testing.assert_allclose([surrogate.slope(u) for u in U], published, rtol=1e-12, atol=1e-15)


def test_s2nn_with_eps_has_the_original_primitive() -> None:
    assert surrogates.s2nn(beta=2.0, eps=1e-5).smooth(0.5) == pytest.approx(2.0 * np.log(1.5 + 1e-5) + 0.5, rel=1e-14)
    assert surrogates.s2nn(beta=2.0, eps=1e-5).slope(0.5) == surrogates.s2nn(beta=2.0).slope(0.5) == 2.0 / 1.5


@pytest.mark.parametrize(
    ("surrogate", "u", "smooth", "slope"),
    [
        (surrogates.piecewise_quadratic(alpha=2.0), -0.5, 0.0, 0.0),
        (surrogates.piecewise_quadratic(alpha=2.0), 0.5, 1.0, 0.0),
        (surrogates.rect(alpha=2.0), -0.25, 0.0, 0.0),
        (surrogates.rect(alpha=2.0), 0.25, 1.0, 0.0),
        (surrogates.spike_linear(gamma=0.5), -1.0, 0.25, 0.0),
        (surrogates.spike_linear(gamma=0.5), 1.0, 0.75, 0.0),
        (surrogates.piecewise_leaky_relu(w=0.5, c=0.25), -0.5, 0.0, 0.25),
        (surrogates.piecewise_leaky_relu(w=0.5, c=0.25), 0.5, 1.0, 0.25),
        (surrogates.leaky_k_relu(leak=0.25, k=2.0), 0.0, 0.0, 2.0),
        (surrogates.log_tailed_relu(alpha=0.25), 0.0, 0.0, 0.25),
        (surrogates.log_tailed_relu(alpha=0.25), 1.0, 1.0, 1.0),
        (surrogates.fake_numerical_gradient(alpha=0.5), -2.0, -0.5, 0.5),
        (surrogates.fake_numerical_gradient(alpha=0.5), 2.0, 1.5, 0.5),
        (surrogates.heaviside(), 0.0, 0.0, 0.0),
        (surrogates.s2nn(alpha=8.0, beta=3.0), 0.0, 0.5, 3.0),
        (surrogates.s2nn(alpha=8.0, beta=3.0), 1.0, 0.5 + 3.0 * math.log(2.0), 1.5),
    ],
    ids=repr,
)
def test_corners_belong_to_the_piece_that_the_definition_names(
    surrogate: Surrogate, u: float, smooth: float, slope: float
) -> None:
    assert (surrogate.smooth(u), surrogate.slope(u)) == (smooth, slope)
