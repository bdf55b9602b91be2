"""The identity: y = x, for a branch or a feedback that changes nothing."""

from __future__ import annotations

from ..device.threads import DEVICES
from ..random import Draws
from .layer import Array, Nested, Setting
from .stateless import Stateless


class Identity(Stateless):
    """The input as it is.

    Examples
    --------
    >>> import nbsnn
    >>> both = nbsnn.Parallel(nbsnn.Dense(4, 3), nbsnn.Identity(), join="concatenate")
    >>> nbsnn.Sequential(both).shape
    (7,)
    """

    kind = "identity"
    devices = DEVICES
    lowpass = True
    takes_events = None

    def __repr__(self) -> str:
        return "Identity()"

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return 0

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        return x

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy if wanted else None
