"""Where the arrays of a network are: in the computer's memory, or on a GPU and here only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import gpu
from .state import ARRAYS

if TYPE_CHECKING:
    from .layout import Layout

Array = np.ndarray


class Memory:
    """The arrays of a layout that a run changes, by name; see ``state.ARRAYS``."""

    def __init__(self, layout: Layout):
        self.layout = layout

    def read(self, name: str, lo: int = 0, hi: int | None = None) -> Array:
        """Elements [lo, hi): the array itself."""
        return getattr(self.layout, name)[lo:hi]

    def write(self, name: str, values: Any, lo: int = 0, hi: int | None = None) -> None:
        """Set elements [lo, hi)."""
        getattr(self.layout, name)[lo:hi] = values

    def part(self, name: str, lo: int, hi: int) -> Any:
        """Elements [lo, hi) where they are, for kernels."""
        return getattr(self.layout, name)[lo:hi]

    @contextmanager
    def at_hand(self, *names: str) -> Iterator[None]:
        """While this lasts, the layout's own arrays are up to date and may be changed."""
        yield


class GpuMemory(Memory):
    """The same on a GPU, where the arrays stay; those of the layout are what they were when last at hand.

    Attributes
    ----------
    arrays : dict of str to device array
    """

    def __init__(self, layout: Layout):
        super().__init__(layout)
        self.arrays = {name: gpu.put(getattr(layout, name)) for name in ARRAYS}
        self._here: set[str] = set()

    def read(self, name: str, lo: int = 0, hi: int | None = None) -> Array:
        """Elements [lo, hi): a copy that cannot be written to."""
        if name in self._here or lo == hi:
            return super().read(name, lo, hi)
        copy = gpu.get(self.arrays[name].reshape(-1)[lo:hi] if lo or hi else self.arrays[name])
        copy.flags.writeable = False
        return copy

    def write(self, name: str, values: Any, lo: int = 0, hi: int | None = None) -> None:
        """Set elements [lo, hi)."""
        super().write(name, values, lo, hi)
        if name not in self._here and lo != hi:
            part = self.arrays[name][lo:hi] if lo or hi else self.arrays[name]
            part.copy_to_device(np.ascontiguousarray(super().read(name, lo, hi)))

    def part(self, name: str, lo: int, hi: int) -> Any:
        """Elements [lo, hi) where they are, for kernels."""
        return super().part(name, lo, hi) if name in self._here or lo == hi else self.arrays[name][lo:hi]

    @contextmanager
    def at_hand(self, *names: str) -> Iterator[None]:
        """While this lasts, the layout's own arrays are up to date and may be changed: they are copied twice."""
        new = [name for name in names if name not in self._here]
        for name in new:
            getattr(self.layout, name)[...] = gpu.get(self.arrays[name])
        self._here.update(new)
        try:
            yield
        finally:
            self._here.difference_update(new)
            for name in new:
                self.arrays[name].copy_to_device(getattr(self.layout, name))
