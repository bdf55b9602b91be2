"""The outcome of a run: output, final state, and every variable at every step."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..device.constant_input import fetched
from ..device.gpu import get_all
from ..validate import finite
from ..validate.kinds import is_dict


class Run:
    """Result of ``run``.

    Attributes
    ----------
    output : array [T, B, ...]
        Output of the last layer.
    state : dict
        State after the last step; hand it to ``run`` to continue.

    Notes
    -----
    Of a network on a GPU, each array is copied from there when it is asked for.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(), seed=0, device="python")
    >>> run = net.run(np.ones((5, 1, 3), np.float32))
    >>> run.output.shape, run["lif1"]["v"].shape
    ((5, 1, 2), (5, 1, 2))
    >>> again = net.run(np.ones((5, 1, 3), np.float32), state=run.state)      # goes on where the first run ended
    """

    def __init__(self, layer: Any, output: Any, state: dict[str, Any], tape: dict[str, Any]):
        self._layer, self._output, self._state, self._tape = layer, output, state, tape
        if layer.setting.arrays.numpy:  # there it is looked at when it is asked for
            _finite(state, "")

    @functools.cached_property
    def output(self) -> np.ndarray:
        """Output of the last layer."""
        return fetched(self._output)

    @functools.cached_property
    def state(self) -> dict[str, Any]:
        """State after the last step; ``ValueError`` if it has left the range of numbers."""
        return _finite(get_all(self._state), "")

    def __getitem__(self, name: str) -> Any:
        """A recorded variable [T, B, ...] of a population, or the run of a layer inside."""
        return fetched(self.raw(name))

    def raw(self, name: str) -> Any:
        """Entry by index, not copied from a GPU."""
        return self._layer.record(self._tape, name)

    def __contains__(self, name: str) -> bool:
        return name in self.keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self) -> list[str]:
        """Names that can be asked for."""
        return self._layer.recorded()

    def __repr__(self) -> str:
        return f"Run(output {list(self.output.shape)}, {', '.join(self.keys())})"


def _finite(state: Any, name: str) -> Any:
    """``state``, if all numbers in it are finite."""
    if is_dict(state):
        for key, value in state.items():
            _finite(value, f"{name}/{key}" if name else key)
    elif state.dtype.kind == "f":
        finite(f"{name} at the end of the run", state)
    return state
