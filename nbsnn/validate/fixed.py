"""A dict that stays as it was made."""

from __future__ import annotations

from typing import Any


class Fixed(dict[str, Any]):
    """What a neuron or a rule was made of, by name: a dict that stays as it was made."""

    def __reduce__(self) -> Any:
        return Fixed, (dict(self),)


def _refuse(self: Fixed, *args: Any, **more: Any) -> Any:
    """Methods that would change it."""
    raise TypeError("a neuron or a rule stays as it was made; replace(params={...}) gives another")


for _name in ("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update"):
    setattr(Fixed, _name, _refuse)
