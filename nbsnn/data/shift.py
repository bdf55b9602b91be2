"""Images moved by a few pixels at random: the simplest augmentation, as a position should not matter."""

from __future__ import annotations

import numpy as np

from ..random import Draws
from ..validate import count, instance
from .moved import Axis, as_images, moved


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
    images = as_images(x, side)
    y, along = shifts(instance("draws", draws, Draws, "nbsnn.random.Draws(seed)"), pixels, images.shape)
    return np.ascontiguousarray(moved(x, images, y, along))


def shifts(draws: Draws, pixels: int, shape: tuple[int, ...]) -> tuple[Axis, Axis]:
    """The rows and columns of images [B, C, H, W], each image with a shift of its own."""
    count("pixels", pixels, least=0, most=1 << 15)
    dy, dx = draws.integers(0, 2 * pixels + 1, (2, shape[0])) - pixels
    stay = np.zeros(shape[0], bool)
    return Axis(dy, stay, shape[2]), Axis(dx, stay, shape[3])
