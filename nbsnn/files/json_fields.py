"""Checks of what a JSON text says, field by field."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ..validate.kinds import is_dict

Kind = type | tuple[type, ...]


def fields(
    what: str, found: object, needed: Mapping[str, Kind], optional: Mapping[str, Kind] | None = None
) -> dict[str, Any]:
    """An object that has all that is ``needed``, maybe what is ``optional``, and nothing else.

    Parameters
    ----------
    what : str
        What it is, for messages.
    found : object
        As JSON gives it.
    needed, optional : mapping
        Name -> type, or types. A bool is no int, and floats are finite; an int is a float, too.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of another type.

    >>> fields("row", {"epoch": 1, "loss": 0.5}, {"epoch": int, "loss": float})
    {'epoch': 1, 'loss': 0.5}
    >>> fields("row", {"epoch": True}, {"epoch": int})
    Traceback (most recent call last):
    ValueError: row: epoch must be of type int, not True
    """
    known = {**needed, **(optional or {})}
    if not is_dict(found):
        raise ValueError(f"{what} must be an object, not {_short(found)}")
    if missing := needed.keys() - found.keys():
        raise ValueError(f"{what} lacks {', '.join(sorted(missing))}")
    if unknown := found.keys() - known.keys():
        raise ValueError(f"{what} has {', '.join(map(repr, sorted(unknown)))}, of which nothing is known")
    for name, value in found.items():
        kinds = known[name] if isinstance(known[name], tuple) else (known[name],)
        if not any(_is(value, kind) for kind in kinds):  # type: ignore[arg-type]
            names = " or ".join(kind.__name__ for kind in kinds)  # type: ignore[union-attr]
            raise ValueError(f"{what}: {name} must be of type {names}, not {_short(value)}")
    return found


def listed(what: str, found: object, kind: type, least: int = 0) -> list[Any]:
    """A list of values of one type; of numbers, none below ``least``."""
    if not isinstance(found, (list, tuple)):
        raise ValueError(f"{what} must be a list, not {_short(found)}")
    for value in found:
        if not _is(value, kind) or (kind in (int, float) and value < least):
            raise ValueError(f"{what} must hold values of type {kind.__name__}, from {least} on, not {_short(value)}")
    return list(found)


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) < 80 else said[:80] + " ..."
