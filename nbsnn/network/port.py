"""Ports: where the synapses of one kind onto a population end."""

from __future__ import annotations

import numpy as np

from ..neuron import INPUTS, Neuron
from ..plasticity import LowPass
from ..synapses import Gate, Membrane, Synapse
from . import off_grid
from .home import Units, Whole
from .membrane import membrane_of


class Port:
    """Port: all synapses of one kind onto a population, their common variables and Poisson drives.

    ``mode`` is how their output enters: "current"; "conductance", into a neuron that takes one; "driving", a
    conductance into one that takes a current; "jump", into a neuron that takes one; "after", a jump after the step.
    ``modes`` are those of each output of a synapse of one's own, beside "current" and the like: "held", a conductance
    as a current at the membrane before the step; "input:NAME" and "state:NAME".
    """

    def __init__(self, group: Units, synapse: Synapse):
        self.group, self.synapse = group, synapse
        self.drives: list[Whole] = []
        if group.neuron is None:
            raise ValueError(f"{group.name} is a list of spikes: nothing can be connected to it")
        if group.network.off_grid:
            off_grid.check_synapse(group.name, group.neuron, synapse)
        self.modes = self._modes()
        self.mode = self.modes[0]
        self.reads = reads_of(group, synapse)

    @property
    def custom(self) -> bool:
        """True of a synapse of one's own."""
        return bool(self.synapse.outputs)

    def _modes(self) -> tuple[str, ...]:
        group, neuron = self.group, self.group.neuron
        assert neuron is not None
        if self.custom:
            return tuple(_entering(group, neuron, self.synapse, name) for name in self.synapse.outputs)
        return ((_conducting if self.synapse.variables else _jumping)(group, neuron, self.synapse),)

    def check(self) -> None:
        """``ValueError`` if the output would enter in another way now that the neuron has other parameters."""
        if self._modes() != self.modes:
            raise ValueError(
                f"{self.group!r}: with these parameters {self.synapse!r} acts in another way than it was built for"
            )

    def label(self, variable: str) -> str:
        """Name of a variable of this port in its population: "exponential.y", then "exponential2.y"."""
        kind = self.synapse.kind.lower()
        alike = [port for port in self.group.ports if port.synapse.kind == self.synapse.kind]
        number = alike.index(self) + 1
        return f"{kind}{number if number > 1 else ''}.{variable}"

    def numbers(self, dt: float) -> list[float]:
        """Reversal potential and the numbers of the synapse's step."""
        group = self.group
        if group.network.off_grid:
            return off_grid.numbers_of(self.synapse, dt)
        if not self.synapse.variables and not self.custom:
            found = group.response if self.mode == "current" and _moves_membrane(group.neuron) else None
            return [0.0, 1.0 / found.gain if found else 1.0]
        membrane = group.membrane
        if isinstance(membrane, tuple):
            return [0.0, *self.synapse.numbers(dt, membrane[0])]  # the last are those of the first unit alone
        numbers = self.synapse.numbers(dt, membrane)
        if self.mode == "driving" and not self.custom:
            numbers = _scaled(numbers, self.synapse, held(membrane))
        return [self.synapse.reversal or 0.0, *numbers]

    def own(self, dt: float) -> list[np.ndarray]:
        """The last of these numbers, those by which it enters, of each unit, where membranes differ."""
        membrane = self.group.membrane
        if not isinstance(membrane, tuple) or self.group.network.off_grid:
            return []
        count = self.synapse.shares
        found = {one: self.synapse.numbers(dt, one)[-count:] for one in set(membrane)}
        if (
            self.mode == "current"
            and not self.synapse.variables
            and not self.custom
            and not _moves_membrane(self.group.neuron)
        ):
            found = {one: [1.0] for one in found}
        return list(np.array([found[one] for one in membrane], np.float64).T)


