"""Questions about values of which nothing is known, for type checkers, too: what holds anything holds ``Any``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import instance

if TYPE_CHECKING:
    from typing_extensions import TypeIs


def is_array(value: object) -> TypeIs[np.ndarray]:
    """True for an array of NumPy's."""
    return isinstance(value, np.ndarray)


def is_dict(value: object) -> TypeIs[dict[Any, Any]]:
    """True for a dict."""
    return isinstance(value, dict)


def is_mapping(value: object) -> TypeIs[Mapping[Any, Any]]:
    """True for a mapping."""
    return isinstance(value, Mapping)


def is_tuple(value: object) -> TypeIs[tuple[Any, ...]]:
    """True for a tuple."""
    return isinstance(value, tuple)


def is_list(value: object) -> TypeIs[list[Any]]:
    """True for a list."""
    return isinstance(value, list)


def is_list_or_tuple(value: object) -> TypeIs[tuple[Any, ...] | list[Any]]:
    """True for a tuple or a list."""
    return isinstance(value, (tuple, list))


def mapping(name: str, value: object) -> Mapping[str, Any]:
    """``value``, a mapping from names; raises ``TypeError`` if it is none."""
    return cast(Mapping[str, Any], instance(name, value, Mapping, "a mapping from names"))


def without_numpy(value: object) -> object:
    """``value``, or if it is a number of NumPy's the same as one of Python's."""
    return cast(object, value.item()) if isinstance(value, np.generic) else value
