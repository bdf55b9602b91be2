"""Images whose rows and columns come from elsewhere: shifted, mirrored, cut out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..validate import count, real


class Axis(NamedTuple):
    """Where an axis of each image comes from: place o from place ``o + offset``, counted from the far end if mirrored.

    Parameters
    ----------
    offset : int array [B]
    mirrored : bool array [B]
    size : int
        How long the axis is afterwards.
    """

    offset: np.ndarray
    mirrored: np.ndarray
    size: int

    def source(self, length: int) -> np.ndarray:
        """Where each place comes from, [B, size]; outside ``0 .. length - 1`` from nowhere."""
        found = self.offset[:, None] + np.arange(self.size)
        return np.where(self.mirrored[:, None], length - 1 - found, found)


def as_images(x: np.ndarray, side: int | None) -> np.ndarray:
    """Images [B, C, H, W] of images [B, ..., H, W], or of flat ones of a given side."""
    x = real("x", x)
    if x.ndim < 2 or not x.size:
        raise ValueError(f"x must have shape [B, pixels] or [B, ..., height, width], not {list(x.shape)}")
    if side is not None:
        count("side", side)
    if x.ndim < 3 and side is None:
        raise ValueError(f"flat images of shape {list(x.shape)} need side=, their width and height")
    if side is not None and x[0].size % (side * side):
        raise ValueError(f"images of {x[0].size} pixels do not have a side of {side}")
    return x.reshape(len(x), -1, *((side, side) if side is not None else x.shape[-2:]))


def moved(x: np.ndarray, images: np.ndarray, y: Axis, along: Axis) -> np.ndarray:
    """``images`` of ``x`` moved along both axes, in the form of ``x``; what comes from outside is zero."""
    x = np.asarray(x)
    height, width = images.shape[2:]
    rows, columns = y.source(height), along.source(width)
    sample, channel = np.arange(len(images)), np.arange(images.shape[1])
    out = images[
        sample[:, None, None, None],
        channel[:, None, None],
        np.clip(rows, 0, height - 1)[:, None, :, None],
        np.clip(columns, 0, width - 1)[:, None, None, :],
    ]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    if not inside.all():
        out[np.broadcast_to(~inside[:, None], out.shape)] = 0
    if (y.size, along.size) == (height, width):
        return out.reshape(x.shape)
    flat = x.ndim < 3 or x.shape[-2:] != (height, width)
    return out.reshape(*x.shape[:-1], -1) if flat else out.reshape(*x.shape[:-2], y.size, along.size)
