"""What a connection was given, the factor of its weights' gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from ..spikes.packed import PackedSpikes

X = TypeVar("X")
Trace = TypeVar("Trace")


@dataclass(eq=False)
class Presynaptic(Generic[X, Trace]):
    """The input of a connection, which stands in the layer's dict under "pre".

    Attributes
    ----------
    x : array [T, B, N]
        The input; of a convolution its images, [T B, C, H, W].
    events : PackedSpikes or None
        The same as a list, if that is what is multiplied.
    trace : LowPass or None
        The trace of it, if errors are multiplied with that instead.
    """

    x: X
    events: PackedSpikes | None = None
    trace: Trace | None = None