class GatePort:
    """Gates of all synapses of one kind from a population: their variables, one of each source."""

    def __init__(self, group: Units, synapse: Synapse):
        self.group, self.kind = group, synapse.kind
        self.gate: Gate = synapse.gate
        self.reads = reads_of(group, synapse.gate)
        self.gate.stepped(group.network.dt, group.network.dtype)

    def label(self, variable: str) -> str:
        """Name of a variable in the population of the sources: "nmda.s", then "nmda2.s"."""
        number = [gate for gate in self.group.gates if gate.kind == self.kind].index(self) + 1
        return f"{self.kind.lower()}{number if number > 1 else ''}.{variable}"


def reads_of(group: Units, side: Gate | Synapse | LowPass) -> tuple[int, ...]:
    """Places among a neuron's variables of those that a synapse, its gate, or a rule reads."""
    neuron, places = group.neuron, list[int]()
    for name in side.reads:
        known = list(neuron.state) if neuron else []
        name = membrane_of(neuron) if neuron and name == "v" and "v" not in known else name
        if name not in known:
            raise ValueError(f"{side!r} reads {name!r}, and {group.name} has {known or 'no variables'}")
        places.append(known.index(name))
    return tuple(places)


def _entering(group: Units, neuron: Neuron, synapse: Synapse, name: str) -> str:
    """How an output of a synapse of one's own enters."""
    if name == "current" or (name == "conductance" and "conductance" in neuron.inputs):
        return name
    if name == "conductance":
        if isinstance(group.membrane, Membrane) or (group.response and (group.response.decay or -1.0) >= 0.0):
            return "driving"
        if membrane_of(neuron) in neuron.state:
            return "held"
        raise ValueError(f"{synapse!r} is a conductance, and {neuron!r} has no membrane that it could pull")
    own = [each for each in neuron.inputs if each not in INPUTS]
    if name in own:
        return f"input:{name}"
    if name in neuron.state:
        return f"state:{name}"
    raise ValueError(
        f"output {name!r} of {synapse!r}: {neuron!r} has the inputs {['current', 'conductance', *own]} and the "
        f"variables {list(neuron.state)}"
    )


def _conducting(group: Units, neuron: Neuron, synapse: Synapse) -> str:
    """Input code of a synapse with a course in time."""
    if synapse.reversal is None or "conductance" in neuron.inputs:
        return "current" if synapse.reversal is None else "conductance"
    if isinstance(group.membrane, tuple):
        raise ValueError(
            f"{synapse!r} is a conductance onto {group.neuron!r}, which takes a current alone, and has several values "
            f"of {neuron.leak}: units with equal ones make a population"
        )
    if group.response is None or group.response.decay is None or group.response.decay < 0.0:
        raise ValueError(
            f"{synapse!r} is a conductance, which {neuron!r} does not take, nor can it be given as a current, as the "
            "step is not linear in current and membrane: a neuron with inputs=('current', 'conductance') takes it"
        )
    return "driving"


def _jumping(group: Units, neuron: Neuron, synapse: Synapse) -> str:
    """Input code of a delta synapse."""
    if "jump" in neuron.inputs:
        return "jump"
    if not _moves_membrane(neuron) or group.response is not None or isinstance(group.membrane, tuple):
        return "current"
    if membrane_of(neuron) in neuron.state and (neuron.membrane or "conductance" in neuron.inputs):
        return "after"
    raise ValueError(
        f"{synapse!r} lets a membrane jump, and {neuron!r} does not say which variable is its membrane: "
        'Neuron(membrane="v") does, or membrane="input" if the weight is to be its input of one step; '
        "or connect with another synapse"
    )


def _moves_membrane(neuron: Neuron | None) -> bool:
    """True if a delta synapse moves the membrane rather than give the weight as an input."""
    return neuron is not None and neuron.membrane != "input"


def held(membrane: Membrane | None) -> float:
    """The input of a step that a current, held constant during it, is to the neuron."""
    return 1.0 if membrane is None else (1.0 - membrane.decay) / membrane.gain


def _scaled(numbers: list[float], synapse: Synapse, factor: float) -> list[float]:
    """The numbers of a synapse whose output is ``factor`` times as large: the shares come last."""
    first = len(numbers) - synapse.shares
    return numbers[:first] + [factor * value for value in numbers[first:]]
