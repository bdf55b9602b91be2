"""A hole is a function that a model or a kernel calls and somebody else supplies.

A loop over time calls ``step`` without knowing which neuron it will be; a neuron calls ``spike`` without knowing
whether it will be the true step function or a smooth stand-in. ``nbsnn.compile`` fills the holes by name.

A function that looks into the bits of its argument has a version for each precision; ``nbsnn.compile`` takes the one
for the kernel's.
"""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable)


def hole(function: F) -> F:
    """Mark ``function`` as one that may be replaced when a kernel is made; its own body is what plain Python runs."""
    function.hole = True  # type: ignore[attr-defined]
    return function


def optional(function: F) -> F:
    """Mark a hole whose own body is meant where nobody fills it: ``bind`` does not leave it to the kernel."""
    function.optional = True  # type: ignore[attr-defined]
    return hole(function)


def narrow(version: Callable[..., Any]) -> Callable[[F], F]:
    """Give a function for float64, which is also what plain Python runs, its ``version`` for float32.

    >>> def digits32(x):
    ...     return 7
    >>> @narrow(digits32)
    ... def digits(x):
    ...     return 16
    >>> digits.narrow(1.0)
    7
    """

    def mark(function: F) -> F:
        function.narrow = version  # type: ignore[attr-defined]
        return function

    return mark


def instruction(make: Callable) -> Callable[[F], F]:
    """Let ``make()``, an instruction of compiled code for the CPU, stand for a function; others run its body."""

    def mark(function: F) -> F:
        function.instruction = make  # type: ignore[attr-defined]
        return function

    return mark
