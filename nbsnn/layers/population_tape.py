"""What a run of a population leaves for its backward pass."""

from __future__ import annotations

from dataclasses import dataclass

from .layer import Array, Nested


@dataclass(eq=False)
class PopulationTape:
    """Tape of a ``Population``, which stands in the layer's dict under "run".

    Attributes
    ----------
    record : array [V, T + 1, B, N]
        Variables before each step, and at the end after the last; the first is the output.
    x : array [T, B, N]
        Input; one step if it does not change.
    params : array [P, N]
        Parameters as the step uses them.
    start : bool
        Whether the run began where ``initial`` says, so that trained initial values have gradients.
    room : dict
        Arrays that later runs use again.
    """

    record: Array
    x: Array
    params: Array
    start: bool
    room: Nested
