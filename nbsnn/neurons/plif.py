"""Parametric LIF: the leak is learned through w, with 1 - decay = sigmoid(w), one w for the whole population.

Fang et al. 2021 (arXiv:2007.05785). To learn ``tau`` itself, or one per unit, use ``LIF(..., learn="tau")``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..neuron import Neuron
from ..validate import arguments, check_options, filled, names
from .lif import LIF


def PLIF(tau: float = 2.0, v_threshold: float = 1.0, v_reset: float | None = 0.0, **options: Any) -> Neuron:
    """Leaky integrate-and-fire neuron whose leak is learned.

    Parameters
    ----------
    tau : float
        Initial time constant in steps, greater than 1: w starts at -ln(tau - 1), so that sigmoid(w) = 1/tau.
    v_threshold, v_reset
        As in ``LIF``.
    **options
        The other options of ``LIF``, except ``decay``; ``learn`` may name further parameters.

    Returns
    -------
    Neuron
        With the learned parameter "w".

    Examples
    --------
    >>> from nbsnn.neurons import PLIF
    >>> PLIF(tau=2.0).learn
    ('w',)
    """
    if not np.all(filled("tau", tau) > 1.0):
        raise ValueError(f"tau of a PLIF must be greater than 1 step, not {tau!r}")
    if "decay" in options:
        raise TypeError("a PLIF's decay is 1 - sigmoid(w); it takes no decay option")
    check_options("PLIF", options, arguments(LIF, "tau", "v_threshold", "v_reset", "decay"))
    more = names("learn", options.pop("learn", ()))
    lif = LIF(2.0, v_threshold, v_reset, learn=more, **options)
    w = -np.log(np.asarray(tau) - 1.0) if np.ndim(tau) else -math.log(float(tau) - 1.0)
    params = {("w" if name == "tau" else name): (w if name == "tau" else value) for name, value in lif.params.items()}
    ways = {("w" if name == "tau" else name): ("logit" if name == "tau" else way) for name, way in lif.per_step.items()}
    return lif.replace(
        params=params,
        per_step=ways,
        learn=("w", *more),
        leak="w",
        kind="PLIF",
        options={"tau": tau, "v_threshold": v_threshold, "v_reset": v_reset, **options, "learn": more},
    )
