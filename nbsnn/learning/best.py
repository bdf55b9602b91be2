"""The best epoch of a training: which it is, what the network was then, and when to wait for a better one no longer."""

from __future__ import annotations

from collections.abc import Mapping

from ..checkpoint.save import arrays_of, fill
from ..device.gpu import get
from ..layers import Container
from ..layers.layer import Array


class Best:
    """Watches a column of a history, and keeps the network's arrays of its best epoch.

    Parameters
    ----------
    net : Container
    monitor : str
        Column; the largest value is the best of one that ends with "accuracy", the smallest of others.
    patience : int or None
        After how many epochs in a row that are no better training ends.
    keep : bool
        Whether arrays are kept.
    """

    def __init__(self, net: Container, monitor: str, patience: int | None, keep: bool):
        self.net, self.monitor, self.patience, self.keep = net, monitor, patience, keep
        self.epoch, self.value, self.waited = 0, float("inf"), 0
        self.arrays: dict[str, Array] = {}

    def observe(self, row: Mapping[str, float]) -> bool:
        """Take note of an epoch; True if it is the best so far. Of equal ones the first is."""
        if self.monitor not in row:
            raise ValueError(f"monitor must be one of {', '.join(map(repr, row))}, not {self.monitor!r}")
        value = -row[self.monitor] if self.monitor.endswith("accuracy") else row[self.monitor]
        better = value < self.value
        self.waited += 1
        if better:
            self.epoch, self.value, self.waited = int(row["epoch"]), value, 0
        return better

    def note(self) -> None:
        """Keep the network as it is."""
        if self.keep:
            self.arrays = {name: get(array).copy() for name, array in arrays_of(self.net).items()}

    def resume(self, arrays: dict[str, Array], epochs: int) -> None:
        """Resume after so many epochs, with the arrays of the best of them, or if that is the last the network's."""
        if self.epoch == epochs:
            self.note()
        elif self.keep and not arrays:
            raise ValueError(f"the checkpoint was written without validation: it has no best epoch {self.epoch}")
        else:
            self.arrays = arrays

    @property
    def over(self) -> bool:
        """True if training should end."""
        return self.patience is not None and self.waited >= self.patience

    def restore(self) -> None:
        """Give the network the arrays of its best epoch."""
        if self.keep and self.arrays:
            fill(self.net, self.arrays)
