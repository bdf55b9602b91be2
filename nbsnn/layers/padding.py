"""What lies around an image that a window is moved over: how much of it, and which numbers.

    zeros      a b c  ->  0 0 a b c 0 0        replicate  a b c  ->  a a a b c c c
    reflect    a b c  ->  c b a b c b a        circular   a b c  ->  b c a b c a b

Rows are filled before columns; in reverse, what comes back to a copied place is added to the place that it was copied
from, columns first.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..validate import UNITS, count
from ..validate.kinds import is_list_or_tuple
from .layer import Array

MODES = ("zeros", "reflect", "replicate", "circular")

Pair = int | tuple[int, int]


def pair(name: str, value: object, *, least: int = 1) -> tuple[int, int]:
    """Height and width, of which one number makes both."""
    if not is_list_or_tuple(value):
        value = (value, value)
    if len(value) != 2:
        raise ValueError(f"{name} must be an integer or a pair (height, width), not {value!r}")
    return count(name, value[0], least=least, most=UNITS), count(name, value[1], least=least, most=UNITS)


def padded_by(
    padding: object, window: Sequence[int], stride: tuple[int, int]
) -> tuple[Pair | str, tuple[int, int], tuple[int, int]]:
    """``padding`` as an option, and how many places it puts before an image and after it, (height, width) each."""
    if not isinstance(padding, str):
        given = pair("padding", padding, least=0)
        return given, given, given
    if padding == "valid":
        return padding, (0, 0), (0, 0)
    if padding != "same":
        raise ValueError(f'padding must be an integer, a pair (height, width), "same" or "valid", not {padding!r}')
    if stride != (1, 1):
        raise ValueError(f'padding="same" needs a stride of 1, not {stride}')
    down, along = (w - 1 for w in window)
    return padding, (down // 2, along // 2), (down - down // 2, along - along // 2)


def check_fits(layer: str, mode: str, image: Sequence[int], before: Sequence[int], after: Sequence[int]) -> None:
    """Raise ``ValueError`` if an image is too small for what ``mode`` takes from it."""
    least = {"reflect": 1, "circular": 0}
    if mode in least and any(max(b, a) > n - least[mode] for n, b, a in zip(image, before, after, strict=True)):
        most = [n - least[mode] for n in image]
        raise ValueError(
            f"{layer}: padding_mode={mode!r} can add at most {most} places to an image of {list(image)}, not "
            f"{[max(b, a) for b, a in zip(before, after, strict=True)]}"
        )


def _source(place: int, length: int, mode: str) -> int:
    """The place of an axis that one before it (negative) or behind it reads."""
    if mode == "reflect":
        return -place if place < 0 else 2 * (length - 1) - place
    return place % length if mode == "circular" else min(max(place, 0), length - 1)


def _border(before: int, length: int, after: int, mode: str) -> list[tuple[int, int]]:
    """Padded places of an axis, with the padded place that each reads."""
    around = [*range(-before, 0), *range(length, length + after)]
    return [(before + place, before + _source(place, length, mode)) for place in around]


def surround(padded: Array, before: tuple[int, int], image: Sequence[int], after: tuple[int, int], mode: str) -> None:
    """Fill what lies around images [..., height, width] that stand in ``padded``."""
    left, right = before[1], before[1] + image[1]
    for place, source in _border(before[0], image[0], after[0], mode):
        padded[..., place, left:right] = padded[..., source, left:right]
    for place, source in _border(before[1], image[1], after[1], mode):
        padded[..., place] = padded[..., source]


def surround_reverse(
    padded: Array, before: tuple[int, int], image: Sequence[int], after: tuple[int, int], mode: str
) -> None:
    """The reverse of ``surround``: add what is around images to the places that it was copied from."""
    left, right = before[1], before[1] + image[1]
    for place, source in _border(before[1], image[1], after[1], mode):
        padded[..., source] += padded[..., place]
    for place, source in _border(before[0], image[0], after[0], mode):
        padded[..., source, left:right] += padded[..., place, left:right]


def inner(padded: Array, before: Sequence[int], image: Sequence[int]) -> Array:
    """The part of padded images that is not padding, as a view."""
    (top, left), (height, width) = before, image
    return padded[..., top : top + height, left : left + width]
