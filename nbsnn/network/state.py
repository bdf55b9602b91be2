"""A network's state: everything that a run changes, as arrays that can be kept, changed, and put back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray

ARRAYS = (
    "states", "ring", "weights", "numbers", "traces", "resources", "factors", "eligible", "since", "rates", "tallies",
    "aims", "integers",
)  # fmt: skip


@dataclass
class State:
    """The state of a network between two steps. Made by ``Network.state``.

    Attributes
    ----------
    step : int
        Steps done.
    arrays : dict of str to array
        Variables, what is still to arrive, weights, traces, what waits for a reward, mean rates, factors of units and
        what belongs to them, integers. Weights that wait are as of the latest event of their synapse, or without the
        factor of their unit; the ``weight`` of a connection is as of now.
    history : list of (populations, units)
        Spikes that delayed plastic synapses still wait for.
    """

    step: int
    arrays: dict[str, Array] = field(default_factory=dict)
    history: list[tuple[Array, Array]] = field(default_factory=list)

    def copy(self) -> State:
        """A state of its own."""
        arrays = {name: array.copy() for name, array in self.arrays.items()}
        return State(self.step, arrays, [(pops.copy(), units.copy()) for pops, units in self.history])

    def save(self, path: str | Path) -> None:
        """Write to an .npz file; the file is complete or not there."""
        from ..save import write_npz

        lengths = np.array([len(pops) for pops, _ in self.history], np.int64)
        joined = [np.concatenate([pair[k] for pair in self.history] or [np.zeros(0, np.int64)]) for k in (0, 1)]
        content = {
            "nbsnn": np.array("network"),
            **self.arrays,
            "step": np.array(self.step),
            "lengths": lengths,
            "pops": joined[0],
            "units": joined[1],
        }
        write_npz(path, content)

    @classmethod
    def load(cls, path: str | Path) -> State:
        """Read what ``save`` wrote.

        Raises
        ------
        ValueError
            If the file is not a state, or is damaged.
        """
        from ..save import read_npz

        content: dict[str, Any] = read_npz(path)
        try:
            cuts = np.cumsum(content["lengths"])[:-1] if len(content["lengths"]) else []
            parts = [np.split(content[name], cuts) if len(content["lengths"]) else [] for name in ("pops", "units")]
            arrays = {name: content[name] for name in ARRAYS}
            return cls(int(content["step"]), arrays, list(zip(*parts, strict=True)))
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"{path} is not the state of a network: {error}") from None
