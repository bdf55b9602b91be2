"""Images to patches, which turns a convolution into a matrix product, and the reverse.

    patches[c, i, j, n, h, w] = x[n, c, h * stride_h + i * dilation_h, w * stride_w + j * dilation_w]

Each row [c, i, j] holds what one weight sees, at every place of every image. ``x`` is padded already. The loops cover
channels and images [n0, n1), which do not touch each other, so images can be shared among threads. ``sizes`` is
(channels, KH, KW, H', W', stride_h, dilation_h, dilation_w). Bounds and sizes
are unsigned (about a tenth faster than signed).
"""

import numpy as np

STRIDE = 1  # along the width; a constant, because the innermost loop is then contiguous where it is 1


def gather(n0: int, n1: int, sizes: tuple[int, ...], x: np.ndarray, patches: np.ndarray) -> None:
    """Copy ``x`` [N, C, H, W] into ``patches`` [C, KH, KW, N, H', W']."""
    channels, kh, kw, height, width, stride, down, along = sizes
    for c in range(channels):
        for i in range(kh):
            for j in range(kw):
                for n in range(n0, n1):
                    for h in range(height):
                        for w in range(width):
                            patches[c, i, j, n, h, w] = x[n, c, h * stride + i * down, w * STRIDE + j * along]


def scatter(n0: int, n1: int, sizes: tuple[int, ...], x: np.ndarray, patches: np.ndarray) -> None:
    """The reverse of ``gather``: add ``patches`` to the places of ``x`` from which they came."""
    channels, kh, kw, height, width, stride, down, along = sizes
    for n in range(n0, n1):
        for c in range(channels):
            for i in range(kh):
                for j in range(kw):
                    for h in range(height):
                        for w in range(width):
                            x[n, c, h * stride + i * down, w * STRIDE + j * along] += patches[c, i, j, n, h, w]
