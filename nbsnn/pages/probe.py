"""Probe: the membrane before the spike and the threshold, which no record holds, from a neuron's own step.

The hole ``spike`` is called with the difference of the two. It is filled with a function that notes it; a step that is
told that nothing spikes returns the membrane as it was compared. Neurons that find their spikes inside a step compare
with a parameter, their peak or threshold, which the membrane has reached in a step with a spike.
"""

from __future__ import annotations

import math

import numpy as np

from ..compile.fill import kernel
from ..network.membrane import INPUT, membrane_of
from ..neuron import Neuron
from ..surrogates import Surrogate
from .content import SHARES

AWAY = np.geomspace(1e-4, 1e6, 3000)
"""Distances from the threshold at which a surrogate is tried; one that never ends is drawn up to the last."""


class Probe:
    """A neuron's step, asked what it compares."""

    def __init__(self, neuron: Neuron):
        noted = self.noted = list[float]()
        truth = neuron.filling()["spike"]

        def never(u, noted=noted):
            noted.append(u)
            return 0.0

        def truly(u, noted=noted):
            noted.append(u)
            return truth(u)

        self.quiet, self.true = (
            kernel(neuron.step, device="python", dtype=np.float64, **{**neuron.filling(), "spike": spike})
            for spike in (never, truly)
        )
        self.rest = [INPUT.get(name, 0.0) for name in neuron.inputs[1:]]
        name = membrane_of(neuron)
        self.place = 1 + list(neuron.state).index(name) if name in neuron.state else None
        self.starts = [float(np.ravel(v)[0]) if not callable(v) else 0.0 for v in neuron.state.values()]
        self.names = list(neuron.state)
        params = list(neuron.params)
        self.peak = next((params.index(p) for p in ("v_peak", "v_threshold") if p in params), None)

    def __call__(self, x: float, state: list[float], params: list[float]) -> tuple[float, float]:
        """Membrane before the spike and threshold in the step from ``state``; NaN where it compares nothing."""
        self.noted.clear()
        after = self.quiet(x, *self.rest, *state, *params)
        calls = len(self.noted)
        if self.place is None or (not calls and self.peak is None):
            return math.nan, math.nan
        if not calls and self.peak is not None:
            v, threshold = float(after[self.place]), params[self.peak]
            return max(v, threshold) if after[0] else v, threshold
        threshold = float(after[self.place]) - self.noted[-1]
        self.noted.clear()
        self.true(x, *self.rest, *state, *params)
        return self.noted[calls - 1] + threshold, threshold

    def inside(self, params: list[float]) -> bool:
        """Whether spikes are found inside a step, so that what is recorded at its end is below the peak."""
        self.noted.clear()
        self.quiet(0.0, *self.rest, *self.starts, *params)
        return not self.noted and self.peak is not None

    def moves(self, params: list[float]) -> list[str] | None:
        """The states, beside the membrane, on which the threshold depends; None if it cannot be told."""
        try:
            still = self(0.0, self.starts, params)[1]
            found = []
            for k, name in enumerate(self.names):
                moved = [value + (k == j) for j, value in enumerate(self.starts)]
                there = self(0.0, moved, params)[1]  # NaN while it is held
                if not math.isnan(there) and not math.isclose(there, still, rel_tol=1e-9, abs_tol=1e-9):
                    found.append(name)
        except (ArithmeticError, ValueError):
            return None
        return None if math.isnan(still) else found


def peak(surrogate: Surrogate) -> float:
    """The largest slope, taken at the threshold."""
    return max(abs(surrogate.slope(u)) for u in (0.0, 1e-9, -1e-9, 1e-6, -1e-6))


def window(surrogate: Surrogate) -> tuple[tuple[float, float], ...]:
    """Between which distances from the threshold the slope is at least each of ``SHARES`` of its peak.

    >>> from nbsnn.surrogates import rect
    >>> [round(edge, 2) for edge in window(rect(1.0))[0]]
    [-0.5, 0.5]
    """
    if not (largest := peak(surrogate)) > 0.0:
        return ()
    slopes = {side: np.array([abs(surrogate.slope(side * u)) for u in AWAY.tolist()]) for side in (-1.0, 1.0)}

    def edge(share: float, side: float) -> float:
        return side * float(np.max(AWAY, where=slopes[side] >= share * largest, initial=0.0))

    return tuple((edge(share, -1.0), edge(share, 1.0)) for share in SHARES)
