"""Layers made of layers: names, and what is passed on by name."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from typing import Any

import numpy as np

from ..neuron import Neuron
from ..random import Draws
from ..validate import instance, shown
from . import returned
from .layer import Array, Layer, Nested, Setting
from .population import Population
from .run import Run
from .spike_trace import LowPass, as_array


def as_layer(part: Layer | Neuron) -> Layer:
    """``part`` as a layer: a Neuron becomes a population of its own."""
    if isinstance(part, Neuron):
        return Population(part)
    if isinstance(part, Layer):
        return part
    more = "; Sequential(*layers) takes them one by one" if isinstance(part, (list, tuple)) else ""
    raise TypeError(f"a network is made of layers and neurons, not of {shown(part)}{more}")


class Container(Layer):
    """Base of ``Sequential``, ``Parallel`` and others: a layer that holds named layers in ``children``.

    Parameters
    ----------
    *parts : Layer or Neuron
        Layers, named by kind and number; a neuron becomes a population.
    **named : Layer or Neuron
        Layers under names of their own.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2), hidden=nbsnn.neurons.LIF())
    >>> isinstance(net, nbsnn.Container), list(net.children)
    (True, ['dense1', 'hidden'])
    """

    def __init__(self, *parts: Layer | Neuron, **named: Layer | Neuron):
        super().__init__()
        numbers: dict[str, int] = {}
        for part in parts:
            layer = as_layer(part)
            numbers[layer.kind] = numbers.get(layer.kind, 0) + 1
            self.children[f"{layer.kind}{numbers[layer.kind]}"] = layer
        for name, part in named.items():
            if name in self.children:
                raise ValueError(f"two layers are called {name!r}: one by kind and number, one by keyword")
            self.children[name] = as_layer(part)
        found = self.layers()
        if len({id(layer) for layer in found.values()}) < len(found):
            raise ValueError("the same layer stands in a network twice; make two, or load equal weights into both")

    def __getitem__(self, name: str) -> Layer:
        layer: Layer = self
        instance("name", name, str, "the name of a layer")
        for part in name.split("/"):
            if part not in layer.children:
                raise KeyError(f"there is no layer {name!r}; there are {list(self.layers())}")
            layer = layer.children[part]
        return layer

    def __repr__(self) -> str:
        lines = [f"  {name}: {layer!r}".replace("\n", "\n  ") for name, layer in self.children.items()]
        lines += [
            f"  {name}={value!r}" for name, value in self.options().items() if value != getattr(type(self), name, value)
        ]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])

    def settle(self, setting: Setting) -> None:
        super().settle(setting)
        for name, layer in self.children.items():
            if setting.device not in layer.devices:
                raise NotImplementedError(
                    f'{name}, a {type(layer).__name__}, computes with NumPy arrays alone: use device="cpu"'
                )

    def initial(self, batch: int) -> Nested:
        states = {name: layer.initial(batch) for name, layer in self.children.items()}
        return {name: state for name, state in states.items() if state}

    def zeros(self) -> Nested:
        return {name: layer.zeros() for name, layer in self.children.items()}

    def parameters(self) -> dict[str, Array]:
        pairs = ((f"{n}/{k}", p) for n, layer in self.children.items() for k, p in layer.parameters().items())
        return dict(pairs)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return sum(layer.tape_bytes(steps, batch) for layer in self.children.values())

    def all_buffers(self) -> dict[str, Array]:
        pairs = ((f"{n}/{k}", b) for n, layer in self.children.items() for k, b in layer.all_buffers().items())
        return dict(pairs)

    def layers(self) -> dict[str, Layer]:
        found: dict[str, Layer] = {}
        for name, layer in self.children.items():
            found[name] = layer
            found |= {f"{name}/{inner}": value for inner, value in layer.layers().items()}
        return found

    def record(self, tape: Nested, name: str) -> Any:
        first, _, rest = name.partition("/")
        if first not in self.children:
            return super().record(tape, name)
        run = Run(self.children[first], np.empty(0), {}, self.tape_of(tape, first))
        return run[rest] if rest else run

    def rate(self, tape: Nested, name: str) -> float:
        """Mean of the spikes of a layer inside, by its name, over steps, samples and units of a run."""
        return float(self.record(tape, name)["spikes"].mean())

    def recorded(self) -> list[str]:
        return [name for name, layer in self.children.items() if layer.recorded()]

    # What each child takes of the nested dicts that a container is given.

    def _forward(self, name: str, x: Array, state: Nested, tape: Nested, draws: Draws | None, final: Nested) -> Array:
        inner = tape.setdefault(name, {})
        layer = self.children[name]
        made = layer.forward(x, state.get(name, {}), inner, draws.fold(name) if draws else None)
        y, after = made if layer.ours else returned.output_of(name, layer, made, x)
        if after:
            final[name] = after
        return y

    def _backward(
        self, name: str, gy: Array, tape: Nested, grads: Nested, before: Nested, *,
        after: Nested | None, inject: Nested | None, wanted: bool,
    ) -> Array | None:  # fmt: skip
        layer, after, inject = self.children[name], (after or {}).get(name), (inject or {}).get(name)
        made = layer.backward(gy, tape[name], grads[name], after=after, inject=inject, wanted=wanted)
        gx, start = made if layer.ours else returned.gradient_of(name, layer, made, gy, wanted)
        if start:
            before[name] = start
        return gx

    def _trace(self, name: str, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        layer = self.children[name]
        given: Any = x if layer.lowpass else as_array(x)
        made = layer.trace(given, tape[name], traces.setdefault(name, {}))
        return made if layer.ours else returned.trace_of(name, layer, made, given)

    def _within(self, name: str, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        layer = self.children[name]
        gx = layer.backward_within(gy, tape[name], grads[name], wanted)
        return gx if layer.ours else returned.within(name, layer, gx, gy, wanted)
