"""The exponentials and the logarithm against extended precision: the whole range, its ends, and the machine code."""

import os
import re

import numpy as np
import pytest

from nbsnn.compile.fill import CPU_OPTIONS, kernel
from nbsnn.scalar import exponential
from nbsnn.scalar.exponential import exp, expm1, linoid, logistic
from nbsnn.scalar.hole import hole
from nbsnn.scalar.logarithm import log

RNG = np.random.default_rng(0)
LOW = {np.float32: -86.97, np.float64: -708.04}
HIGH = {np.float32: 88.72, np.float64: 709.78}
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])

# Function, its value by the C library in extended precision, and its error in units of 2^-24 and 2^-53.
FUNCTIONS = {
    "exp": (exp, np.exp, 2.0),
    "expm1": (expm1, np.expm1, 4.0),
    "linoid": (linoid, lambda x: x / np.expm1(x), 5.0),
    "logistic": (logistic, lambda x: 1.0 / (1.0 + np.exp(-x)), 5.0),
}


@hole
def function(x):
    raise NotImplementedError


def four(i0, i1, x, y):
    """All four in one kernel: one compilation per precision."""
    for i in range(i0, i1):
        y[0, i], y[1, i], y[2, i], y[3, i] = exp(x[i]), expm1(x[i]), linoid(x[i]), logistic(x[i])


def one(i0, i1, x, y):
    for i in range(i0, i1):
        y[i] = function(x[i])


def values(x, device="cpu"):
    """The four functions at ``x``: name -> array."""
    y = np.empty((4, len(x)), x.dtype)
    with np.errstate(over="ignore"):  # NumPy's scalars warn where the result is infinite
        kernel(four, device=device, dtype=x.dtype)(*map(np.uintp, (0, len(x))), x, y)
    return dict(zip(FUNCTIONS, y, strict=True))


def points(dtype, count):
    """The whole range evenly, small numbers of all sizes, and the ends of the pieces that are moved to 0."""
    k = np.arange(int(LOW[dtype] / np.log(2)), int(HIGH[dtype] / np.log(2)))
    ends = np.concatenate([(k + 0.5) * np.log(2) + d for d in (-1e-7, 0.0, 1e-7)])
    small = 10.0 ** RNG.uniform(-25, 0, count) * RNG.choice([-1, 1], count)
    return np.concatenate([RNG.uniform(LOW[dtype], HIGH[dtype], 4 * count), RNG.uniform(-1, 1, count), small, ends])


@dtypes
def test_error_over_the_whole_range(dtype):
    x = points(dtype, 100_000).astype(dtype)
    tiny = float(np.finfo(dtype).tiny)
    for name, y in values(x).items():
        _, reference, units = FUNCTIONS[name]
        with np.errstate(over="ignore"):
            expected = reference(x.astype(np.longdouble))
        normal = (expected > 4.0 * tiny) | (name == "expm1")
        error = np.abs((y.astype(np.longdouble) - expected) / expected)[normal & (expected < np.finfo(dtype).max)]
        # The polynomials' errors are known for the extended range; double precision as the reference adds its own.
        assert error.max() < units * np.finfo(dtype).eps / 2.0, name
        assert error.max() > np.finfo(dtype).eps / 4.0  # or the comparison compares nothing


@dtypes
@pytest.mark.parametrize("device", ["cpu", "python"])
def test_the_ends(dtype, device):
    inf, nan = np.inf, np.nan
    x = np.array([nan, -inf, inf, -1e4, 1e4, 0.0, -0.0, 1e-40, HIGH[dtype] + 0.1, LOW[dtype] - 0.1], dtype)
    y = values(x, device)
    np.testing.assert_array_equal(y["exp"], [nan, 0, inf, 0, inf, 1, 1, 1, inf, 0])
    np.testing.assert_array_equal(y["expm1"], np.array([nan, -1, inf, -1, inf, 0, 0, 1e-40, inf, -1], dtype))
    assert y["linoid"][:8].tolist() == pytest.approx([nan, inf, 0, 1e4, 0, 1, 1, 1], nan_ok=True, abs=0)
    assert y["logistic"][:8].tolist() == pytest.approx([nan, 0, 1, 0, 1, 0.5, 0.5, 0.5], nan_ok=True, abs=0)


