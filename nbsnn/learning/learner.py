"""Base of the learners: network, loss, optimiser, and the number of training steps made."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..device.buffers import GpuArray
from ..device.constant_input import ConstantInput, fetched
from ..device.exclusive import Exclusive, exclusive
from ..device.gpu import assign, get
from ..files.pickling import by_name
from ..layers.fused.network import FusedNetwork
from ..layers.layer import Array, Layer, Nested, flatten
from ..layers.spike_trace import LowPass
from ..losses.checks import Target, checked_result
from ..losses.named import as_loss
from ..optim import Adam, clip_by_norm
from ..optim.named import as_optimizer
from ..optim.optimizer import Optimizer
from ..random import Draws
from ..validate import finite, instance, number
from ..validate.as_made import AsMade

if TYPE_CHECKING:
    from .on_gpu import OnGpu

Loss = Callable[[Array, Any], tuple[float, Array]]


@dataclass
class Past:
    """How many training steps have been made, and the network's output for the last batch."""

    iteration: int = 0
    output: Array | GpuArray | ConstantInput = field(default_factory=lambda: np.empty(0))


class Learner(AsMade):
    """A way of training: ``step`` changes the parameters, ``gradients`` only says where they would go.

    A learner keeps arrays from step to step, so one thread at a time may use it: others get a ``RuntimeError``.

    Parameters
    ----------
    net : Layer
        The network to train.
    loss : callable
        ``loss(output, target) -> (value, derivative)``.
    optimizer : optional
        From ``nbsnn.optim``; Adam with its defaults when None.
    clip : float or None
        Largest global norm of a gradient.
    seed : int
        Seed of what is random in training.

    Attributes
    ----------
    net : Layer
        The network as it trains, with the layers of the one that was given; ``print`` shows which of them run as one.
    fused : FusedNetwork or None
        The same, if some of its layers run as one.
    loss, optimizer, clip, seed
        As given.
    iteration : int
        How many training steps have been made.
    output : array [T, B, ...]
        The network's output for the last batch; of a network on a GPU, copied when it is asked for.
    grads, tape : dict
        Gradients, and what the last forward pass left, nested by layer.
    by_name : dict
        The same gradients, by the names of parameters.
    place : OnCpu or OnGpu
        What is done with arrays where the network is: on the CPU or on a GPU.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LI(), seed=0)
    >>> learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy)
    >>> isinstance(learner, nbsnn.learning.Learner), learner.iteration
    (True, 0)
    """

    INSTEAD = "; learner.optimizer.lr can be set, for all else make another"

    def __init__(self, net: Layer, loss: Loss | str, optimizer: Optimizer | str | None, clip: float | None, seed: int):
        self.net, self.exclusive = check_net(net).unfused(), Exclusive(f"this {type(self).__name__}")
        self.fused: FusedNetwork | None = None
        self.loss = as_loss(loss)
        self.place = _place_of(net)
        self.parameters = self.net.parameters()
        self.optimizer = as_optimizer(Adam() if optimizer is None else optimizer)
        if isinstance(self.optimizer, Optimizer):
            self.optimizer.check_parameters(self.parameters)
        Draws(seed)  # a wrong seed shows now
        self.clip = None if clip is None else number("clip", clip, above=0.0)
        self.seed, self.past = seed, Past()
        containers = [layer for layer in (self.net, *self.net.layers().values()) if layer.children]
        self.layers = [(container, dict(container.children)) for container in containers]
        self.grads = self.place.zeros(net)
        self.by_name = flatten(self.grads)
        self.tape: Nested = {}

    @property
    def output(self) -> Array:
        """The network's output for the last batch."""
        return fetched(self.past.output)

    @property
    def iteration(self) -> int:
        """How many training steps have been made."""
        return self.past.iteration

    def step(self, x: Any, target: Target) -> float:
        """Change the parameters by one training step on a batch.

        Parameters
        ----------
        x : array [T, B, ...]
            Input.
        target : array [B] or [T, B, ...]
            Labels, or whatever else the loss compares the output with.

        Returns
        -------
        float
            The loss before the step.
        """
        raise NotImplementedError

    @exclusive
    def gradients(self, x: Any, target: Target) -> tuple[float, dict[str, Array]]:
        """Value of the loss and its gradients, without a training step.

        Parameters
        ----------
        x : array [T, B, ...]
            Input.
        target : array [B] or [T, B, ...]
            Labels, or whatever else the loss compares the output with.

        Returns
        -------
        value : float
            The loss.
        grads : dict of str to array
            Its gradient with respect to every parameter. The arrays are the learner's own and are overwritten by the
            next call.
        """
        return self._gradients(x, target)

    def _gradients(self, x: Any, target: Target) -> tuple[float, dict[str, Array]]:
        """``gradients``, for callers that hold ``exclusive``."""
        raise NotImplementedError

    def check_layers(self) -> None:
        """Raise if a layer of the network has been replaced since the learner was made."""
        for container, before in self.layers:
            if container.children != before:
                names = [
                    name for name in before | container.children if container.children.get(name) != before.get(name)
                ]
                raise ValueError(
                    f"layers have been replaced since this learner was made: {', '.join(names)}; make another"
                )

    def result(self, value: float) -> tuple[float, dict[str, Array]]:
        """A step's loss, and its gradients by their names joined by "/"; raises unless all are finite."""
        value = self.place.read(value)
        if not np.isfinite(value):
            raise ValueError(f"the loss is {value}")
        return value, self.place.checked(dict(self.by_name))

    def take(self, grads: Mapping[str, Array]) -> None:
        """One step of the optimiser with gradients that somebody made, such as a sum over several batches."""
        own = self.by_name
        if own.keys() != grads.keys():
            raise ValueError(f"grads must hold an array for each of {', '.join(own)}, not for {', '.join(grads)}")
        for name, array in own.items():
            assign(array, grads[name])
        self.change(own)

    def change(self, grads: dict[str, Array]) -> None:
        """One step of the optimiser."""
        if isinstance(self.optimizer, Optimizer) and self.optimizer.frozen:
            self.place.hold(self.optimizer.held(grads))
        if self.clip is not None:
            self.place.clip(grads, self.clip)
        self.place.optimise(self.optimizer, self.parameters, grads)
        self.net.confine()

    def __getstate__(self) -> dict[str, Any]:
        for what in (self.loss, *getattr(self, "regularizers", {}).values()):
            if isinstance(what, FunctionType):
                by_name(f"this {type(self).__name__}", what)
        return {**self.__dict__, "tape": {}}  # as before the first step

    def __deepcopy__(self, memo: dict[int, Any]) -> Learner:
        other = memo[id(self)] = type(self).__new__(type(self))
        other.__dict__ |= copy.deepcopy({**self.__dict__, "tape": {}}, memo)
        return other

    def state(self) -> dict[str, Array]:
        """All that a later process needs to resume bit for bit, apart from the network's parameters."""
        arrays = {f"optimizer/{name}": np.array(get(array)) for name, array in self.optimizer.state.items()}
        return {
            **arrays,
            "optimizer_iteration": np.array(self.optimizer.iteration),
            "iteration": np.array(self.iteration),
        }

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from what ``state`` returned."""
        slots = {name.removeprefix("optimizer/"): a for name, a in state.items() if name.startswith("optimizer/")}
        self.optimizer.load(slots, int(state["optimizer_iteration"]))
        self.past.iteration = int(state["iteration"])


def check_net(net: Layer) -> Layer:
    """Raise unless ``net`` is a network that has its parameters."""
    instance("net", net, Layer, "a network")
    if not net.built:
        raise ValueError("net has no shape yet: give the first layer one, or Sequential(..., input_shape=...)")
    return net


class OnCpu:
    """What learners do with arrays beside running the network, where they are NumPy's: losses are numbers at once.

    On a GPU they are added up there, the functions here return 0.0 in their place, and ``read`` waits for the sum.
    """

    def zeros(self, net: Layer) -> Nested:
        """Gradients of zero."""
        return net.zeros()

    def clear(self, grads: dict[str, Any]) -> None:
        """Set all gradients to zero."""
        for array in grads.values():
            array[...] = 0.0

    def hold(self, grads: dict[str, Any]) -> None:
        """Set the gradients of frozen parameters to zero: they do not count when the norm is clipped."""
        self.clear(grads)

    def loss(self, loss: Callable[[Any, Any], tuple[float, Any]], y: Any, target: Target) -> tuple[float, Any]:
        """Value, and gradient with respect to the output."""
        return checked_result("loss", loss(y, target), y)

    def penalty(self, penalty: Callable[[Any], tuple[float, Any]], spikes: Any, name: str) -> tuple[float, Any]:
        """Value and gradient of a regulariser of the layer ``name``."""
        return checked_result(f"regulariser of {name}", penalty(spikes), spikes)

    def read(self, value: float) -> float:
        """``value``, and all values since the last call."""
        return value

    def checked(self, grads: dict[str, Array]) -> dict[str, Array]:
        """``grads``; raises if one holds NaN or infinity."""
        for name, array in grads.items():
            finite(f"the gradient of {name}", array)
        return grads

    def clip(self, grads: Mapping[str, Any], limit: float) -> None:
        """Scale down in place to a common norm of at most ``limit``."""
        clip_by_norm(grads, limit)

    def optimise(self, optimizer: Optimizer, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """One step of ``optimizer``, with gradients that ``checked`` has seen."""
        optimizer.step(params, grads)

    def add_over_time(self, y: Array, total: Array | None) -> Array:
        """The sum of ``y`` over time, [1, ...], added to ``total`` unless that is None."""
        sums = y.sum(axis=0, keepdims=True)
        return sums if total is None else np.add(total, sums, out=total)

    def mean(self, total: Array, steps: int) -> Array:
        """``total / steps``"""
        return total / steps

    def low_pass(self, x: Array, decay: float, before: Array | None, device: str) -> LowPass:
        """The trace of x over its steps."""
        return LowPass(x, decay, before, device)


def _place_of(net: Layer) -> OnCpu | OnGpu:
    if net.arrays.numpy:
        return OnCpu()
    from .on_gpu import OnGpu

    return OnGpu()
