"""Bounds: how a rule keeps weights between ``w_min`` and ``w_max``.

    "none"    w + d
    "hard"    clip(w + d)
    "soft"    clip(w + d (w_max - w)) for d > 0,      clip(w + d (w - w_min)) for d < 0
    "power"   clip(w + d (w_max - w)^mu) for d > 0,   clip(w + d (w - w_min)^mu) for d < 0
    "smooth"  w + d k(w_max - w) for d > 0,           w + d k(w - w_min) for d < 0,  k(r) = exp(-0.2 / max(r, 1e-4))

``d`` is what the rule asks for; what it asks for at a postsynaptic and at a presynaptic spike is weighed separately.
The factors are not divided by the range. Soft: van Rossum, Bi and Turrigiano 2000; power: Guetig, Aharonov, Rotter and
Sompolinsky 2003 (doi:10.1523/JNEUROSCI.23-09-03697.2003); smooth: the meta-nearest-online rule of SPAIC 0.6.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def constant(w: float, d: float, w_min: float, w_max: float, mu: float) -> float:
    """The increment as it is."""
    return d


def linear(w: float, d: float, w_min: float, w_max: float, mu: float) -> float:
    """The increment times the distance to the bound."""
    return d * (w_max - w) if d > 0.0 else d * (w - w_min)


def power(w: float, d: float, w_min: float, w_max: float, mu: float) -> float:
    """The increment times a power of the distance to the bound."""
    room = w_max - w if d > 0.0 else w - w_min
    return d * room**mu if room > 0.0 else 0.0 * d


def smooth(w: float, d: float, w_min: float, w_max: float, mu: float) -> float:
    """The increment times a function of the distance to the bound that is flat there."""
    room = w_max - w if d > 0.0 else w - w_min
    return d * math.exp(-0.2 / max(room, 1e-4)) if d != 0.0 else d


def free(w: float, w_min: float, w_max: float) -> float:
    """The weight as it is."""
    return w


def clipped(w: float, w_min: float, w_max: float) -> float:
    """The weight within its bounds."""
    return min(max(w, w_min), w_max)


BOUNDS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "none": (constant, free),
    "hard": (constant, clipped),
    "soft": (linear, clipped),
    "power": (power, clipped),
    "smooth": (smooth, free),
}
"""Name -> how an increment is weighed, and what becomes of the sum."""
