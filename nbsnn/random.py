"""Randomness as a function: the number at a place depends on the place alone.

A sequential generator hands out its numbers in the order of asking, so that threads, chunks and batch sizes change
them. Here each number is a hash of where it is used::

    number = squares32(counter(step, unit), key(seed, *stream))

Here ``stream`` is a path of names and integers such as ``("layer", 1, "weight")``, ``step`` a time step and ``unit`` a
flat index. Asking twice gives the same number twice; another number is asked for at another place.

``squares32`` is one function for Python integers (the oracle in tests), NumPy arrays of uint64, and kernels.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import DTypeLike

from .validate import UNITS, affordable, count, float_dtype, number, shape_of

MASK = 0xFFFFFFFFFFFFFFFF
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: the increment of SplitMix64

Shape = int | tuple[int, ...]


def squares32(counter: Any, key: Any) -> Any:
    """Thirty-two random bits: four rounds of squaring, with the halves swapped in between.

    Runs on Python integers, on NumPy uint64 arrays, and compiled with uint64 arguments.

    Parameters
    ----------
    counter : int or uint64
        Where: see ``counter``.
    key : int or uint64
        Which stream: odd, with about as many ones as zeros; see ``key``.

    Returns
    -------
    int or uint64
        From 0 to 2^32 - 1.

    References
    ----------
    B. Widynski (2020), Squares: a fast counter-based RNG, arXiv:2004.06278.

    Examples
    --------
    >>> squares32(1, 0xC58EFD154CE32F6D) == int(squares32(np.uint64([1]), 0xC58EFD154CE32F6D)[0])
    True
    """
    x = (counter * key) & MASK
    y = x
    z = (y + key) & MASK
    x = (x * x + y) & MASK
    x = (x >> 32) | ((x << 32) & MASK)
    x = (x * x + z) & MASK
    x = (x >> 32) | ((x << 32) & MASK)
    x = (x * x + y) & MASK
    x = (x >> 32) | ((x << 32) & MASK)
    return ((x * x + z) & MASK) >> 32


def counter(step: Any, unit: Any) -> Any:
    """The counter of a time step and a unit.

    Parameters
    ----------
    step, unit : int or uint64
        Below 2^32.

    Returns
    -------
    int or uint64
        ``2^32 step + unit``.

    Examples
    --------
    >>> counter(1, 5) == 2**32 + 5
    True
    """
    return (step << 32) + unit


def lasting(key: Any, step: Any) -> Any:
    """The key of a stream at a time step: another one whenever the counter has used up its 2^32 steps.

    Parameters
    ----------
    key : int or uint64
        The stream's.
    step : int or uint64
        The time step.

    Returns
    -------
    int or uint64
        ``key`` itself in the first 2^32 steps.

    Examples
    --------
    >>> lasting(7, 2**32 - 1), lasting(7, 2**32)
    (7, 5)
    """
    return key ^ ((step >> 32) << 1)


def splitmix64(x: int) -> int:
    """A bijection of 64-bit integers that scatters their bits: the finaliser of SplitMix64.

    Parameters
    ----------
    x : int
        Its lowest 64 bits count.

    Returns
    -------
    int
        From 0 to 2^64 - 1.

    References
    ----------
    Steele, Lea and Flood (2014), doi:10.1145/2660193.2660195.

    Examples
    --------
    >>> hex(splitmix64(0x9E3779B97F4A7C15))
    '0xe220a8397b1dcdaf'
    """
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def key(seed: SupportsIndex, *stream: SupportsIndex | str) -> int:
    """The key of a stream: ``splitmix64`` over the words that spell seed and stream.

    Each item is spelt as its kind and length and then its bytes, so that different streams never spell the same words.
    The paper asks for irregular keys; one with fewer than 24 or more than 40 ones is mixed again.

    Parameters
    ----------
    seed : int
        Any integer.
    *stream : int or str
        What the numbers are for.

    Returns
    -------
    int
        An odd integer below 2^64.

    Raises
    ------
    TypeError
        If an item is neither an integer nor a string.

    Examples
    --------
    >>> key(0, "weight", 1) == key(0, "weight", 1), key(0, "weight", 1) == key(0, "weight", 2)
    (True, False)
    """
    state = 0
    for item in (seed, *stream):
        for word in _words(item):
            state = splitmix64(((state ^ word) + GOLDEN) & MASK)
    return _irregular(state)


def _irregular(state: int) -> int:
    """The first odd number with 24 to 40 ones that ``splitmix64`` makes of ``state``."""
    while not 24 <= (state | 1).bit_count() <= 40:
        state = splitmix64((state + GOLDEN) & MASK)
    return state | 1


def _words(item: SupportsIndex | str) -> list[int]:
    """An item as 64-bit words: kind and length, then eight bytes each."""
    if isinstance(item, str):
        kind, data = 2, item.encode()
    else:
        value = _integer(item)
        kind, data = 1, value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return [len(data) << 2 | kind] + [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


def _integer(item: SupportsIndex | str) -> int:
    if isinstance(item, (bool, np.bool_)):
        raise TypeError(f"a seed or stream is made of integers and strings, not of {item!r}")
    try:
        return operator.index(item)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"a seed or stream is made of integers and strings, not of {item!r}") from None


@dataclass(frozen=True, init=False, repr=False)
class Draws:
    """The random numbers of one stream: arrays whose element i is the number at ``counter(step, start + i)``.

    A method called twice returns the same array, and methods of one stream are functions of the same bits: ``fold``
    gives every purpose a stream of its own.

    Parameters
    ----------
    seed : int
        Any integer.
    *stream : int or str
        What the numbers are for.

    Notes
    -----
    Every method that returns an array takes ``shape``, and by keyword ``step`` (default 0) and ``start`` (default 0,
    the flat index of the first element), so that a part of an array can be drawn without the rest.

    Examples
    --------
    >>> draws = Draws(0).fold("layer", 1)
    >>> draws
    Draws(0, 'layer', 1)
    >>> whole = draws.uniform(6)
    >>> bool((draws.uniform(2, start=4) == whole[4:]).all())
    True
    """

    seed: int
    stream: tuple[int | str, ...]

    def __init__(self, seed: SupportsIndex, *stream: SupportsIndex | str):
        object.__setattr__(self, "seed", _integer(seed))
        object.__setattr__(self, "stream", tuple(item if isinstance(item, str) else _integer(item) for item in stream))

    def __repr__(self) -> str:
        return f"Draws({', '.join(map(repr, (self.seed, *self.stream)))})"

    def fold(self, *more: SupportsIndex | str) -> Draws:
        """The stream with a longer path."""
        return Draws(self.seed, *self.stream, *more)

    @cached_property
    def key(self) -> int:
        """The 64-bit key of this stream, for kernels."""
        return key(self.seed, *self.stream)

    @cached_property
    def _low_key(self) -> int:
        """The key of the lower halves of 64-bit words; no path of names leads to it."""
        return _irregular(splitmix64((self.key + GOLDEN) & MASK))

    def bits(self, shape: Shape = (), *, step: int = 0, start: int = 0) -> np.ndarray:
        """Random bits: uint32 [shape]."""
        return self._words(shape, step, start, self.key).astype(np.uint32)

    def uniform(
        self,
        shape: Shape = (),
        low: float = 0.0,
        high: float = 1.0,
        *,
        dtype: DTypeLike = np.float32,
        step: int = 0,
        start: int = 0,
    ) -> np.ndarray:
        """Uniform numbers ``low + (high - low) u`` with u in [0, 1): 24 bits of u in float32, 53 bits in float64.

        Both dtypes read the same leading bits, so they agree to 2^-24; rounding to float32 may give ``high`` itself.
        """
        dtype, low, high = float_dtype(dtype), number("low", low), number("high", high)
        if not low <= high:
            raise ValueError(f"low must not exceed high, not low={low:g} and high={high:g}")
        if dtype == np.float32:
            u = (self._words(shape, step, start, self.key) >> 8) * 2.0**-24
        else:
            u = (self._long(shape, step, start) >> 11) * 2.0**-53
        return (low + (high - low) * u).astype(dtype)

    def normal(
        self,
        shape: Shape = (),
        mean: float = 0.0,
        std: float = 1.0,
        *,
        dtype: DTypeLike = np.float32,
        step: int = 0,
        start: int = 0,
    ) -> np.ndarray:
        """Normal numbers: the inverse of the normal distribution function at 52-bit uniforms, so within 8.2 ``std``."""
        from scipy.special import ndtri  # a fifth of a second that most programs need not spend

        dtype, mean, std = float_dtype(dtype), number("mean", mean), number("std", std, least=0.0)
        u = ((self._long(shape, step, start) >> 12) + 0.5) * 2.0**-52
        return np.asarray(mean + std * ndtri(u)).astype(dtype)

    def integers(self, low: int, high: int, shape: Shape = (), *, step: int = 0, start: int = 0) -> np.ndarray:
        """Integers from ``low`` to ``high - 1``: int64 [shape]; high - low is at most 2^32, the bias below 2^-32."""
        low, high = count("low", low, least=-(1 << 63)), count("high", high, least=-(1 << 63))
        if not 1 <= high - low <= 1 << 32:
            raise ValueError(f"high - low must be from 1 to 2**32, not {high - low} (low={low}, high={high})")
        word = self._long(shape, step, start)
        n = high - low
        # The upper half of the 96-bit product n * word, which NumPy cannot hold in one integer.
        scaled = (n * (word >> 32) + ((n * (word & 0xFFFFFFFF)) >> 32)) >> 32
        return scaled.astype(np.int64) + low

    def permutation(self, n: int) -> np.ndarray:
        """The integers below ``n`` in random order: int64 [n]."""
        return np.argsort(self._long(count("n", n, least=0, most=UNITS), 0, 0), kind="stable")

    def generator(self) -> np.random.Generator:
        """A sequential NumPy generator (Philox) of this stream, for what this class does not offer."""
        return np.random.Generator(np.random.Philox(key=self.key))

    def _words(self, shape: Shape, step: int, start: int, key: int) -> np.ndarray:
        """``squares32`` as uint64 [shape]."""
        shape = shape_of("shape", shape, least=0)
        n = math.prod(shape)
        step, start = count("step", step, least=0), count("start", start, least=0)
        if step >= 1 << 32 or start + n > 1 << 32:
            text = f"not step {step} with {n} numbers from start {start} on"
            raise ValueError(f"a stream has 2**32 steps of 2**32 numbers, {text}")
        affordable(f"{n} random numbers", 32.0 * n)
        units = np.arange(start, start + n, dtype=np.uint64)
        return squares32(counter(step, units), key).reshape(shape)

    def _long(self, shape: Shape, step: int, start: int) -> np.ndarray:
        """Sixty-four random bits as uint64 [shape]: those of this stream, and below them those of a second one."""
        low = self._words(shape, step, start, self._low_key)
        return self._words(shape, step, start, self.key) << 32 | low
