"""NIR's neurons as neurons of this package, under a convention.

Each returns the neuron and the factor by which its input must be multiplied before it: None where the neuron's own
gain, 1 or 1 - decay, says it all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import neurons
from ..neuron import Neuron
from .convention import Convention
from .graph import Node

MOST = 256
"""Spikes of a step at most, where the writer's neurons have no limit."""

Array = np.ndarray
Made = tuple[Neuron, Array | None]


@dataclass(frozen=True)
class Sense:
    """In which sense a file is read: the writer's convention, the step, and what the caller has said beside it."""

    convention: Convention
    dt: float
    reset: str | float | None = None
    decay_input: bool | None = None


def field(node: Node, name: str, default: float | None = None) -> Array:
    """A field of numbers, as float64."""
    if name not in node and default is not None:
        return np.full_like(next(iter(v for k, v in node.items() if k.startswith("v_thr"))), default, dtype=np.float64)
    value = node.get(name)
    if not isinstance(value, np.ndarray):
        raise ValueError(f"field {name!r} is missing, or holds no numbers")
    return value.astype(np.float64)


def unit_shape(node: Node) -> tuple[int, ...]:
    """The shape of a neuron's units."""
    return next(value.shape for value in node.values() if isinstance(value, np.ndarray))


def shared(value: Array) -> Any:
    """One number if all units have the same."""
    return float(value.flat[0]) if value.size and (value == value.flat[0]).all() else value


def rounded(value: Array) -> Array:
    """``value`` without what two divisions have left of rounding: a writer divides, and so does a reader."""
    near = np.round(value * 2**20) / 2**20
    return np.where(np.abs(near - value) <= 1e-13 * np.maximum(1.0, np.abs(value)), near, value)


def constant(sense: Sense, node: Node, name: str) -> tuple[Array, Array]:
    """A time constant as this package takes it, and the input's factor 1 - decay that goes with it."""
    tau = field(node, name)
    if not (tau > 0.0).all():
        raise ValueError(f"{name} must be greater than 0")
    if sense.convention.decay == "exp":
        return tau, -np.expm1(-sense.dt / tau)
    share = rounded(sense.dt / tau)
    if (share > 1.0).any():
        raise ValueError(
            f"{name} of {tau.min():g} is shorter than the step, dt = {sense.dt:g}: is dt in the unit of the file?"
        )
    found = sense.dt / share
    for direction in (-np.inf, np.inf):  # the one whose share, as the neuron works it out, is exactly this
        other = np.nextafter(found, direction)
        found = np.where((sense.dt / found != share) & (sense.dt / other == share), other, found)
    return found, share


def gain(sense: Sense, r: Array, share: Array) -> tuple[bool, Array | None]:
    """``decay_input``, and the factor before the neuron, for an input that counts r times 1 - decay."""
    if sense.decay_input is not None:
        return sense.decay_input, None
    if sense.convention.whole_input:
        return False, None
    if np.allclose(r, 1.0, rtol=1e-9, atol=0.0):
        return True, None
    factor = rounded(r * share)
    return False, None if np.allclose(factor, 1.0, rtol=1e-9, atol=0.0) else factor


def start(sense: Sense, node: Node, rest: Array) -> dict[str, Any]:
    """``v_rest`` and ``v_start`` of a neuron with a leak."""
    where, at = sense.convention.start, np.zeros_like(rest)
    if where == "v_leak":
        at = rest
    elif where == "v_reset" and "v_reset" in node:
        at = field(node, "v_reset")
    return {"v_rest": shared(rest), **({} if np.array_equal(at, rest) else {"v_start": shared(at)})}


def spiking(sense: Sense, node: Node) -> dict[str, Any]:
    """Threshold, comparison and reset."""
    reset: Any = sense.reset
    value = field(node, "v_reset", 0.0)
    how: dict[str, Any] = {"v_reset": shared(value)}
    if isinstance(reset, str):
        how = {"v_reset": None} if reset == "soft" else {**how, "reset": reset}
    elif reset is not None:
        how = {"v_reset": float(reset)}
    return {"v_threshold": shared(field(node, "v_threshold")), **how, "compare": sense.convention.compare}


