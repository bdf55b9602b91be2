"""Objects that keep the attributes they have: what would have no effect cannot be set."""

from __future__ import annotations


class Sealed:
    """Refuses attributes, once ``seal`` has been called; classes that others derive from these may have more.

    Attributes that begin with an underscore, and those in ``CAN_BE_SET``, stay open.
    """

    CAN_BE_SET: tuple[str, ...] = ()
    INSTEAD = ""
    """What to do instead, for the message."""

    def seal(self, kind: type) -> None:
        """Refuse from now on, if this is a ``kind``, and not of a class derived from it."""
        self.__dict__["_sealed"] = type(self) is kind

    def __setattr__(self, name: str, value: object) -> None:
        if self.__dict__.get("_sealed") and not name.startswith("_") and name not in self.CAN_BE_SET:
            known = name in self.__dict__ or hasattr(type(self), name)
            why = f"{name} cannot be set" if known else f"there is no attribute {name!r}"
            raise AttributeError(f"{type(self).__name__}: {why}{self.INSTEAD}")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if self.__dict__.get("_sealed") and not name.startswith("_"):
            raise AttributeError(f"{type(self).__name__}: {name} cannot be deleted")
        super().__delattr__(name)
