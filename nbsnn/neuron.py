"""Neuron models: two plain scalar functions, and the names of their arguments.

A neuron of a training network is fed by one number per step, its input current. In ``nbsnn.Network`` it may be fed by
more: the conductance of its synapses, jumps of its membrane, and random numbers of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from .files.pickling import by_name
from .scalar.per_step import WAYS, PerStep
from .scalar.rounding import unrounded
from .surrogates import Surrogate, above, at_or_above, atan
from .surrogates.named import as_surrogate
from .validate import choice, filled, function, in_place, instance, names, numbers, results
from .validate.fixed import Fixed

COMPARE = {">=": at_or_above, ">": above}

INPUTS = ("current", "conductance", "jump", "uniform", "normal")
"""What may feed a neuron, in the order of ``step``'s arguments, before inputs of its own."""

T = TypeVar("T")
Value = float | np.ndarray | list[Any] | Callable[[tuple[int, ...]], ArrayLike]
"""A parameter or initial value: a number, one for each unit, or a function of the shape of the units."""


@dataclass(frozen=True, eq=False)
class Neuron:
    """A neuron model: one step in time, and the reverse of that step.

    ``step`` integrates over the step with what it is fed, compares the membrane with its threshold, and resets it where
    it spikes, in this order: what arrives in a step can fire a unit in the same step, the state it returns is that
    after the reset, and spike and state belong to the end of the step. (``Network`` says when what arrives.)

    Parameters
    ----------
    step : callable
        ``step(x, *state, *params) -> (output, *state)``, all scalars: input current, state before the step and
        parameters to output and state after the step. With other ``inputs``, they all stand in the place of ``x``.
    vjp : callable or None
        ``vjp(x, *state, *params, *g) -> (g_x, *g_state, *g_params)``: given the loss's derivatives ``g`` with
        respect to the results of ``step``, those with respect to its arguments. None: simulates, cannot learn.
    state : mapping
        Name -> initial value, in the order of ``step``'s arguments: a number, or an array that broadcasts to the
        population's shape.
    params : mapping
        Name -> value, likewise. A number is shared by all units; an array that broadcasts to the population's
        shape gives each unit its own; a function of the population's shape returns such an array.
    learn : tuple of str
        Which of ``params`` are trained, and which initial values: "initial_v" for the state "v". A trained initial
        value is one per unit, also when given as a number; as an array of shape [1], all units share it.
    per_step : mapping
        Which of ``params`` have a unit of time: name -> "exp", "euler", "logit", "steps", "span", "loss", "dt" or "hz"
        (see ``nbsnn.scalar.per_step``). ``step`` receives their value per step: a decay factor for ``tau``, say.
    surrogate : Surrogate or str
        What stands in for the derivative of the spike; "atan" is short for ``surrogates.atan()``.
    compare : {">=", ">"}
        Whether a membrane that equals its threshold spikes. There is no tolerance: a sum of inputs that is the
        threshold on paper may fall short of it by rounding, fifty times 0.02 in float32 for one.
    output : str
        What the output is called in records; only "spikes" counts as spikes, in reports and in a ``Network``.
    first : number, array, function of the shape, or pair of str
        The output before the first step, which only feedback sees. The pair ``("v", "v_threshold")`` says that it is
        a spike where the initial "v" exceeds "v_threshold", with the surrogate's derivative.
    leak : str
        The parameter that is the membrane's factor per step: the presynaptic trace of OTTT decays with it. Without
        one, that trace does not decay.
    holes : mapping
        What fills the holes that ``step`` and ``vjp`` call, apart from ``spike`` and ``dspike``.
    inputs : tuple of str
        What feeds ``step``, in this order: "current", always; "conductance", the sum g of the conductances of the
        synapses, whose currents at v = 0, the sum of g E, are then part of the current, so that x - g v flows in;
        "jump", by how much delta synapses let the membrane jump at the end of the step, to be added after it has been
        integrated and before it is compared with the threshold, and dropped while it is held; "uniform" and "normal",
        a random number in [0, 1) and a standard normal one, drawn anew for every unit and step; then any names of its
        own, which synapses address (``CustomSynapse(output="nmda")``). With more than a current there is no ``vjp``.
    membrane : str
        The state that a delta synapse lets jump, "v" by default in a neuron that takes a conductance. One that takes a
        "jump" sees to it in its step. In one whose membrane answers to the current in proportion, whatever its value,
        the current of the step is what makes the jump. In any other the membrane must be named: the weight is
        added to it after the step, unless the unit spikes there, and its threshold sees it in the next step. "input"
        says that the weight is the current of the step instead, for neurons whose input is no current into a membrane.
        Synapses that conduct need an input "conductance", or a membrane that is linear in current and in itself.
    kind, options : str, mapping
        The function in ``nbsnn.neurons`` and the arguments that made this neuron: shown by ``repr``, stored in
        checkpoints. A user's own neuron needs none.
    starts_at : mapping
        State -> the parameter that is its initial value, as in ``{"v": "v_rest"}``: where the parameter is trained,
        runs start from what it has become, unless the initial value is trained by itself.
    least : mapping
        Parameter -> its least value: training keeps it there or above. Parameters of ``per_step`` are kept within what
        is allowed anyway, and time constants at a tenth of a step or more ("euler": at a step).

    Examples
    --------
    A custom neuron, with ``spike`` and ``dspike`` standing for the spike and its surrogate derivative:

    >>> from nbsnn import Neuron, dspike, spike
    >>> def step(x, v, decay, v_threshold):
    ...     u = decay * v + x
    ...     s = spike(u - v_threshold)
    ...     return s, u - s * v_threshold
    >>> def vjp(x, v, decay, v_threshold, gs, gv):
    ...     u = decay * v + x
    ...     s = spike(u - v_threshold)
    ...     gd = (gs - gv * v_threshold) * dspike(u - v_threshold)
    ...     gu = gv + gd
    ...     return gu, gu * decay, gu * v, -gd - gv * s
    >>> own = Neuron(step, vjp, state={"v": 0.0}, params={"decay": 0.9, "v_threshold": 1.0})
    """

    step: Callable[..., tuple[Any, ...]]
    vjp: Callable[..., tuple[Any, ...]] | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    learn: tuple[str, ...] = ()
    per_step: Mapping[str, str] = field(default_factory=dict)
    surrogate: Surrogate = field(default_factory=atan)
    compare: str = ">="
    output: str = "spikes"
    first: Value | tuple[str, str] = 0.0
    leak: str = ""
    holes: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("current",)
    membrane: str = ""
    kind: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    starts_at: Mapping[str, str] = field(default_factory=dict)
    least: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_kinds()
        choice("compare", self.compare, COMPARE)
        for name, way in self.per_step.items():
            if name not in self.params:
                raise ValueError(f"per_step names {name!r}, which is not among the parameters {list(self.params)}")
            choice(f"decay of {name}", way, WAYS)
        initial = [f"initial_{name}" for name in self.starts]
        for name in self.learn:
            if name not in self.params and name not in initial:
                known = f"the parameters of this neuron are {list(self.params)}, its initial values {initial}"
                raise ValueError(f"learn names {name!r}; {known}")
            if list(self.learn).count(name) > 1:
                raise ValueError(f"learn names {name!r} twice")
        self._check_first()
        starts = (self.state, "the initial"), (self.starts, "first, the initial")
        for values, what in ((self.params, "parameter"), *starts):
            for name, value in values.items():
                if callable(value):
                    check_takes_shape(f"{what} {name}", value)
                else:
                    filled(f"{what} {name}", value)
        if self.leak and self.leak not in self.params:
            raise ValueError(f"leak names {self.leak!r}; the parameters of this neuron are {list(self.params)}")
        for role, given in (("least", self.least), ("starts_at", self.starts_at.values())):
            for name in given:
                if name not in self.params:
                    raise ValueError(f"{role} names {name!r}; the parameters of this neuron are {list(self.params)}")
        for name in self.starts_at:
            if name not in self.state:
                raise ValueError(f"starts_at names {name!r}; the state of this neuron is {list(self.state)}")
        if self.membrane not in ("", "input", *self.state):
            raise ValueError(f'membrane must be a state of {list(self.state)} or "input", not {self.membrane!r}')
        self._check_inputs()
        _count_arguments("step", self.step, self.inputs, len(self.inputs) + len(self.state) + len(self.params))
        in_place("step", self.step, (*self.inputs, *self.state, *self.params))
        results("step", self.step, 1 + len(self.state), "(output, *state)")
        if self.vjp:
            _count_arguments("vjp", self.vjp, self.inputs, 2 + 2 * len(self.state) + len(self.params))
            in_place("vjp", self.vjp, ("x", *self.state, *self.params))
            results("vjp", self.vjp, 1 + len(self.state) + len(self.params), "(g_x, *g_state, *g_params)")

    def _check_kinds(self) -> None:
        """Raise ``TypeError`` for a field of another kind; mappings and arrays are copied."""
        function("step", self.step)
        if self.vjp is not None:
            function("vjp", self.vjp)
        object.__setattr__(self, "learn", names("learn", self.learn))
        for name in ("state", "params", "per_step", "holes", "options", "starts_at", "least"):
            given = instance(name, getattr(self, name), Mapping, "a mapping from names")
            object.__setattr__(self, name, Fixed({key: _kept(value) for key, value in given.items()}))
        object.__setattr__(self, "first", _kept(self.first))
        object.__setattr__(self, "surrogate", surrogate := as_surrogate(self.surrogate))
        if isinstance(self.options.get("surrogate"), str):
            object.__setattr__(self, "options", {**self.options, "surrogate": surrogate})
        for name in ("compare", "output", "leak", "membrane", "kind"):
            instance(name, getattr(self, name), str, "a text")

    @property
    def starts(self) -> dict[str, Any]:
        """The initial values that can be trained: of the state, and of the output unless it is a spike."""
        return {**self.state, **({} if isinstance(self.first, tuple) else {self.output: self.first})}

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of trained ``params``: ``learn`` without the initial values."""
        return tuple(name for name in self.learn if name in self.params)

    @property
    def tied(self) -> dict[str, str]:
        """States that start at a trained parameter: state -> parameter."""
        pairs = self.starts_at.items()
        return {name: p for name, p in pairs if p in self.learn and f"initial_{name}" not in self.learn}

    def _check_first(self) -> None:
        """Raise if ``first`` names what is not there."""
        if not isinstance(self.first, tuple):
            return
        if len(self.first) != 2 or self.first[0] not in self.state or self.first[1] not in self.params:
            raise ValueError(
                f"first must be a value, or name a state among {list(self.state)} and a parameter among "
                f"{list(self.params)}, not {self.first!r}"
            )
        if self.first[1] in self.per_step:
            raise ValueError(f"first compares with {self.first[1]!r}, which has a unit of time")

    def _check_inputs(self) -> None:
        """Raise unless ``inputs`` are known, in order, and without gradient where there is more than a current."""
        given = names("inputs", self.inputs)
        object.__setattr__(self, "inputs", given)
        own = [name for name in given if name not in INPUTS]
        if given[:1] != INPUTS[:1] or given != (*(name for name in INPUTS if name in given), *dict.fromkeys(own)):
            order = f"'current', then any of {INPUTS[1:]} in this order, then names of its own, each once"
            raise ValueError(f"inputs must be {order}, not {given!r}")
        for name in own:
            if not name.isidentifier() or name in self.state or name in self.params:
                raise ValueError(f"inputs: {name!r} must be a name that no state and no parameter has")
        if self.vjp and len(given) > 1:
            raise ValueError(f"a neuron with the inputs {given} cannot have a vjp: gradients flow to a current only")

    def of_current(self) -> Callable[..., tuple[Any, ...]]:
        """``step(x, *state, *params)`` for a loop that feeds currents alone: no synapse conducts, no membrane jumps.

        Raises ``ValueError`` if the neuron needs random numbers.
        """
        for name in ("uniform", "normal"):
            if name in self.inputs:
                raise ValueError(
                    f"{self!r} needs a {name} random number per step, which only nbsnn.Network supplies: "
                    "simulate it there"
                )
        more = len(self.inputs) - 1
        return _unconnected(self.step, more, len(self.state) + len(self.params)) if more else self.step

    def way(self, name: str) -> PerStep | None:
        """Conversion of the parameter ``name`` to its value per step; None if it is used as it stands."""
        return WAYS[self.per_step[name]] if name in self.per_step else None

    def filling(self, smooth: bool = False) -> dict[str, Any]:
        """Fillings of this neuron's holes; with ``smooth``, spikes are smooth steps and nothing is rounded."""
        spike = self.surrogate.smooth if smooth else COMPARE[self.compare]
        more = {"rounded": unrounded} if smooth else {}
        return {"spike": spike, "dspike": self.surrogate.slope, **more, **self.holes}

    def replace(self, **changes: Any) -> Neuron:
        """A copy with other fields, as ``dataclasses.replace``."""
        return replace(self, **changes)

    def __deepcopy__(self, memo: dict[int, Any]) -> Neuron:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        made = [name for name, f in self.holes.items() if _made_here(f)]
        given["holes"] = {name: f for name, f in self.holes.items() if name not in made}
        for value in (self.step, self.vjp, self.first, *given["holes"].values(), *self.params.values()):
            if callable(value):
                by_name(repr(self), value)
        return _again, (given, made)

    def __repr__(self) -> str:
        if self.kind:
            said = {
                k: v
                for k, v in self.options.items()
                if not (k == "learn" and not len(v)) and not (k in ("reset", "v_start") and v is None)
            }
            return f"{self.kind}({', '.join(f'{k}={_short(v)}' for k, v in said.items())})"
        return f"Neuron({self.step.__name__}, state={list(self.state)}, params={list(self.params)})"


