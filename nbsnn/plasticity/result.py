"""The result of ``Rule.run``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class RuleResult:
    """Result of a rule's ``run``.

    Attributes
    ----------
    weights : array [n_pre, n_post]
        The weights after the run: the array that was handed in, or a new one with ``in_place=False``.
    state : dict
        Traces and step; hand it to ``run`` to continue.
    record : dict of str to array [T, ...]
        What was recorded; ``learned["dw"]`` is short for ``learned.record["dw"]``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> rule = nbsnn.plasticity.PairSTDP(a_post=0.5, a_pre=0.0)
    >>> pre, post = np.reshape([1, 0], (2, 1, 1)), np.reshape([0, 1], (2, 1, 1))  # [T, B, N]
    >>> learned = rule.run(np.zeros((1, 1)), pre, post)
    >>> bool(learned.weights[0, 0] > 0.0)
    True
    """

    weights: np.ndarray
    state: dict[str, Any]
    record: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.record:
            raise KeyError(f"{name!r} was not recorded; record={[*self.record, name]} does")
        return self.record[name]


def keep(kept: dict[str, list[np.ndarray]] | None, **values: np.ndarray) -> None:
    """Append copies of ``values`` to the lists of those that are recorded."""
    for name, lists in (kept or {}).items():
        if name in values:
            lists.append(values[name][None].copy())
