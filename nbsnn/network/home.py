"""Interface of a network for its populations, connections and runs."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..neuron import Neuron
from ..random import Draws
from ..ranks import Alone
from ..synapses import Membrane
from .present import Present

Array = np.ndarray

Linked = Any
"""A connection as checks of its arguments see it."""

Whole = Any
"""A network, or an attribute of one, as what lays it out anew sees it."""


class Home(Protocol):
    """A network as its parts see it; ``clock`` holds the steps done, and those done when the loop was last called."""

    dt: float
    seed: int
    dtype: np.dtype
    off_grid: bool
    device: str
    backend: Any
    ranks: Alone
    draws: Draws
    clock: Array
    groups: list[Any]
    sections: dict[str, Any]
    connections: list[Any]
    present: Present

    @property
    def noise(self) -> int: ...
    @property
    def step(self) -> int: ...
    @property
    def time(self) -> float: ...
    @property
    def units(self) -> int: ...
    @property
    def built(self) -> bool: ...
    @property
    def layout(self) -> Any: ...
    def build(self) -> Any: ...
    def state(self) -> Any: ...
    def loop(self) -> Any: ...
    def changed(self) -> None: ...
    def rewrite(self, course: Any) -> None: ...
    def begin(self, start: int, end: int, recorded: frozenset[Any]) -> None: ...
    @property
    def threads(self) -> int: ...
    def go_on(self, step: int, end: int) -> int: ...
    def unbuilt(self, what: str) -> None: ...
    def rewiring(self, what: str) -> Any: ...
    def counterpart(self, of: object) -> Any: ...
    def section(self, of: Any, argument: str = "group") -> Any: ...
    def owner(self, of: Any, argument: str = "group") -> Any: ...
    def first(self, group: Any) -> int: ...
    def place(self, group: Any, name: str) -> tuple[int, int]: ...
    def variable(self, group: Any, name: str) -> Array: ...


class Units(Protocol):
    """A population as its inputs and ports see it."""

    network: Home
    index: int
    name: str
    n: int
    neuron: Neuron | None
    ports: list[Any]
    gates: list[Any]
    currents: list[Any]

    @property
    def driven(self) -> bool: ...
    @property
    def response(self) -> Any: ...
    @property
    def membrane(self) -> Membrane | tuple[Membrane, ...] | None: ...