def check_takes_shape(name: str, value: Callable[..., Any]) -> None:
    """Raise ``TypeError`` unless a value is a function that can be called with a shape."""
    try:
        inspect.signature(function(name, value, "a number, an array, or a function of a shape")).bind(())
    except TypeError:
        raise TypeError(f"{name} must be a number, an array, or a function of a shape, not {value!r}") from None


def value_for(name: str, value: Value, shape: tuple[int, ...]) -> Any:
    """A parameter's or initial value for units of a shape: what a function of the shape returns, or as it stands."""
    if not callable(value):
        return value
    try:
        return numbers(name, value(shape))
    except Exception as error:
        raise TypeError(f"{name} is a function that fails for the shape {shape}: {error}") from error


def _count_arguments(role: str, function: Callable[..., Any], inputs: tuple[str, ...], wanted: int) -> None:
    """Raise unless ``function`` takes as many arguments as the contract says."""
    given = len(inspect.signature(getattr(function, "py_func", function)).parameters)
    if given != wanted:
        more = "" if role == "step" else ", *cotangents of step's results"
        form = f"({'x' if len(inputs) == 1 else ', '.join(inputs)}, *state, *params{more})"
        raise ValueError(f"{role} must take {wanted} arguments {form}, but {function.__name__} takes {given}")


