"""A convolution of images as a matrix product whose factors are looked up where they lie: no patches are stored.

What fills the holes of ``products.tiles``, for images x [N, C, H, W], outputs y [N, C', H' W'] and weights
W [C KH KW, C'], forward and for both gradients. All sizes are constants, so that no division is left.

The CPU lays patches out and multiplies them with BLAS: see ``products.patches``.
"""

from typing import Any

import numpy as np

C, O, H, W, OH, OW = 1, 1, 1, 1, 1, 1  # channels before and after, sizes of images before and after  # noqa: E741
KH, KW, SH, SW, DH, DW, PH, PW = 1, 1, 1, 1, 1, 1, 0, 0  # window, stride, dilation, padding before


def seen(x: np.ndarray, r: int, k: int) -> Any:
    """Input of weight k = (c, i, j) at place r = (n, h, w) of the output."""
    h = r // OW % OH * SH + k // KW % KH * DH - PH
    w = r % OW * SW + k % KW * DW - PW
    return x[r // (OH * OW), k // (KH * KW), h, w] if h >= 0 and h < H and w >= 0 and w < W else 0.0


def seen_across(x: np.ndarray, k: int, r: int) -> Any:
    """The transpose of ``seen``."""
    return seen(x, r, k)


def place(y: np.ndarray, bias: np.ndarray, part: int, r: int, c: int, value: float) -> None:
    """Channel c of place r."""
    y[r // (OH * OW), c, r % (OH * OW)] = value


def place_biased(y: np.ndarray, bias: np.ndarray, part: int, r: int, c: int, value: float) -> None:
    """The same with the channel's bias."""
    y[r // (OH * OW), c, r % (OH * OW)] = value + bias[c]


def error(g: np.ndarray, r: int, c: int) -> Any:
    """The error of channel c at place r."""
    return g[r // (OH * OW), c, r % (OH * OW)]


def reached(g: np.ndarray, r: int, k: int) -> Any:
    """The error of channel o at the place that sees r = (n, h, w) of the input through (i, j), for k = (i, j, o)."""
    p = r // W % H + PH - k // (KW * O) * DH
    q = r % W + PW - k // O % KW * DW
    inside = p >= 0 and p < OH * SH and q >= 0 and q < OW * SW
    return g[r // (H * W), k % O, p // SH * OW + q // SW] if inside and p % SH == 0 and q % SW == 0 else 0.0


def through(weight: np.ndarray, k: int, c: int) -> Any:
    """The weight of channel c through (i, j) to o, for k = (i, j, o)."""
    return weight[c * (KH * KW) + k // O, k % O]


def place_before(gx: np.ndarray, bias: np.ndarray, part: int, r: int, c: int, value: float) -> None:
    """Channel c of place r of the input."""
    gx[r // (H * W), c, r // W % H, r % W] = value
