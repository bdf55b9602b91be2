"""What a run shall record: spikes, variables and weights of whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .connection import Connection
from .group import Group, Section
from .home import Home

Array = np.ndarray


class Wanted:
    """What a run shall record."""

    def __init__(self, network: Home, record: Any):
        self.spikes: list[Group | Section] = [group for group in network.groups if group.spiking and record is None]
        self.variables: list[tuple[Group | Section, str, Array]] = []
        self.weights: list[Connection] = []
        if record is not None and not isinstance(record, Mapping):
            raise TypeError(
                f'record must say what of whom: {{cells: ["spikes", "v"], connection: "weight"}}, not {record!r}'
            )
        for owner, names in (record or {}).items():
            if not isinstance(names, (str, list, tuple, set, Mapping)) or not all(
                isinstance(n, str) for n in _names(names)
            ):
                raise TypeError(f'what to record must be names, ["spikes", "v"] say, not {names!r}')
            if isinstance(owner, Connection):
                self._connection(network, owner, names)
                continue
            owner = network.owner(owner)
            for name in _names(names):
                chosen = names[name] if isinstance(names, Mapping) else None
                if name == "spikes":
                    if not group_of(owner).spiking:
                        raise ValueError(f"{owner!r} is a readout, which emits no spikes: record its variables")
                    if chosen is not None:
                        raise ValueError(
                            f"spikes of {owner.name} are recorded of all units, or of a section, not of {chosen!r}"
                        )
                    self.spikes.append(owner)
                else:
                    network.place(group_of(owner), name)
                    self.variables.append((owner, name, _units(owner, name, chosen)))

    def _connection(self, network: Home, connection: Connection, names: Any) -> None:
        if connection not in network.connections:
            raise KeyError(f"this network has no connection {connection!r}")
        for name in _names(names):
            if name != "weight" or not connection.own_weights:
                raise KeyError(
                    f"of {connection.name} weights can be recorded if each synapse has its own, not {name!r}"
                )
            self.weights.append(connection)


def _names(names: Any) -> Any:
    return [names] if isinstance(names, str) else names


def group_of(owner: Group | Section) -> Group:
    """The population, of which this may be a section."""
    return owner.group if isinstance(owner, Section) else owner


def first_of(owner: Group | Section) -> int:
    """The number of the first unit within its population."""
    return owner.lo if isinstance(owner, Section) else 0


def _units(owner: Group | Section, name: str, chosen: Any) -> Array:
    """The units of which a variable is recorded."""
    if chosen is None:
        return np.arange(owner.n)
    units = np.atleast_1d(np.asarray(chosen))
    if (
        units.ndim != 1
        or units.dtype.kind not in "iu"
        or (len(units) and not 0 <= units.min() <= units.max() < owner.n)
    ):
        raise ValueError(f"units of {owner.name}.{name} must be integers from 0 to {owner.n - 1}, not {chosen!r}")
    return units.astype(np.int64)
