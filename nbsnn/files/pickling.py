"""Pickles hold functions by their names only: what has others says so, in words."""

from __future__ import annotations

import copy
import pickle
from types import FunctionType
from typing import Any, Self, TypeVar

T = TypeVar("T")


def by_name(owner: str, function: T) -> T:
    """``function`` if a pickle can hold it, as the name of a module's function; raises ``TypeError`` otherwise."""
    try:
        pickle.dumps(function)
    except Exception:
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"the function {name} of {owner} cannot be pickled: define it with def at the top of a module that can be "
            "imported, not inside of a function or as a lambda"
        ) from None
    return function


class ByName:
    """An object whose functions are pickled by name; its copies may hold any."""

    def __getstate__(self) -> dict[str, Any]:
        for name, value in self.__dict__.items():
            if isinstance(value, FunctionType):
                by_name(f"a {type(self).__name__} ({name})", value)
        return self.__dict__

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        other = memo[id(self)] = type(self).__new__(type(self))
        other.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return other
