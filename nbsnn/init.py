"""Weight initialisers: how large the weights are before training.

    kaiming   std = gain / sqrt(fan_in),      gain = sqrt(2 / (1 + a^2))       keeps the variance of rectified activity
    xavier    std = gain sqrt(2 / (fan_in + fan_out))              a compromise between activity and gradient

The uniform forms have the same standard deviation: ``U(-b, b)`` with ``b = sqrt(3) std``.

An initialiser is called as ``init(shape, fan_in, fan_out, draws, dtype)``; weights are [n_pre, n_post] in memory, and
the fans are given because a shape alone does not tell them (convolution).

References: He et al. (2015), arXiv:1502.01852; Glorot and Bengio (2010), PMLR 9:249-256.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from .random import Draws
from .validate import ascending, count, float_dtype, number


class Initializer(Protocol):
    """Interface of the initialisers: a callable that makes an array of parameters.

    Examples
    --------
    An initialiser of your own is a function of the same arguments:

    >>> import numpy as np, nbsnn
    >>> def halves(shape, fan_in, fan_out, draws, dtype=np.float32):
    ...     return np.full(shape, 0.5, dtype)
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2, weight=halves))
    >>> net["dense1"].params["weight"].sum()
    np.float32(3.0)
    """

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``; a post-unit sums ``fan_in`` inputs and a pre-unit reaches ``fan_out`` outputs."""
        ...


def _uniform(shape: tuple[int, ...], std: float, draws: Draws, dtype: DTypeLike) -> np.ndarray:
    bound = math.sqrt(3.0) * std
    return _checked(draws).uniform(shape, -bound, bound, dtype=dtype)


def _normal(shape: tuple[int, ...], std: float, draws: Draws, dtype: DTypeLike) -> np.ndarray:
    return _checked(draws).normal(shape, 0.0, std, dtype=dtype)


def _checked(draws: object) -> Draws:
    if not isinstance(draws, Draws):
        raise TypeError(f"draws must be nbsnn.random.Draws(seed), not {draws!r}")
    return draws


def _kaiming_std(a: float, fan_in: int) -> float:
    return math.sqrt(2.0 / ((1.0 + a * a) * count("fan_in", fan_in)))


def _xavier_std(gain: float, fan_in: int, fan_out: int) -> float:
    return gain * math.sqrt(2.0 / (count("fan_in", fan_in) + count("fan_out", fan_out)))


@dataclass(frozen=True)
class kaiming_uniform:
    """``U(-b, b)`` with ``b = sqrt(6 / ((1 + a^2) fan_in))``; by default ``b = 1 / sqrt(fan_in)``.

    Parameters
    ----------
    a : float, default sqrt(5)
        Slope of the rectifier's negative side. The default is PyTorch's for linear layers and convolutions.

    Examples
    --------
    >>> weight = kaiming_uniform()((100, 50), 100, 50, Draws(0))
    >>> weight.shape, bool(abs(weight).max() <= 0.1)
    ((100, 50), True)
    """

    a: float = math.sqrt(5.0)

    def __post_init__(self) -> None:
        number("a", self.a)

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``."""
        return _uniform(shape, _kaiming_std(self.a, fan_in), draws, dtype)


@dataclass(frozen=True)
class kaiming_normal:
    """Normal with mean 0 and ``std = sqrt(2 / ((1 + a^2) fan_in))``.

    Parameters
    ----------
    a : float, default 0.0
        Slope of the rectifier's negative side.

    Examples
    --------
    >>> round(float(kaiming_normal()((200, 200), 200, 200, Draws(0)).std()), 2)
    0.1
    """

    a: float = 0.0

    def __post_init__(self) -> None:
        number("a", self.a)

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``."""
        return _normal(shape, _kaiming_std(self.a, fan_in), draws, dtype)


@dataclass(frozen=True)
class xavier_uniform:
    """``U(-b, b)`` with ``b = gain sqrt(6 / (fan_in + fan_out))``.

    Parameters
    ----------
    gain : float, default 1.0

    Examples
    --------
    >>> bool(abs(xavier_uniform()((300, 300), 300, 300, Draws(0))).max() <= 0.1)
    True
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        number("gain", self.gain, above=0.0)

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``."""
        return _uniform(shape, _xavier_std(self.gain, fan_in, fan_out), draws, dtype)


@dataclass(frozen=True)
class xavier_normal:
    """Normal with mean 0 and ``std = gain sqrt(2 / (fan_in + fan_out))``.

    Parameters
    ----------
    gain : float, default 1.0

    Examples
    --------
    >>> round(float(xavier_normal()((100, 100), 100, 100, Draws(0)).std()), 2)
    0.1
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        number("gain", self.gain, above=0.0)

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``."""
        return _normal(shape, _xavier_std(self.gain, fan_in, fan_out), draws, dtype)


@dataclass(frozen=True)
class uniform:
    """Uniform between ``low`` and ``high``.

    Parameters
    ----------
    low, high : float, default 0.0, 1.0

    Examples
    --------
    >>> uniform(0.0, 0.5)
    uniform(low=0.0, high=0.5)
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        ascending("low", self.low, "high", self.high)

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``."""
        return _checked(draws).uniform(shape, self.low, self.high, dtype=dtype)


@dataclass(frozen=True)
class normal:
    """Normal with ``mean`` and standard deviation ``std``.

    Parameters
    ----------
    mean : float, default 0.0
    std : float, default 1.0

    Examples
    --------
    >>> normal(std=0.1)
    normal(mean=0.0, std=0.1)
    """

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        number("mean", self.mean)
        number("std", self.std, least=0.0)

    def __call__(
        self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike = np.float32
    ) -> np.ndarray:
        """Weights of ``shape``."""
        return _checked(draws).normal(shape, self.mean, self.std, dtype=dtype)


@dataclass(frozen=True)
class constant:
    """Every weight equal to ``value``.

    Parameters
    ----------
    value : float, default 0.0

    Examples
    --------
    >>> constant(0.5)((1, 3), 1, 3)
    array([[0.5, 0.5, 0.5]], dtype=float32)
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        number("value", self.value)

    def __call__(
        self,
        shape: tuple[int, ...],
        fan_in: int,
        fan_out: int,
        draws: Draws | None = None,
        dtype: DTypeLike = np.float32,
    ) -> np.ndarray:
        """Weights of ``shape``; ``draws`` is not used."""
        return np.full(shape, self.value, float_dtype(dtype))
