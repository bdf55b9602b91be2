"""The lesser of two numbers: Numba's ``min`` is compiled with all that functions of Python need."""


def least(a, b):
    """The lesser of two numbers of one type, none of which is NaN."""
    return b if b < a else a
