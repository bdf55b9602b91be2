"""What can be looked at of a population that ran in a block: records that are worked out when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..layer import Array, Nested
from ..population import Population
from ..run import Run


class BlockRecords:
    """The records of a block's population, for a ``Run``: what the block did not keep is worked out when it is
    asked for.

    Parameters
    ----------
    population : Population
    outputs : callable
        Returns those of the last run, [T, B, ...].
    unfold : callable
        Makes the record that the population's own run would have left.
    """

    def __init__(self, population: Population, outputs: Callable[[], Array], unfold: Callable[[], None]):
        self.population, self.outputs, self.unfold, self.setting = population, outputs, unfold, population.setting

    def recorded(self) -> list[str]:
        """See ``Layer.recorded``."""
        return self.population.recorded()

    def record(self, tape: Nested, name: str) -> Any:
        """See ``Layer.record``."""
        if name == self.population.neuron.output:
            return self.outputs()
        if "run" not in tape:
            self.unfold()
        return self.population.record(tape, name)


class LoopRecords(BlockRecords):
    """The same of a ``Recurrent``, whose population is called "neurons"."""

    def recorded(self) -> list[str]:
        return ["neurons"]

    def record(self, tape: Nested, name: str) -> Any:
        first, _, rest = name.partition("/")
        if first != "neurons":
            raise KeyError(f"recurrent records nothing called {name!r}; it has {self.recorded()}")
        run = Run(BlockRecords(self.population, self.outputs, self.unfold), np.empty(0), {}, tape)
        return run[rest] if rest else run
