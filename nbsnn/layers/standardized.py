"""Weight standardisation: each output's weights have mean 0 and a fixed size when they are used, and a trained gain.

    w' = gain (w - m) / sqrt(F v + eps),    m, v = mean and unbiased variance of the F weights of an output

so that the norm of w' is near gain, whatever w is. In reverse, with c = w - m, r = 1 / sqrt(F v + eps) and the gradient
g of w':  dgain = r sum(g c),  dc = gain (r g - r^3 F / (F - 1) c sum(g c)),  dw = dc - mean(dc).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ..random import Draws
from ..validate import scale, switch
from .conv2d import Conv2d
from .dense import Dense
from .layer import Array, Nested, Setting
from .padding import Pair

T = TypeVar("T", Dense, Conv2d)


class Standardized:
    """What standardised connections have in common."""

    params: dict[str, Array]
    gain: bool
    eps: float

    def standardized(self) -> Array:
        """The weights that are used, in the shape of ``params["weight"]``."""
        c, r, gain = self._parts()
        return (gain * c * r).reshape(self.params["weight"].shape).astype(self.params["weight"].dtype)

    def _parts(self) -> tuple[Array, Array, Array]:
        """The weights less their means, [F, outputs], the inverse of their size, and the gain, [outputs]."""
        w = self.params["weight"].reshape(-1, self.params["weight"].shape[-1]).astype(np.float64)
        c = w - w.mean(axis=0)
        r = 1.0 / np.sqrt(len(w) / (len(w) - 1) * np.square(c).sum(axis=0) + self.eps)
        return c, r, self.params["gain"].astype(np.float64) if self.gain else np.ones(w.shape[1])

    def _make_gain(self) -> None:
        """Add the gain to the parameters, before they settle."""
        if self.params["weight"].size == self.params["weight"].shape[-1]:
            raise ValueError(f"{self!r}: the one weight of an output has no variance to be divided by")
        if self.gain:
            self.params["gain"] = np.ones(self.params["weight"].shape[-1], self.params["weight"].dtype)

    def _spread(self, given: Array, grads: Nested) -> None:
        """Add the gradients of weights and gain, given that of the standardised weights."""
        g, (c, r, gain) = given.reshape(-1, given.shape[-1]).astype(np.float64), self._parts()
        both = (g * c).sum(axis=0)
        if self.gain:
            grads["gain"] += (r * both).astype(given.dtype)
        gc = gain * (r * g - r**3 * len(c) / (len(c) - 1) * c * both)
        grads["weight"] += (gc - gc.mean(axis=0)).reshape(given.shape).astype(given.dtype)


class WSDense(Standardized, Dense):
    """Dense connection with standardised weights.

    Parameters
    ----------
    n_pre, n_post : int
        Units before and after.
    bias : bool, default True
        Whether there is a bias.
    gain : bool, default True
        Whether each output has a trained factor, which starts at 1.
    eps : float, default 1e-4
        Added to the sum of squares that is divided by.
    weight, bias_init : optional
        Initialisers, as of ``Dense``.

    References
    ----------
    S. Qiao and others (2019), Micro-batch training with weight standardization, arXiv:1903.10520; as in SpikingJelly.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.WSDense(50, 10), nbsnn.neurons.LIF(), seed=0)
    >>> norms = np.linalg.norm(net["wsdense1"].standardized(), axis=0)
    >>> bool((abs(norms - 1.0) < 0.02).all())
    True
    """

    kind = "wsdense"
    devices = ("cpu", "python")

    def __init__(
        self, n_pre: int, n_post: int, *, bias: bool = True, gain: bool = True, eps: float = 1e-4,
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):  # fmt: skip
        super().__init__(n_pre, n_post, bias=bias, weight=weight, bias_init=bias_init)
        self.gain, self.eps = switch("gain", gain), scale("eps", eps)

    def __repr__(self) -> str:
        return f"WSDense({self.in_shape[0]}, {self.shape[0]}{_said(self.options())})"

    def options(self) -> dict[str, Any]:
        sizes = {"n_pre": self.in_shape[0], "n_post": self.shape[0]}
        return {**sizes, "bias": self.bias, "gain": self.gain, "eps": self.eps}

    def settle(self, setting: Setting) -> None:
        if "weight" in self.params and "gain" not in self.params:
            self._make_gain()
        super().settle(setting)

    @property
    def matrix(self) -> Array:
        return self.standardized()

    def accumulate(self, gy: Array, tape: Nested, grads: Nested) -> None:
        own = {**grads, "weight": np.zeros_like(grads["weight"])}
        super().accumulate(gy, tape, own)
        self._spread(own["weight"], grads)

    def plain(self) -> Dense:
        """A connection that computes the same, with weights that are fixed."""
        return _plain(self, Dense(*self.in_shape, *self.shape, bias=self.bias))


class WSConv2d(Standardized, Conv2d):
    """Convolution with standardised weights.

    Parameters
    ----------
    c_pre, c_post, kernel_size, stride, padding, dilation, groups, bias, padding_mode, path
        As of ``Conv2d``.
    gain : bool, default True
        Whether each output channel has a trained factor, which starts at 1.
    eps : float, default 1e-4
        Added to the sum of squares that is divided by.
    weight, bias_init : optional
        Initialisers, as of ``Conv2d``.

    References
    ----------
    S. Qiao and others (2019), Micro-batch training with weight standardization, arXiv:1903.10520; as in SpikingJelly,
    whose layer pads zeros whatever ``padding_mode`` is.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.WSConv2d(1, 4, 3), nbsnn.neurons.LIF(), input_shape=(1, 8, 8))
    >>> sorted(net["wsconv2d1"].params)
    ['bias', 'gain', 'weight']
    """

    kind = "wsconv2d"
    devices = ("cpu", "python")

    def __init__(
        self, c_pre: int, c_post: int, kernel_size: Pair, *, stride: Pair = 1, padding: Pair | str = 0,
        dilation: Pair = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", path: str = "auto",
        gain: bool = True, eps: float = 1e-4, weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):  # fmt: skip
        super().__init__(
            c_pre, c_post, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups, bias=bias,
            padding_mode=padding_mode, path=path, weight=weight, bias_init=bias_init,
        )  # fmt: skip
        self.gain, self.eps = switch("gain", gain), scale("eps", eps)

    def __repr__(self) -> str:
        return super().__repr__()[:-1] + _said({**self.options(), "bias": True}) + ")"

    def options(self) -> dict[str, Any]:
        return {**super().options(), "gain": self.gain, "eps": self.eps}

    def settle(self, setting: Setting) -> None:
        if "weight" in self.params and "gain" not in self.params:
            self._make_gain()
        super().settle(setting)

    @property
    def matrix(self) -> Array:
        return self.standardized().reshape(self.fan_in, self.groups, -1).transpose(1, 0, 2)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        own = {**grads, "weight": np.zeros_like(grads["weight"])}
        gx = super().reverse(gy, tape, own, wanted)
        self._spread(own["weight"], grads)
        return gx

    def plain(self) -> Conv2d:
        """A connection that computes the same, with weights that are fixed."""
        return _plain(self, Conv2d(**super().options()))


def _plain(layer: WSDense | WSConv2d, made: T) -> T:
    """``made`` with the weights and bias of a standardised connection."""
    made.build(layer.in_shape, layer.setting, Draws(0))
    for name in made.params:
        made.params[name] = layer.standardized() if name == "weight" else layer.params[name]
    return made


def _said(options: dict[str, Any]) -> str:
    """Options that are not the usual ones."""
    usual = {"bias": True, "gain": True, "eps": 1e-4}
    return "".join(f", {name}={options[name]!r}" for name, value in usual.items() if options[name] != value)
