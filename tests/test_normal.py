"""Random numbers of units: the normal numbers against their distribution function, in both precisions."""

import numpy as np
import pytest
from scipy.special import ndtri

from nbsnn.compile.fill import kernel
from nbsnn.network.normal import bits_of, normal_from, uniform_of
from nbsnn.random import Draws, counter, squares32


def fill(bits, y):
    for k in range(bits.shape[0]):
        y[k] = normal_from(bits[k])


ENDS = [0, 1, 2, 2**31 - 2, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 3, 2**32 - 2, 2**32 - 1]


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 5e-7), (np.float64, 2e-15)])
def test_normal_numbers_are_those_of_their_distribution(dtype, error):
    edge = np.round(2.0**32 * np.array([0.075, 0.925])).astype(np.int64)  # from one quotient to the other
    some = [ENDS, *(edge[:, None] + np.arange(-3, 4)), Draws(1).bits(20_000)]
    bits = np.concatenate(some).astype(np.uint32)
    y, again = np.empty((2, len(bits)), dtype)
    kernel(fill, dtype=dtype, real=dtype)(bits, y)
    exact = ndtri((np.minimum(bits, ~bits).astype(np.float64) + 0.5) * 2.0**-32) * np.where(bits < 2**31, 1.0, -1.0)
    np.testing.assert_allclose(y, exact, rtol=error)
    np.testing.assert_array_equal(y[: len(ENDS)], -y[: len(ENDS)][::-1])
    kernel(fill, device="python", dtype=dtype, real=dtype)(bits[:300], again[:300])
    np.testing.assert_array_equal(again[:300], y[:300])


def test_bits_and_uniform_numbers_are_those_of_the_counter():
    key, step, unit = np.uint64(Draws(3).key), np.uint64(7), np.uint64(11)
    with np.errstate(over="ignore"):
        word = int(squares32(counter(step, unit), key))
        assert bits_of(key, step, unit) == word
        assert uniform_of(key, step, unit) == (word >> 8) / 2**24
