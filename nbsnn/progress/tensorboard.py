"""A training's course for TensorBoard."""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from typing import Any

from ..validate import path
from .history import History


class TensorBoard:
    """Callback of ``fit`` that writes each epoch's numbers where TensorBoard reads them.

    Needs tensorboardX: ``pip install "nbsnn[tensorboard]"``. Each column of the history is a scalar of its name. A
    training that resumes uses the same folder, and writes its whole history again.

    Parameters
    ----------
    folder : str or path
        One for each training; ``tensorboard --logdir`` gets the folder above to compare them.

    Examples
    --------
    >>> import nbsnn
    >>> callback = nbsnn.TensorBoard("runs/first")  # doctest: +SKIP
    """

    def __init__(self, folder: str | PathLike[str]):
        self.folder, self.writer, self.written = path("folder", folder), None, 0
        try:
            self.make: Any = import_module("tensorboardX").SummaryWriter
        except ImportError:
            raise ImportError('TensorBoard needs tensorboardX: pip install "nbsnn[tensorboard]"') from None

    def __call__(self, net: object, history: History) -> None:
        """Write what is new of the history."""
        if self.writer is None:
            self.writer = self.make(self.folder, purge_step=history["epoch"][0])
        for row in history.rows[self.written :]:
            for name, value in row.items():
                if name != "epoch":
                    self.writer.add_scalar(name, value, row["epoch"])
        self.written = len(history)
        self.writer.flush()
