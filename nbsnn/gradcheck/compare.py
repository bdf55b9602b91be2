"""Parts of every check: a difference quotient, and a row that compares it with a derivative.

    D(h) = (F(p + h d) - F(p - h d)) / (2 h)
    numeric = (4 D(h/2) - D(h)) / 3

Where D(h) and D(h/2) disagree, a kink or a jump is near (a box-shaped surrogate has two): such a point says nothing
about the derivative, and another one is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

H = 1e-5
"""Width of a difference, relative to arguments of about 1."""

REDRAWS = 50
"""How often another point is tried when one is near a kink."""


class GradientError(ValueError):
    """A derivative disagrees with finite differences, or a neuron's functions break their contract.

    Examples
    --------
    >>> import nbsnn
    >>> from nbsnn import Neuron, dspike, spike
    >>> def step(x, v):
    ...     s = spike(v + x - 1.0)
    ...     return s, (v + x) * (1.0 - s)
    >>> def vjp(x, v, gs, gv):
    ...     return gs, gs                          # forgets the surrogate, and the reset
    >>> try:
    ...     nbsnn.check(Neuron(step, vjp, state={"v": 0.0}, params={}))
    ... except nbsnn.GradientError:
    ...     print("wrong")
    wrong
    """


@dataclass(frozen=True)
class Row:
    """One derivative, both ways; ``error`` is their difference relative to the larger one."""

    what: str
    analytic: float
    numeric: float
    error: float


@dataclass(frozen=True, repr=False)
class Checked:
    """Result of ``check``: one ``Row`` per argument, parameter or state, each the worst of its trials."""

    subject: str
    rows: tuple[Row, ...]
    tolerance: float

    def __repr__(self) -> str:
        width = max(4, *(len(row.what) for row in self.rows))
        lines = [f"gradients of {self.subject}, tolerance {self.tolerance:g}"]
        lines.append(f"  {'what':{width}}  {'analytic':>14}  {'numeric':>14}  {'error':>8}")
        lines += [f"  {r.what:{width}}  {r.analytic:14.7g}  {r.numeric:14.7g}  {r.error:8.1e}" for r in self.rows]
        return "\n".join(lines)


def difference(f: Callable[[float], float], h: float, floor: float, tolerance: float) -> float:
    """The derivative of ``f`` at 0; NaN if ``f`` is not smooth there."""
    wide, narrow = (f(h) - f(-h)) / (2.0 * h), (f(0.5 * h) - f(-0.5 * h)) / h
    value = (4.0 * narrow - wide) / 3.0
    return value if abs(wide - narrow) <= tolerance * max(floor, abs(value)) else math.nan


def compared(what: str, analytic: float, numeric: float, floor: float) -> Row:
    """A row with its relative error; derivatives smaller than ``floor`` count as ``floor``."""
    error = abs(analytic - numeric) / max(abs(analytic), abs(numeric), floor)
    return Row(what, analytic, numeric, error if math.isfinite(error) else math.inf)


def worst_of(rows: Iterable[Row]) -> list[Row]:
    """The row with the largest error among rows on the same quantity."""
    best: dict[str, Row] = {}
    for row in rows:
        if row.what not in best or row.error > best[row.what].error:
            best[row.what] = row
    return list(best.values())


def floor_of(value: float) -> float:
    """Derivatives below this are compared as if they were this large: F is only known to 16 digits."""
    return 1e-3 * (1.0 + abs(value))


def as_floats(role: str, names: list[str], results: object) -> list[float]:
    """Values that a neuron's function returned; raises unless they are as many floats as ``names``."""
    if not isinstance(results, tuple) or len(results) != len(names):
        given = f"{len(results)} results" if isinstance(results, tuple) else f"a single {type(results).__name__}"
        raise GradientError(f"{role} must return a tuple of {len(names)} ({', '.join(names)}), but it returns {given}")
    return [as_float(role, name, value) for name, value in zip(names, results, strict=True)]


def as_float(role: str, name: str, value: object) -> float:
    """``value`` if it is a float: compiled code would widen an integer or a truth value."""
    if not isinstance(value, float):
        raise GradientError(
            f"{role} returns {value!r}, of type {type(value).__name__}, for {name}: all results must be floats of one "
            "precision (write 1.0, not 1; and 1.0 if a > b else 0.0, not a > b)"
        )
    return value
