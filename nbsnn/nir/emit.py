"""Layers as NIR's nodes: the fields of each, as a dialect wants them.

Time constants are written as those of forward Euler, tau = dt / (1 - factor), whatever way leads to the factor here, so
that every reader of the file computes with the same factor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import layers
from ..layers import Layer, Population
from .dialect import Dialect
from .graph import Node
from .own import note_neuron

Array = np.ndarray


class Emitted:
    """The node of a layer.

    Attributes
    ----------
    node : dict
        Its fields.
    factor : array or None
        By what the weights before must be multiplied, one for each unit.
    unsaid : list of str
        What the node does not say of the layer.
    """

    def __init__(self, kind: str, **fields: Any):
        self.node: Node = {"type": kind, **fields}
        self.factor: Array | None = None
        self.unsaid: list[str] = []


def dense(layer: layers.Dense, dialect: Dialect) -> Emitted:
    """Dense."""
    weight = np.ascontiguousarray(layer.params["weight"].T)
    if layer.bias or "Linear" not in dialect.types:
        return _noted(Emitted("Affine", weight=weight, bias=_bias(layer, len(weight))), layer)
    return Emitted("Linear", weight=weight)


def _noted(found: Emitted, layer: layers.Dense | layers.Conv1d | layers.Conv2d) -> Emitted:
    """With a note that the bias, which the node must have, is none."""
    if not layer.bias:
        found.node["metadata"] = {"nbsnn": '{"bias": false}'}
    return found


def _bias(layer: layers.Dense | layers.Conv1d | layers.Conv2d, count: int) -> Array:
    return layer.params["bias"].copy() if layer.bias else np.zeros(count, layer.params["weight"].dtype)


def convolution(layer: layers.Conv1d | layers.Conv2d, dialect: Dialect) -> Emitted:
    """Conv1d and Conv2d."""
    weight = np.ascontiguousarray(np.moveaxis(layer.params["weight"], -1, 0))
    flat = weight.ndim == 3
    if layer.groups > 1 and dialect.name != "nir":
        raise ValueError(f"{dialect.name} reads no convolution in groups")
    if layer.padding_mode != "zeros":
        raise ValueError(f"NIR has no node for a {type(layer).__name__} with padding_mode={layer.padding_mode!r}")

    def sizes(values: tuple[int, ...]) -> Any:
        return int(values[1]) if flat else np.array(values)

    padding = sizes(layer.before) if layer.before == layer.after else "same"
    fields = Emitted(
        "Conv1d" if flat else "Conv2d", weight=weight, bias=_bias(layer, len(weight)), padding=padding,
        stride=sizes(layer.stride), dilation=sizes(layer.dilation), groups=layer.groups,
        input_shape=sizes(layer.image[1:]),
    )  # fmt: skip
    return _noted(fields, layer)


def pool(layer: layers.SumPool2d | layers.AvgPool2d, dialect: Dialect) -> Emitted:
    """SumPool2d and AvgPool2d."""
    if any(layer.padding) and dialect.name != "nir":
        raise ValueError(f"{dialect.name} reads no padding of pooling")
    unsaid = {"ceil_mode": False, "count_include_pad": True, "divisor_override": None}
    for name, value in layer.options().items():
        if name in unsaid and value != unsaid[name]:
            raise ValueError(f"NIR has no node for a {type(layer).__name__} with {name}={value!r}")
    names = ("kernel_size", "stride", "padding")
    return Emitted(type(layer).__name__, **{name: np.array(getattr(layer, name)) for name in names})


def flatten(layer: layers.Flatten, dialect: Dialect) -> Emitted:
    """Flatten."""
    return Emitted("Flatten", start_dim=layer.start_dim, end_dim=layer.end_dim, input_type=np.array(layer.in_shape))


def scale(layer: layers.Scale, dialect: Dialect) -> Emitted:
    """Scale."""
    return Emitted("Scale", scale=layer.params["scale"].copy())


def delay(layer: layers.Delay, dialect: Dialect) -> Emitted:
    """Delay."""
    return Emitted("Delay", delay=np.full(layer.shape, layer.steps * dialect.dt, layer.setting.dtype))


def population(layer: layers.Population, dialect: Dialect) -> Emitted:
    """A population of a neuron that NIR has a node for."""
    kind = layer.neuron.kind
    if kind not in NEURONS:
        raise ValueError(f"NIR has no node for a {kind or 'neuron of your own'}; it has for {', '.join(NEURONS)}")
    layer.refresh()
    values = _Values(layer, dialect)
    found = NEURONS[kind](values)
    found.unsaid += values.unsaid
    found.factor = values.factor
    if (found.node["type"] not in dialect.leak and np.any(values.get("v_rest"))) or (
        not dialect.reset and np.any(found.node.get("v_reset", 0.0))
    ):
        raise ValueError(f"{dialect.name} reads a {found.node['type']} with a v_leak or v_reset of 0 only")
    if dialect.name == "sinabs" and len(layer.shape) > 1 and found.node["type"] in ("LIF", "LI"):
        raise ValueError(f"sinabs reads a {found.node['type']} of units in a row only, not of {list(layer.shape)}")
    changed = {} if found.factor is None else {"decay_input": not layer.neuron.options.get("decay_input", False)}
    found.node["metadata"] = {"nbsnn": note_neuron(layer, **changed)}
    return found


class _Values:
    """A population's numbers as full arrays, and what of it no field says."""

    def __init__(self, layer: Population, dialect: Dialect):
        self.layer, self.dialect, self.options = layer, dialect, layer.neuron.options
        self.unsaid: list[str] = []
        self.factor: Array | None = None

    def get(self, name: str) -> Array:
        """A parameter, of every unit; zeros if there is none."""
        value = self.layer.values.get(name, np.zeros((), self.layer.setting.dtype))
        return np.broadcast_to(value, self.layer.shape).copy()

    def share(self, name: str) -> Array:
        """What a leak takes per step, 1 - factor, in float64."""
        way: Any = self.layer.neuron.way(name)
        lost = 1.0 - way(self.get(name).astype(np.float64), self.layer.setting.dt, name)
        if not (lost > 0.0).all():
            raise ValueError(f"{name} is so long that nothing leaks, which NIR cannot say")
        return lost

    def tau(self, lost: Array) -> Array:
        """The time constant that is written."""
        if not self.dialect.exp:
            return self._as_is(self.dialect.dt / lost)
        if (lost >= 1.0).any():
            raise ValueError(f"a membrane that forgets all in a step has no time constant for {self.dialect.name}")
        return self._as_is(-self.dialect.dt / np.log1p(-lost))

    def r(self, lost: Array) -> Array:
        """The input's factor r: with it, or with the weights before, input is added as it is here."""
        scaled = bool(self.options.get("decay_input", False))
        if not self.dialect.unit_r:
            return self._as_is(np.ones_like(lost) if scaled else 1.0 / lost)
        if scaled == self.dialect.exp:  # what the dialect's reader does not do must be in the weights
            self.factor = lost if scaled else 1.0 / lost
        return self._as_is(np.ones_like(lost))

    def whole(self, like: Array) -> Array:
        """r of a neuron without a leak."""
        return np.full_like(like, 1.0 if self.dialect.unit_r else 1.0 / self.dialect.dt)

    def fire(self) -> dict[str, Array]:
        """v_threshold and v_reset."""
        how, value = {"NoReset": "none", "MultiSpike": "soft"}.get(self.layer.neuron.kind), self.get("v_reset")
        how = how or self.options.get("reset")
        if how is None:
            how = "soft" if self.options.get("v_reset", 0.0) is None else "hard"
        if how != ("soft" if self.dialect.soft else "hard"):
            if self.dialect.name != "nir":
                raise ValueError(f"{self.dialect.name} has no {how} reset")
            if self.layer.neuron.kind != "MultiSpike":  # which says more
                self.unsaid.append("that it has no reset" if how == "none" else "its reset by subtraction")
        elif self.dialect.soft and self.layer.neuron.kind != "MultiSpike":
            self.unsaid.append("that it spikes only once in a step")
        if how != "hard":
            value = np.zeros_like(value)
        return {"v_threshold": self.get("v_threshold"), "v_reset": value}

    def start(self, rest: Array) -> None:
        """Note where a run starts, if a reader starts elsewhere."""
        begin = np.broadcast_to(self.layer.starts["v"], self.layer.shape)
        assumed = rest if self.dialect.name == "norse" else np.zeros_like(rest)
        if not np.array_equal(begin, assumed):
            self.unsaid.append("the membrane at which it starts")

    def _as_is(self, value: Array) -> Array:
        return value.astype(self.layer.setting.dtype)


