"""History of training: one row per epoch or part of it, as a table, a CSV or a JSON file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from .. import validate
from ..files.json_fields import fields
from ..files.whole import beside


class History:
    """Rows of a training's course.

    Attributes
    ----------
    rows : list of dict
        Each with "epoch", "loss" (mean over the epoch, while it was trained), "train_accuracy" (of labels),
        "validation_loss" and "validation_accuracy" (with a validation set, after the epoch; otherwise those of a test
        set: "test_accuracy", or "test_loss" if targets are no labels), "events_merged" and "events_dropped" (of
        recordings), "rate/<layer>" (mean spikes per unit and step on that set) and "seconds" (of training). Learning
        without labels notes "samples", "spikes" (of all units, per sample), "train_accuracy" (if labels are shown) and
        "theta" (mean raised threshold) instead.
    best : int or None
        The epoch whose parameters the network was given at the end, with a validation set.
    test : dict of str to float
        What was measured on the test set at the end, with a validation set: "test_loss", "test_accuracy" (of labels)
        and "rate/<layer>".

    Examples
    --------
    >>> from nbsnn.progress.history import History
    >>> history = History([{"epoch": 1, "loss": 0.5, "train_accuracy": 0.91, "rate/lif1": 0.12, "seconds": 1.5}])
    >>> print(history)
    epoch   loss  train %  rate lif1  seconds
        1  0.5000   91.00      0.120      1.5
    >>> "loss" in history, "test_loss" in history, history["loss"]
    (True, False, [0.5])
    """

    def __init__(self, rows: list[dict[str, Any]] | None = None):
        self.rows: list[dict[str, Any]] = [] if rows is None else _checked(rows)
        self.best: int | None = None
        self.test: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> list[Any]:
        """One column."""
        if not isinstance(name, str) or not all(name in row for row in self.rows):
            raise KeyError(f"there is no column {name!r}; there are {list(self.rows[-1]) if self.rows else []}")
        return [row[name] for row in self.rows]

    def __contains__(self, name: object) -> bool:
        return bool(self.rows) and all(name in row for row in self.rows)

    def header(self) -> str:
        """The table's first line, for the columns of the last row."""
        names = self.rows[-1]
        return "  ".join(_title(name).rjust(_width(name)) for name in names)

    def line(self, row: Mapping[str, Any]) -> str:
        """One row as a line of the table."""
        return "  ".join(_shown(name, value).rjust(_width(name)) for name, value in row.items())

    def __str__(self) -> str:
        return "\n".join([self.header(), *map(self.line, self.rows)]) if self.rows else "(no epoch yet)"

    @classmethod
    def from_rows(cls, rows: object, first: str, needed: Iterable[str], optional: Iterable[str] = ()) -> History:
        """A history from a JSON list: numbers in the columns ``needed``, maybe in ``optional`` ones and rates.

        Raises
        ------
        ValueError
            If it is something else, or the column ``first`` does not ascend.
        """
        if not isinstance(rows, list):
            raise ValueError(f"its history must be a list of rows, not {type(rows).__name__}")
        known: dict[str, Any] = {first: int, **dict.fromkeys(needed, float)}
        may: dict[str, Any] = {**dict.fromkeys(optional, float), "events_merged": int, "events_dropped": int}
        for k, row in enumerate(rows):
            rates = {name: float for name in row if name.startswith("rate/")} if isinstance(row, dict) else {}
            fields(f"row {k} of its history", row, known, {**may, **rates})
            shares = [value for name, value in row.items() if name.endswith("_accuracy")]
            if not all(0.0 <= share <= 1.0 for share in shares):
                raise ValueError(f"row {k} of its history has an accuracy that is not from 0 to 1: {shares}")
            if row[first] <= (rows[k - 1][first] if k else 0) or row["seconds"] < 0.0:
                raise ValueError(f"row {k} of its history cannot follow the one before: {first} = {row[first]}")
        return cls(rows)

    @staticmethod
    def check_path(path: str | PathLike[str], name: str = "path") -> str:
        """The suffix of a file that a history can be saved as; raises ``ValueError`` for others."""
        suffix = Path(validate.path(name, path)).suffix
        if suffix not in (".csv", ".json"):
            raise ValueError(f"{name}: a history is saved as .csv or .json, not {Path(path).name!r}")
        return suffix

    def save(self, path: str | PathLike[str]) -> None:
        """Write the rows to a ``.csv`` or ``.json`` file; whoever opens it finds the old file or the new one."""
        suffix = self.check_path(path)
        text = io.StringIO()
        if suffix == ".json":
            text.write(json.dumps(self.rows, indent=1) + "\n")
        else:
            writer = csv.DictWriter(text, fieldnames=list(self.rows[-1]) if self.rows else ["epoch"])
            writer.writeheader()
            writer.writerows(self.rows)
        with beside(path) as part:
            part.write_text(text.getvalue(), newline="")


def _title(name: str) -> str:
    return name.replace("_accuracy", " %").replace("_loss", " loss").replace("rate/", "rate ").removeprefix("events_")


def _width(name: str) -> int:
    return max(len(_title(name)), 6 if name.endswith("loss") else 5)


def _shown(name: str, value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if name.endswith("_accuracy"):
        return f"{100.0 * value:.2f}"
    return (
        f"{value:.1f}"
        if name in ("seconds", "spikes", "theta")
        else f"{value:.3f}"
        if name.startswith("rate/")
        else f"{value:.4f}"
    )


def _checked(rows: object) -> list[dict[str, Any]]:
    """Raise unless ``rows`` are dictionaries."""
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, dict) for row in rows):
        raise TypeError(f"rows must be a list of dictionaries, not {rows!r}")
    return list(rows)
