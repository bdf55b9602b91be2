"""Connections whose weights are whole numbers of a power of two when they are used, and inputs that are made such.

    W' = round(2^f W) 2^-f,    f the largest for which all of round(2^f W) have ``bits`` bits, with the sign

and the bias is rounded to the same 2^-f. Gradients are those without rounding (straight-through; Bengio et al. 2013,
arXiv:1308.3432).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..random import Draws
from ..validate import choice, count
from .conv2d import Conv2d
from .dense import Dense
from .layer import Array, Nested, Setting
from .padding import Pair
from .stateless import Stateless


class Quantized:
    """What connections with rounded weights have in common."""

    params: dict[str, Array]
    bits: int
    setting: Setting

    @property
    def fraction(self) -> int:
        """How many bits of a weight come after the point, f."""
        largest, most = float(np.abs(self.params["weight"]).max()), 2 ** (self.bits - 1) - 1
        return min(math.floor(math.log2(most / largest)), 126 - self.bits) if largest > 0.0 else 0

    def integers(self, name: str) -> Array:
        """The parameter "weight" or "bias" as whole numbers of 2^-fraction, int64."""
        return np.rint(
            np.ldexp(self.params[choice("name", name, tuple(self.params))].astype(np.float64), self.fraction)
        ).astype(np.int64)

    def _rounded(self, name: str) -> Array:
        """The parameter as it is used."""
        if self.setting.smooth:
            return self.params[name]
        return np.ldexp(self.integers(name).astype(self.setting.dtype), -self.fraction)


class QuantDense(Quantized, Dense):
    """Dense connection with rounded weights.

    Parameters
    ----------
    n_pre, n_post : int
        Units before and after.
    bits : int, default 8
        Bits of a weight with its sign, from 2 to 24.
    bias, path, weight, bias_init
        As of ``Dense``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.QuantDense(64, 10, bits=4), nbsnn.neurons.LIF(), seed=0)
    >>> len(np.unique(net["quantdense1"].integers("weight"))) <= 15
    True
    """

    kind = "quantdense"
    devices = ("cpu", "python")

    def __init__(
        self, n_pre: int, n_post: int, *, bits: int = 8, bias: bool = True, path: str = "auto",
        weight: Callable[..., Array] | None = None, bias_init: Callable[..., Array] | None = None,
    ):  # fmt: skip
        super().__init__(n_pre, n_post, bias=bias, path=path, weight=weight, bias_init=bias_init)
        self.bits = count("bits", bits, least=2, most=24)

    def __repr__(self) -> str:
        return f"Quant{super().__repr__()[:-1]}, bits={self.bits})"

    def options(self) -> dict[str, Any]:
        return {**super().options(), "bits": self.bits}

    @property
    def matrix(self) -> Array:
        return self._rounded("weight")

    @property
    def offset(self) -> Array | None:
        return self._rounded("bias") if self.bias else None


class QuantConv2d(Quantized, Conv2d):
    """Convolution with rounded weights.

    Parameters
    ----------
    c_pre, c_post, kernel_size, stride, padding, dilation, groups, bias, padding_mode, path, weight, bias_init
        As of ``Conv2d``.
    bits : int, default 8
        Bits of a weight with its sign, from 2 to 24.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.QuantConv2d(1, 8, 3), nbsnn.neurons.LIF(), input_shape=(1, 8, 8), seed=0)
    >>> int(abs(net["quantconv2d1"].integers("weight")).max()) <= 127
    True
    """

    kind = "quantconv2d"
    devices = ("cpu", "python")

    def __init__(
        self, c_pre: int, c_post: int, kernel_size: Pair, *, stride: Pair = 1, padding: Pair | str = 0,
        dilation: Pair = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", path: str = "auto",
        weight: Callable[..., Array] | None = None, bias_init: Callable[..., Array] | None = None, bits: int = 8,
    ):  # fmt: skip
        super().__init__(
            c_pre, c_post, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias,
            padding_mode=padding_mode, path=path, weight=weight, bias_init=bias_init,
        )  # fmt: skip
        self.bits = count("bits", bits, least=2, most=24)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, bits={self.bits})"

    def options(self) -> dict[str, Any]:
        return {**super().options(), "bits": self.bits}

    @property
    def matrix(self) -> Array:
        return self._rounded("weight").reshape(self.fan_in, self.groups, -1).transpose(1, 0, 2)

    @property
    def offset(self) -> Array | None:
        return self._rounded("bias") if self.bias else None


class Rounded(Stateless):
    """Input rounded to whole numbers of 2^-fraction of some bits, with the sign; what is too large is clipped.

    Parameters
    ----------
    bits : int, default 8
        At least 2.
    fraction : int, default 7
        How many of them come after the point; 0 rounds to integers.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Rounded(bits=4, fraction=2), input_shape=3)
    >>> net.run(np.array([[[0.3, -9.0, 9.0]]])).output.ravel()
    array([ 0.25, -2.  ,  1.75], dtype=float32)
    """

    kind = "rounded"

    def __init__(self, bits: int = 8, fraction: int = 7):
        super().__init__()
        self.bits, self.fraction = count("bits", bits, least=2, most=24), count("fraction", fraction, least=0, most=32)

    def __repr__(self) -> str:
        return f"Rounded(bits={self.bits}, fraction={self.fraction})"

    def options(self) -> dict[str, Any]:
        return {"bits": self.bits, "fraction": self.fraction}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def _integers(self, x: Array) -> Array:
        """``x`` as whole numbers of 2^-fraction, int64."""
        half = 2.0 ** (self.bits - 1)
        return np.rint(np.clip(np.ldexp(x.astype(np.float64), self.fraction), -half, half - 1.0)).astype(np.int64)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        many, half = 2.0**self.fraction, 2.0 ** (self.bits - 1)
        tape["within"] = (x * many >= -half) & (x * many <= half - 1.0)
        if self.setting.smooth:
            return np.clip(x, -half / many, (half - 1.0) / many).astype(self.setting.dtype)
        return np.ldexp(self._integers(x).astype(self.setting.dtype), -self.fraction)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy * tape["within"] if wanted else None
