"""Images and recordings that are shifted, mirrored, cut out: each sample as a whole, at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.moved import Axis, as_images, moved
from ..data.shift import shifts
from ..events import Recordings
from ..random import Draws
from ..validate import choice, count, instance, number

Samples = np.ndarray | Recordings


@dataclass(frozen=True)
class shift:
    """Moves each sample by up to some pixels along both axes.

    What comes in from outside is zero, events that leave the sensor are dropped.

    Parameters
    ----------
    pixels : int, default 1
        Largest shift.
    side : int, optional
        Width and height of flat images.

    Examples
    --------
    >>> image = np.zeros((1, 3, 3), np.float32)
    >>> image[0, 1, 1] = 1.0
    >>> float(shift(1)(image, Draws(0)).sum())
    1.0
    """

    pixels: int = 1
    side: int | None = None

    def __post_init__(self) -> None:
        count("pixels", self.pixels, least=0, most=1 << 15)
        check_side(self.side)

    def __call__(self, x: Samples, draws: Draws) -> Samples:
        """Samples like ``x``."""
        shape = shape_of(x, self.side)
        return placed(x, *shifts(checked(draws), self.pixels, shape), self.side)


@dataclass(frozen=True)
class flip:
    """Mirrors some of the samples.

    Parameters
    ----------
    probability : float, default 0.5
        Of each sample to be mirrored.
    axis : {"width", "height"}, default "width"
        "width" exchanges left and right, "height" top and bottom.
    side : int, optional
        Width and height of flat images.

    Examples
    --------
    >>> flip(1.0)(np.array([[[1.0, 2.0, 3.0]]]), Draws(0))
    array([[[3., 2., 1.]]])
    """

    probability: float = 0.5
    axis: str = "width"
    side: int | None = None

    def __post_init__(self) -> None:
        number("probability", self.probability, least=0.0, most=1.0)
        choice("axis", self.axis, ("width", "height"))
        check_side(self.side)

    def __call__(self, x: Samples, draws: Draws) -> Samples:
        """Samples like ``x``."""
        n, _, height, width = shape_of(x, self.side, tall=self.axis == "height")
        which, none = checked(draws).uniform(n, dtype=np.float64) < self.probability, np.zeros(n, np.int64)
        stay = np.zeros(n, bool)
        y = Axis(none, which if self.axis == "height" else stay, height)
        return placed(x, y, Axis(none, which if self.axis == "width" else stay, width), self.side)


@dataclass(frozen=True)
class crop:
    """Cuts a window out of each sample, at a random place; without draws from the middle, as a test set needs it.

    Parameters
    ----------
    height, width : int
        Of the window; as wide as high by default.
    side : int, optional
        Width and height of flat images.

    Examples
    --------
    >>> images = np.arange(16.0).reshape(1, 4, 4)
    >>> crop(2)(images)
    array([[[ 5.,  6.],
            [ 9., 10.]]])
    >>> crop(2)(images, Draws(0)).shape
    (1, 2, 2)
    """

    height: int
    width: int | None = None
    side: int | None = None

    def __post_init__(self) -> None:
        count("height", self.height)
        object.__setattr__(self, "width", count("width", self.height if self.width is None else self.width))
        check_side(self.side)

    def __call__(self, x: Samples, draws: Draws | None = None) -> Samples:
        """Samples whose last two axes are ``height`` and ``width``."""
        n, _, *size = shape_of(x, self.side, tall=True)
        axes = []
        for name, window, length in zip(("height", "width"), (self.height, self.width), size, strict=True):
            assert window is not None
            if window > length:
                raise ValueError(f"crop: {name} must be at most that of the samples, {length}, not {window}")
            places = length - window + 1
            drawn = np.full(n, (length - window) // 2)
            if draws is not None:
                drawn = checked(draws).fold(name).integers(0, places, n)
            axes.append(Axis(drawn, np.zeros(n, bool), window))
        y, along = axes
        return placed(x, y, along, self.side)


def checked(draws: object) -> Draws:
    """``draws``; raises unless it is one."""
    return instance("draws", draws, Draws, "nbsnn.random.Draws(seed)")


def check_side(side: object) -> None:
    """Raise unless it is the side of flat images, or None."""
    if side is not None:
        count("side", side)


def shape_of(x: Samples, side: int | None, *, tall: bool = False) -> tuple[int, int, int, int]:
    """Samples, channels, height and width; the height of a sensor that is a row is 1, and not ``tall``."""
    if not isinstance(x, Recordings):
        n, channels, height, width = as_images(x, side).shape
        return n, channels, height, width
    if side is not None:
        raise ValueError("side is for flat images: recordings know the shape of their sensor")
    *rest, width = x.shape
    height = rest.pop() if len(rest) == 2 or (rest and rest[0] > 2) else 1
    if tall and height == 1:
        raise ValueError(f"recordings of a sensor of shape {x.shape} have no height")
    return len(x), rest[0] if rest else 1, height, width


def placed(x: Samples, y: Axis, along: Axis, side: int | None) -> Samples:
    """Samples moved along both axes."""
    if not isinstance(x, Recordings):
        return moved(x, as_images(x, side), y, along)
    _, _, height, width = shape_of(x, None)
    rest, column = np.divmod(x.index.astype(np.int64), width)
    channel, row = np.divmod(rest, height)
    row, column = (_targets(p, axis, n, x.counts) for p, axis, n in ((row, y, height), (column, along, width)))
    keep = (row >= 0) & (row < y.size) & (column >= 0) & (column < along.size)
    shape = (*x.shape[: len(x.shape) - (2 if height > 1 else 1)], *((y.size,) if height > 1 else ()), along.size)
    return x.edited(x.t, (channel * y.size + row) * along.size + column, keep, shape)


def _targets(place: np.ndarray, axis: Axis, length: int, counts: np.ndarray) -> np.ndarray:
    """Where the places of events go: the reverse of ``Axis.source``."""
    mirrored, offset = np.repeat(axis.mirrored, counts), np.repeat(axis.offset, counts)
    return np.where(mirrored, length - 1 - place, place) - offset