def _unconnected(step: Callable[..., Any], more: int, count: int) -> Callable[..., Any]:
    """``step`` with ``more`` inputs of 0 beside its current, and ``count`` arguments after them."""
    rest = "".join(f", a{k}" for k in range(count))  # spelt out: kernels take functions without a star
    return eval(f"lambda step: lambda x{rest}: step(x{', 0.0' * more}{rest})")(step)


def _made_here(function: Callable[..., Any]) -> bool:
    """True if a function of nbsnn made this function, so that a pickle cannot name it."""
    return str(function.__module__).startswith("nbsnn.") and "<locals>" in getattr(function, "__qualname__", "")


def _again(given: dict[str, Any], made: list[str]) -> Neuron:
    """A neuron from what a pickle holds; fillings of the holes ``made`` are recreated by its kind."""
    if made:
        like = getattr(import_module("nbsnn.neurons"), given["kind"])(**given["options"])
        given["holes"] |= {name: like.holes[name] for name in made}
    return Neuron(**given)


def _kept(value: T) -> T:
    """Copy with arrays read-only, so that later changes by their owner do not reach the neuron."""
    if isinstance(value, list):
        with suppress(ValueError):  # rows of several lengths, which are refused where they are looked at
            value = array if (array := np.asarray(value)).dtype.kind in "fiub" else value
    if isinstance(value, np.ndarray) and value.ndim and (value.flags.writeable or value.base is not None):
        value = value.copy()
        value.flags.writeable = False
    return value


def _short(value: object) -> str:
    return f"array{list(value.shape)}" if isinstance(value, np.ndarray) and value.ndim else repr(value)
