"""A population as lines of 64 units: parameters, states and kernels as ``kernels.population.fused`` takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ...compile import prefetch
from ...compile.fill import kernel
from ...compile.unroll import lines, mixed_lines, row, store_lines
from ...compile.unroll import zeros as nothing_at
from ...kernels.population import fused, fused_backward
from ...spikes.blocks import LINE, blocks
from ..layer import Array
from ..population import Population


class BlockLayout:
    """Kernels and parameters of one population."""

    name = "stack"
    loops: ClassVar[dict[str, Callable[..., Any]]] = {
        "forward": fused.forward,
        "backward": fused_backward.backward,
        "within": fused_backward.backward,
    }

    def __init__(self, population: Population, looped: bool):
        self.population, self.looped, neuron = population, looped, population.neuron
        self.states, self.learned = len(neuron.state), len(neuron.trained)
        self.shared = tuple(value.size == 1 for value in population.values.values())
        self.output = self.states + self.shared.count(False)
        self.cotangents = self.output + 1
        self.depth = self.cotangents + self.states + self.learned
        self.blocks, self.constants = blocks(population.units), dict[str, Any]()

    def parameters(self, Z: Array) -> Array:
        """Those that all units share; the others go to ``Z``, where lanes without a unit repeat the last one's."""
        shared = np.array(self.shared, bool)
        if not shared.all():
            own = self.table()[~shared]
            own = np.pad(own, ((0, 0), (0, self.blocks * LINE - own.shape[1])), "edge")
            Z[:, self.states : self.output] = own.reshape(-1, self.blocks, LINE).transpose(1, 0, 2)
        return np.ascontiguousarray(self.population.step_parameters()[shared, :1])

    def table(self) -> Array:
        """All parameters as the step uses them, [params, units]."""
        return self.population.step_parameters()

    def kernel(self, direction: str) -> Callable[..., Any]:
        """The loop "forward", "backward", or back "within" each step by itself, for this population's neuron."""
        made, key = self.population.kernels, f"{self.name} {direction}"
        if key not in made:
            made[key] = self._make(direction)
        return made[key]

    def _make(self, direction: str) -> Callable[..., Any]:
        neuron, places = self.population.neuron, tuple(range(1, 1 + self.states))
        first = 1 + self.states
        nothing = nothing_at(self.states, "j")  # comes from the step after
        learned = tuple(first + list(neuron.params).index(name) for name in neuron.trained)
        filling: dict[str, Any] = {
            "step": neuron.step,
            "state": lines(0, self.states, LINE),
            "common": _first(self.shared.count(True)),
            "param": mixed_lines(self.shared, self.states, LINE),
            "keep": store_lines(places, 0, LINE),
            "DEPTH": self.depth,
            "STATES": self.states,
            "OUTPUT": self.output,
            "LOOPED": self.looped,
            **self.constants,
        }
        if direction != "forward":
            filling |= {
                "COTANGENTS": self.cotangents,
                "note": store_lines(tuple(range(self.states)), 0, LINE),
                "vjp": neuron.vjp,
                "cotangent": lines(self.cotangents, self.states, LINE) if direction == "backward" else nothing,
                "carry": store_lines(places, self.cotangents, LINE),
                "learn": store_lines(learned, self.cotangents + self.states, LINE, add=True),
                **prefetch.filling(),
            }
        dtype = self.population.setting.dtype
        smooth = self.population.setting.smooth
        return kernel(self.loops[direction], dtype=dtype, **filling, **neuron.filling(smooth))


def _first(count: int) -> Callable[[Array], Any]:
    """A function that reads the first column of an array, ``count`` numbers, as a tuple."""
    read = row(count, "n")
    return lambda array: read(array, 0)