@dtypes
def test_results_rise_with_the_argument(dtype):
    # Neighbours may be in different pieces, and must not change places.
    x = np.unique(points(dtype, 100_000).astype(dtype))
    y = values(x)
    assert (np.diff(y["exp"].astype(np.longdouble)) >= 0.0).mean() > 0.9999
    coarse = y["exp"][::64]
    assert (np.diff(coarse) >= 0.0).all()


@dtypes
def test_compiled_equals_interpreted_bit_for_bit(dtype):
    x = points(dtype, 100)[::3].astype(dtype)
    compiled, interpreted = values(x), values(x, "python")
    for name, y in compiled.items():
        np.testing.assert_array_equal(y, interpreted[name], err_msg=name)


def logs(x, device="cpu"):
    y = np.empty_like(x)
    kernel(one, device=device, dtype=x.dtype, function=log)(np.uintp(0), np.uintp(len(x)), x, y)
    return y


@dtypes
def test_logarithm(dtype):
    tiny, huge = float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)
    exponents = RNG.uniform(np.log(tiny), np.log(huge) - 1e-3, 200_000)
    x = np.concatenate(
        [np.exp(exponents), 1.0 + RNG.uniform(-0.3, 0.45, 200_000), 1.0 + 10.0 ** RNG.uniform(-16, -2, 9999)]
    )
    x = np.maximum(x, tiny).astype(dtype)
    expected = np.log(x.astype(np.longdouble))
    y = logs(x)
    different = expected != 0.0
    error = np.abs((y - expected)[different] / expected[different])
    assert error.max() < 2.0 * np.finfo(dtype).eps
    assert (y[~different] == 0.0).all()
    np.testing.assert_array_equal(y[::4000], logs(x[::4000], "python"))
    ends = np.array([0.0, -0.0, -1.0, -np.inf, np.inf, np.nan, tiny / 4, 1.0], dtype)
    for device in ("cpu", "python"):
        wanted = [-np.inf, -np.inf, np.nan, np.nan, np.inf, np.nan, -np.inf, 0.0]
        np.testing.assert_array_equal(logs(ends, device), wanted)
    assert log(7.0) == pytest.approx(np.log(7.0), rel=1e-15)


def third(i0, i1, x, y):
    for i in range(i0, i1):
        y[i] = exp(x[i] / 3)  # float32 by an integer is float64 in compiled code


@pytest.mark.parametrize("device", ["cpu", "python"])
def test_a_float64_that_strays_into_a_float32_kernel(device):
    x = np.linspace(-9.0, 9.0, 7, dtype=np.float32)
    y = np.empty_like(x)
    kernel(third, device=device)(np.uintp(0), np.uintp(7), x, y)
    np.testing.assert_allclose(y, np.exp(x / 3.0), 3e-7)


def test_plain_python_computes_in_float64():
    for function, reference, _ in FUNCTIONS.values():
        assert function(0.7) == pytest.approx(float(reference(0.7)), rel=1e-15)
    assert exponential.linoid(0.0) == 1.0


@pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")
@dtypes
@pytest.mark.parametrize("name", ["exp", "linoid", "log"])
def test_a_loop_is_vectorised(name, dtype, monkeypatch):
    numba = pytest.importorskip("numba")
    monkeypatch.setenv("NUMBA_LOOP_VECTORIZE", "1")  # conftest does without; Numba reads the variable as it compiles
    x = np.ones(64, dtype)
    # Compiled here once more: code from the cache cannot be looked at.
    fresh = numba.njit(**CPU_OPTIONS)(kernel(one, dtype=dtype, function={**FUNCTIONS, "log": (log,)}[name][0]).py_func)
    fresh(np.uintp(0), np.uintp(64), x, np.empty_like(x))
    (code,) = fresh.inspect_llvm().values()
    wide = re.findall(rf"fmul <(\d+) x {'float' if dtype == np.float32 else 'double'}>", code)
    assert wide, "no vector instruction in the loop"
