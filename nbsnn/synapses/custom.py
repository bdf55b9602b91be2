"""Synapses of one's own: scalar functions with state per target, and gates with state per source.

    r = step(a, *reads, *state, *params)        at each target: what arrives, what is read of its neuron

In a step a target gets what arrives, ``a``, the sum of the weights of spikes whose delay is over. With a gate it gets
the sum over all sources of weight times what the source's gate puts out, in every step: that is what transmitter does
whose receptors saturate, and what acts between spikes. Synapses of one source see the same spikes, so that one gate per
source stands for that of each synapse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..files.pickling import ByName
from ..scalar.per_step import WAYS, held_in
from ..validate import choice, count, function, in_place, instance, names, number, results
from .synapse import Membrane, Synapse


def numbers_of(name: str, given: object) -> tuple[tuple[str, float], ...]:
    """A mapping from names to numbers, as pairs."""
    mapping = instance(name, given, Mapping, "a mapping from names to numbers")
    return tuple((names(f"{name}: a name", key)[0], number(f"{name}: {key}", value)) for key, value in mapping.items())


class Kinetics(ByName):
    """What synapse and gate have in common: a step, its state and its parameters."""

    what: str

    def _take(
        self, step: object, state: object, params: object, per_step: object, reads: object,
        arrivals: int, outputs: int,
    ) -> None:  # fmt: skip
        start, given = numbers_of("state", state), numbers_of("params", params)
        ways = instance("per_step", per_step, Mapping, "a mapping from parameters to ways")
        for key, way in ways.items():
            if key not in dict(given):
                raise ValueError(f"per_step names {key!r}, which is not among the parameters {list(dict(given))}")
            choice(f"per_step: the way of {key}", way, WAYS)
        reads = names("reads", reads)
        of = function("step", step, f"a function, step({self.what}, *reads, *state, *params)",
                      takes=arrivals + len(reads) + len(start) + len(given))  # fmt: skip
        in_place("step", of, [*[""] * arrivals, *reads, *dict(start), *dict(given)])
        results("step", of, outputs + len(start), "(*outputs, *state)")
        self.__dict__.update(
            step=step, start=start, params=given, ways=tuple(sorted(ways.items())), reads=reads, arrivals=arrivals
        )

    def stepped(self, dt: float, dtype: DTypeLike = np.float64) -> list[float]:
        """The parameters as a step uses them; ``ValueError`` if states of ``dtype`` cannot follow."""
        ways, found = dict(self.__dict__["ways"]), []
        for name, value in self.__dict__["params"]:
            way, where = WAYS.get(ways.get(name, "")), f"{name} of {self!r}"
            found.append(float(held_in(way, way(np.asarray(value), dt, where), dtype, where)) if way else value)
        return found


class Gate(Kinetics):
    """The presynaptic side of a synapse: state per source, and what it puts out in each step.

    Parameters
    ----------
    step : callable
        ``step(spike, *reads, *state, *params) -> (output, *state)``, all scalars: 1 if a spike of the source has come
        to the beginning of this step and 0 otherwise; state at its beginning to state at its end. The output stands
        for the whole step: of a variable that moves, its mean over the step.
    state : mapping
        Name -> initial value.
    params, per_step : mapping
        Name -> number, and name -> way to its value per step, as of ``Neuron``.
    reads : name or tuple of names
        State variables of the source as they are at the beginning of the step; "v" is its membrane.
    outputs : int
        How many numbers come before the state in what ``step`` returns.

    Raises
    ------
    TypeError, ValueError
        If a function does not take these arguments, or numbers are none.

    Examples
    --------
    >>> import nbsnn
    >>> def step(spike, open, decay):
    ...     open = open + spike * (1.0 - open)
    ...     return open, open * decay
    >>> nbsnn.synapses.Gate(step, state={"open": 0.0}, params={"decay": 50.0}, per_step={"decay": "exp"})
    Gate(step, state=['open'])
    """

    what = "spike"
    step: Callable[..., tuple[Any, ...]]
    start: tuple[tuple[str, float], ...]
    params: tuple[tuple[str, float], ...]
    reads: tuple[str, ...]

    def __init__(
        self, step: Callable[..., tuple[Any, ...]], *, state: Mapping[str, float] = {},
        params: Mapping[str, float] = {}, per_step: Mapping[str, str] = {}, reads: str | tuple[str, ...] = (),
        outputs: int = 1,
    ):  # fmt: skip
        self.outputs = count("outputs", outputs, most=8)
        self._take(step, state, params, per_step, reads, 1, self.outputs)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of its state."""
        return tuple(name for name, _ in self.start)

    def _key(self) -> tuple[Any, ...]:
        return self.step, self.start, self.params, self.__dict__["ways"], self.reads, self.outputs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gate) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Gate({self.step.__name__}, state={list(self.variables)})"


