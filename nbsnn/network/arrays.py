"""Arrays of a network: in host memory, or on a GPU and copied here on request."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..device import gpu

Array = np.ndarray

ARRAYS = (
    "states", "ring", "weights", "numbers", "traces", "resources", "factors", "eligible", "since", "rates", "tallies",
    "aims", "integers",
)  # fmt: skip
"""What a run changes."""


class Memory:
    """The arrays of a network that a run changes, by name."""

    whole = False  # whether weights are set as a whole alone, and so have been checked then

    def __init__(self, arrays: dict[str, Array], device: str = "cpu"):
        self.host, self.device = arrays, device  # which runs kernels on arrays in the computer's memory

    def read(self, name: str, lo: int = 0, hi: int | None = None) -> Array:
        """Elements [lo, hi): the array itself."""
        return self.host[name][lo:hi]

    def write(self, name: str, values: ArrayLike, lo: int = 0, hi: int | None = None) -> None:
        """Set elements [lo, hi)."""
        self.host[name][lo:hi] = values

    def part(self, name: str, lo: int, hi: int) -> Any:
        """Elements [lo, hi) where they are, for kernels."""
        return self.host[name][lo:hi]

    @contextmanager
    def at_hand(self, *names: str) -> Generator[None, None, None]:
        """While this lasts, those in the computer's memory are up to date and may be changed."""
        yield


class GpuMemory(Memory):
    """Memory of a network on a GPU, where ``arrays`` stay; ``host`` has them as they were when last at hand."""

    whole = True

    def __init__(self, arrays: dict[str, Array], device: str = "cuda"):
        super().__init__(arrays)  # kernels on arrays that are at hand are those of a CPU
        self.arrays = {name: gpu.put(array) for name, array in arrays.items()}
        self._here: set[str] = set()

    def __getstate__(self) -> dict[str, Any]:
        with self.at_hand(*self.host):
            return {"host": self.host, "device": self.device}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__init__(kept["host"])

    def read(self, name: str, lo: int = 0, hi: int | None = None) -> Array:
        """Elements [lo, hi): a copy that cannot be written to."""
        if name in self._here or lo == hi:
            return super().read(name, lo, hi)
        copy = gpu.get(self.arrays[name].reshape(-1)[lo:hi] if lo or hi else self.arrays[name])
        copy.flags.writeable = False
        return copy

    def write(self, name: str, values: ArrayLike, lo: int = 0, hi: int | None = None) -> None:
        """Set elements [lo, hi)."""
        super().write(name, values, lo, hi)
        if name not in self._here and lo != hi:
            part = self.arrays[name][lo:hi] if lo or hi else self.arrays[name]
            part.copy_to_device(np.ascontiguousarray(super().read(name, lo, hi)))

    def part(self, name: str, lo: int, hi: int) -> Any:
        """Elements [lo, hi) where they are, for kernels."""
        return super().part(name, lo, hi) if name in self._here or lo == hi else self.arrays[name][lo:hi]

    @contextmanager
    def at_hand(self, *names: str) -> Generator[None, None, None]:
        """While this lasts, those in the computer's memory are up to date and may be changed: they are copied twice."""
        new = [name for name in names if name not in self._here]
        for name in new:
            self.host[name][...] = gpu.get(self.arrays[name])
        self._here.update(new)
        try:
            yield
        finally:
            self._here.difference_update(new)
            for name in new:
                self.arrays[name].copy_to_device(self.host[name])
