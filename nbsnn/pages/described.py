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
    defaults = {name: p.default for name, p in inspect.signature(make).parameters.items()} if make else {}
    hidden = set() if learns else {"surrogate", "learn"}
    told = {
        name: value
        for name, value in neuron.options.items()
        if name not in hidden and (name == "tau" or name not in defaults or repr(value) != repr(defaults[name]))
    }
    return repr(neuron.replace(options=told))
