"""What is given from outside in the course of time: a number, rows of an array, or a function of time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..files.pickling import ByName
from ..scalar.times import whole
from ..validate import finite, function, numbers
from .home import Home

Array = np.ndarray

FOREVER = 1 << 62

Given = ArrayLike | Callable[[float], ArrayLike]
"""A number, an array, or a function of time."""


class Course(ByName):
    """Rows [rows, 1 or n] of ``every`` steps each, the first from step ``first`` on, until step ``end``.

    A function of time is kept; ``sample`` makes the rows of a run.
    """

    def __init__(
        self, what: str, given: Given, n: int, network: Home, every: float | None = None, start: float = 0.0,
        stop: float | None = None, check: Callable[[Array], object] | None = None, dtype: DTypeLike | None = None,
        units: Array | None = None,
    ):  # fmt: skip
        self.what, self.n, self.dt, self.check = what, n if units is None else len(units), network.dt, check
        self.whole, self.units = n, units  # of a course for some of n units, who they are
        self.dtype = network.dtype if dtype is None else dtype
        self.begin = self.first = whole(start, self.dt, "start", least=0)
        self.end = FOREVER if stop is None else whole(stop, self.dt, "stop", least=0)
        if self.end <= self.begin:
            raise ValueError(f"stop must be later than start, not {stop!r} with start={start!r}")
        self.function = (
            function(what, given, "a number, an array, or a function of time", 1) if callable(given) else None
        )
        self.place = -1  # of the rows among the values of the network, where they are laid out
        if self.function is not None:
            self.every = 1 if every is None else whole(every, self.dt, "every")
            self._one(self.function, (self.begin + 0.5 * self.every) * self.dt)  # what cannot be is refused at the call
            self.rows = np.zeros((0, 1), self.dtype)
            return
        self.rows, self.every = self._rows(given, every)

    def _rows(self, given: object, every: float | None) -> tuple[Array, int]:
        """Rows of a number or an array, and how many steps each lasts."""
        array, n = numbers(f"a {self.what}", given).astype(self.dtype), self.n  # a copy, which stays as it is
        if array.ndim < 2:
            if array.shape not in ((), (1,), (n,)):
                raise ValueError(f"a {self.what} must be a number, [{n}], or [rows, {n}], not {list(array.shape)}")
            if every is not None:
                raise ValueError(
                    f"every is the time for which a row of a {self.what} lasts; this {self.what} has one row"
                )
            return self._of_all(self._checked(array.reshape(1, -1))), FOREVER
        if array.ndim > 2 or array.shape[1] not in (1, n):
            raise ValueError(
                f"a {self.what} that changes must have shape [rows, {n}] or [rows, 1], not {list(array.shape)}"
            )
        return self._of_all(self._checked(array)), 1 if every is None else whole(every, self.dt, "every")

    def _of_all(self, rows: Array) -> Array:
        """Rows for all units, those of which the course is not at 0."""
        if self.units is None:
            return rows
        whole = np.zeros((len(rows), self.whole), self.dtype)
        whole[:, self.units] = rows
        return whole

    def _checked(self, rows: Array) -> Array:
        finite(self.what, rows)
        if self.check:
            self.check(rows)
        return rows

    def _one(self, function: Callable[..., object], t: float) -> Array:
        """What a function gives at one time: [1] or [n]."""
        try:
            value = numbers("what it gives", function(t)).astype(self.dtype)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{self.what}: the function {function!r} fails at t = {t:g} ms: {error}") from error
        if value.shape not in ((), (1,), (self.n,)):
            raise ValueError(
                f"{self.what}: the function {function!r} must give a number or [{self.n}], not {list(value.shape)}"
            )
        return self._checked(value.reshape(1, -1))[0]

    def sample(self, start: int, stop: int) -> None:
        """Take the rows of the steps [start, stop) from the function, which this is: at the middle of each row."""
        function = self.function
        if function is None:
            return
        low, high = max(start, self.begin), min(stop, self.end)
        if low >= high:
            self.rows = self.rows[:0]
            return
        a, b = (low - self.begin) // self.every, (high - 1 - self.begin) // self.every + 1
        times = (self.begin + (np.arange(a, b) + 0.5) * self.every) * self.dt
        rows = [self._one(function, t) for t in times.tolist()]
        one = len({len(row) for row in rows}) > 1
        self.rows = self._of_all(np.stack(np.broadcast_arrays(*rows)) if one else np.stack(rows))
        self.first = self.begin + a * self.every

    def line(self) -> list[int]:
        """Its line in a table: rows, steps per row, first step, end."""
        return [len(self.rows), self.every, self.first, self.end]