def lif(sense: Sense, node: Node) -> Made:
    """LIF."""
    tau, share = constant(sense, node, "tau")
    decay_input, factor = gain(sense, field(node, "r"), share)
    rest, options = field(node, "v_leak"), spiking(sense, node)
    given = {**start(sense, node, rest), "decay": sense.convention.decay, "decay_input": decay_input}
    few = {k: options[k] for k in ("v_threshold", "compare")}
    if sense.reset == "late":
        return neurons.LateReset(shared(tau), **few, detach_reset=True, **given), factor
    if sense.convention.several and sense.reset is None:
        return neurons.MultiSpike(shared(tau), **few, most=MOST, **given), factor
    return neurons.LIF(shared(tau), **options, **given), factor


def integrate_and_fire(sense: Sense, node: Node) -> Made:
    """IF."""
    options = spiking(sense, node)
    if sense.reset == "late":
        raise ValueError('an IF cannot be read with reset="late", a reset one step after the spike')
    if sense.convention.several and sense.reset is None:
        few = {k: options[k] for k in ("v_threshold", "compare")}
        return neurons.MultiSpike(None, **few, most=MOST), whole(sense, node)
    at = shared(field(node, "v_reset", 0.0)) if sense.convention.start == "v_reset" else 0.0
    return neurons.IF(**options, v_start=at), whole(sense, node)


def whole(sense: Sense, node: Node) -> Array | None:
    """The factor r dt of neurons without a leak; None if it is 1."""
    factor = rounded(field(node, "r") * sense.dt)
    return None if sense.convention.whole_if or np.allclose(factor, 1.0, rtol=1e-9, atol=0.0) else factor


def integrator(sense: Sense, node: Node) -> Made:
    """I."""
    return neurons.Integrator(), whole(sense, node)


def li(sense: Sense, node: Node) -> Made:
    """LI."""
    tau, share = constant(sense, node, "tau")
    decay_input, factor = gain(sense, field(node, "r"), share)
    options = {**start(sense, node, field(node, "v_leak")), "decay": sense.convention.decay}
    return neurons.LI(shared(tau), **options, decay_input=decay_input), factor


def current(sense: Sense, node: Node) -> tuple[dict[str, Any], Array | None]:
    """What CubaLI and CubaLIF share, and the factor before them."""
    if sense.convention.decay == "exp":
        raise ValueError(
            f"{sense.convention.name} writes no neurons with a synapse: what their numbers mean is not known"
        )
    tau, share = constant(sense, node, "tau_mem")
    tau_syn, share_syn = constant(sense, node, "tau_syn")
    if sense.convention.jump:
        if any((field(node, name) != 1.0).any() for name in ("r", "w_in")):
            raise ValueError(f"{sense.convention.name} writes r = 1 and w_in = 1, but here they are others")
        decay_input, factor = True, None
    else:
        decay_input, factor = gain(sense, field(node, "r"), share)
        into = rounded(field(node, "w_in") * share_syn)
        factor = into if factor is None else rounded(into * factor)
        factor = None if np.allclose(factor, 1.0, rtol=1e-9, atol=0.0) else factor
    options = {**start(sense, node, field(node, "v_leak")), "decay": "euler", "decay_input": decay_input}
    return {"tau": shared(tau), "tau_syn": shared(tau_syn), **options}, factor


def cuba_lif(sense: Sense, node: Node) -> Made:
    """CubaLIF."""
    options, factor = current(sense, node)
    if sense.reset == "late":
        few = {k: v for k, v in spiking(sense, node).items() if k in ("v_threshold", "compare")}
        return neurons.LateReset(**options, **few, detach_reset=True), factor
    return neurons.CubaLIF(**options, **spiking(sense, node)), factor


def cuba_li(sense: Sense, node: Node) -> Made:
    """CubaLI."""
    options, factor = current(sense, node)
    return neurons.CubaLI(**options), factor


def threshold(sense: Sense, node: Node) -> Made:
    """Threshold."""
    return neurons.Discontinuous(shared(field(node, "threshold")), compare=sense.convention.compare), None


NEURONS: dict[str, Callable[[Sense, Node], Made]] = {
    "LIF": lif,
    "IF": integrate_and_fire,
    "LI": li,
    "I": integrator,
    "CubaLIF": cuba_lif,
    "CubaLI": cuba_li,
    "Threshold": threshold,
}
"""Type of a node -> what makes its neuron."""
