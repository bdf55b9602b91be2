"""How a rule keeps weights between ``w_min`` and ``w_max``.

    "none"    w + d
    "hard"    clip(w + d)
    "soft"    clip(w + d (w_max - w)) for d > 0,      clip(w + d (w - w_min)) for d < 0
    "power"   clip(w + d (w_max - w)^mu) for d > 0,   clip(w + d (w - w_min)^mu) for d < 0

``d`` is what the rule asks for; what it asks for at a postsynaptic and at a presynaptic spike is weighed separately.
The factors are not divided by the range. Soft: van Rossum, Bi and Turrigiano 2000; power: Guetig, Aharonov, Rotter and
Sompolinsky 2003 (doi:10.1523/JNEUROSCI.23-09-03697.2003).
"""

from __future__ import annotations

from collections.abc import Callable


def constant(w, d, w_min, w_max, mu):
    return d


def linear(w, d, w_min, w_max, mu):
    return d * (w_max - w) if d > 0.0 else d * (w - w_min)


def power(w, d, w_min, w_max, mu):
    room = w_max - w if d > 0.0 else w - w_min
    return d * room**mu if room > 0.0 else 0.0 * d


def free(w, w_min, w_max):
    return w


def clipped(w, w_min, w_max):
    return min(max(w, w_min), w_max)


BOUNDS: dict[str, tuple[Callable, Callable]] = {
    "none": (constant, free),
    "hard": (constant, clipped),
    "soft": (linear, clipped),
    "power": (power, clipped),
}
"""Name -> how an increment is weighed, and what becomes of the sum."""
