"""Convolution of spikes: each adds its window of weights to the output, and in reverse its window of errors to theirs.

Spikes of image n are ``index[start[n]:start[n + uintp(1)]]``, places in [C, H, W]; ``met`` says what they meet (see
``windows``), ``rows`` the same where there are many spikes (see ``window_rows``), and ``lists`` has room for these in
another order. ``place`` is room for an output image with channels last, filled up; where there are none it is zero.
"""

from numpy import uintp

from .window_rows import WHOLE, gather_windows, many, sum_windows
from .window_rows import Lists as Lists
from .window_rows import Rows as Rows
from .windows import TOGETHER as TOGETHER
from .windows import Met as Met
from .windows import Scratch as Scratch
from .windows import Source as Source
from .windows import collect_windows, return_to, spread_windows


def forward(n0, n1, start, index, met, rows, weight, bias, place, lists, y):
    """Outputs y [N, C', H' W'] of images [n0, n1)."""
    sides = uintp(bias.shape[0])
    for n in range(n0, n1):
        for p in range(uintp(y.shape[2])):
            for o in range(sides):
                place[p * sides + o] = bias[o]
        if WHOLE and many(start[n + uintp(1)] - start[n], rows):
            gather_windows(start[n], start[n + uintp(1)], index, rows, place, uintp(0), lists)
        else:
            spread_windows(start[n], start[n + uintp(1)], index, met, place, uintp(0), weight)
        for o in range(uintp(y.shape[1])):
            for p in range(uintp(y.shape[2])):
                y[n, o, p] = place[p * sides + o]


def turned(g, n, sides, place):
    """Fill ``place`` with the errors g [N, C', H' W'] of an image."""
    for p in range(uintp(g.shape[2])):
        for o in range(uintp(g.shape[1])):
            place[p * sides + o] = g[n, o, p]


def backward(n0, n1, start, index, met, rows, total, bias, place, lists, g):
    """Add the gradients of weights and biases, ``bias[0]``, of images [n0, n1), given the errors g [N, C', H' W']."""
    sides = uintp(bias.shape[1])
    for n in range(n0, n1):
        turned(g, n, sides, place)
        for o in range(sides):
            bias[1, o] = 0.0
        for p in range(uintp(g.shape[2])):
            for o in range(sides):
                bias[1, o] += place[p * sides + o]
        for o in range(sides):
            bias[0, o] += bias[1, o]
        if WHOLE and many(start[n + uintp(1)] - start[n], rows):
            sum_windows(start[n], start[n + uintp(1)], index, rows, place, total, uintp(0), lists)
        else:
            collect_windows(start[n], start[n + uintp(1)], index, met, place, total, uintp(0))


def pull(n0, n1, g, sides, place, source, scratch):
    """The gradients ``source.gx`` of images [n0, n1), given the errors g [N, C', H' W']."""
    for n in range(n0, n1):
        turned(g, n, sides, place)
        return_to(n, place, source, scratch)
