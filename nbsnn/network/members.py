"""Who belongs to a network: its populations, sections of them, and connections, by name or as they are."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import copy
from typing import Any, cast

from ..validate import number
from ..validate.sealed import Sealed
from .connection import Connection
from .estimate import Estimate
from .group import Group, Section


class Members(Sealed):
    """Populations, named sections and connections of a network."""

    groups: list[Group]
    sections: dict[str, Section]
    connections: list[Connection]

    @property
    def units(self) -> int:
        """Number of units of all populations."""
        return sum(group.n for group in self.groups)

    def estimate(self, rate: float = 5.0) -> Estimate:
        """About how many bytes the synapses of this network take; and, printed, what ranks would have.

        Nothing is built. ``net.estimate().ranks(16)`` says what each of 16 ranks would hold, exchange and work out.

        Parameters
        ----------
        rate : float, Hz
            Mean rate of all units, for which work and exchanges are estimated.

        Raises
        ------
        ValueError, TypeError
            If ``rate`` is no number, or below 0.
        """
        return Estimate(cast(Any, self), number("rate", rate, least=0.0))

    def group(self, name: Group | str, argument: str = "group") -> Group:
        """The population of this name."""
        if isinstance(name, Section) or (isinstance(name, str) and name in self.sections):
            part = name if isinstance(name, Section) else self.sections[name]
            raise TypeError(f"{argument} must be a whole population; {part.name} is a section of {part.group.name}")
        if not isinstance(name, (Group, str)):
            raise TypeError(f"{argument} must be a population, or the name of one, not {name!r}")
        for group in self.groups:
            if group is name or group.name == name:
                return group
        what = f"population {name!r}" if isinstance(name, str) else f"such population: {name!r} is of another network"
        raise KeyError(f"{argument}: this network has no {what}; it has {[group.name for group in self.groups]}")

    def section(self, of: Group | Section | str, argument: str = "group") -> Section:
        """Units of one population: all of a group, or a section, or what is called so."""
        if isinstance(of, str) and of in self.sections:
            return self.sections[of]
        if isinstance(of, Section):
            self.group(of.group, argument)
            return of
        return Section(self.group(of, argument))

    def owner(self, of: Group | Section | str, argument: str = "group") -> Group | Section:
        """The population, or the section of one, that is meant."""
        if isinstance(of, Section) or (isinstance(of, str) and of in self.sections):
            return self.section(of, argument)
        return self.group(of, argument)

    def first(self, group: Group) -> int:
        """The number of the group's first unit among all units."""
        return sum(other.n for other in self.groups[: group.index])

    def counterpart(self, of: object) -> Any:
        """What here corresponds to a population, section or connection of a network that this one is a copy of.

        Raises
        ------
        KeyError, TypeError
            If there is none, of this name and number of units.
        """
        if isinstance(of, Connection):
            for connection in self.connections:
                if connection.name == of.name:
                    return connection
            raise KeyError(f"this network has no connection {of.name!r}; it has {[c.name for c in self.connections]}")
        if isinstance(of, Section):
            part = copy.copy(of)
            part.__dict__["group"] = self.counterpart(of.group)
            return part
        if not isinstance(of, Group):
            return self.owner(cast(str, of), "of")  # which says what it cannot take
        group = self.group(of.name)
        if of.n != group.n:
            raise KeyError(f"{of.name} has {of.n} units, and {group.n} in this network")
        return group
