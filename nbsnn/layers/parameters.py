"""The parameters of a built layer: a dict whose names, shapes and dtypes stay."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from ..device.gpu import assign, get
from ..validate import array_of, finite


class Learned:
    """A parameter as an attribute of its layer, ``layer.weight`` for ``layer.params["weight"]``; may be assigned to."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: object, owner: type | None = None) -> Any:
        if layer is None:
            return self
        if self.name not in (params := getattr(layer, "params", {})):
            kind = type(layer).__name__
            raise AttributeError(f"this {kind} has no {self.name} yet: put it in a Sequential that is built")
        return params[self.name]

    def __set__(self, layer: object, value: ArrayLike) -> None:
        self.__get__(layer)
        params: dict[str, Any] = getattr(layer, "params", {})
        params[self.name] = value


class Parameters(dict[str, Any]):
    """Arrays by name; what is assigned to a name is copied into its array, so kernels and optimisers may rely on it.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` unless the name is known and the numbers are real, finite and
    of the array's shape.

    Examples
    --------
    >>> params = Parameters({"bias": np.zeros(2, np.float32)})
    >>> params["bias"] = [1, 2]
    >>> params["bias"]
    array([1., 2.], dtype=float32)
    """

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        if name not in self:
            raise KeyError(f"there is no parameter {name!r}; there are {list(self)}")
        array, given = self[name], array_of(f"parameter {name!r}", get(value))
        if given is array:  # changed in place: params["weight"] *= 2
            return
        if given.dtype.kind not in "fiub":
            raise TypeError(f"parameter {name!r} must be real numbers, not {given.dtype}")
        if given.shape != tuple(array.shape):
            raise ValueError(f"parameter {name!r} has shape {list(array.shape)}, but is given {list(given.shape)}")
        with np.errstate(over="ignore"):
            assign(array, finite(f"parameter {name!r}", np.asarray(given, array.dtype)))

    def update(self, *others: Any, **named: Any) -> None:
        """Assign to each name."""
        for name, value in dict(*others, **named).items():
            self[name] = value

    def __ior__(self, other: Any) -> Parameters:
        self.update(other)
        return self

    def _stay(self, *args: object) -> NoReturn:
        """Methods that would add or remove names."""
        raise TypeError(f"the parameters {list(self)} of a built layer stay: assign to them by name")

    __delitem__ = _stay
    pop = popitem = clear = setdefault = _stay  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return Parameters, (dict(self),)
