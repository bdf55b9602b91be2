"""Where plasticity computes: runs of a plastic layer, or of a rule with given spikes, on the CPU or on a GPU."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from ..device import gpu
from ..device.threads import resolve
from ..layers.layer import Array, Nested
from .compiled import CompiledRun, fits
from .gpu import GpuRun, check_spikes_on_gpu
from .gpu_arrays import GpuRule
from .gpu_run import advance
from .plastic_layer import PlasticLayer
from .spikes_in import Drawn, binary
from .stepwise import StepwiseRun


class OnHost:
    """Plasticity on the CPU, compiled or interpreted; ``device`` is that of a layer's parts."""

    def __init__(self, device: str):
        self.device = device

    def advance(self, rule: GpuRule, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Run ``rule.advance`` there."""
        return rule.advance(*arguments, device=self.device, **options)

    def run(
        self,
        layer: PlasticLayer,
        x: Array | Drawn,
        state: Nested,
        tape: Nested,
        signals: Nested | None,
        weights: Array | None = None,
    ) -> StepwiseRun | CompiledRun | GpuRun:
        """A run of ``layer``; ``signals`` None leaves the weights alone, ``weights`` are those of ``at_hand``."""
        output = tape["neurons"]["run"].record[0, 0]
        # A signal is nothing that the loop's rules could take: step by step, the rule says so.
        if fits(layer) and not signals and binary(output) and (isinstance(x, Drawn) or binary(x)):
            return CompiledRun(layer, x, state, tape, signals is not None)
        return StepwiseRun(layer, cast(Array, x), state, tape, signals)

    def draws(self, layer: PlasticLayer, start: Nested) -> bool:
        """True if a run of ``layer`` from the state ``start`` can draw its input, and keep one step at a time."""
        return fits(layer) and binary(start["neurons"]["spikes"])

    @contextmanager
    def at_hand(self, layer: PlasticLayer) -> Generator[Array]:
        """The weights of ``layer`` where runs find them, to stay there while this lasts."""
        yield layer.weights

    def noted(self, weights: Array) -> Array:
        """A copy of weights that are at hand."""
        return np.array(weights)


class OnGpu(OnHost):
    """Plasticity on a GPU; a layer's parts stay on the CPU, and their arrays go to the GPU for each run."""

    def __init__(self, device: str):
        gpu.driver()
        super().__init__("cpu")

    def advance(self, rule: GpuRule, *arguments: Any, **options: Any) -> dict[str, Any]:
        return advance(rule, *arguments, **options)

    def run(
        self,
        layer: PlasticLayer,
        x: Array | Drawn,
        state: Nested,
        tape: Nested,
        signals: Nested | None,
        weights: Array | None = None,
    ) -> GpuRun:
        check_spikes_on_gpu(layer, x, tape)
        return GpuRun(layer, x, state, tape, signals, weights)

    def draws(self, layer: PlasticLayer, start: Nested) -> bool:
        return True

    @contextmanager
    def at_hand(self, layer: PlasticLayer) -> Generator[Array]:
        weights = gpu.put(layer.weights)
        try:
            yield weights
        finally:
            layer.weights[...] = gpu.get(weights)

    def noted(self, weights: Array) -> Array:
        return gpu.get(weights)


def backend(device: str) -> OnHost:
    """What computes plasticity on a device."""
    device = resolve(device)
    return {"cuda": OnGpu}.get(device, OnHost)(device)
