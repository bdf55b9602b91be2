"""Convolutions with a stride of 1 without patches, for images plane by plane.

Some images lie in a room with zeros around them: [C, images, size], flat, so that every place of the output sees an
input at the same distance, ``seen[k]`` for weight k = [C, KH, KW] of its window. Sums are made for neighbouring places
and some channels, or of neighbouring places for some weights and channels, in registers; those beyond the end of a row
are made as well, and left out.
"""

from typing import NamedTuple

import numpy as np
from numpy import uintp

from ...compile.simd import CHUNK
from ...compile.simd_direct import PLACES, SEEN, SIDES
from ...compile.simd_direct import add_dots as dots_instruction
from ...compile.simd_direct import add_seen as seen_instruction
from ...scalar.hole import instruction
from ..arrays.wide import widest


class Plane(NamedTuple):
    """Rows and columns of an image, how many images lie together, the size of the room of each, the length of a row in
    it, and where the image begins there."""

    high: np.uintp
    wide: np.uintp
    images: np.uintp
    size: np.uintp
    columns: np.uintp
    first: np.uintp


class Seen(NamedTuple):
    """Distances in the room [K], and weights [C' / ``SIDES``, K, ``SIDES``]."""

    seen: np.ndarray
    weight: np.ndarray


@instruction(seen_instruction)
def add_seen(y, a, apart, x, b, seen, count, weight, first):
    """y[a + o apart + p] += the sum over k of x[b + seen[k] + p] weight[first + k SIDES + o], for ``PLACES`` p"""
    for o in range(SIDES):
        for p in range(PLACES):
            for k in range(count):
                y[a + o * apart + p] += x[b + seen[k] + p] * weight[first + k * SIDES + o]


@instruction(dots_instruction)
def add_dots(total, at, x, a, seen, k, g, b, apart, images, size, count):
    """total[at + j SIDES + o] += the sum over p of x[a + seen[k + j] + p] g[b + o apart + p], for ``count`` p from 0 on
    in each of so many images, ``size`` apart"""
    for j in range(SEEN):
        for o in range(SIDES):
            for n in range(images):
                for p in range(n * size, n * size + count):
                    total[at + j * SIDES + o] += x[a + seen[k + j] + p] * g[b + o * apart + p]


def lay(values, n0, n1, plane, room):
    """Copy images [n0, n1) into their room."""
    high, wide, images, size, columns, first = plane
    for c in range(uintp(values.shape[1])):
        for n in range(n0, n1):
            begin = (c * images + n - n0) * size + first
            for h in range(high):
                for w in range(wide):
                    room[begin + h * columns + w] = values[n, c, h * wide + w]


def see(plane, many, sizes, seen, bias, room, place, y, n0):
    """Fill images y[n0:], ``many`` of them; their channels, rows and columns are ``sizes``."""
    after, high, wide = sizes
    size, count = plane.size, uintp(seen.seen.shape[0])
    tiles = (high * plane.columns + uintp(PLACES - 1)) // uintp(PLACES)
    far = tiles * uintp(PLACES)
    for first in range(uintp(0), after, uintp(SIDES)):
        for n in range(many):
            for o in range(uintp(SIDES)):
                for p in range(far):
                    place[o * far + p] = bias[first + o]
            for p in range(uintp(0), far, uintp(PLACES)):
                add_seen(place, p, far, room, n * size + p, seen.seen, count, seen.weight, first * count)
            for o in range(min(uintp(SIDES), after - first)):
                for h in range(high):
                    for w in range(wide):
                        y[n0 + n, first + o, h * wide + w] = place[o * far + h * plane.columns + w]


def forward(n0, n1, x, plane, sizes, seen, bias, room, place, y):
    """Fill y [N, C', H' W'] for images [n0, n1)."""
    widest()
    for n in range(n0, n1, plane.images):
        end = min(n + plane.images, n1)
        lay(x, n, end, plane, room)
        see(plane, end - n, sizes, seen, bias, room, place, y, n)


def backward(k0, k1, edges, x, g, plane, errors, seen, room, error_room, total, bias):
    """Gradients with respect to weights and biases of pieces [k0, k1), images [edges[k], edges[k + 1]): ``total``
    [pieces, .], as ``Seen.weight``, and ``bias`` [pieces, C', CHUNK]; errors lie as the inputs that they see first."""
    widest()
    size, after, count, chunk = plane.size, uintp(g.shape[1]), uintp(seen.shape[0]), uintp(CHUNK)
    far, places = plane.images * size, (errors.high * plane.columns + chunk - uintp(1)) // chunk * chunk
    for k in range(k0, k1):
        for n in range(edges[k], edges[k + uintp(1)], plane.images):
            end = min(n + plane.images, edges[k + uintp(1)])
            lay(x, n, end, plane, room)
            lay(g, n, end, errors, error_room)
            for o in range(uintp(0), after, uintp(SIDES)):
                for s in range(uintp(0), count, uintp(SEEN)):
                    at = o * count + s * uintp(SIDES)
                    add_dots(total[k], at, room, uintp(0), seen, s, error_room, o * far, far, end - n, size, places)
            for o in range(after):
                for m in range(end - n):
                    for p in range(uintp(0), places, chunk):
                        for q in range(chunk):
                            bias[k, o, q] += error_room[o * far + m * size + p + q]
