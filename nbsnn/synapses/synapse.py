"""Synapse models: linear systems of one or two variables driven by spikes, solved exactly.

    dy/dt = A y,    y <- y + B w at a spike of weight w,    output = C y

A current enters the membrane as the neuron's input; a conductance g pulls it to a reversal potential: g (E - v). All
synapses of one kind onto a population add up in the same variables, a *port*. In a step of length dt

    y[t+1] = expm(A dt) y[t],     input[t] = K y[t]

where K is what the output does to a linear membrane in the course of the step (Rotter and Diesmann 1999,
doi:10.1007/s004220050570), or the mean of the output over the step for neurons that are not linear.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..files.pickling import ByName
from ..scalar.per_step import resolved
from ..validate import number, number_in

Array = np.ndarray


@dataclass(frozen=True)
class Membrane:
    """A membrane that a step takes from v to ``decay v + gain x``, the input ``x`` held: linear below its threshold.

    Parameters
    ----------
    decay, gain : float
        Of one step.

    Examples
    --------
    >>> Membrane(decay=0.9, gain=0.1)
    Membrane(decay=0.9, gain=0.1)
    """

    decay: float
    gain: float

    def __post_init__(self) -> None:
        number("decay", self.decay)
        number("gain", self.gain)


@dataclass(frozen=True)
class Synapse(ByName):
    """A kind of synapse, made by a function of ``nbsnn.synapses``.

    Attributes
    ----------
    kind, options
        The function in ``nbsnn.synapses`` and its arguments: two synapses with equal ones share a port.
    step : callable
        ``step(a, *variables, *numbers) -> (output, *variables)``, scalars; ``a`` is what arrives in this step.
    variables : tuple of str
        Names of its state.
    matrix, jump, output : tuple
        A, B and C of the equations above, the first as rows; no variables: a delta synapse.
    reversal : float or None, mV
        Reversal potential of a conductance; None for a current.

    Examples
    --------
    >>> import nbsnn
    >>> synapse = nbsnn.synapses.Alpha(tau=2.0)
    >>> synapse.kind, len(synapse.variables)
    ('Alpha', 2)
    """

    kind: str
    options: tuple[tuple[str, Any], ...]
    step: Callable[..., tuple[Any, ...]]
    variables: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    jump: tuple[float, ...]
    output: tuple[float, ...]
    reversal: float | None = None

    # of a synapse of one's own: its presynaptic side, how many numbers arrive, initial values of its variables, what it
    # reads of the target, and where each of its outputs goes
    gate: ClassVar[Any] = None
    arrivals: ClassVar[Any] = 1
    start: ClassVar[Any] = ()
    reads: ClassVar[Any] = ()
    outputs: ClassVar[Any] = ()

    @property
    def shares(self) -> int:
        """How many of its ``numbers``, the last, depend on the membrane."""
        return max(1, len(self.variables))

    def check(self, dt: float, dtype: np.dtype) -> None:
        """``ValueError`` if variables of this precision cannot follow."""
        factors = np.exp(np.diagonal(np.reshape(self.matrix, (len(self.variables),) * 2)) * dt)
        resolved(f"a time constant of {self!r}", factors, dtype)
        if self.reversal is not None:
            number_in(dtype, f"reversal of {self!r}", self.reversal)

    def numbers(self, dt: float, membrane: Membrane | None) -> list[float]:
        """Arguments of ``step`` after its variables: jumps, factors per step, share of each variable in the input.

        Parameters
        ----------
        dt : float, ms
        membrane : Membrane or None
            None: a neuron that is not linear; it gets the mean of the output over the step.
        """
        if not self.variables:
            return [1.0 / membrane.gain if membrane else 1.0]
        share = self._share(dt, membrane if self.reversal is None else None)
        flow = _expm(np.asarray(self.matrix) * dt)
        lower = flow[np.tril_indices(len(flow))]
        return [*self.jump, *lower, *share]

    def _share(self, dt: float, membrane: Membrane | None) -> Array:
        """K: the effect of each variable on the input of a step."""
        n = len(self.variables)
        system = np.zeros((n + 1, n + 1))
        system[:n, :n] = self.matrix
        leak = -np.log(membrane.decay) / dt if membrane and membrane.decay < 1.0 else 0.0
        system[n, :n] = np.asarray(self.output) * (leak if leak else 1.0 / dt)
        system[n, n] = -leak
        return _expm(system * dt)[n, :n] / (membrane.gain if membrane and leak else 1.0)

    def conductance(self, reversal: float) -> Synapse:
        """Copy of this synapse as a conductance with a reversal potential (mV)."""
        from dataclasses import replace

        if not self.variables:
            raise ValueError(f"{self!r} has no course in time: a conductance would have to last")
        options = (*(o for o in self.options if o[0] != "reversal"), ("reversal", number("reversal", reversal)))
        return replace(self, reversal=float(reversal), options=options)

    def __repr__(self) -> str:
        return f"{self.kind}({', '.join(f'{name}={value!r}' for name, value in self.options if value is not None)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Synapse) and (self.kind, self.options) == (other.kind, other.options)

    def __hash__(self) -> int:
        return hash((self.kind, self.options))


def time_constants(kind: str, **times: float) -> tuple[float, ...]:
    """The time constants of a synapse, checked; for its matrix, which divides by them."""
    for name, value in times.items():
        if number(f"{name} of {kind}", value, above=0.0) < 1e-9:
            raise ValueError(f"{name} of {kind} must be at least 1e-9 ms, not {value!r}")
    return tuple(map(float, times.values()))


def make(kind: str, step: Callable[..., tuple[Any, ...]], variables: tuple[str, ...],
         matrix: tuple[tuple[float, ...], ...], jump: tuple[float, ...], output: tuple[float, ...],
         reversal: float | None, options: Mapping[str, float]) -> Synapse:  # fmt: skip
    """A synapse made by the function ``kind`` of ``options``: all its arguments but ``reversal``.

    Its matrix is a lower triangle: a variable may drive those after it.
    """
    if reversal is not None:
        reversal = number(f"reversal of {kind}", reversal)
    if matrix and np.triu(matrix, 1).any():
        raise ValueError(f"matrix of {kind} must be a lower triangle, not {matrix}: put first what drives others")
    said = (*((name, float(value)) for name, value in options.items()), ("reversal", reversal))
    return Synapse(kind, said, step, variables, matrix, jump, output, reversal)


def _expm(matrix: Array) -> Array:
    """The exponential of a small matrix: a Taylor series of the matrix divided by 2^k, squared k times.

    SciPy's would do; but importing it takes as long as a small simulation.
    """
    matrix = np.asarray(matrix, np.float64)
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-300)))) + 2)
    small, term = matrix / 2.0**halvings, np.eye(len(matrix))
    result = term
    for k in range(1, 16):
        term = term @ small / k
        result = result + term
    for _ in range(halvings):
        result = result @ result
    return result
