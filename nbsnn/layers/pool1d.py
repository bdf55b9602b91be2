"""Pooling along one axis: what ``pool2d`` does, on images of one row."""

from __future__ import annotations

from typing import Any

from ..random import Draws
from ..validate import UNITS, count
from .layer import Setting
from .pool2d import AvgPool2d, MaxPool2d, Pool2d, SumPool2d


class Pool1d(Pool2d):
    """Base of the pooling layers over one axis; see ``SumPool1d``, ``AvgPool1d`` and ``MaxPool1d``."""

    def _row(self, kernel_size: int, stride: int | None, padding: int, **more: int) -> dict[str, Any]:
        """Sizes by name, as those of images of one row."""
        stride = kernel_size if stride is None else stride
        given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, **more}
        least = {name: int(name != "padding") for name in given}
        self._given = {name: count(name, n, least=least[name], most=UNITS) for name, n in given.items()}
        return {name: (least[name], n) for name, n in self._given.items()}

    def options(self) -> dict[str, Any]:
        return {**super().options(), **self._given}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 2:
            raise ValueError(f"{self!r} needs an input of shape [channels, length], not {list(in_shape)}")
        self.arrange((in_shape[0], 1, in_shape[1]))
        self.in_shape, self.shape = in_shape, (in_shape[0], self.places[1])
        self.settle(setting)


class SumPool1d(Pool1d, SumPool2d):
    """Sum over each window of the last axis, which is one of space, not time.

    Parameters
    ----------
    kernel_size : int
        Length of the window.
    stride : int, optional
        Distance between windows; by default they lie side by side.
    padding : int, default 0
        Zeros on each side, at most half a window.
    ceil_mode : bool, default False
        As in ``SumPool2d``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.SumPool1d(2), input_shape=(1, 4))
    >>> net.run(np.arange(4.0).reshape(1, 1, 1, 4)).output
    array([[[[1., 5.]]]], dtype=float32)
    """

    kind = "sumpool1d"

    def __init__(self, kernel_size: int, stride: int | None = None, padding: int = 0, *, ceil_mode: bool = False):
        super().__init__(**self._row(kernel_size, stride, padding), ceil_mode=ceil_mode)


class AvgPool1d(Pool1d, AvgPool2d):
    """Mean over each window of the last axis, which is one of space, not time.

    Parameters
    ----------
    kernel_size, stride, padding
        As in ``SumPool1d``.
    ceil_mode, count_include_pad, divisor_override
        As in ``AvgPool2d``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.AvgPool1d(2), input_shape=(1, 4))
    >>> net.run(np.arange(4.0).reshape(1, 1, 1, 4)).output
    array([[[[0.5, 2.5]]]], dtype=float32)
    """

    kind = "avgpool1d"

    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        *,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        more: dict[str, Any] = {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
        super().__init__(**self._row(kernel_size, stride, padding), ceil_mode=ceil_mode, **more)


class MaxPool1d(Pool1d, MaxPool2d):
    """Largest of each window of the last axis, which is one of space, not time; the gradient goes to the first one.

    Parameters
    ----------
    kernel_size, stride
        As in ``SumPool1d``.
    padding : int, default 0
        Places on each side that are never the largest, at most half a window.
    dilation : int, default 1
        Distance between the places of a window.
    ceil_mode : bool, default False
        As in ``SumPool2d``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.MaxPool1d(2), input_shape=(1, 4))
    >>> net.run(np.arange(4.0).reshape(1, 1, 1, 4)).output
    array([[[[1., 3.]]]], dtype=float32)
    """

    kind = "maxpool1d"

    def __init__(
        self,
        kernel_size: int,
        stride: int | None = None,
        padding: int = 0,
        *,
        dilation: int = 1,
        ceil_mode: bool = False,
    ):
        super().__init__(**self._row(kernel_size, stride, padding, dilation=dilation), ceil_mode=ceil_mode)
