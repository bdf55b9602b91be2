"""One value per synapse: a number, an array, or a distribution to draw from.

A number is stored once. An array [synapses] is in the order of rows (by presynaptic unit, then by target; see
``Rows``). A distribution is drawn from the counter generator at each synapse's target and its number among the synapses
of that target, so that a value does not depend on who is connected to others. Distributions take bounds, and what falls
outside is drawn again, as in Potjans and Diesmann 2014 (doi:10.1093/cercor/bhs358): the result is the distribution cut
at its bounds, not heaped up at them.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..compile.fill import kernel
from ..device.threads import run_threaded
from ..kernels.synapses import values as loops
from ..random import Draws
from ..validate import ascending, count, finite, float_dtype, number, number_in, real
from .rows import Rows
from .rule import Stream

Array = np.ndarray

LEAST = 1e-3
"""Bounds must leave at least this part of a distribution, or drawing again would take long."""


@dataclass(frozen=True)
class Distribution(ABC):
    """Distribution that values are drawn from."""

    loop: ClassVar[str]

    def draw(self, out: Array, draws: Draws, units: Array | None = None, numbers: Array | None = None) -> Array:
        """Fill ``out`` with values: of ``numbers[i]`` of ``units[i]``, or of the first of unit 0, 1, ..."""
        if units is None:
            if len(out) > 1 << 32:
                raise ValueError(f"a stream has 2**32 units, not {len(out)}")
            units = np.arange(len(out), dtype=np.int64)
        numbers = np.zeros(len(out), np.uint32) if numbers is None else numbers
        compiled = _kernel(self.loop)
        keys = np.uint64(draws.key), np.uint64(draws._low_key)
        a, b = self._parameters()
        low, high = self._bounds()
        with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap
            run_threaded(
                lambda lo, hi: compiled(lo, hi, units, numbers, *keys, a, b, low, high, out), len(out), 10 * len(out)
            )
        return out

    @property
    def floor(self) -> float:
        """Lower bound of all values."""
        return self._bounds()[0]

    @abstractmethod
    def _parameters(self) -> tuple[float, float]: ...

    def _bounds(self) -> tuple[float, float]:
        low, high = getattr(self, "low", None), getattr(self, "high", None)
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)

    def _check(self, share: Callable[[float, float], float]) -> None:
        """``ValueError`` unless ``share(low, high)``, what lies within the bounds, is enough."""
        for name in ("low", "high"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, float):
                number(name, value)
        low, high = self._bounds()
        if not low <= high:
            raise ValueError(f"low must not exceed high, not low={low:g} and high={high:g}")
        if not share(low, high) >= LEAST:
            within = f"only {share(low, high):.2g} of its values between low and high"
            raise ValueError(f"{self} has {within}; at least {LEAST:g} are needed")


@dataclass(frozen=True)
class Normal(Distribution):
    """Normal, drawn again outside ``low`` and ``high``.

    Parameters
    ----------
    mean, std : float
        Before the bounds cut.
    low, high : float, optional
        Bounds; both belong to what is allowed.

    Raises
    ------
    ValueError
        If less than a thousandth of the values are within the bounds.

    >>> weight = of(Normal(0.1, 0.01, low=0.0), 10_000, seed=1)
    >>> round(float(weight.mean()), 3), round(float(weight.std()), 3)
    (0.1, 0.01)
    """

    mean: float
    std: float
    low: float | None = None
    high: float | None = None
    loop = "normal"

    def __post_init__(self) -> None:
        mean, std = number("mean", self.mean), number("std", self.std, least=0.0)
        self._check(lambda low, high: _normal_share(low - mean, high - mean, std))

    def _parameters(self) -> tuple[float, float]:
        return float(self.mean), float(self.std)


@dataclass(frozen=True)
class LogNormal(Distribution):
    """The exponential of a normal number: median ``exp(mu)``, mean ``exp(mu + sigma^2 / 2)``.

    Parameters
    ----------
    mu, sigma : float
        Mean and standard deviation of the logarithm.
    low, high : float, optional
        Bounds, outside which values are drawn again.

    >>> weight = of(LogNormal(0.0, 0.5), 10_000, seed=1)
    >>> round(float(np.median(weight)), 1), round(float(weight.mean()), 1)
    (1.0, 1.1)
    """

    mu: float
    sigma: float
    low: float | None = None
    high: float | None = None
    loop = "lognormal"

    def __post_init__(self) -> None:
        mu, sigma = number("mu", self.mu, least=-700.0, most=700.0), number("sigma", self.sigma, least=0.0, most=80.0)
        self._check(lambda low, high: _normal_share(_log(low) - mu, _log(high) - mu, sigma))

    @property
    def floor(self) -> float:
        """Lower bound of all values: ``low``, or 0."""
        return max(0.0, self._bounds()[0])

    def _parameters(self) -> tuple[float, float]:
        return float(self.mu), float(self.sigma)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Uniform between ``low`` and ``high``.

    >>> bool(of(Uniform(0.5, 1.5), 1000).min() >= 0.5)
    True
    """

    low: float
    high: float
    loop = "uniform"

    def __post_init__(self) -> None:
        ascending("low", self.low, "high", self.high)

    def _parameters(self) -> tuple[float, float]:
        return float(self.low), float(self.high)


