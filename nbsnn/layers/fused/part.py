"""The parts of a network as it trains: layers that run as one, or one layer by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from ..container import Container
from ..layer import Array, Layer, Nested
from ..population import Population
from ..sequential import Sequential
from ..spike_trace import LowPass
from .memory_plan import Plan, alone


class Part(Sequential):
    """Some layers of a network, in a row; as it stands here, one that runs by itself.

    Attributes
    ----------
    stated : bool
        Whether a run needs a state to start from.
    in_pieces : bool
        Whether samples can go through it a few at a time, with the same bits.
    takes_bits : bool
        Whether its input may be ``PackedSpikes``.
    """

    stated: ClassVar[bool] = True
    in_pieces: ClassVar[bool] = False
    takes_bits: ClassVar[bool] = False

    def __init__(self, net: Sequential, names: Iterable[str]):
        share_layers(self, net, {name: net.children[name] for name in names})

    def plan(self, steps: int, batch: int, rate: float | None = None) -> Plan:
        """What a batch of this size takes, if that share of the spikes' places are ones; at most, without."""
        (layer,) = self.children.values()
        return alone(layer, steps, batch)

    def plans(self, steps: int, batch: int, rate: float | None = None) -> dict[tuple[str, ...], Plan]:
        """The plans of what runs as one, by the names of its layers."""
        return {tuple(self.children): self.plan(steps, batch, rate)}

    def traces(self, handed_on: bool) -> bool:
        """True if the part can trace its input: spikes as they came in, or those of a stack, if ``handed_on``."""
        return True

    def hands_on(self) -> bool:
        """True if the next part gets spikes as this one did, or its own."""
        return all(layer.takes_events is None and layer.lowpass for layer in self.children.values())

    def continued(self, tape: Nested, state: Nested, traces: Nested, same: bool) -> Nested:
        """The state where the last run ended; see ``FusedNetwork.continued``."""
        return {name: state[name] for name in self.children if name in state}

    def trace_after(self, trace: LowPass, tape: Nested) -> Array:
        """The trace of the input after its window."""
        return trace.after()


def injected(inject: Nested | None, name: str, population: Population, shape: tuple[int, ...]) -> Array:
    """The loss's own gradient with respect to the outputs of the population ``name``, of this shape [T B, ...]; no rows
    if there is none.

    Raises
    ------
    ValueError
        It is given with respect to other variables, too.
    """
    given, output, dtype = (inject or {}).get(name, {}), population.neuron.output, population.setting.dtype
    if set(given) - {output}:
        raise ValueError(f"in compact form a loss may depend on outputs, not on {sorted(given)} of {name}")
    return np.ascontiguousarray(given[output], dtype).reshape(shape) if given else np.empty((0, *shape[1:]), dtype)


def share_layers(part: Sequential, net: Sequential, children: dict[str, Layer]) -> None:
    """Make ``part`` a part of ``net`` that holds some of its layers."""
    Container.__init__(part)
    part.children, part.setting, part.arrays, part.built = children, net.setting, net.arrays, True
    layers = list(children.values())
    part.in_shape, part.shape = layers[0].in_shape, layers[-1].shape
