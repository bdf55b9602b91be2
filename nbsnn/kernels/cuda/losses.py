"""Losses on a GPU: outputs y [T, L] of L = B C lanes to one number per lane, and back to the gradient [T, L].

``readout`` and ``spread`` hold the loop over time, one thread for each lane, in both directions; what they read and
write, holes say. Between the two, ``softmax`` and ``squares`` compare with a target. Literals are in float64 here
(kernels are made for that), so that sums over time, exponentials and values are, as in ``nbsnn.losses``.
"""

# pyright: reportCallIssue=false

import math
from typing import Any

from numba import cuda

from ...hole import hole


@hole
def read(y, i) -> Any:
    """One number for lane i."""
    raise NotImplementedError


@hole
def write(y, i, g, gy) -> Any:
    """The gradient of all steps of lane i, given that by ``read``."""
    raise NotImplementedError


def readout(lo: int, hi: int, scale: float, y: Any, z: Any) -> None:
    """z = scale read(y)"""
    i = lo + cuda.grid(1)
    if i < hi:
        z[i] = scale * read(y, i)


def spread(lo: int, hi: int, y: Any, g: Any, gy: Any) -> None:
    """Fill gy [T, L] from g [L]."""
    i = lo + cuda.grid(1)
    if i < hi:
        write(y, i, g[i], gy)


def total(y, i):
    """Sum over time."""
    s = 0.0
    for t in range(y.shape[0]):
        s += y[t, i]
    return s


def mean(y, i):
    """Mean over time."""
    return total(y, i) / y.shape[0]


def everywhere(y, i, g, gy):
    """The reverse of ``total``."""
    for t in range(y.shape[0]):
        gy[t, i] = g


def everywhere_mean(y, i, g, gy):
    """The reverse of ``mean``."""
    everywhere(y, i, g / y.shape[0], gy)


def first_largest(y, i):
    """The first step that reaches the maximum."""
    at = 0
    for t in range(1, y.shape[0]):
        if y[t, i] > y[at, i]:
            at = t
    return at


def largest(y, i):
    """Maximum over time."""
    return 1.0 * y[first_largest(y, i), i]


def at_largest(y, i, g, gy):
    """The reverse of ``largest``."""
    at = first_largest(y, i)
    for t in range(y.shape[0]):
        gy[t, i] = g if t == at else 0.0


def last(y, i):
    """The last step."""
    return 1.0 * y[y.shape[0] - 1, i]


def at_last(y, i, g, gy):
    """The reverse of ``last``."""
    for t in range(y.shape[0]):
        gy[t, i] = g if t == y.shape[0] - 1 else 0.0


def first_spike(y, i):
    """Time of the first spike, as ``nbsnn.losses.first_spike`` has it."""
    survived, s = 1.0, 0.0
    for t in range(y.shape[0]):
        survived *= 1.0 - y[t, i]
        s += survived
    return s


def earlier(y, i):
    """Minus the time of the first spike."""
    return -first_spike(y, i)


def at_first_spikes(y, i, g, gy):
    """The reverse of ``first_spike``: times -survived left, of which gy holds ``survived`` first."""
    survived = 1.0
    for t in range(y.shape[0]):
        gy[t, i] = survived
        survived *= 1.0 - y[t, i]
    left, following = 0.0, 0.0
    for t in range(y.shape[0] - 1, -1, -1):
        left = 1.0 + following * left
        gy[t, i] = -g * gy[t, i] * left
        following = 1.0 - y[t, i]


def at_first_spikes_earlier(y, i, g, gy):
    """The reverse of ``earlier``."""
    at_first_spikes(y, i, -g, gy)


def softmax(lo: int, hi: int, smoothing: float, weight: float, factor: float, z: Any, labels: Any, values: Any,
            g: Any) -> None:  # fmt: skip
    """Cross-entropy of each row of logits z [R, C] with its label, times ``weight``; its slope times ``factor``."""
    r = lo + cuda.grid(1)
    if r < hi:
        classes = z.shape[1]
        most = z[r, 0]
        for c in range(1, classes):
            most = max(most, z[r, c])
        s = 0.0
        for c in range(classes):
            s += math.exp(z[r, c] - most)
        value, logarithm = 0.0, math.log(s)
        for c in range(classes):
            shifted = z[r, c] - most
            q = smoothing / classes
            if c == labels[r % labels.shape[0]]:
                q += 1.0 - smoothing
            value -= q * (shifted - logarithm)
            g[r, c] = (math.exp(shifted) / s - q) * factor
        values[r] = value * weight


def squares(lo: int, hi: int, weight: float, z: Any, target: Any, values: Any, g: Any) -> None:
    """values = weight (z - target)^2 and the derivative; a shorter ``target`` is the same for all steps."""
    i = lo + cuda.grid(1)
    if i < hi:
        error = z[i] - target[i % target.shape[0]]
        values[i] = weight * error * error
        g[i] = 2.0 * weight * error


def van_rossum(lo: int, hi: int, decay: float, inner: float, share: float, y: Any, target: Any, trace: Any,
               values: Any, gy: Any) -> None:  # fmt: skip
    """The squared distance of trains [T, L], one thread for each; ``inner`` weighs all steps but the last."""
    i = lo + cuda.grid(1)
    if i < hi:
        r, value, end = 0.0, 0.0, y.shape[0] - 1
        for t in range(y.shape[0]):
            r = decay * r + (y[t, i] - target[t, i])
            trace[t, i] = r
            value += 0.5 * share * (r * r if t == end else inner * r * r)
        back = 0.0
        for t in range(end, -1, -1):
            back = trace[t, i] * (1.0 if t == end else inner) + decay * back
            gy[t, i] = back * share
        values[i] = value


def band(lo: int, hi: int, lower: float, upper: float, power: int, weight: float, factor: float, n: Any, values: Any,
         g: Any) -> None:  # fmt: skip
    """What lies outside of a band: values = weight outside(n)^power, g = factor times the derivative."""
    i = lo + cuda.grid(1)
    if i < hi:
        distance = max(n[i] - upper, 0.0) - max(lower - n[i], 0.0)
        if power == 1:
            values[i] = weight * abs(distance)
            g[i] = factor * (1.0 if distance > 0.0 else (-1.0 if distance < 0.0 else 0.0))
        else:
            values[i] = weight * distance * distance
            g[i] = factor * 2.0 * distance


def row_means(lo: int, hi: int, x: Any, y: Any) -> None:
    """y[r] = mean of x[r]"""
    r = lo + cuda.grid(1)
    if r < hi:
        s = 0.0
        for c in range(x.shape[1]):
            s += x[r, c]
        y[r] = s / x.shape[1]


def to_steps(lo: int, hi: int, count: int, width: int, g: Any, gy: Any) -> None:
    """gy[i] = g[i // width mod count]: one number for each sample, or for each unit, at every step."""
    i = lo + cuda.grid(1)
    if i < hi:
        gy[i] = g[i // width % count]
