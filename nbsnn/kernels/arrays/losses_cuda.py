"""Losses on a GPU: outputs y [T, L] of L = B C lanes to one number per lane, and back to the gradient [T, L].

The loops over lanes and classes. What they compute, holes say, which the functions of ``nbsnn.losses`` fill: these are
the CPU's as well. Literals are in float64 here (kernels are made for that), so that sums over time, exponentials and
values are, as in ``nbsnn.losses``.

On the CPU, ``nbsnn.losses`` runs the same equations on arrays.
"""

# pyright: reportCallIssue=false

import math
from typing import Any

import numpy as np
from numba import cuda

from ...scalar.hole import hole


@hole
def read(y, i) -> Any:
    """One number for lane i: the ``read`` of a readout."""
    raise NotImplementedError


@hole
def write(y, i, g, gy) -> Any:
    """The gradient of all steps of lane i: the ``write`` of a readout."""
    raise NotImplementedError


@hole
def class_entropy(log_p, p, share, smoothing, classes, weight, mass) -> Any:
    """One class's term of its row's cross-entropy, and the derivative with respect to its logit."""
    raise NotImplementedError


@hole
def apart(z, target, weight) -> Any:
    """The distance of a number from a target and its derivative."""
    raise NotImplementedError


@hole
def penalty(n, lower, upper, power, weight, factor) -> Any:
    """What is due for a number outside of a band, and the derivative."""
    raise NotImplementedError


@hole
def distance(y, target, i, decay, inner, share, trace, gy) -> Any:
    """The distance of the trains in lane i; fills its gradient."""
    raise NotImplementedError


def readout(lo: int, hi: int, scale: float, y: np.ndarray, z: np.ndarray) -> None:
    """z = scale read(y)"""
    i = lo + cuda.grid(1)
    if i < hi:
        z[i] = scale * read(y, i)


def spread(lo: int, hi: int, y: np.ndarray, g: np.ndarray, gy: np.ndarray) -> None:
    """Fill gy [T, L] from g [L]."""
    i = lo + cuda.grid(1)
    if i < hi:
        write(y, i, g[i], gy)


def softmax(
    lo: int,
    hi: int,
    smoothing: float,
    weight: float,
    factor: float,
    z: np.ndarray,
    labels: np.ndarray,
    values: np.ndarray,
    g: np.ndarray,
) -> None:
    """Cross-entropy of each row of logits z [R, C] with its label, times ``weight``; its slope times ``factor``."""
    r = lo + cuda.grid(1)
    if r < hi:
        classes, label = z.shape[1], labels[r % labels.shape[0]]
        most = z[r, 0]
        for c in range(1, classes):
            most = max(most, z[r, c])
        total = 0.0
        for c in range(classes):
            total += math.exp(z[r, c] - most)
        value, log_total = 0.0, math.log(total)
        for c in range(classes):
            shifted = z[r, c] - most
            share = 1.0 if c == label else 0.0
            p = math.exp(shifted) / total
            part, slope = class_entropy(shifted - log_total, p, share, smoothing, classes, 1.0, 1.0)
            value += part
            g[r, c] = slope * factor
        values[r] = value * weight


def distances(
    lo: int, hi: int, weight: float, z: np.ndarray, target: np.ndarray, values: np.ndarray, g: np.ndarray
) -> None:
    """The distance of each z, with its derivative in g; a shorter ``target`` is the same for all steps."""
    i = lo + cuda.grid(1)
    if i < hi:
        values[i], g[i] = apart(z[i], target[i % target.shape[0]], weight)


def van_rossum(
    lo: int,
    hi: int,
    decay: float,
    inner: float,
    share: float,
    y: np.ndarray,
    target: np.ndarray,
    trace: np.ndarray,
    values: np.ndarray,
    gy: np.ndarray,
) -> None:
    """The distance of trains [T, L], one thread for each."""
    i = lo + cuda.grid(1)
    if i < hi:
        values[i] = distance(y, target, i, decay, inner, share, trace, gy)


def band(
    lo: int,
    hi: int,
    lower: float,
    upper: float,
    power: int,
    weight: float,
    factor: float,
    n: np.ndarray,
    values: np.ndarray,
    g: np.ndarray,
) -> None:
    """The penalty on each n, with its derivative in g."""
    i = lo + cuda.grid(1)
    if i < hi:
        values[i], g[i] = penalty(n[i], lower, upper, power, weight, factor)


def row_means(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[r] = mean of x[r]"""
    r = lo + cuda.grid(1)
    if r < hi:
        s = 0.0
        for c in range(x.shape[1]):
            s += x[r, c]
        y[r] = s / x.shape[1]


def to_steps(lo: int, hi: int, count: int, width: int, g: np.ndarray, gy: np.ndarray) -> None:
    """gy[i] = g[i // width mod count]: one number for each sample, or for each unit, at every step."""
    i = lo + cuda.grid(1)
    if i < hi:
        gy[i] = g[i // width % count]
