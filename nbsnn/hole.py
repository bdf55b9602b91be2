"""A hole is a function that a model or a kernel calls and somebody else supplies.

A loop over time calls ``step`` without knowing which neuron it will be; a neuron calls ``spike`` without knowing
whether it will be the true step function or a smooth stand-in. ``nbsnn.compile`` fills the holes by name.
"""

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable)


def hole(function: F) -> F:
    """Mark ``function`` as one that may be replaced when a kernel is made; its own body is what plain Python runs."""
    function.hole = True  # type: ignore[attr-defined]
    return function
