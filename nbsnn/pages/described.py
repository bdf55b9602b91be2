"""A neuron in a few words: its kind, and what differs from the defaults."""

from __future__ import annotations

import inspect
from importlib import import_module

from ..neuron import Neuron


def described(neuron: Neuron | None, learns: bool = True) -> str:
    """Its kind, its time constant, its surrogate if it ``learns``, and what differs from the defaults.

    >>> from nbsnn.neurons import LIF
    >>> described(LIF(tau=5.0, v_threshold=2.0))
    'LIF(tau=5.0, v_threshold=2.0, surrogate=atan(alpha=2.0))'
    """
    if neuron is None:
        return "listed spikes"
    make = getattr(import_module("nbsnn.neurons"), neuron.kind, None) if neuron.kind else None
    if make is None:
        return repr(neuron)
    defaults = inspect.signature(make).parameters
    usual = [name for name, p in defaults.items() if name != "tau" and same(neuron.options.get(name), p.default)]
    hidden = {*usual, *(() if learns else ("surrogate", "learn"))}
    return repr(neuron.replace(options={name: v for name, v in neuron.options.items() if name not in hidden}))


def same(a: object, b: object) -> bool:
    """True if two options are equal numbers, texts or the like."""
    return type(a) is type(b) and not hasattr(a, "shape") and a == b
