"""A network as plain data, and back: what stands in a checkpoint beside the parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import layers, neurons, surrogates
from .layers.container import Container
from .layers.layer import Layer, Setting
from .layers.population import Population
from .neuron import Neuron
from .plasticity.describe import describe_rule, rebuild_rule
from .plasticity.plastic import Plastic
from .random import Draws


def describe(layer: Layer, arrays: dict[str, np.ndarray], prefix: str = "") -> dict[str, Any]:
    """``layer`` as JSON-ready data; arrays among its options go to ``arrays``."""
    if isinstance(layer, Population):
        return _describe_neuron(layer, arrays, prefix)
    kind = type(layer).__name__
    if type(layer) is Plastic:
        rule = describe_rule(layer.rule)
        if "own" in rule:
            return rule
        children = {n: describe(child, arrays, f"{prefix}{n}/") for n, child in layer.children.items()}
        return {"layer": kind, "children": children, "options": layer.options(), "rule": rule}
    if getattr(layers, kind, None) is not type(layer):
        return {"own": f"layer {kind}"}
    if isinstance(layer, Container):
        children = {n: describe(child, arrays, f"{prefix}{n}/") for n, child in layer.children.items()}
        return {"layer": kind, "children": children, "options": layer.options(), "in_shape": list(layer.in_shape)}
    return {"layer": kind, "options": layer.options()}


def rebuild(story: Mapping[str, Any], setting: Mapping[str, Any], in_shape: tuple[int, ...], arrays: Any) -> Layer:
    """The network that ``describe`` described, with parameters yet to be filled in."""
    net = _rebuild(story, arrays)
    net.build(in_shape, Setting(dt=setting["dt"], dtype=setting["dtype"]), Draws(0))
    return net


def _describe_neuron(population: Population, arrays: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
    neuron = population.neuron
    if not hasattr(neurons, neuron.kind or "-"):
        return {"own": f"neuron {neuron.step.__qualname__}"}
    options: dict[str, Any] = {}
    for name, value in neuron.options.items():
        if isinstance(value, surrogates.Surrogate):
            known = hasattr(surrogates, value.name)
            options[name] = {"surrogate": value.name, "options": dict(value.options)} if known else {"own": repr(value)}
        elif isinstance(value, np.ndarray):
            arrays[f"value/{prefix}{name}"] = value
            options[name] = {"array": f"value/{prefix}{name}"}
        else:
            options[name] = value
    return {"neuron": neuron.kind, "options": options}


def _rebuild(story: Mapping[str, Any], arrays: Any) -> Layer:
    if "own" in story:
        raise ValueError(f"the file's network has a {story['own']} of your own: build it yourself and pass it as net=")
    if "neuron" in story:
        options = {name: _option(value, arrays) for name, value in story["options"].items()}
        return Population(_neuron(story["neuron"], options))
    if "rule" in story:
        parts: dict[str, Any] = {name: _rebuild(child, arrays) for name, child in story["children"].items()}
        options = {name: _option(value, arrays) for name, value in story["options"].items()}
        return Plastic(rule=rebuild_rule(story["rule"]), **parts, **options)
    kind = getattr(layers, story["layer"])
    if "children" not in story:
        return kind(**story["options"])
    net = kind.__new__(kind)
    Container.__init__(net, **{name: _rebuild(child, arrays) for name, child in story["children"].items()})
    net.in_shape = tuple(story.get("in_shape", ()))
    for name, value in story.get("options", {}).items():
        setattr(net, name, value)
    return net


def _neuron(kind: str, options: Mapping[str, Any]) -> Neuron:
    make = getattr(neurons, kind)
    known = inspect.signature(make).parameters
    if unknown := [n for n in options if n not in known and not any(p.kind == p.VAR_KEYWORD for p in known.values())]:
        raise ValueError(f"{kind} has no option {', '.join(unknown)}: the file was written by another version")
    return make(**options)


def _option(value: Any, arrays: Any) -> Any:
    if isinstance(value, dict):
        if "own" in value:
            raise ValueError(f"the file's network has a surrogate of your own, {value['own']}: pass it as net=")
        return (
            arrays[value["array"]] if "array" in value else getattr(surrogates, value["surrogate"])(**value["options"])
        )
    return tuple(value) if isinstance(value, list) else value
