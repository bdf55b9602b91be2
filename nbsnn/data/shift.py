"""Images moved by a few pixels at random: the simplest augmentation, as a position should not matter."""

from __future__ import annotations

import numpy as np

from ..random import Draws
from ..validate import count, instance, real


def shift(x: np.ndarray, draws: Draws, *, pixels: int = 1, side: int | None = None) -> np.ndarray:
    """Move each image by up to ``pixels`` in both directions; what comes in from outside is zero.

    Parameters
    ----------
    x : array [B, ..., H, W], or [B, H * W] with ``side``
        Images.
    draws : Draws
        Randomness: each image has its own shift.
    pixels : int, default 1
        Largest shift.
    side : int, optional
        Width and height of flat images.

    Returns
    -------
    array like x

    Examples
    --------
    >>> from nbsnn.random import Draws
    >>> image = np.zeros((1, 3, 3), np.float32)
    >>> image[0, 1, 1] = 1.0
    >>> float(shift(image, Draws(0)).sum())
    1.0
    """
    x = real("x", x)
    if x.ndim < 2 or not x.size:
        raise ValueError(f"x must have shape [B, pixels] or [B, ..., height, width], not {list(x.shape)}")
    instance("draws", draws, Draws, "nbsnn.random.Draws(seed)")
    count("pixels", pixels, least=0, most=1 << 15)
    if side is not None:
        count("side", side)
    if x.ndim < 3 and side is None:
        raise ValueError(f"flat images of shape {list(x.shape)} need side=, their width and height")
    if side is not None and x[0].size % (side * side):
        raise ValueError(f"images of {x[0].size} pixels do not have a side of {side}")
    height, width = (side, side) if side is not None else x.shape[-2:]
    images = x.reshape(len(x), -1, height, width)
    padded = np.pad(images, ((0, 0), (0, 0), (pixels, pixels), (pixels, pixels)))
    dy, dx = draws.integers(0, 2 * pixels + 1, (2, len(x)))
    rows = dy[:, None] + np.arange(height)
    columns = dx[:, None] + np.arange(width)
    sample, channel = np.arange(len(x)), np.arange(images.shape[1])
    moved = padded[
        sample[:, None, None, None], channel[:, None, None], rows[:, None, :, None], columns[:, None, None, :]
    ]
    return np.ascontiguousarray(moved.reshape(x.shape))
