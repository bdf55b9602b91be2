"""Normalisation: the weights that reach a postsynaptic unit share a fixed total.

w_ij <- total w_ij / sum_i |w_ij|
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..validate import number, switch
from ..validate.kinds import is_array


def check_matrix(weights: object) -> None:
    """Raise unless ``weights`` are floats [n_pre, n_post]."""
    if not is_array(weights) or weights.dtype.kind != "f" or weights.ndim != 2:
        given = f"{weights.dtype} {list(weights.shape)}" if is_array(weights) else repr(weights)
        raise TypeError(f"weights must be a float array [n_pre, n_post], not {given}")


@dataclass(frozen=True)
class Normalize:
    """Scale the weights onto each postsynaptic unit to a total of absolute values.

    Parameters
    ----------
    total : float
        The sum of absolute weights per postsynaptic unit.
    when : {"end", "every"} or float
        At the end of a run, after every step, or after every step from this one on (0 is the first). A ``Network``
        counts steps from its time 0, through all runs.
    before_clip : bool
        Whether the bounds are enforced afterwards; totals then end below ``total`` where a weight is clipped. By
        default the total holds, and a weight may exceed its bound until it changes again.
    guard : bool
        Leave a unit without any weight as it is; otherwise its weights become NaN. Networks always do.
    every : float, ms, optional
        Interval at which ``nbsnn.Network.connect`` normalises, given to it as ``homeostasis=``; not for rules.

    Raises
    ------
    ValueError, TypeError
        If ``total`` is not above 0 or ``when`` is not allowed.

    Examples
    --------
    >>> w = np.array([[1.0, 0.0], [3.0, 0.0]])
    >>> Normalize(2.0).apply(w)
    >>> w.ravel()
    array([0.5, 0. , 1.5, 0. ])
    """

    total: float
    when: str | float = "end"
    before_clip: bool = False
    guard: bool = True
    every: float | None = None
    by_rates: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number("total of a normalisation", self.total, above=0.0)
        switch("before_clip", self.before_clip)
        switch("guard", self.guard)
        if isinstance(self.when, str):
            if self.when not in ("end", "every"):
                raise ValueError(f"when must be 'end', 'every' or a step, not {self.when!r}")
        else:
            number("when", self.when)
        if self.every is not None:
            number("every", self.every, above=0.0)
            if self.when != "end":
                raise ValueError(f"a normalisation has either every={self.every!r} or when={self.when!r}")

    @property
    def first(self) -> int | None:
        """The first step of a run after which weights are normalised; None if that is its end."""
        if isinstance(self.when, str):
            return 0 if self.when == "every" else None
        return max(0, math.ceil(self.when))

    def due(self, step: int) -> bool:
        """True if to normalise after this step of a run."""
        return self.first is not None and step >= self.first

    def constants(self, bounds: tuple[float, float], clip: bool) -> list[float]:
        """What the loop of a network reads: the total, and bounds if weights are clipped afterwards."""
        ends = bounds if self.before_clip or clip else (-np.inf, np.inf)
        return [self.total, 0.0, 0.0, 0.0, *ends]

    def apply(self, weights: np.ndarray) -> None:
        """Normalise ``weights`` [n_pre, n_post] in place."""
        check_matrix(weights)
        sizes = np.abs(weights)
        # Down the rows in order, as in the kernel; a single column NumPy would add up in pairs.
        sums = sizes.sum(0) if weights.shape[1] > 1 else np.add.accumulate(sizes)[-1]
        if self.guard:
            sums[sums == 0.0] = self.total
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(weights.dtype.type(self.total) * weights, sums, out=weights)


def aim(normalize: Normalize | None, dtype: np.dtype) -> tuple[Any, np.int64]:
    """The total in ``dtype``, and the first step after which weights are normalised to it, for kernels."""
    never = np.iinfo(np.int64).max
    if normalize is None:
        return dtype.type(1.0), np.int64(never)
    return dtype.type(normalize.total), np.int64(never if normalize.first is None else min(normalize.first, never))
