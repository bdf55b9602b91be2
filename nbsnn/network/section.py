"""Some units of a population: neighbours, every so many, or those of a list."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import zlib
from typing import Any
from typing import cast as typed

import numpy as np
from numpy.typing import ArrayLike

from ..sparse.values import Distribution
from ..validate import cast, numbers
from ..validate.sealed import Sealed
from .home import Units

Array = np.ndarray

Chosen = slice | int | ArrayLike
"""What units are chosen by: a slice, a number, ascending numbers, or an array of booleans."""

ALL = slice(None, None, None)


class Section(Sealed):
    """Some units of a population, ``group[:800]``, ``group[::2]``, ``group[[1, 5, 9]]`` or ``group[mask]``.

    They are connected, recorded, and given currents, as a population is. ``section["v"]`` is a copy of their values of
    a variable or parameter, and ``section["v"] = values`` sets them. ``section[:5]`` are some of them.

    Attributes
    ----------
    group : Group
    lo, hi : int
        The first unit, and the one after the last.
    units : int array [n]
        Their numbers in the population, which ascend.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(), 6, name="cells")
    >>> cells[::2]["v"] = [1.0, 2.0, 3.0]
    >>> cells["v"].tolist(), cells[[1, 5]].units.tolist()
    ([1.0, 0.0, 2.0, 0.0, 3.0, 0.0], [1, 5])
    """

    def __init__(self, group: Units, units: Chosen = ALL):
        self.group, self.name, self._listed = typed(Any, group), group.name, None
        if isinstance(units, slice):
            lo, hi, step = units.indices(group.n)
            listed = np.arange(group.n)[units] if step != 1 else None
        else:
            lo, hi, step, listed = 0, 0, 1, self._numbers(units)
        if listed is not None and len(listed) and np.all(np.diff(listed) == 1):  # neighbours
            lo, hi, listed = int(listed[0]), int(listed[-1]) + 1, None
        elif listed is not None and len(listed):
            lo, hi = int(listed[0]), int(listed[-1]) + 1
        if hi <= lo or (listed is not None and not np.all(np.diff(listed) > 0)):
            raise ValueError(
                f"a section of {group.name} is some of its {group.n} units, each once and in ascending order, not "
                f"{units!r}"
            )
        self.lo, self.hi, self._listed = lo, hi, listed
        if units is not ALL:
            self.name = f"{group.name}[{self._said(step)}]"
        self.seal(Section)

    def _numbers(self, units: ArrayLike | int) -> Array:
        n, name = self.group.n, self.group.name
        try:
            array = np.atleast_1d(np.asarray(units))
        except ValueError:
            array = np.zeros((0, 0))
        if array.dtype == bool and array.shape == (n,):
            return np.flatnonzero(array)
        array = array if array.size else array.astype(int)
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise TypeError(
                f"units of {name} are chosen by a slice, a number, ascending numbers or {n} booleans, and arrays by "
                f"name, not by {units!r}"
            )
        array = np.where(array < 0, array + n, array) if np.ndim(units) == 0 else array
        if len(array) and not 0 <= array.min() <= array.max() < n:
            raise ValueError(f"units of {name} are numbered from 0 to {n - 1}, not {units!r}")
        return array.astype(np.int64)

    def _said(self, step: int) -> str:
        if self._listed is None:
            return f"{self.lo}:{self.hi}"
        if step != 1:
            return f"{self.lo}:{self.hi}:{step}"
        few, sign = self._listed.tolist(), zlib.crc32(self._listed.tobytes())
        return ", ".join(map(str, few)) if len(few) <= 8 else f"{len(few)} units, {sign:08x}"

    @property
    def neighbours(self) -> bool:
        """True if there is no other unit between them."""
        return self._listed is None

    @property
    def units(self) -> Array:
        return np.arange(self.lo, self.hi) if self._listed is None else self._listed

    @property
    def n(self) -> int:
        """Number of units."""
        return self.hi - self.lo if self._listed is None else len(self._listed)

    def __len__(self) -> int:
        return self.n

    def below(self, unit: int) -> int:
        """How many of its units have lower numbers."""
        return min(max(unit - self.lo, 0), self.n) if self.neighbours else int(np.searchsorted(self.units, unit))

    def local(self, units: Array) -> Array:
        """The numbers within the section of units of the population, of any numbers; -1: none of it."""
        if self._listed is None:
            return np.where((units >= self.lo) & (units < self.hi), units - self.lo, -1)
        place = np.minimum(np.searchsorted(self._listed, units), self.n - 1)
        return np.where(self._listed[place] == units, place, -1)

    def shift_to(self, other: Section) -> int | None:
        """By how much a unit's number here is less than in ``other``, None if no unit is in both.

        Raises
        ------
        ValueError
            If that differs from unit to unit.
        """
        if self.group is not other.group:
            return None
        if self.neighbours and other.neighbours:
            return self.lo - other.lo
        there = other.local(self.units)
        here = np.flatnonzero(there >= 0)
        if not len(here):
            return None
        own = int(there[here[0]] - here[0])
        meant = np.arange(self.n) + own
        if np.any(there[here] != here + own) or np.sum((meant >= 0) & (meant < other.n)) != len(here):
            raise ValueError(f"{self.name} and {other.name} overlap in units that are numbered differently in both")
        return own

    def __getitem__(self, what: str | Chosen) -> Any:
        if not isinstance(what, str):
            return Section(self.group, self.units[Section(typed(Any, _Counted(self.name, self.n)), what).units])
        values = np.array(np.asarray(self.group[what])[self.units])  # type: ignore[index]
        values.flags.writeable = False
        return values

    def __setitem__(self, name: str, values: ArrayLike | Distribution) -> None:
        group = self.group
        if not isinstance(name, str):
            raise TypeError(f"{self.name}: a variable or parameter is named by a text, not by {name!r}")
        whole = np.array(group[name])
        if isinstance(values, Distribution):
            values = group.drawn(name, values, whole.dtype)[self.units]
        name_of = f"{name} of {self.name}"
        given = cast(name_of, numbers(name_of, values), np.result_type(whole, np.float32))
        if given.shape not in ((), (1,), (self.n,)):
            raise ValueError(f"{name_of} must be a number or have shape [{self.n}], not {list(given.shape)}")
        whole = whole.astype(given.dtype)
        whole[self.units] = given
        group[name] = whole

    def named(self, name: str) -> Section:
        """This section, which the network and its recordings know by ``name`` from now on."""
        network = self.group.network
        if not isinstance(name, str) or not name:
            raise TypeError(f"a name must be a text, not {name!r}")
        if not self.neighbours:
            raise ValueError(f"{self.name}: only units that are neighbours have a name, not strided or listed ones")
        if name in network.sections or any(group.name == name for group in network.groups):
            raise ValueError(f"this network has units called {name!r} already")
        self.__dict__["name"] = name
        network.sections[name] = self
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Section) or (self.group, self.lo, self.hi) != (other.group, other.lo, other.hi):
            return False
        return np.array_equal(self.units, other.units) if not (self.neighbours and other.neighbours) else True

    def __hash__(self) -> int:
        return hash((self.group.name, self.lo, self.hi))


class _Counted:
    """As many units as a section has, of which some are chosen."""

    def __init__(self, name: str, n: int):
        self.name, self.n = name, n
