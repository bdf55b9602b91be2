"""Groups of parameters with options of their own, and parameters that stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from ..device.buffers import Array
from ..validate import count, instance
from .optimizer import Optimizer
from .saved import read
from .schedules import Schedule
from .watching import Watching


class Groups(Optimizer):
    """An optimiser with other options for some parameters, or none: those are frozen.

    A group is named by the name of a parameter, of a layer, which stands for all in it, or a pattern with ``*``. A
    parameter belongs to the first group that its name fits, and to the optimiser itself if there is none.

    Parameters
    ----------
    optimizer : Optimizer
        For what belongs to no group.
    groups : mapping
        Name -> options that differ (``{"lr": 1e-4, "weight_decay": 0.0}``), another optimiser, or None: frozen.

    Attributes
    ----------
    parts : dict of str to Optimizer
        The optimisers, by the name of their group; ``""`` is the one given.

    Raises
    ------
    ValueError
        At the first step, or when a learner is made: a group fits no parameter.

    Examples
    --------
    >>> import nbsnn
    >>> from nbsnn.optim import Adam, Groups
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 3), nbsnn.neurons.LIF(), nbsnn.Dense(3, 2), nbsnn.neurons.LI(), seed=0)
    >>> optimizer = Groups(Adam(1e-3, weight_decay=0.01), {"*/bias": {"weight_decay": 0.0}, "dense1": None})
    >>> learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=optimizer)
    """

    def __init__(self, optimizer: Optimizer, groups: Mapping[str, Mapping[str, Any] | Optimizer | None]):
        instance("optimizer", optimizer, Optimizer, "one of nbsnn.optim, Adam(1e-3) say")
        self.parts: dict[str, Optimizer] = {}
        self.frozen: list[str] = []
        self.order = list(instance("groups", groups, Mapping, "a mapping from names to options"))
        for name, options in groups.items():
            instance("a name in groups", name, str, "the name of a parameter or layer")
            if options is None:
                self.frozen.append(name)
            elif isinstance(options, Optimizer):
                self.parts[name] = options
            else:
                say = "options by name, an optimiser, or None"
                self.parts[name] = optimizer.replace(**instance(f"groups[{name!r}]", options, Mapping, say))
        self.parts[""] = optimizer
        if len({id(part) for part in self.parts.values()}) < len(self.parts) or any(
            isinstance(part, Groups) or part.iteration for part in self.parts.values()
        ):
            raise ValueError("each group needs an optimiser of its own that has made no step, and is no Groups itself")
        self._count = 0
        self._memory: dict[str, np.ndarray] = {}  # each group has its own
        self.close(Groups)

    @property
    def iteration(self) -> int:  # type: ignore[override]
        """How many steps have been made."""
        return self._count

    @property
    def state(self) -> dict[str, np.ndarray]:  # type: ignore[override]
        """The memory of all groups."""
        return {name: array for part in self.parts.values() for name, array in part.state.items()}

    @property
    def schedule(self) -> Schedule:
        """The schedule of what belongs to no group; may be set."""
        return self.parts[""].schedule

    @schedule.setter
    def schedule(self, lr: float | Schedule) -> None:
        self.parts[""].schedule = lr

    @property
    def lr(self) -> float:
        """The learning rate of the next step of what belongs to no group; may be set."""
        return self.parts[""].lr

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self.parts[""].schedule = lr

    def group_of(self, name: str) -> str:
        """The group that a parameter belongs to, ``""`` if none."""
        return next((group for group in self.order if _fits(name, group)), "")

    def held(self, grads: Mapping[str, Array]) -> dict[str, Array]:
        return {name: g for name, g in grads.items() if self.group_of(name) in self.frozen}

    def check_parameters(self, names: Iterable[str]) -> None:
        names = list(names)
        for group in self.order:
            if not any(_fits(name, group) for name in names):
                raise ValueError(f"the group {group!r} fits no parameter; there are {', '.join(names)}")

    def prepared(
        self, params: Mapping[str, Array], grads: Mapping[str, Array | None], largest: float | None = None
    ) -> Callable[[], None]:
        self._check_names(params, grads)
        self.check_parameters(params)
        members: dict[str, list[str]] = {name: [] for name in (*self.parts, *self.frozen)}
        for name in params:
            members[self.group_of(name)].append(name)
        for group, part in self.parts.items():
            if members[group] and part.slots and part.iteration and not part.state:
                raise ValueError(f"the state that was loaded has no slots of {', '.join(members[group])}")
        makes = [
            part.prepared({k: params[k] for k in members[group]}, {k: grads[k] for k in members[group]}, largest)
            for group, part in self.parts.items()
        ]

        def make() -> None:
            for each in makes:
                each()
            self._count += 1

        return make

    def load(self, state: Mapping[str, np.ndarray], iteration: int) -> None:
        shares: dict[str, dict[str, np.ndarray]] = {group: {} for group in self.parts}
        for name in state:
            group = self.group_of(name.partition("/")[2])
            if group in self.frozen:
                raise ValueError(f"state has {name!r}, but the group {group!r} is frozen")
            shares[group][name] = state[name]
        there = {group: part for group, part in self.parts.items() if shares[group] or not part.slots}
        for group, part in there.items():
            read(part, shares[group], count("iteration", iteration, least=0))
        for group, part in self.parts.items():
            part.load(shares[group], iteration if group in there else 0)
            part.past.iteration = iteration
        self._count = iteration

    @property
    def watching(self) -> list[Watching]:
        found = {id(schedule): schedule for part in self.parts.values() for schedule in part.watching}
        return list(found.values())

    def __repr__(self) -> str:
        groups = {group: None if group in self.frozen else self.parts[group] for group in self.order}
        return f"Groups({self.parts['']!r}, {groups!r})"


def _fits(name: str, group: str) -> bool:
    """Whether a parameter belongs to a group."""
    return fnmatchcase(name, group) or fnmatchcase(name, f"{group}/*")
