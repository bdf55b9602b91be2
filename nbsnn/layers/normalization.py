"""Normalisation: numbers that belong together get mean 0 and variance 1, and then a weight and a bias.

    m = mean(x),   v = mean((x - m)^2),   r = 1 / sqrt(v + eps)
    z = r (x - m),   y = weight z + bias

    h = weight dy
    dx = r (h - mean(h) - z mean(h z)),   or r h where m and v are constants
    dweight = sum(dy z),   dbias = sum(dy)

Layers differ in which numbers belong together: see ``BatchNorm``, ``LayerNorm``, ``GroupNorm``, ``InstanceNorm``. Sums
are made in float64.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..random import Draws
from ..validate import scale, switch
from .layer import Array, Nested, Setting, buffer
from .stateless import Stateless


class Moments(NamedTuple):
    """The view of an input, its mean and 1 / deviation, whether these are its own, not constants, and the mean and the
    variance that running statistics will move towards, if they do."""

    x: Array
    mean: Array
    scale: Array
    own: bool
    new: tuple[Array, Array] | None

    def centred(self, dtype: Any) -> Array:
        """x - m"""
        return self.x - self.mean.astype(dtype)


class Normalization(Stateless):
    """Base of the layers that normalise.

    Attributes
    ----------
    averaged : tuple of int
        Axes of ``_view`` along which numbers belong together.
    factors : tuple of int
        Shape of weight and bias beside ``_view``.
    usual : dict
        Options by default, which are not shown.
    """

    kind, connects = "normalization", False
    averaged: tuple[int, ...] = ()
    factors: tuple[int, ...] = ()
    usual: ClassVar[dict[str, Any]] = {"eps": 1e-5, "affine": True, "bias": True}

    def __init__(self, eps: float, affine: bool, bias: bool):
        super().__init__()
        self.eps, self.affine = scale("eps", eps), switch("affine", affine)
        self.bias = switch("bias", bias)

    def __repr__(self) -> str:
        said = [f"{k}={v!r}" for k, v in self.options().items() if k not in self.usual or v != self.usual[k]]
        return f"{type(self).__name__}({', '.join(said)})"

    def _make(self, shape: tuple[int, ...], setting: Setting, weight: float = 1.0) -> None:
        """Make weight and bias, of this shape."""
        self.params = {"weight": np.full(shape, weight, setting.dtype)} if self.affine else {}
        if self.affine and self.bias:
            self.params["bias"] = np.zeros(shape, setting.dtype)

    def _view(self, x: Array) -> Array:
        """``x`` [T, B, ...] with axes such as ``averaged`` means."""
        raise NotImplementedError

    def _moments(self, x: Array, tape: Nested, draws: Draws | None) -> tuple[Array, Array | None]:
        """Mean of the view ``x``, and the variance if it is not that of ``x``."""
        return self._mean(x), None

    def _mean(self, x: Array) -> Array:
        """Mean of a view over what belongs together."""
        return x.mean(axis=self.averaged, dtype=np.float64, keepdims=True)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = buffer(tape, "y", x.shape, self.setting.dtype)
        x, z = self._view(x), self._view(y)
        m, v = self._moments(x, tape, draws)
        own = v is None
        if v is None:
            v = self._variance(x, m)
        tape["moments"] = Moments(x, m, 1.0 / np.sqrt(v + self.eps), own, self._seen(x, m, v, tape, draws))
        self._map(x, z, tape)
        return y

    def _variance(self, x: Array, m: Array) -> Array:
        """The mean square of a view's distance from its mean."""
        return self._mean(np.square(x - m.astype(x.dtype)))

    def _map(self, x: Array, y: Array, tape: Nested) -> None:
        """Fill the view ``y``."""
        moments: Moments = tape["moments"]
        scale = moments.scale
        np.subtract(x, moments.mean.astype(x.dtype), out=y)
        y *= (scale * self._beside("weight", tape)).astype(y.dtype) if self.affine else scale.astype(y.dtype)
        if self.affine and self.bias:
            y += self._beside("bias", tape)

    def _seen(self, x: Array, m: Array, v: Array, tape: Nested, draws: Draws | None) -> tuple[Array, Array] | None:
        """Mean and variance for running statistics, of layers that keep such."""

    def _beside(self, name: str, tape: Nested) -> Array:
        """A parameter, shaped to stand beside a view."""
        return self.params[name].reshape(self.factors)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        moments: Moments = tape["moments"]
        g, z = self._view(gy), moments.centred(gy.dtype)
        z *= moments.scale.astype(gy.dtype)
        if self.affine:
            self.accumulate(g * z, grads["weight"], tape)
            if self.bias:
                self.accumulate(g, grads["bias"], tape)
        if not wanted:
            return None
        gx = buffer(tape, "gx", gy.shape, self.setting.dtype)
        h = self._view(gx)
        np.multiply(g, self._beside("weight", tape) if self.affine else 1.0, out=h)
        if moments.own:
            mean, along = self._mean(h), self._mean(h * z)
            h -= mean.astype(gy.dtype)
            h -= np.multiply(z, along.astype(gy.dtype), out=z)
        h *= moments.scale.astype(gy.dtype)
        return gx

    def accumulate(self, terms: Array, total: Array, tape: Nested) -> None:
        """Add terms, shaped as a view, to the gradient of a parameter."""
        shape = (1,) * (terms.ndim - len(self.factors)) + self.factors
        alone = tuple(axis for axis, n in enumerate(shape) if n == 1)
        total += terms.sum(axis=alone, dtype=np.float64).reshape(total.shape)

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        raise NotImplementedError(
            f"{self!r}: what is normalised has no trace, which OTTT multiplies errors with: use BPTT or SLTT"
        )

    def tape_bytes(self, steps: int, batch: int) -> int:
        """What is kept, y, is as large as x; the backward pass adds dx and two temporaries."""
        return 4 * math.prod(self.in_shape) * steps * batch * self.setting.dtype.itemsize

    def options(self) -> dict[str, Any]:
        return {"eps": self.eps, "affine": self.affine, "bias": self.bias}
