"""Rules that see membranes: variables of neurons in the place of traces, and changes between spikes.

    u <- v + (u - v) exp(-dt / tau)                            after each step, v held at its value after the step
    on_post, on_pre = change(w, pre, post, *traces, *params)   at spikes, as in any rule
    dw/dt = drift(w, *traces, *params)                         in every step, onto units that are ``active``

A step adds dt times the drift to the weights, then what its spikes ask for.
"""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from ..scalar.per_step import resolved
from ..scalar.times import whole
from ..validate import function, number
from .rule import Rule, State
from .trace import Trace


@dataclass(frozen=True)
class LowPass:
    """A variable of the neurons on one side of a connection, as a ``MembraneRule`` sees it.

    Parameters
    ----------
    variable : str
        Name of a variable of the neuron; "v" is its membrane. Its value after the step, and after a reset, counts.
    tau : float, ms, default 0.0
        Time constant of a low-pass filter, which begins at the variable's value after the first step; 0: the variable
        itself.
    delay : float, ms, default 0.0
        How late the rule sees it, in whole steps; before, it sees the first value. Of the presynaptic side this comes
        on top of the delay of the connection.

    Raises
    ------
    ValueError, TypeError
        If ``variable`` is no text, or a time is below 0 or not finite; from ``Network.connect`` if the neuron has no
        such variable, or the delay is not a whole number of steps.

    Examples
    --------
    >>> LowPass("v", tau=10.0).factor(dt=0.1)
    0.9900498337491681
    """

    variable: str = "v"
    tau: float = 0.0
    delay: float = 0.0

    amount: ClassVar[float] = 0.0  # of a spike
    order = mode = "low pass"

    def __post_init__(self) -> None:
        if not isinstance(self.variable, str) or not self.variable:
            raise TypeError(f"variable must be the name of a neuron's variable, not {self.variable!r}")
        number("tau of a low pass", self.tau, least=0.0)
        number("delay of a low pass", self.delay, least=0.0)

    @property
    def reads(self) -> tuple[str]:
        """The variable, as gates and synapses name theirs."""
        return (self.variable,)

    def factor(self, dt: float = 1.0, dtype: DTypeLike = np.float64) -> float:
        """Share of the past that is left after a step of ``dt``; ``ValueError`` if ``dtype`` cannot follow."""
        return resolved("tau of a low pass", math.exp(-dt / self.tau), dtype) if self.tau else 0.0

    def steps(self, dt: float) -> int:
        """The delay in steps; ``ValueError`` if it is no whole number of them."""
        return whole(self.delay, dt, f"delay of {self!r}", least=0)


@dataclass(frozen=True, eq=False)
class MembraneRule(Rule):
    """A rule that reads variables of neurons, and may change weights between spikes. It runs in a ``Network``.

    Parameters
    ----------
    change : callable
        As of ``Rule``: what happens at spikes.
    pre, post : mapping of str to Trace or LowPass
        Traces of spikes, and variables of the neurons, in the order of the functions' arguments.
    params, bounds, w_min, w_max, mu, clip, coincidence, sign, batch, normalize
        As of ``Rule``; ``normalize`` may not act in steps.
    drift : callable, optional
        ``drift(w, *pre traces, *post traces, *params) -> change of the weight per ms``, all scalars.
    active : callable, optional
        ``active(*post traces, *params) -> bool``: False where the drift of all weights onto a unit is 0. Weights onto
        other units are not visited then; without it all are, in every step.

    Raises
    ------
    ValueError, TypeError
        As ``Rule``; if the functions take other numbers of arguments, or weights shall be normalised in steps.

    Examples
    --------
    Weights onto a unit grow for as long as it is depolarised, and shrink at presynaptic spikes:

    >>> import nbsnn
    >>> from nbsnn.plasticity import LowPass, MembraneRule, Trace
    >>> def change(w, pre, post, x, u, rate, theta):
    ...     return 0.0, -0.1 * rate * pre
    >>> def drift(w, x, u, rate, theta):
    ...     return rate * x * max(u - theta, 0.0)
    >>> rule = MembraneRule(
    ...     change, pre={"x": Trace(20.0)}, post={"u": LowPass("v", tau=5.0)}, params={"rate": 0.1, "theta": 0.2},
    ...     drift=drift,
    ... )
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> source, cells = net.spikes([1.0], [0], 1), net.population(nbsnn.neurons.LIF(v_threshold=2.0), 1, v=1.0)
    >>> made = net.connect(source, cells, nbsnn.OneToOne(), weight=0.5, delay=0.1, plasticity=rule)
    >>> run = net.run(5.0)
    >>> made.weight.round(4)
    array([0.7158], dtype=float32)
    """

    drift: Callable[..., float] | None = None
    active: Callable[..., Any] | None = None

    loop = "membrane"
    seen = (Trace, LowPass)

    def __post_init__(self) -> None:
        super().__post_init__()
        pre, post, params = len(self.pre), len(self.post), len(self.params)
        if self.drift is not None:
            function("drift", self.drift, "a function, drift(w, *traces, *params)", takes=1 + pre + post + params)
        if self.active is not None:
            function("active", self.active, "a function, active(*post traces, *params)", takes=post + params)
            if self.drift is None:
                raise ValueError("active says where weights drift: it needs drift=")
        if self.normalizes_steps:
            raise ValueError(f"{type(self).__name__} normalises at intervals alone, by homeostasis= of Network.connect")

    def filling(self) -> dict[str, Any]:
        """See ``Rule.filling``."""
        more = {"drift": self.drift, "active": self.active}
        return {**super().filling(), **{name: function for name, function in more.items() if function is not None}}

    def initial(self, batch: int, weights: np.ndarray) -> State:
        """Refuse: there are no neurons here."""
        raise ValueError(f"{type(self).__name__} reads neurons between spikes, so that it runs in nbsnn.Network alone")