def lif(of: _Values) -> Emitted:
    """LIF, and what it becomes with other resets."""
    kind = of.layer.neuron.kind
    if np.any(of.options.get("refractory", 0.0)):
        raise ValueError("NIR has no refractory period")
    lost = of.share(of.layer.neuron.leak)
    late = {"v_threshold": of.get("v_threshold"), "v_reset": np.zeros(of.layer.shape, of.layer.setting.dtype)}
    if kind == "LateReset":
        if of.dialect.name != "nir":
            raise ValueError(f"{of.dialect.name} has no reset one step late")
        of.unsaid.append("its reset one step late")
    if kind == "LateReset" and of.options["tau_syn"] is not None:
        return Emitted("CubaLIF", **current(of), **late)
    rest = of.get("v_rest")
    of.start(rest)
    fire = late if kind == "LateReset" else of.fire()
    return Emitted("LIF", tau=of.tau(lost), r=of.r(lost), v_leak=rest, **fire)


def multi_spike(of: _Values) -> Emitted:
    """MultiSpike: LIF or IF."""
    if not of.dialect.soft:
        if of.dialect.name != "nir":
            raise ValueError(f"{of.dialect.name} has no several spikes in a step")
        of.unsaid.append("that it spikes several times in a step")
    return integrate_and_fire(of) if of.options["tau"] is None else lif(of)


