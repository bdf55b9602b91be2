"""Rounding to the nearest integer, or the even one of two, by adding a number beside which only integers fit."""

from .hole import hole, narrow, optional


def nearest32(x):
    """The nearest integer of a float32 below 2^22 in size."""
    return (x + 12582912.0) - 12582912.0


@narrow(nearest32)
def nearest(x):
    """The nearest integer of a float64 below 2^51 in size."""
    return (x + 6755399441055744.0) - 6755399441055744.0


def unrounded(x):
    """What stands for ``rounded`` in a network that is checked, which must be smooth."""
    return x


@optional
@hole
def rounded(x):
    """``nearest``, whose derivative is taken to be 1 (straight-through)."""
    return nearest(x)
