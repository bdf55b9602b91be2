"""Connections in integers: weights that the numbers x != 0 choose, times these, are added up. Arrays are int64."""

import numpy as np


def dense(lo: int, hi: int, x: np.ndarray, weight: np.ndarray, bias: np.ndarray, y: np.ndarray) -> None:
    """Rows of y [R, M] = bias + x [R, K] weight [K, M]."""
    for r in range(lo, hi):
        for m in range(y.shape[1]):
            y[r, m] = bias[m]
        for k in range(x.shape[1]):
            a = x[r, k]
            if a != 0:
                for m in range(y.shape[1]):
                    y[r, m] += a * weight[k, m]


def convolve(
    lo: int, hi: int, window: tuple[int, ...], x: np.ndarray, weight: np.ndarray, bias: np.ndarray, y: np.ndarray
) -> None:
    """Images of y [N, O, H', W'] from x [N, C, H, W] by weight [C / groups, KH, KW, O]. ``window`` holds, along both
    axes, stride, dilation and padding before, and at its end the groups."""
    channels, kh, kw, outputs = weight.shape
    (sh, sw, dh, dw, top, left, groups), each = window, outputs // window[6]
    for n in range(lo, hi):
        for o in range(outputs):
            for h in range(y.shape[2]):
                for w in range(y.shape[3]):
                    y[n, o, h, w] = bias[o]
        for c in range(channels * groups):
            first, own = c // channels * each, c % channels
            for h in range(x.shape[2]):
                for w in range(x.shape[3]):
                    a = x[n, c, h, w]
                    if a != 0:
                        for i in range(kh):
                            down = h + top - i * dh
                            if down < 0 or down % sh != 0 or down // sh >= y.shape[2]:
                                continue
                            for j in range(kw):
                                along = w + left - j * dw
                                if along < 0 or along % sw != 0 or along // sw >= y.shape[3]:
                                    continue
                                for o in range(first, first + each):
                                    y[n, o, down // sh, along // sw] += a * weight[own, i, j, o]
