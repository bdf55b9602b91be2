"""Spikes as text: a line for each, "time_ms,population,unit", after a line of these names."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from os import PathLike

import numpy as np

from ..validate import instance
from ..validate import path as path_of
from .whole import named, writing

Array = np.ndarray

HEAD = ["time_ms", "population", "unit"]


def write_csv(path: str | PathLike[str], spikes: Mapping[str, tuple[Array, Array]]) -> None:
    """Write spikes as lines of text in the order of time; the file is complete or not there.

    Parameters
    ----------
    path : path
    spikes : mapping
        Name of a population -> times (ms) and units.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(f"{folder}/a.csv", {"cells": (np.array([1.5, 2.0]), np.array([0, 3]))})
    ...     print(open(f"{folder}/a.csv").read().split())
    ['time_ms,population,unit', '1.5,cells,0', '2,cells,3']
    """
    instance("spikes", spikes, Mapping, "a mapping from names of populations to (times, units)")
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(HEAD)
    rows = [(t, name, k) for name, (times, units) in spikes.items() for t, k in zip(times, units, strict=True)]
    lines.writerows((_text(float(t)), name, int(k)) for t, name, k in sorted(rows, key=lambda row: row[0]))
    with writing(path_of("path", path)) as file:
        file.write(text.getvalue().encode())


def _text(time: float) -> str:
    """A time with twelve digits, or with all if these do not give it back but for rounding."""
    short = f"{time:.12g}"
    return short if abs(float(short) - time) <= 4.0 * math.ulp(time) else repr(time)


def read_csv(path: str | PathLike[str], population: str | None = None) -> tuple[Array, Array]:
    """Read spikes from text, for ``Network.spikes``: of one population, or of all if there is one.

    Parameters
    ----------
    path : path
        With the columns "time_ms" and "unit", in any order and among others, after a line of names, as
        ``recording.to_csv`` writes them.
    population : str, optional
        Whose spikes, by the column "population".

    Returns
    -------
    times : float64 array [spikes], ms
    units : int64 array [spikes]

    Raises
    ------
    ValueError
        If a column is missing, a line holds no finite time and unit from 0 on, or several populations are there and
        none is named.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(f"{folder}/a.csv", {"cells": (np.array([1.5, 2.0]), np.array([0, 3]))})
    ...     read_csv(f"{folder}/a.csv", "cells")
    (array([1.5, 2. ]), array([0, 3]))
    """
    if population is not None:
        instance("population", population, str, "the name of one")
    with named(path), open(path_of("path", path), newline="", encoding="utf-8-sig") as file:
        try:
            times, units, names = _columns(path, csv.DictReader(file), population)
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path} is not a text of spikes: {error}") from None
    if population is None and len(names) > 1:
        raise ValueError(f"{path} has spikes of {sorted(names)}: name the population whose spikes are wanted")
    if population is not None and population not in names:
        raise ValueError(f"population: {path} has no spikes of {population!r}, but of {sorted(names)}")
    return np.array(times, np.float64), np.array(units, np.int64)


def _columns(
    path: str | PathLike[str], reader: csv.DictReader[str], population: str | None
) -> tuple[list[float], list[int], set[str]]:
    """Times and units of the lines that are wanted, and the names of all populations."""
    columns = reader.fieldnames or []
    missing = [name for name in ("time_ms", "unit") if name not in columns]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}; it has {list(columns)}")
    if population is not None and "population" not in columns:
        raise ValueError(f"{path} has no column 'population', so none is {population!r}")
    times, units, names = [], [], set()
    for row in reader:
        name = str(row.get("population"))
        names.add(name)
        if population is not None and name != population:
            continue
        try:
            time, unit = float(row["time_ms"]), int(row["unit"])
        except (TypeError, ValueError):
            time, unit = np.nan, 0
        if not (np.isfinite(time) and 0 <= unit < 2**63):
            raise ValueError(f"{path}, line {reader.line_num}: no spike, but {row}")
        times.append(time)
        units.append(unit)
    return times, units, names
