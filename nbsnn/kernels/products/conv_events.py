"""Convolution of spikes: each adds its window of weights to the output, and in reverse its window of errors to theirs.

A spike at (c, h, w) of a padded image is seen at output places (h - i, w - j), by the weights [c, i, j]. Images and
errors are turned so that channels are last, [H', W', C'], and weights so that the last of a window comes first, [C, KH,
KW - 1 - j, C']: then the places of one i lie in a row, and so do their weights.

Spikes of image n are ``index[start[n]:start[n + 1]]``, places in [C, H, W]. ``sizes`` is (H, W, KH, KW, H', W', C',
padding_h, padding_w), for a stride and a dilation of 1. All numbers are unsigned.
"""

import numpy as np

from ...scalar.hole import hole


@hole
def meet(weight, b, place, a, count):
    """What ``count`` numbers of ``weight`` from ``b`` on and of ``place`` from ``a`` on do to each other."""
    raise NotImplementedError("meet is a hole; compile.kernel fills it")


def give(weight, b, place, a, count):
    """Forward: the weights are added to the places."""
    for k in range(count):
        place[a + k] += weight[b + k]


def take(weight, b, place, a, count):
    """In reverse: the errors at the places are added to the weights' gradient."""
    for k in range(count):
        weight[b + k] += place[a + k]


def windows(first, last, index, weight, place, sizes):
    """``meet`` for the windows of the spikes [first, last)."""
    height, width, kh, kw, rows, columns, channels, above, left = sizes
    one, nothing = np.uintp(1), np.uintp(0)
    for e in range(first, last):
        at = np.uintp(index[e])
        w, at = at % width + left, at // width
        h, c = at % height + above, at // height
        i0 = h - (rows - one) if h > rows - one else nothing
        j0 = w - (columns - one) if w > columns - one else nothing
        j1 = min(kw, w + one)
        if j0 < j1:
            for i in range(i0, min(kh, h + one)):
                b = ((c * kh + i) * kw + kw - j1) * channels
                meet(weight, b, place, ((h - i) * columns + w + one - j1) * channels, (j1 - j0) * channels)


def forward(n0, n1, start, index, weight, bias, sizes, place, y):
    """Outputs y [N, C', H' W'] of images [n0, n1); ``place`` is room for one image."""
    channels = y.shape[1]
    for n in range(n0, n1):
        for k in range(place.shape[0]):
            place[k] = 0
        windows(start[n], start[n + 1], index, weight, place, sizes)
        for o in range(channels):
            for p in range(y.shape[2]):
                y[n, o, p] = place[p * channels + o] + bias[o]


def backward(n0, n1, start, index, total, bias, sizes, place, g):
    """Add the gradients of weights and biases, ``bias[0]``, of images [n0, n1), given the errors g [N, C', H' W']."""
    channels = g.shape[1]
    for n in range(n0, n1):
        for o in range(channels):
            for p in range(g.shape[2]):
                place[p * channels + o] = g[n, o, p]
            bias[1, o] = 0
        for p in range(g.shape[2]):
            for o in range(channels):
                bias[1, o] += place[p * channels + o]
        for o in range(channels):
            bias[0, o] += bias[1, o]
        windows(start[n], start[n + 1], index, total, place, sizes)


def fold(n0, n1, seen, gx, sizes, place):
    """The gradients gx [N, C, H, W] of images [n0, n1) from those of what each output place sees, [N H' W', KH KW C].

    ``place`` is room for a padded image [H' + KH - 1, W' + KW - 1, C], where a line of a window lies in a row.
    """
    height, width, kh, kw, rows, columns, _, above, left = sizes
    before = np.uintp(gx.shape[1])
    wide, row = (columns + kw - np.uintp(1)) * before, kw * before
    for n in range(n0, n1):
        for k in range(place.shape[0]):
            place[k] = 0
        for p in range(rows * columns):
            corner = p // columns * wide + p % columns * before
            for i in range(kh):
                a, b = corner + i * wide, i * row
                for k in range(row):
                    place[a + k] += seen[n * rows * columns + p, b + k]
        for c in range(before):
            for h in range(height):
                for w in range(width):
                    gx[n, c, h, w] = place[(h + above) * wide + (w + left) * before + c]
