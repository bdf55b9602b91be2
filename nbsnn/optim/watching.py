"""A learning rate that falls when training no longer gets better, and what such schedules have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from ..validate import choice, count, fraction, instance, number, switch


@runtime_checkable
class Watching(Protocol):
    """A schedule that is told how training goes."""

    def observe(self, row: Mapping[str, Any]) -> None:
        """Numbers of an epoch by name, as in ``History.rows``."""
        ...

    def reset(self) -> None:
        """Forget all that was observed."""
        ...


@dataclass
class Plateau:
    """A learning rate that is multiplied by ``factor`` when a number has not got better for a while.

    An epoch is better if its number is below ``best (1 - threshold)`` (``mode="max"``: above ``best (1 + threshold)``;
    ``relative=False``: by ``threshold`` itself). After ``patience`` epochs that are not, the next such one multiplies
    the rate, unless it falls into a cooldown; the count begins anew then. This is PyTorch's ``ReduceLROnPlateau``.
    ``fit`` tells it the row of its history after each epoch, and all rows again when it resumes; other loops call
    ``observe``.

    Parameters
    ----------
    lr : float
        Rate at the start.
    monitor : str, default "loss"
        Which column of the history: "loss", "train_accuracy", "test_accuracy" ...
    mode : {"min", "max"}, default "min"
        Whether smaller or larger numbers are better.
    factor : float in (0, 1), default 0.1
    patience : int, default 10
        How many epochs in a row may be no better.
    threshold : float, default 1e-4
        What counts as better.
    relative : bool, default True
        Whether ``threshold`` is a share of the best number.
    cooldown : int, default 0
        How many epochs after a fall are not counted.
    lr_min : float, default 0
        The rate does not fall further.
    eps : float, default 1e-8
        A fall by less than this is left out.

    Attributes
    ----------
    best : float
        The best number so far.
    bad_epochs, cooling : int
        How many epochs in a row were no better; how many more are not counted.

    Examples
    --------
    >>> schedule = Plateau(1.0, patience=1, factor=0.5)
    >>> rates = []
    >>> for loss in (3.0, 2.0, 2.0, 2.0, 2.0):
    ...     schedule.observe({"loss": loss})
    ...     rates.append(schedule(0))
    >>> rates
    [1.0, 1.0, 1.0, 0.5, 0.5]
    """

    lr: float
    monitor: str = "loss"
    mode: str = "min"
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    relative: bool = True
    cooldown: int = 0
    lr_min: float = 0.0
    eps: float = 1e-8
    best: float = field(init=False, repr=False, compare=False, default=math.inf)
    bad_epochs: int = field(init=False, repr=False, compare=False, default=0)
    cooling: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)
        instance("monitor", self.monitor, str, "the name of a column")
        choice("mode", self.mode, ("min", "max"))
        if not fraction("factor", self.factor):
            raise ValueError("factor must be greater than 0 and less than 1, not 0")
        count("patience", self.patience, least=0)
        number("threshold", self.threshold, least=0.0)
        switch("relative", self.relative)
        count("cooldown", self.cooldown, least=0)
        number("lr_min", self.lr_min, least=0.0)
        number("eps", self.eps, least=0.0)
        self.reset()

    def __call__(self, iteration: int) -> float:
        return self._now

    def reset(self) -> None:
        """Forget all that was observed."""
        self._now, self.bad_epochs, self.cooling = float(self.lr), 0, 0
        self.best = math.inf if self.mode == "min" else -math.inf

    def observe(self, row: Mapping[str, Any]) -> None:
        """Take note of an epoch.

        Parameters
        ----------
        row : mapping
            Numbers by name, among them ``monitor``; NaN is no better.
        """
        if self.monitor not in instance("row", row, Mapping, "numbers by name"):
            raise ValueError(f"Plateau watches {self.monitor!r}, but an epoch has only {', '.join(map(repr, row))}")
        value = float(row[self.monitor])
        if self._better(value):
            self.best, self.bad_epochs = value, 0
        else:
            self.bad_epochs += 1
        if self.cooling:
            self.cooling, self.bad_epochs = self.cooling - 1, 0
        if self.bad_epochs > self.patience:
            lower = max(self._now * self.factor, self.lr_min)
            if self._now - lower > self.eps:
                self._now = lower
            self.cooling, self.bad_epochs = self.cooldown, 0

    def _better(self, value: float) -> bool:
        sign = 1.0 if self.mode == "min" else -1.0
        if not math.isfinite(self.best):
            return sign * value < sign * self.best
        wanted = self.best * (1.0 - sign * self.threshold) if self.relative else self.best - sign * self.threshold
        return sign * value < sign * wanted
