"""What a network is made of and what it costs: shapes, parameters, memory, operations, energy, rates.

A connection does one accumulate for each spike and each synapse that it meets (events times fan-out), and one
multiply-accumulate for each synapse that meets a value other than 0 and 1; a network of numbers does one for every
synapse at every step. Energy is their number times that of an operation in 32-bit floating point at 45 nm (Horowitz
2014): 0.9 pJ for an addition, 4.6 pJ with a multiplication.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from ..device.constant_input import fetched
from ..layers import Layer, Run
from ..layers.fused.memory_plan import alone
from ..layers.fused.network import fuse
from ..layers.layer import Array, Nested
from ..layers.population import is_population
from ..random import Draws
from ..spikes.spike_input import SpikeInput
from ..validate import instance

ADD, MULTIPLY_ADD = 0.9e-12, 4.6e-12
"""Joules of an addition, and of one with a multiplication."""


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a summary; what does not apply is None. Operations and energy are per sample, over all steps.

    Attributes
    ----------
    name, kind : str
        Its name, and its class or that of its neuron.
    shape : tuple of int
        Of its output, of one sample at one step.
    parameters : int
        How many learnable numbers.
    bytes : int
        Of its parameters.
    rate : float
        Spikes per unit and step.
    dense : float
        Multiply-accumulates of a network that skips nothing.
    operations : float
        Operations that are left if zeros are skipped: synaptic operations where the input is spikes.
    spikes : bool
        Whether its input is spikes, so that operations are additions.
    energy : float
        Joules of ``operations``.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    bytes: int
    rate: float | None = None
    dense: float | None = None
    operations: float | None = None
    spikes: bool | None = None
    energy: float | None = None


@dataclass(frozen=True)
class Summary:
    """Result of ``summary``; ``print`` it.

    Attributes
    ----------
    layers : list of LayerSummary
    steps, batch : int
        Of the input.
    training_bytes : int
        What a training step by ``BPTT`` takes for the backward pass, about.
    """

    layers: list[LayerSummary]
    steps: int
    batch: int
    training_bytes: int

    @property
    def parameters(self) -> int:
        """How many learnable numbers there are."""
        return sum(row.parameters for row in self.layers)

    @property
    def dense(self) -> float:
        """Multiply-accumulates per sample of a network that skips nothing."""
        return sum(row.dense or 0.0 for row in self.layers)

    @property
    def synaptic_operations(self) -> float:
        """Additions per sample, where spikes meet synapses."""
        return sum(row.operations or 0.0 for row in self.layers if row.spikes)

    @property
    def energy(self) -> float:
        """Joules per sample, zeros skipped."""
        return sum(row.energy or 0.0 for row in self.layers)

    @property
    def energy_of_numbers(self) -> float:
        """Joules per sample of the same layers in one pass of a network of numbers."""
        return MULTIPLY_ADD * self.dense / self.steps

    def __str__(self) -> str:
        lines = [["layer", "kind", "output", "parameters", "rate", "multiply-adds", "operations", "of all", "nJ"]]
        for row in self.layers:
            shape, rate = " x ".join(map(str, row.shape)), "" if row.rate is None else f"{row.rate:.3g}"
            cells = [row.name, row.kind, shape, short(row.parameters) if row.parameters else "", rate]
            if row.dense is not None and row.operations is not None and row.energy is not None:
                share = f"{100.0 * row.operations / row.dense:.3g} %" if row.dense else ""
                cells += [short(row.dense), short(row.operations), share, f"{1e9 * row.energy:.3g}"]
            lines.append([*cells, *[""] * (9 - len(cells))])
        widths = [max(map(len, line)) for line in zip(*lines, strict=True)]
        table = [
            "  ".join(c.ljust(w) if k < 3 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths, strict=True)))
            for line in lines
        ]
        size = short(sum(row.bytes for row in self.layers))
        return "\n".join(
            [
                *(line.rstrip() for line in table),
                "",
                f"{short(self.parameters)} parameters, {size}B; a training step of {self.batch} samples and "
                f"{self.steps} steps takes about {short(self.training_bytes)}B",
                f"per sample: {short(self.synaptic_operations)} synaptic operations of {short(self.dense)} "
                f"multiply-adds, {1e9 * self.energy:.3g} nJ; "
                f"{1e9 * self.energy_of_numbers:.3g} nJ as numbers in one pass",
            ]
        )


def summary(net: Layer, x: Array | SpikeInput) -> Summary:
    """Run one batch and say what each layer is and costs.

    Counted are connections: dense, convolutions, feedback. The updates of neurons, pooling, normalisation (which can be
    folded into weights) and biases are not, and padding with zeros costs nothing. Nothing is changed.

    Parameters
    ----------
    net : Layer
        The network.
    x : array [T, B, ...]
        A batch like those it will see: operations depend on how much it spikes.

    Returns
    -------
    Summary
        ``layers``, ``parameters``, ``synaptic_operations``, ``energy`` ...; ``print`` it for a table.

    References
    ----------
    M. Horowitz (2014), Computing's energy problem, ISSCC, doi:10.1109/ISSCC.2014.6757323: additions and
    multiplications in 32-bit floating point at 45 nm take 0.9 and 3.7 pJ. Memory takes more, and is not counted.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(20, 30), nbsnn.neurons.LIF(), nbsnn.Dense(30, 2), seed=0)
    >>> x = (np.random.default_rng(0).random((25, 8, 20)) < 0.2).astype(np.float32)
    >>> found = nbsnn.summary(net, x)
    >>> found.parameters, found.dense, bool(found.layers[0].operations == 30 * x.sum() / 8)
    (692, 16500.0, True)
    """
    instance("net", net, Layer, "a network")
    net = copy.deepcopy(net.unfused().on_host())
    x = net.check_input(fetched(x))
    x = np.array(x.dense(net.setting.dtype) if isinstance(x, SpikeInput) else x)  # no step stands for others
    steps, batch = x.shape[:2]
    fused, layers = fuse(net), _leaves(net)
    plans = fused.plans(steps, batch).values() if fused is not None else [alone(net, steps, batch)]
    training = sum(plan.bytes for plan in plans)
    counts = {name: Counted(layer) for name, layer in layers.items() if layer.connects and "weight" in layer.params}
    for name, layer in counts.items():
        net = _with(net, name, layer)
    tape: Nested = {}
    y, _ = net.forward(x, net.initial(batch), tape)
    run = Run(net, y, {}, tape)
    rows = []
    for name, layer in layers.items():
        own = list(layer.parameters().values())
        sizes = sum(p.size for p in own), sum(p.nbytes for p in own)
        kind, rate = type(layer).__name__, None
        if is_population(layer):
            kind = layer.neuron.kind or kind
            if layer.neuron.output == "spikes":
                rate = float((run if layer is net else run[name])["spikes"].mean(dtype=np.float64))
        costs = counts[name].costs(batch) if name in counts else (None, None, None, None)
        rows.append(LayerSummary(name, kind, tuple(layer.shape), *sizes, rate, *costs))
    return Summary(rows, steps, batch, training)


class Counted(Layer):
    """A connection that counts what it is given, in the place of ``layer`` while a network runs."""

    def __init__(self, layer: Layer):
        super().__init__()
        self.layer, self.in_shape, self.shape, self.built = layer, layer.in_shape, layer.shape, True
        self.setting, self.arrays = layer.setting, layer.arrays
        self.dense = self.operations = 0.0
        self.spikes = True
        self.ones = layer.plain().twin(dtype=np.float64)
        for name, array in self.ones.parameters().items():
            array[...] = 1.0 if name == "weight" else 0.0
        for array in self.ones.all_buffers().values():
            array[...] = 0.0  # each synapse at one step, if it has a kernel over time

    def initial(self, batch: int) -> Nested:
        return self.layer.initial(batch)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        self.note(x)
        return self.layer.forward(x, state, tape, draws)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        """A step of a connection that feeds back, as ``Stateless.apply``."""
        self.note(x)
        return self.layer.ops.apply(x, tape, draws)

    def offer(self, x: Array, tape: Nested) -> None:
        """As ``Stateless.offer``."""
        self.layer.ops.offer(x, tape)

    def note(self, x: Array) -> None:
        """Count the synapses that steps of input meet: with weights of one they are the sum of the output."""
        events = x != 0.0
        self.spikes = self.spikes and bool((x[events] == 1.0).all())
        self.operations += self.total(events.astype(np.float64))
        self.dense += self.total(np.ones((len(x), 1, *x.shape[2:])))

    def total(self, x: Array) -> float:
        """Sum of the output."""
        return float(self.ones.forward(x, self.ones.initial(x.shape[1]), {})[0].sum())

    def costs(self, batch: int) -> tuple[float, float, bool, float]:
        """Multiply-accumulates, operations, whether these are additions, and their energy, per sample."""
        operations = self.operations / batch
        return self.dense, operations, self.spikes, operations * (ADD if self.spikes else MULTIPLY_ADD)


def short(value: float) -> str:
    """A number in three digits, with a prefix; a unit may follow."""
    for power, prefix in ((9, "G"), (6, "M"), (3, "k")):
        if value >= 0.9995 * 10.0**power:
            return f"{value / 10.0**power:.3g}{prefix}"
    return f"{value:.3g}"


def _leaves(net: Layer, prefix: str = "") -> dict[str, Layer]:
    """The layers that hold no others, by name."""
    if not net.children:
        return {prefix.rstrip("/") or net.kind: net}
    found: dict[str, Layer] = {}
    for name, layer in net.children.items():
        found |= _leaves(layer, f"{prefix}{name}/")
    return found


def _with(net: Layer, name: str, layer: Layer) -> Layer:
    """``net`` with another layer at a place, which may be all of it."""
    if not net.children:
        return layer
    *path, last = name.split("/")
    inside = net
    for part in path:
        inside = inside.children[part]
    inside.children[last] = layer
    return net
