"""Base of the encoders: rules that turn samples into a network's input, spikes or currents over time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..device import gpu
from ..random import Draws
from ..validate import UNITS, affordable, count, finite, float_dtype, real


@dataclass(frozen=True, repr=False)
class Encoder(ABC):
    """A callable ``encoder(x, draws=None) -> [T, B, ...]``.

    Parameters
    ----------
    T : int
        Number of time steps.
    dtype : dtype
        Of the result: float32 (default) or float64. Times and probabilities are computed in float64 whatever it is,
        so both dtypes give the same spikes.

    Examples
    --------
    An encoder of your own is a subclass that can be called:

    >>> from dataclasses import dataclass
    >>> import numpy as np, nbsnn
    >>> @dataclass(frozen=True, repr=False)
    ... class Pulse(nbsnn.encode.Encoder):
    ...     def __call__(self, x, draws=None):
    ...         out = np.zeros((self.T, *x.shape), self.dtype)
    ...         out[0] = x
    ...         return out
    >>> Pulse(T=3)(np.ones((1, 2))).tolist()
    [[[1.0, 1.0]], [[0.0, 0.0]], [[0.0, 0.0]]]
    """

    T: int
    dtype: Any = field(default=np.float32, kw_only=True)

    random: ClassVar[bool] = False
    """True if a call needs ``draws``, and gives other spikes with other draws."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "T", count("T", self.T, most=UNITS))
        object.__setattr__(self, "dtype", float_dtype(self.dtype))

    def __repr__(self) -> str:
        shown = [f for f in fields(self) if f.name != "dtype"]
        text = [f"{f.name}={getattr(self, f.name)!r}" for f in shown]
        if self.dtype != np.float32:
            text.append(f"dtype={self.dtype.name!r}")
        return f"{type(self).__name__}({', '.join(text)})"

    @abstractmethod
    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Encode samples ``x`` [B, N...]."""

    @property
    def static(self) -> bool:
        """True if the result is the same at all steps."""
        return False

    def on_gpu(self, x: np.ndarray, draws: Draws | None = None) -> Any:
        """Encode on the GPU, where the result stays; one number per value is transferred.

        Parameters
        ----------
        x : array [B, N...]
            Samples, not on the GPU.
        draws : Draws, optional
            As for a call; the spikes are those of the call bit for bit.

        Returns
        -------
        array on the GPU
            [T, B, ...], or [1, B, ...] if the encoder is ``static``: one step that stands for T of them.

        Raises
        ------
        nbsnn.device.cuda_setup.NoGPU
            If there is no GPU that can be used.
        TypeError, ValueError
            As for a call.
        """
        return gpu.put(self(x, draws))  # of an encoder that knows no better: the spikes travel


def samples(encoder: Encoder, x: ArrayLike, *, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Samples [B, N...] as float64, checked: real numbers, finite, and within [low, high] where these are given."""
    name = type(encoder).__name__
    x = real(f"encode.{name}: x", x)
    if x.ndim < 2 or x.size == 0:
        raise ValueError(f"encode.{name}: x must have shape [B, N...] and not be empty, not shape {list(x.shape)}")
    x = finite(f"encode.{name}: x", x.astype(np.float64))
    least, most = x.min(), x.max()
    if (low is not None and least < low) or (high is not None and most > high):
        allowed = f"from {low:g} to {high:g}" if high is not None else f"at least {low:g}"
        raise ValueError(f"encode.{name}: x must be {allowed}, but it spans {least:g} to {most:g}; rescale it")
    return x


def room(T: int, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """An array [T, *shape] to be filled."""
    affordable(f"T = {T} steps of {math.prod(shape)} values", T * math.prod(shape) * np.dtype(dtype).itemsize)
    return np.empty((T, *shape), dtype)


def first_spikes(times: np.ndarray, T: int, dtype: DTypeLike) -> np.ndarray:
    """Spikes [T, ...] with one spike per element of ``times`` [...], at that step; none where it is T or more."""
    spikes = room(T, times.shape, dtype)
    spikes[...] = 0.0
    flat = times.reshape(-1)
    unit = np.flatnonzero(flat < T)
    spikes.reshape(T, -1)[flat[unit], unit] = 1.0
    return spikes
