"""Layers in a row: the output of each is the input of the next, within the same step."""
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..device.gpu import get_all
from ..device.threads import DEVICES
from ..neuron import Neuron
from ..random import Draws
from ..validate import shape_of
from .container import Container
from .layer import Array, Layer, Nested, Setting
from .spike_trace import LowPass


class Sequential(Container):
    """Layers in a row.

    Parameters
    ----------
    *layers : Layer or Neuron
        In order; a neuron becomes a population that takes its shape from the layer before. They are named by kind
        and number: "dense1", "lif1", "dense2".
    input_shape : int or tuple of int, optional
        Shape of one sample at one step; by default that of the first layer, if it knows.
    seed : int
        Seed of the initial parameters.
    dt, dtype
        Time step, in the unit of the neurons' time constants, and precision.
    device : {"cpu", "cuda", "auto", "python"}
        Where to compute: "cuda" on an NVIDIA GPU, "auto" there if one can be used and else on the CPU; "python" is
        interpreted, for debuggers. With "cuda", parameters, states and gradients lie on the GPU and stay there; what a
        run returns is copied when it is asked for.
    **named : Layer or Neuron
        Further layers under names of their own: ``Sequential(w1=Dense(64, 128), hidden=LIF())``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import LI, LIF
    >>> net = nbsnn.Sequential(nbsnn.Dense(64, 128), LIF(tau=2.0), nbsnn.Dense(128, 10), LI(tau=2.0), seed=0)
    >>> run = net.run(np.ones((25, 4, 64), np.float32))
    >>> run.output.shape, run["lif1"]["v"].shape
    ((25, 4, 10), (25, 4, 128))
    """

    kind = "sequential"
    devices = DEVICES
    at_once = lowpass = in_row = True

    def __init__(
        self,
        *layers: Layer | Neuron,
        input_shape: int | tuple[int, ...] | None = None,
        seed: int = 0,
        dt: float = 1.0,
        dtype: DTypeLike = np.float32,
        device: str = "cpu",
        **named: Layer | Neuron,
    ):
        super().__init__(*layers, **named)
        if not self.children:
            raise ValueError("a Sequential needs at least one layer")
        first = next(iter(self.children.values()))
        self.in_shape = first.in_shape if input_shape is None else shape_of("input_shape", input_shape)
        if input_shape is not None and not self.in_shape:
            raise ValueError("input_shape must have at least one length, not ()")
        setting, draws = Setting(dt, dtype, device), Draws(seed)
        if self.in_shape:
            self.build(self.in_shape, setting, draws)

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = in_shape
        shape = in_shape
        for name, layer in self.children.items():
            try:
                layer.build(shape, setting, draws.fold(name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            shape = layer.shape
        self.shape = shape
        self.settle(setting)

    def first(self) -> Array:
        return self.children[next(reversed(self.children))].first()

    def first_reverse(self, g: Array, grads: Nested) -> None:
        last = next(reversed(self.children))
        self.children[last].first_reverse(g, grads[last])

    @property
    def takes_events(self) -> bool:
        found = (layer.takes_events for layer in self.children.values())
        return next((takes for takes in found if takes is not None), False)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        final: Nested = {}
        for name in self.children:
            x = self._forward(name, x, state, tape, draws, final)
        return x, final

    def backward(
        self,
        gy: Array,
        tape: Nested,
        grads: Nested,
        *,
        after: Nested | None = None,
        inject: Nested | None = None,
        wanted: bool = True,
    ) -> tuple[Array | None, Nested]:
        before, first = dict[str, Any](), next(iter(self.children))
        for name in reversed(self.children):
            passed: dict[str, Any] = {"after": after, "inject": inject, "wanted": wanted or name != first}
            gy = self._backward(name, gy, tape, grads, before, **passed)  # type: ignore[assignment]
        return gy, before

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        for name in self.children:
            x = self._trace(name, x, tape, traces)
        return x

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        first, g = next(iter(self.children)), gy
        for name in reversed(self.children):
            g = self._within(name, g, tape, grads, wanted or name != first)  # type: ignore[assignment]
        return g

    def steps(self, x: Any, state: Nested | None = None) -> Iterator[tuple[int, Nested]]:
        """Run one step at a time, with all arrays in reach.

        Parameters
        ----------
        x : array [T, B, ...]
            Input.
        state : dict, optional
            Where to start, as in ``run``.

        Yields
        ------
        t : int
            The step just made.
        state : dict
            State and output of each population after it, ``state["lif1"]["v"]`` [B, N]. Changed in place, it is
            from there that the next step continues.

        Examples
        --------
        >>> import numpy as np, nbsnn
        >>> net = nbsnn.Sequential(nbsnn.Dense(4, 3), hidden=nbsnn.neurons.LIF(), seed=0)
        >>> for t, state in net.steps(np.ones((2, 1, 4), np.float32)):
        ...     state["hidden"]["v"][0, 2] = -5.0
        """
        x = self.check_input(x)
        state = self.initial(x.shape[1]) if state is None else self.check_state(state, x.shape[1])
        tape: Nested = {}
        for t in range(len(x)):
            state = self.check_state(state, x.shape[1])
            _, after = self.forward(x[t : t + 1], state, tape)
            state = shown = get_all(after)
            yield t, shown
