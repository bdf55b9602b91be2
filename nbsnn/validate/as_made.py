"""Objects that keep what was said when they were made: a setting that would have no effect is refused."""

from __future__ import annotations

from typing import ClassVar


class AsMade:
    """Refuses, once closed, to set arguments of its constructor, and names that are not there.

    Properties that can be set stay open, and so do names that begin with an underscore. A class outside of nbsnn that
    derives from one of these may have attributes of its own.
    """

    INSTEAD: ClassVar[str] = ""
    """What to do instead, for the message."""
    ours: ClassVar[bool] = True
    """Whether the class is one of nbsnn, and keeps its contracts."""
    _said: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        said = frozenset[str]().union(*(base.__dict__.get("_said", ()) for base in cls.__mro__))
        cls.ours = cls.__module__.startswith("nbsnn.")
        if cls.ours and "__init__" in vars(cls):
            code = cls.__init__.__code__
            said |= {*code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]}
        cls._said = said

    def close(self, kind: type) -> None:
        """End the constructor of ``kind``; that of a class derived from it would go on."""
        if type(self).__init__ is kind.__init__:
            self.__dict__["_closed"] = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_closed" in self.__dict__ and name[0] != "_" and not hasattr(getattr(type(self), name, None), "__set__"):
            there = name in self.__dict__ or hasattr(type(self), name)
            if (name in self._said and not _same(self.__dict__.get(name), value)) or (self.ours and not there):
                why = f"{name} stays as it was made" if there else f"there is no attribute {name!r}"
                raise AttributeError(f"{type(self).__name__}: {why}{self.INSTEAD}")
        super().__setattr__(name, value)


def _same(old: object, new: object) -> bool:
    """True for equal numbers, texts and shapes, as of a layer that is built once more."""
    return type(old) is type(new) and isinstance(new, (int, float, str, tuple)) and old == new


def remake(it: AsMade, **values: object) -> None:
    """Set what was said when an object was made, of one that nobody has seen yet."""
    vars(it).update(values)
