"""For whom a file is written: which step its numbers mean, and what that library's importer computes right.

Importers drop nodes that they do not know, or read fields that they ignore, mostly without a word: what would not come
out as the same network is refused here instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..validate import choice

ALL = frozenset(
    {
        *("Affine", "Linear", "Scale", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "Delay"),
        *("Threshold", "I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"),
    }
)


@dataclass(frozen=True)
class Dialect:
    """For whom a file is written.

    Attributes
    ----------
    name : str
    dt : float
        The step in the unit of the file's time constants.
    types : set of str
        Nodes that come out right.
    flow : bool
        Whether loops and branches do.
    unit_r : bool
        Whether r must be 1, so that input that is not scaled is scaled in the weights.
    exp : bool
        Whether the factor per step is exp(-dt/tau), and not 1 - dt/tau.
    soft : bool
        Whether a spike subtracts the threshold; else it sets v_reset.
    leak : set of str
        Nodes whose v_leak is read right where it is not 0.
    reset : bool
        Whether a v_reset other than 0 is.
    """

    name: str
    dt: float
    types: frozenset[str] = ALL
    flow: bool = True
    unit_r: bool = False
    exp: bool = False
    soft: bool = False
    leak: frozenset[str] = ALL
    reset: bool = True


DIALECTS = {
    each.name: each
    for each in (
        Dialect("nir", 1e-4),
        Dialect(
            "norse",
            1e-6,
            frozenset(["Affine", "Linear", "Conv2d", "Flatten", "IF", "LIF", "CubaLIF"]),
            flow=False,
            unit_r=True,
            leak=frozenset({"LIF"}),
            reset=False,
        ),
        Dialect(
            "sinabs",
            1.0,
            frozenset(["Affine", "Conv2d", "SumPool2d", "Flatten", "IF", "LIF", "LI"]),
            flow=False,
            unit_r=True,
            exp=True,
            soft=True,
            leak=frozenset(),
            reset=False,
        ),
    )
}


def dialect_of(name: str) -> Dialect:
    """The dialect of a name; ``ValueError`` if there is none."""
    return DIALECTS[choice("dialect", name, tuple(DIALECTS))]
