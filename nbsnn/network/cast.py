"""What a recording knows of its network when it comes from a pickle: whose spikes and variables there are."""
# pyright: reportUnnecessaryComparison=false

from __future__ import annotations

import copy
from typing import Any

from .group import Group, Section
from .home import Home
from .members import Members


class Cast(Members):
    """Names and numbers of a network's populations, sections and connections, without what they are made of.

    Populations and connections of a network with the same names and numbers stand for these.
    """

    def __init__(self, network: Home):
        self.groups, self.sections, self.connections = [], {}, []
        nothing: dict[str, Any] = {"network": self, "neuron": None, "list": None, "_rate": None, "_course": None}
        for group in network.groups:
            self.groups.append(copy.copy(group))
            self.groups[-1].__dict__.update(nothing, ports=[], gates=[], currents=[], initial={}, values={}, _found={})
            self.groups[-1].__dict__["group"] = self.groups[-1]
        for c in network.connections:
            self.connections.append(object.__new__(c.__class__))
            ends = {name: self.counterpart(getattr(c, name)) for name in ("source", "target", "sources", "targets")}
            self.connections[-1].__dict__.update(
                name=c.name, network=self, pattern=None, synapse=None, plasticity=None, homeostasis=None, _sealed=True,
                **ends,
            )  # fmt: skip
        self.sections |= {name: self.counterpart(part) for name, part in network.sections.items()}
        self.seal(Cast)

    def group(self, name: Group | str, argument: str = "group") -> Group:
        """The population of this name."""
        if isinstance(name, Group) and name.network is not self:
            return self.counterpart(name)
        return super().group(name, argument)

    def section(self, of: Group | Section | str, argument: str = "group") -> Section:
        """Units of one population."""
        return super().section(self.counterpart(of) if isinstance(of, Section) else of, argument)
