"""Convolution along one axis: what ``Conv2d`` does, on images of one row.

    y[n, o, l] = b[o] + sum_ci x[n, c, l * stride + i * dilation - padding] W[c, i, o]

To convolve over time, see ``TemporalConv``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..random import Draws
from ..validate import UNITS, count
from .conv2d import Conv2d
from .layer import Array, Setting


class Conv1d(Conv2d):
    """Convolution over the last axis, which is one of space, not time.

    Parameters
    ----------
    c_pre, c_post : int
        Channels before and after.
    kernel_size : int
        Length of the window.
    stride : int, default 1
        Distance between windows.
    padding : int, "same" or "valid", default 0
        Places on each side; "same" adds as many as keep the length, an odd one at the end, and needs a stride of 1;
        "valid" is 0.
    dilation : int, default 1
        Distance between the places of a window.
    groups, bias, padding_mode, path, weight, bias_init
        As in ``Conv2d``.

    Notes
    -----
    Input is [T, B, C, L], output [T, B, C', L']. ``params["weight"]`` is [c_pre / groups, kernel_size, c_post],
    presynaptic first; PyTorch's [c_post, c_pre, kernel_size] is ``weight.transpose(2, 0, 1)``.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Conv1d(2, 8, 5, padding="same"), nbsnn.neurons.LIF(), input_shape=(2, 30))
    >>> net["conv1d1"].params["weight"].shape, net.shape
    ((2, 5, 8), (8, 30))
    """

    kind = "conv1d"

    def __init__(
        self,
        c_pre: int,
        c_post: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int | str = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        path: str = "auto",
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        least = {"kernel_size": 1, "stride": 1, "dilation": 1, "padding": 0}
        given = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation, "padding": padding}
        self._given = {
            name: value if isinstance(value, str) else count(name, value, least=least[name], most=UNITS)
            for name, value in given.items()
        }
        row: dict[str, Any] = {
            name: value if isinstance(value, str) else (1 if least[name] else 0, value)
            for name, value in self._given.items()
        }
        more: dict[str, Any] = {"groups": groups, "bias": bias, "padding_mode": padding_mode, "path": path}
        super().__init__(c_pre, c_post, **row, **more, weight=weight, bias_init=bias_init)

    def options(self) -> dict[str, Any]:
        more = {"groups": self.groups, "bias": self.bias, "padding_mode": self.padding_mode, "path": self.path}
        return {"c_pre": self.c_pre, "c_post": self.c_post, **self._given, **more}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 2 or in_shape[0] != self.c_pre:
            raise ValueError(f"{self!r} needs an input of shape [{self.c_pre}, length], but is given {list(in_shape)}")
        self.arrange((self.c_pre, 1, in_shape[1]))
        self.in_shape, self.shape = in_shape, (self.c_post, self.places[1])
        self.draw((self.c_pre // self.groups, self.kernel_size[1], self.c_post), setting, draws)