class CustomSynapse(Synapse, Kinetics):
    """A synapse of one's own. ``NMDA``, ``Graded`` and ``GapJunction`` are made of it.

    Parameters
    ----------
    step : callable
        ``step(a, *reads, *state, *params) -> (output, *state)``, all scalars: what arrives at the beginning of the
        step, state there to state at its end. The output stands for the whole step: of a variable that moves, its mean
        over the step.
    state : mapping
        Name -> initial value, of each target.
    params, per_step : mapping
        Name -> number, and name -> way to its value per step ("exp", "dt", ...), as of ``Neuron``.
    reads : name or tuple of names
        State variables of the target as they are at the beginning of the step; "v" is its membrane.
    output : name or tuple of names
        Where each output goes: "current", "conductance", another input of the neuron, or one of its state variables,
        to which it is added at the beginning of the step. A conductance onto a neuron that takes none, and is not
        linear, is a current that is held in each step at the membrane's value at its beginning.
    reversal : float, mV, optional
        Reversal potential of "conductance"; 0 by default.
    gate : Gate, optional
        State per source. With it ``step`` gets, instead of ``a``, the weighted sums of the gate's outputs.
    name : str
        What it is called in names of variables: "custom.s".

    Raises
    ------
    TypeError, ValueError
        If a function does not take these arguments, or numbers and names are none.

    Examples
    --------
    A conductance that a spike opens where the membrane is depolarised, and that closes with 30 ms:

    >>> import nbsnn
    >>> def step(a, v, g, decay, half):
    ...     g = g + a * (1.0 if v > half else 0.2)
    ...     return g, g * decay
    >>> synapse = nbsnn.synapses.CustomSynapse(
    ...     step, state={"g": 0.0}, params={"tau": 30.0, "half": -55.0}, per_step={"tau": "exp"}, reads="v",
    ...     output="conductance", reversal=0.0, name="gated",
    ... )
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> cells = net.population(nbsnn.neurons.ConductanceLIF(), 2)
    >>> source = net.spikes([1.0], [0], 1)
    >>> _ = net.connect(source, cells, nbsnn.AllToAll(), weight=2.0, delay=0.5, synapse=synapse)
    >>> run = net.run(3.0)
    >>> [round(float(g), 4) for g in cells["gated.g"]]
    [0.3805, 0.3805]
    """

    what = "a"
    params: tuple[tuple[str, float], ...]
    start: tuple[tuple[str, float], ...]
    reads: tuple[str, ...]
    arrivals: int
    gate: Gate | None
    outputs: tuple[str, ...]

    def __init__(
        self, step: Callable[..., tuple[Any, ...]], *, state: Mapping[str, float] = {},
        params: Mapping[str, float] = {}, per_step: Mapping[str, str] = {}, reads: str | tuple[str, ...] = (),
        output: str | tuple[str, ...] = "current", reversal: float | None = None, gate: Gate | None = None,
        name: str = "custom",
    ):  # fmt: skip
        if gate is not None and not isinstance(gate, Gate):
            raise TypeError(f"gate must be a Gate, not {gate!r}")
        outputs = names("output", output)
        if not outputs or len(set(outputs)) < len(outputs):
            raise ValueError(f"output must name at least one target of an output, each once, not {output!r}")
        self._take(step, state, params, per_step, reads, gate.outputs if gate else 1, len(outputs))
        if reversal is not None and "conductance" not in outputs:
            raise ValueError(f"reversal is of a conductance; output is {output!r}")
        both = {key for key, _ in self.start} & set(gate.variables if gate else ())
        if both:
            raise ValueError(f"gate and synapse both have a variable {min(both)!r}: one of them needs another name")
        if not isinstance(name, str) or not name:
            raise TypeError(f"name must be a text, not {name!r}")
        variables = tuple(key for key, _ in self.start)
        self.__dict__.update(outputs=outputs, gate=gate)
        said = (("step", step), ("state", self.start), ("params", self.params), ("ways", self.__dict__["ways"]),
                ("reads", self.reads), ("output", outputs), ("reversal", reversal), ("gate", gate))  # fmt: skip
        super().__init__(
            name, said, step, variables, (), (), (), None if reversal is None else number("reversal", reversal)
        )

    @property
    def shares(self) -> int:
        """The last of its ``numbers`` alone depends on the membrane."""
        return 1

    def check(self, dt: float, dtype: np.dtype) -> None:
        """``ValueError`` if variables of this precision cannot follow."""
        self.stepped(dt, dtype)

    def numbers(self, dt: float, membrane: Membrane | None) -> list[float]:
        """Parameters per step, and the input of a step that a current of 1, held during it, is to the neuron."""
        return [*self.stepped(dt), 1.0 if membrane is None else (1.0 - membrane.decay) / membrane.gain]

    def conductance(self, reversal: float) -> Synapse:
        """Refuse: what this synapse puts out is said where it is made."""
        raise ValueError(f"{self!r}: say output='conductance' and its reversal where it is made")

    def said(self, **options: object) -> CustomSynapse:
        """This synapse, which is shown as what a function of this package has made of its arguments."""
        self.__dict__["shown"] = f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in options.items())})"
        return self

    def __repr__(self) -> str:
        plain = f"CustomSynapse({self.step.__name__}, state={list(self.variables)}, output={self.outputs!r})"
        return self.__dict__.get("shown", plain)
