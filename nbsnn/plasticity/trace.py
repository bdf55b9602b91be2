"""A trace: a leaky memory of one unit's spikes, [B, N].

In a step the trace decays, the spike is put in, and a rule uses it. The order is the point on which systems differ:

    order              what a rule uses at step t                        sees the spike of step t
    "decay add use"    bump(decay a, s)                                  yes
    "decay use add"    decay a                                           no
    "use decay add"    a as the last step left it, one decay behind      no
    "add decay use"    decay bump(a, s)                                  yes, decayed once
    "add use decay"    as "decay add use"; the state is kept decayed
    "use add decay"    as "decay use add"; the state is kept decayed

bump(a, s) is a + amount s if spikes are added (every spike counts: all-to-all), and amount at a spike if the trace is
set (the nearest spike alone counts). Morrison, Diesmann and Gerstner 2008 (doi:10.1007/s00422-008-0233-1).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from ..scalar.hole import hole
from ..scalar.per_step import EULER, EXP, resolved
from ..validate import choice, number, scale


@hole
def bump(a: float, s: float, amount: float) -> float:
    """Put the spike ``s`` into the trace ``a``."""
    return a + amount * s


def added(a: float, s: float, amount: float) -> float:
    """The spike is added."""
    return a + amount * s


def set_(a: float, s: float, amount: float) -> float:
    """The spike sets the trace."""
    return amount if s > 0.0 else a


def decay_add_use(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Value that a rule uses, and the trace after the step."""
    a = bump(decay * a, s, amount)
    return a, a


def decay_use_add(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Value that a rule uses, and the trace after the step."""
    a = decay * a
    return a, bump(a, s, amount)


def use_decay_add(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Value that a rule uses, and the trace after the step."""
    return a, bump(decay * a, s, amount)


def add_decay_use(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Value that a rule uses, and the trace after the step."""
    a = decay * bump(a, s, amount)
    return a, a


def add_use_decay(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Value that a rule uses, and the trace after the step."""
    a = bump(a, s, amount)
    return a, decay * a


def use_add_decay(a: float, s: float, decay: float, amount: float) -> tuple[float, float]:
    """Value that a rule uses, and the trace after the step."""
    return a, decay * bump(a, s, amount)


MODES: dict[str, Callable[..., Any]] = {"add": added, "set": set_}
"""How a spike enters a trace."""

ORDERS: dict[str, Callable[..., Any]] = {
    "decay add use": decay_add_use,
    "decay use add": decay_use_add,
    "use decay add": use_decay_add,
    "add decay use": add_decay_use,
    "add use decay": add_use_decay,
    "use add decay": use_add_decay,
}
"""What happens in a step, in order."""


def check_tau(name: str, tau: float, decay: str) -> None:
    """Raise unless ``tau`` is a time constant, or for ``decay="factor"`` a factor."""
    if choice("decay", decay, ("exp", "euler", "factor")) == "factor":
        number(name, tau, least=0.0)
    else:
        number(name, tau, above=0.0)


@dataclass(frozen=True)
class Trace:
    """A trace of the spikes of each unit on one side of a connection.

    Parameters
    ----------
    tau : float, unit of ``dt``, default 20.0
        Time constant; with ``decay="factor"`` the factor per step itself.
    mode : {"add", "set"} or callable
        Whether a spike is added or sets the trace; or a scalar function ``bump(a, s, amount)``.
    order : str
        "decay add use" (the default) or another order of these three words.
    amount : float, default 1.0
        What a spike adds, or what it sets the trace to.
    decay : {"exp", "euler", "factor"}
        Factor per step: exp(-dt/tau), 1 - dt/tau, or ``tau`` as it stands.

    Raises
    ------
    ValueError, TypeError
        If a word is not among those above, or a number is not finite, or ``tau`` is not above 0 (a factor: below 0).

    Examples
    --------
    >>> Trace(20.0, "set").factor(dt=1.0)
    0.951229424500714
    """

    tau: float = 20.0
    mode: str | Callable[..., Any] = "add"
    order: str = "decay add use"
    amount: float = 1.0
    decay: str = "exp"
    reads: ClassVar[tuple[str, ...]] = ()  # variables of a neuron, for what stands beside traces

    def __post_init__(self) -> None:
        if not callable(self.mode) or isinstance(self.mode, type):
            choice("mode of a trace", self.mode, MODES)
        elif len(inspect.signature(self.mode).parameters) != 3:
            raise ValueError(f"mode of a trace must be a function bump(a, s, amount), not {self.mode!r}")
        choice("order of a trace", self.order, ORDERS)
        choice("decay of a trace", self.decay, ("exp", "euler", "factor"))
        number("amount of a trace", self.amount)
        check_tau(f"{'factor' if self.decay == 'factor' else 'tau'} of a trace", self.tau, self.decay)

    def factor(self, dt: float = 1.0, dtype: DTypeLike = np.float64) -> float:
        """Share of the trace left after a step of ``dt``; ``ValueError`` if traces of ``dtype`` cannot follow."""
        dt = scale("dt", dt)
        if self.decay == "factor":
            return resolved("tau of a trace", float(self.tau), dtype)
        way = EXP if self.decay == "exp" else EULER
        factor = float(way(np.asarray(self.tau, np.float64), dt, "tau of a trace"))
        return resolved("tau of a trace", factor, dtype)

    def filling(self) -> dict[str, Any]:
        """Fillings of the holes of the kernel that follows a trace."""
        return {"advance": ORDERS[self.order], "bump": self.mode if callable(self.mode) else MODES[self.mode]}