@dataclass(frozen=True)
class Exponential(Distribution):
    """Density ``exp(-x / mean) / mean`` for x > 0, drawn again outside ``low`` and ``high``.

    >>> round(float(of(Exponential(2.0), 10_000).mean()), 1)
    2.0
    """

    mean: float
    low: float | None = None
    high: float | None = None
    loop = "exponential"

    def __post_init__(self) -> None:
        mean = number("mean", self.mean, above=0.0)
        self._check(lambda low, high: math.exp(-max(low, 0.0) / mean) - math.exp(-max(high, 0.0) / mean))

    @property
    def floor(self) -> float:
        """Lower bound of all values: ``low``, or 0."""
        return max(0.0, self._bounds()[0])

    def _parameters(self) -> tuple[float, float]:
        return float(self.mean), 0.0


def of(
    spec: float | Array | Distribution,
    synapses: int | Rows,
    *,
    seed: int = 0,
    stream: Stream = (),
    dtype: DTypeLike = np.float32,
) -> float | Array:
    """The values of ``synapses`` synapses.

    Parameters
    ----------
    spec : number, array [synapses] or distribution
        An array is in the order of rows.
    synapses : int or Rows
        A number is for as many targets of one synapse each.
    seed, stream : int, and int, str or tuple of these
        What the random numbers depend on.
    dtype : dtype, default float32
        Of the array.

    Returns
    -------
    float or array [synapses]
        A number stays a number. An array is a copy.

    Raises
    ------
    TypeError, ValueError
        If an array is not one finite number per synapse, or ``spec`` is something else.

    >>> of(0.5, 1000)
    0.5
    >>> of([1, 2], 2)
    array([1., 2.], dtype=float32)
    """
    return named("spec", spec, synapses, seed=seed, stream=stream, dtype=dtype)


def named(
    name: str, spec: ArrayLike | Distribution, synapses: int | Rows, *, seed: int = 0, stream: Stream = (),
    dtype: DTypeLike,
) -> float | Array:  # fmt: skip
    """See ``of``; messages call what is given ``name``."""
    dtype, rows = float_dtype(dtype), synapses
    synapses = len(rows) if isinstance(rows, Rows) else count("synapses", rows, least=0)
    draws = Draws(seed, *(stream if isinstance(stream, tuple) else (stream,)))
    if isinstance(spec, Distribution):
        places = (rows.post, rows.numbers()) if isinstance(rows, Rows) else (None, None)
        return spec.draw(np.empty(synapses, dtype), draws, *places)
    if isinstance(spec, (str, bytes)) or not hasattr(spec, "__len__") or not real(f"{name}: values", spec).ndim:
        return number_in(dtype, f"{name}: a value", spec)
    array = np.array(spec)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: values must be numbers, not {array.dtype}")
    if array.shape != (synapses,):
        raise ValueError(f"{name}: values must have shape [{synapses}], one per synapse, not {list(array.shape)}")
    with np.errstate(over="ignore"):
        return finite(f"{name}: values", array.astype(dtype))


def _normal_share(low: float, high: float, std: float) -> float:
    """Share of a normal distribution around 0 between two bounds."""
    if std == 0.0:
        return float(low <= 0.0 <= high)
    low, high = low / (std * math.sqrt(2.0)), high / (std * math.sqrt(2.0))
    return 0.5 * (math.erfc(low) - math.erfc(high)) if low > 0.0 else 0.5 * (math.erf(high) - math.erf(low))


def _log(x: float) -> float:
    return math.log(x) if x > 0.0 else -math.inf


@functools.cache
def _kernel(loop: str) -> Callable:
    return kernel(loops.draw, dtype=np.float64, whole=True, shape=getattr(loops, loop))
