"""Transposed convolution along one axis: what ``ConvTranspose2d`` does, on images of one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..random import Draws
from ..validate import UNITS, count
from .conv_transpose2d import ConvTranspose2d
from .layer import Array, Setting


class ConvTranspose1d(ConvTranspose2d):
    """Transposed convolution over the last axis, which is one of space, not time.

    Parameters
    ----------
    c_pre, c_post : int
        Channels before and after.
    kernel_size : int
        Length of the window.
    stride : int, default 1
        Distance between the windows that neighbouring places of the input write.
    padding : int, default 0
        What is cut off from the output on each side.
    output_padding : int, default 0
        What is added to the output at its end; less than stride or dilation.
    dilation : int, default 1
        Distance between the places of a window.
    groups, bias, weight, bias_init
        As in ``ConvTranspose2d``.

    Notes
    -----
    Input is [T, B, C, L], output [T, B, C', L']. ``params["weight"]`` is [c_pre, kernel_size, c_post / groups];
    PyTorch's [c_pre, c_post / groups, kernel_size] is ``weight.transpose(0, 2, 1)``.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.Sequential(nbsnn.ConvTranspose1d(8, 2, 4, stride=2, padding=1), input_shape=(8, 15)).shape
    (2, 30)
    """

    kind = "convtranspose1d"

    def __init__(
        self,
        c_pre: int,
        c_post: int,
        kernel_size: int,
        *,
        stride: int = 1,
        padding: int = 0,
        output_padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        least = {"kernel_size": 1, "stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "output_padding": output_padding}
        given["dilation"] = dilation
        self._given = {name: count(name, value, least=least[name], most=UNITS) for name, value in given.items()}
        row: dict[str, Any] = {name: (least[name], value) for name, value in self._given.items()}
        super().__init__(c_pre, c_post, **row, groups=groups, bias=bias, weight=weight, bias_init=bias_init)

    def options(self) -> dict[str, Any]:
        return {"c_pre": self.c_pre, "c_post": self.c_post, **self._given, "groups": self.groups, "bias": self.bias}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 2 or in_shape[0] != self.c_pre:
            raise ValueError(f"{self!r} needs an input of shape [{self.c_pre}, length], but is given {list(in_shape)}")
        self.in_shape, self.shape = in_shape, (self.c_post, self.arrange((1, in_shape[1]))[1])
        self.draw((self.c_pre, self.kernel_size[1], self.c_post // self.groups), setting, draws)
