"""Layers: their interface, and how their arrays are named.

A layer turns ``x`` [T, B, ...] into ``y`` [T, B, ...]. It keeps weights alone: the state goes in and comes out of
``forward``, and what ``backward`` needs is in the ``tape``, a dict that the caller owns. It may be handed in again, and
then its memory is used again: copy outputs and gradients that are to outlive the next run on it. State, gradients and
tapes of composed layers are nested dicts by layer name.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from types import FunctionType
from typing import Any

import numpy as np

from ..device.buffers import Array, Nested, is_static
from ..device.buffers import aligned as aligned
from ..device.buffers import buffer as buffer
from ..device.buffers import flatten as flatten
from ..device.finite import finite_input as finite_input
from ..device.gpu import assign, get, get_all, on_gpu, put
from ..files.pickling import by_name
from ..random import Draws
from ..spikes.spike_input import SpikeInput
from ..validate import real
from ..validate.as_made import AsMade
from .kept import attributes, check_kept, noted
from .parameters import Parameters
from .run import Run
from .setting import Setting as Setting
from .spike_trace import LowPass
from .state import Start as Start
from .state import checked_state, placed


class Layer(AsMade):
    """The parts that all layers share; a custom layer implements ``build``, ``forward`` and ``backward``.

    Attributes
    ----------
    kind : str
        What a container calls it when it has no name of its own: "dense1", "dense2".
    params, limits : dict of str to array, to pair
        What is learned, by name; optimisers change the arrays in place, and what is assigned is copied. Between which
        numbers training keeps some of them.
    buffers : dict of str to array
        What is kept beside the parameters and not learned, by name: running statistics, say. ``build`` fills it, and
        ``forward`` changes the arrays in place. Twins and checkpoints keep them, and arrays that ``build`` makes as
        attributes; what else has changed since then is refused there.
    in_shape, shape : tuple of int
        Shape of input and output without the axes of time and batch; known once the layer is built.
    at_once, lowpass, takes_events, over_time, draws : bool
        Whether ``trace`` and ``backward_within`` work for several steps at once; whether ``trace`` takes a ``LowPass``;
        whether ``forward`` takes spikes as a list, a ``SpikeInput``, which is made an array for other layers (None: as
        the layer after it); whether training mixes steps; whether ``forward`` reads its ``draws``, else none are made.
    devices : tuple of str
        Where the layer can compute; a custom layer computes with NumPy's arrays.
    in_row, side_by_side, connects, checks_numbers : bool
        Whether layers in it run one after the other; whether each gets the whole input; whether a "weight" of it joins
        units; whether it looks for NaN itself.
    fuses_as : str
        What the layer is to learners, which run neighbours as one, see ``layers.fused``.
    arrays, cuda, ops : Host, object or None, object
        Array operations where the layer's arrays are; what computes on a GPU in place of its own methods; what computes
        where the network lies: on the CPU the layer itself, on a GPU ``cuda``.

    Examples
    --------
    See ``Stateless`` for a layer of one's own.
    """

    INSTEAD = "; what is learned stands in params, for the rest make another"
    kind, fuses_as = "layer", ""
    at_once = lowpass = over_time = checks_numbers = in_row = side_by_side = False
    draws = connects = True
    takes_events: bool | None = False
    devices: tuple[str, ...] = ("cpu", "python")

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.children: dict[str, Layer] = {}
        self.buffers: dict[str, Array] = {}
        self.limits: dict[str, tuple[float, float]] = {}
        self.in_shape: tuple[int, ...] = ()
        self.shape: tuple[int, ...] = ()
        self.setting = Setting()
        self.arrays = self.setting.arrays
        self.built = False
        self.cuda: Any = None
        self.ops: Any = self
        self._settled: dict[str, Array] = self.params
        self._settled_with: dict[str, Any] = {}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        """Fix the shapes and draw the initial parameters, and end with ``settle``."""
        raise NotImplementedError

    def settle(self, setting: Setting) -> None:
        """Note how the layer computes, and put its parameters where that is."""
        if setting.device not in self.devices:
            raise NotImplementedError(f'a {self.kind} has no counterpart on a GPU yet: use device="cpu"')
        self.setting, self.arrays, self.built = setting, setting.arrays, True
        self.params = self._settled = Parameters({k: setting.arrays.put(array) for k, array in self.params.items()})
        self.cuda = setting.arrays.ops_of(self)
        self.ops = self if self.cuda is None else self.cuda
        self._settled_with = noted(self)
        self._closed = True

    def on_gpu(self) -> Any:
        """Implementation on a GPU, from ``layers/cuda``; None if the layer is written for both devices."""

    def initial(self, batch: int) -> Nested:
        """The state from which a run starts, by default none."""
        return {}

    def first(self) -> Array:
        """The output before the first step of a run, for one sample: only feedback sees it. By default zeros."""
        return np.zeros(self.shape, self.setting.dtype)

    def first_reverse(self, g: Array, grads: Nested) -> None:
        """The backward pass of ``first``: adds to ``grads``, given the gradient ``g`` [B, ...] of it."""

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        """Run ``x`` from ``state``; returns output and final state. ``draws`` are given in training only."""
        raise NotImplementedError

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
        """The reverse of ``forward``.

        Parameters
        ----------
        gy : array [T, B, ...]
            Gradient of the loss with respect to the output.
        tape : dict
            What ``forward`` left.
        grads : dict
            As ``zeros()``; the parameters' gradients are added.
        after : dict, optional
            Gradient of the loss with respect to the final state, structured like ``initial``; zero by default.
        inject : dict, optional
            The loss's own gradients with respect to recorded variables, ``{"lif1": {"v": [T, B, N]}}``.
        wanted : bool
            Whether to compute the gradient with respect to the input.

        Returns
        -------
        gx : array like x, or None
            For an input that does not change over time (a stride of zero), one step with the sum over all steps.
        before : dict
            Gradient of the loss with respect to the initial state.
        """
        raise NotImplementedError

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array | LowPass:
        """Trace that OTTT multiplies errors with, in place of presynaptic activity, after a forward pass.

        Parameters
        ----------
        x : array [T, B, ...]
            What the layer before offers; one step unless ``at_once``, maybe a ``LowPass`` if ``lowpass``.
        tape : dict
            What ``forward`` left; a connection notes ``x`` in it as the factor of its weights' gradient.
        traces : dict
            The traces so far, by layer; updated.

        Returns
        -------
        array [T, B, ...] or LowPass
            What this layer offers: a population of spiking neurons the trace of its spikes.
        """
        raise NotImplementedError

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        """Variant of ``backward`` for single steps: no gradient flows from step to step. May write over ``gy``."""
        raise NotImplementedError

    def confine(self) -> None:
        """Put learned parameters that have left their range back at its border; learners do after each step."""
        for name, (low, high) in self.limits.items():
            value = get(self.params[name])
            if value.min() < low or value.max() > high:
                assign(self.params[name], np.clip(value, low, high))
        for layer in self.children.values():
            layer.confine()

    def options(self) -> dict[str, Any]:
        """The arguments that make this layer again, as plain numbers: what a checkpoint stores."""
        return {}

    def record(self, tape: Nested, name: str) -> Any:
        """A recorded variable of a run, by name."""
        raise KeyError(f"{self.kind} records nothing called {name!r}; it has {self.recorded()}")

    def recorded(self) -> list[str]:
        """The names that ``record`` knows."""
        return []

    def tape_of(self, tape: Nested, name: str) -> Nested:
        """Tape of the layer ``name`` inside, for reading its records; empty if it did not run."""
        return tape.get(name, {})

    def tape_bytes(self, steps: int, batch: int) -> int:
        """Bytes that a training step of the layer by itself takes, by default two numbers for each input and output."""
        return 2 * (math.prod(self.in_shape) + math.prod(self.shape)) * steps * batch * self.setting.dtype.itemsize

    def driven(self) -> str | None:
        """The name of the population inside that its input drives, "" if it is one itself; None if there is none."""

    def fused_parts(self) -> tuple[Any, Any] | None:
        """The population, and the ``Dense`` that feeds it back or None, if it may run as one with what is before it."""

    def plain(self) -> Layer:
        """The layer with the weights that it uses, if it works them out of others, else itself."""
        return self

    def unfused(self) -> Layer:
        """The network that this one was made from by ``layers.fused``, else itself."""
        return self

    def zeros(self) -> Nested:
        """Gradients of zero for all parameters, nested as they are."""
        return {name: self.arrays.zeros(array.shape, array.dtype) for name, array in self.params.items()}

    def parameters(self) -> dict[str, Array]:
        """All learned arrays, nested names joined by "/": the arrays themselves, not copies."""
        return self.params

    def all_buffers(self) -> dict[str, Array]:
        """All buffers, and arrays among attributes, nested names joined by "/": the arrays themselves, not copies."""
        return {**attributes(self), **self.buffers}

    def layers(self) -> dict[str, Layer]:
        """The layers inside this one, nested names joined by "/"."""
        return {}

    def run(self, x: Any, state: Nested | None = None) -> Run:
        """Run without learning.

        Parameters
        ----------
        x : array [T, B, ...]
            Input.
        state : dict, optional
            Where to start: by default ``initial``; the ``state`` of an earlier run continues it.

        Returns
        -------
        Run
            ``run.output`` [T, B, ...], ``run.state``, and every recorded variable: ``run["lif1"]["v"]``.

        Raises
        ------
        ValueError, TypeError
            If input or state do not fit, or the state is not finite at the end of the run; the message names layer and
            variable. On a GPU the latter is found when ``run.state`` is asked for.
        """
        x, tape = self.check_input(x), Nested()
        state = self.initial(x.shape[1]) if state is None else self.check_state(state, x.shape[1])
        y, final = self.forward(x, state, tape)
        return Run(self, y, final, tape)

    def __call__(self, x: Any, state: Nested | None = None) -> Run:
        """``run`` under another name: its result is a ``Run``, whose ``output`` is the array."""
        return self.run(x, state)

    def check_input(self, x: Any) -> Any:
        """``x`` in the layer's precision, where it computes; raises if its shape is wrong or a number is not finite."""
        if not self.built:
            raise ValueError(
                f"this {self.kind} is not built yet, as the shape of its input is not known: "
                "Sequential(..., input_shape=(1, 28, 28)) says it"
            )
        self.check_parameters()
        arrays = self.arrays
        if isinstance(x, SpikeInput):
            x = x.fitting(self.in_shape)
            if x.shape[2:] == self.in_shape and len(x) and self.takes_events:
                return x
            x = x.dense(self.setting.dtype)
        if not (there := not arrays.numpy and arrays.holds(x)):
            x = x if type(x) is np.ndarray and x.dtype.kind in "fiub" else real("input", x)
        shape = tuple(x.shape)
        if shape[2:] != self.in_shape or len(shape) < 2 or 0 in shape:
            wanted = ", ".join(["T", "B", *map(str, self.in_shape)])
            one = "; x[:, None] is a batch of one sample" if shape[1:] == self.in_shape and 0 not in shape else ""
            raise ValueError(f"input must have shape [{wanted}] and not be empty, but it is {list(shape)}{one}")
        if there:  # whether its numbers are finite shows in the loss
            if x.dtype != self.setting.dtype:
                raise TypeError(f"input on the GPU must be {self.setting.dtype}, as this network, not {x.dtype}")
            return x
        if is_static(x):
            return arrays.repeated(Layer.check_input(self, np.array(x[:1])), len(x))
        given = np.ascontiguousarray(x, self.setting.dtype)
        if not self.checks_numbers and x.dtype.kind == "f":
            finite_input("input", given, self.setting.device)
        return given if arrays.numpy else arrays.put(given)

    def check_parameters(self) -> None:
        """Raise if the dict of parameters, of this layer or one inside, is no longer that of a built layer."""
        if self.params is not self._settled:
            raise ValueError(f"parameters of this {self.kind} have been replaced: assign by name, params['bias'] = ...")
        for layer in self.children.values():
            layer.check_parameters()

    def check_state(self, state: Any, batch: int) -> Nested:
        """``state`` if it belongs to this network and batch size; raises otherwise."""
        return placed(checked_state(get_all(state), self.initial(batch), "state", batch), self.arrays)

    def twin(self, **setting: Any) -> Layer:
        """A copy with equal parameters under another setting: ``net.twin(dtype=np.float64, smooth=True)``."""
        check_kept(self)
        other = copy.deepcopy(self)
        other.build(self.in_shape, replace(self.setting, **setting), Draws(0))
        for own, arrays in ((self.parameters(), other.parameters()), (self.all_buffers(), other.all_buffers())):
            for name, array in arrays.items():
                assign(array, own[name])
        return other

    def on_host(self) -> Layer:
        """This network, or if it lies on a GPU its twin on the CPU."""
        return self if self.arrays.numpy else self.twin(device="cpu")

    def __getstate__(self) -> dict[str, Any]:
        if not self.arrays.numpy:
            raise TypeError(f'a {self.kind} on a GPU cannot be pickled: pickle net.twin(device="cpu")')
        for value in self.__dict__.values():
            if isinstance(value, FunctionType):
                by_name(f"the layer {self!r}", value)
        return self.__dict__

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        other = memo[id(self)] = type(self).__new__(type(self))
        memo |= {id(array): put(get(array)) for array in self.params.values() if on_gpu(array)}
        other.__dict__ = copy.deepcopy(self.__dict__, memo)
        return other
