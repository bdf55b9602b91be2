"""Initialisers: distribution, reproducibility, and refusals."""

import math

import numpy as np
import pytest
from scipy import stats

from nbsnn import init
from nbsnn.random import Draws

FAN_IN, FAN_OUT = 120, 250
SHAPE = (FAN_IN, FAN_OUT)


def frozen_uniform(bound):
    return stats.uniform(-bound, 2 * bound)


# Standard deviations and bounds as their papers and PyTorch's documentation state them.
CASES = [
    (init.kaiming_uniform(), frozen_uniform(1 / math.sqrt(FAN_IN))),
    (init.kaiming_uniform(a=0.0), frozen_uniform(math.sqrt(6 / FAN_IN))),
    (init.kaiming_normal(), stats.norm(0, math.sqrt(2 / FAN_IN))),
    (init.kaiming_normal(a=1.0), stats.norm(0, 1 / math.sqrt(FAN_IN))),
    (init.xavier_uniform(), frozen_uniform(math.sqrt(6 / (FAN_IN + FAN_OUT)))),
    (init.xavier_uniform(gain=2.0), frozen_uniform(2 * math.sqrt(6 / (FAN_IN + FAN_OUT)))),
    (init.xavier_normal(), stats.norm(0, math.sqrt(2 / (FAN_IN + FAN_OUT)))),
    (init.uniform(-0.5, 2.0), stats.uniform(-0.5, 2.5)),
    (init.normal(0.3, 0.7), stats.norm(0.3, 0.7)),
]
EVERY = [case[0] for case in CASES] + [init.constant(0.25)]


@pytest.mark.parametrize(("initializer", "expected"), CASES, ids=lambda case: repr(case)[:40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_have_the_stated_distribution(initializer, expected, dtype):
    weight = initializer(SHAPE, FAN_IN, FAN_OUT, Draws(0, "init"), dtype)
    assert weight.shape == SHAPE and weight.dtype == dtype
    flat = weight.reshape(-1).astype(np.float64)
    assert stats.kstest(flat, expected.cdf).pvalue > 1e-4
    assert flat.std() == pytest.approx(expected.std(), rel=0.02)
    low, high = expected.support()
    assert flat.min() >= low - 1e-6 and flat.max() <= high + 1e-6


@pytest.mark.parametrize("initializer", EVERY, ids=repr)
def test_initialisers_are_values_and_functions_of_the_stream(initializer):
    assert eval(repr(initializer), dict(vars(init))) == initializer
    weights = [initializer(SHAPE, FAN_IN, FAN_OUT, Draws(0, k)) for k in (0, 0, 1)]
    assert weights[0].dtype == np.float32 and (weights[0] == weights[1]).all()
    if not isinstance(initializer, init.constant):
        assert (weights[0] != weights[2]).mean() > 0.99
    kernel = initializer((3, 3, 2, 4), 18, 36, Draws(0), np.float64)
    assert kernel.shape == (3, 3, 2, 4) and kernel.dtype == np.float64


def test_both_dtypes_give_the_same_weights():
    for initializer in EVERY:
        single, double = (initializer(SHAPE, FAN_IN, FAN_OUT, Draws(1), dtype) for dtype in (np.float32, np.float64))
        assert abs(single - double).max() < 1e-6


def test_constant_is_constant():
    assert (init.constant(0.25)((2, 3), 2, 3) == 0.25).all() and (init.constant()((2, 3), 2, 3) == 0).all()


@pytest.mark.parametrize("initializer", EVERY[:-1], ids=repr)
def test_random_initialisers_need_draws(initializer):
    with pytest.raises(TypeError, match=r"nbsnn\.random\.Draws\(seed\)"):
        initializer(SHAPE, FAN_IN, FAN_OUT, None)


@pytest.mark.parametrize("initializer", [init.kaiming_uniform(), init.kaiming_normal(), init.xavier_normal()], ids=repr)
def test_fans_are_checked(initializer):
    with pytest.raises(ValueError, match="fan_in"):
        initializer(SHAPE, 0, FAN_OUT, Draws(0))
    with pytest.raises(TypeError, match="fan_in"):
        initializer(SHAPE, 1.5, FAN_OUT, Draws(0))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (init.kaiming_uniform, {"a": math.nan}),
        (init.kaiming_normal, {"a": math.inf}),
        (init.xavier_uniform, {"gain": 0.0}),
        (init.xavier_normal, {"gain": -1.0}),
        (init.uniform, {"low": 1.0, "high": 0.0}),
        (init.normal, {"std": -1.0}),
        (init.constant, {"value": math.nan}),
    ],
)
def test_bad_options_are_refused(make, options):
    with pytest.raises(ValueError):
        make(**options)