def integrate_and_fire(of: _Values) -> Emitted:
    """IF."""
    if np.any(of.get("drain")):
        raise ValueError("NIR has no drain of an IF")
    fire = of.fire()
    of.start(np.zeros(of.layer.shape))
    if of.dialect.name == "sinabs":
        of.unsaid.append("that its membrane may fall below -v_threshold")
    return Emitted("IF", r=of.whole(fire["v_threshold"]), **fire)


def li(of: _Values) -> Emitted:
    """LI."""
    lost, rest = of.share("tau"), of.get("v_rest")
    of.start(rest)
    return Emitted("LI", tau=of.tau(lost), r=of.r(lost), v_leak=rest)


def integrator(of: _Values) -> Emitted:
    """Integrator."""
    of.start(np.zeros(of.layer.shape))
    return Emitted("I", r=of.whole(np.zeros(of.layer.shape, of.layer.setting.dtype)))


def current(of: _Values) -> dict[str, Array]:
    """The fields that CubaLI and CubaLIF share."""
    lost, lost_syn, rest = of.share("tau"), of.share("tau_syn"), of.get("v_rest")
    of.start(rest)
    r = np.ones_like(lost) if of.options["decay_input"] else 1.0 / lost
    w_in = (1.0 / lost_syn).astype(rest.dtype)
    return {
        "tau_mem": of.tau(lost),
        "tau_syn": of.tau(lost_syn),
        "r": r.astype(rest.dtype),
        "v_leak": rest,
        "w_in": w_in,
    }


def cuba_lif(of: _Values) -> Emitted:
    """CubaLIF."""
    return Emitted("CubaLIF", **current(of), **of.fire())


def cuba_li(of: _Values) -> Emitted:
    """CubaLI."""
    return Emitted("CubaLI", **current(of))


def threshold(of: _Values) -> Emitted:
    """Discontinuous."""
    return Emitted("Threshold", threshold=of.get("v_threshold"))


NEURONS: dict[str, Callable[[_Values], Emitted]] = {
    "LIF": lif,
    "PLIF": lif,
    "NoReset": lif,
    "LateReset": lif,
    "MultiSpike": multi_spike,
    "IF": integrate_and_fire,
    "LI": li,
    "Integrator": integrator,
    "CubaLIF": cuba_lif,
    "CubaLI": cuba_li,
    "Discontinuous": threshold,
}
"""Kind of a neuron -> what makes its node."""

LAYERS: dict[type[Layer], Callable[[Any, Dialect], Emitted]] = {
    layers.Dense: dense,
    layers.Conv1d: convolution,
    layers.Conv2d: convolution,
    layers.SumPool2d: pool,
    layers.AvgPool2d: pool,
    layers.Flatten: flatten,
    layers.Scale: scale,
    layers.Delay: delay,
    layers.Population: population,
}
"""Layer -> what makes its node."""
