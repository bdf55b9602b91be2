"""Interface of a plastic layer for its runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from ..layers.dense import Dense
from ..layers.layer import Array, Nested, Setting
from ..layers.population import Population
from .spikes_in import Drawn


class PlasticLayer(Protocol):
    """A plastic layer as its runs see it; ``compiled`` keeps their kernels."""

    connection: Dense
    neurons: Population
    lateral: Dense | None
    rule: Any
    delay: int
    lag: tuple[int, int]
    defer: bool
    integer: bool
    in_shape: tuple[int, ...]
    shape: tuple[int, ...]
    setting: Setting
    compiled: dict[Hashable, Callable[..., Any]]
    backend: Any

    @property
    def weights(self) -> Array: ...
    @property
    def queue(self) -> int: ...
    def initial(self, batch: int) -> Nested: ...
    def run_steps(
        self, x: Array | Drawn, state: Nested, tape: Nested, signals: Nested | None, every: int | None = None
    ) -> tuple[Array, Nested]: ...
    def check_state(self, state: Nested, batch: int) -> Nested: ...
