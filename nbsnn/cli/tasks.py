"""The tasks that ``nbsnn train`` knows: data, network and the defaults that its documented results were got with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import data
from ..data import Dataset


@dataclass(frozen=True)
class Task:
    """A data set and the defaults of its options.

    ``load`` takes the folder given with ``--data`` and whether samples are flat; ``needs_data`` says whether the
    folder must be given.
    """

    load: Callable[[Path | None, bool], Dataset]
    needs_data: bool
    summary: str
    hidden: int
    epochs: int
    batch_size: int
    lr: float
    dropout_input: float
    dropout: float
    shift: int
    steps: int = 8


TASKS = {
    "digits": Task(
        lambda folder, flat: data.digits(flat=flat),
        needs_data=False,
        summary="1797 handwritten digits of 8 x 8 pixels, which come with the package",
        hidden=256,
        epochs=30,
        batch_size=32,
        lr=5e-3,
        dropout_input=0.1,
        dropout=0.3,
        shift=0,
    ),
    "mnist": Task(
        lambda folder, flat: data.mnist(folder or "", flat=flat),
        needs_data=True,
        summary="70000 handwritten digits of 28 x 28 pixels",
        hidden=800,
        epochs=10,
        batch_size=128,
        lr=2e-3,
        dropout_input=0.0,
        dropout=0.2,
        shift=1,
    ),
    "fashion-mnist": Task(
        lambda folder, flat: data.fashion_mnist(folder or "", flat=flat),
        needs_data=True,
        summary="70000 pictures of clothes of 28 x 28 pixels",
        hidden=800,
        epochs=10,
        batch_size=128,
        lr=2e-3,
        dropout_input=0.0,
        dropout=0.3,
        shift=0,
    ),
}
