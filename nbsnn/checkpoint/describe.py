"""A network as plain data, and back: what stands in a checkpoint beside the parameters.

What comes back may be damaged: every field is checked for its type, and nothing is made that is larger than the file's
own arrays allow.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, SupportsIndex

import numpy as np

from .. import layers, neurons, surrogates
from ..files.json_fields import fields, listed
from ..files.npz import Entries
from ..layers.container import Container
from ..layers.join import JOINS
from ..layers.layer import Layer, Setting
from ..layers.population import Population
from ..layers.recurrent import WAITS
from ..neuron import Neuron
from ..plasticity.describe import describe_rule, rebuild_rule
from ..plasticity.plastic import Plastic
from ..random import Draws, Shape
from ..validate import choice
from ..validate.kinds import is_dict, is_list, is_list_or_tuple, is_mapping, without_numpy

UNITS = 2**25
"""Units of the largest layer that is read: three thousand pixels by three thousand, in three channels."""


class OwnPart(Exception):
    """A network has a part that no file can hold, so it must be given."""


def describe(layer: Layer, arrays: dict[str, np.ndarray], prefix: str = "") -> dict[str, Any]:
    """``layer`` as JSON-ready data; arrays among its options go to ``arrays``.

    Raises
    ------
    TypeError
        If an option is a function, or something else that a file cannot hold.
    """
    layer = layer.unfused()
    if isinstance(layer, Population):
        return _describe_neuron(layer, arrays, prefix)
    kind = type(layer).__name__
    options = plain(f"{prefix}{kind}", layer.options())
    if type(layer) is Plastic:
        rule = plain(f"the rule of {prefix}{kind}", describe_rule(layer.rule))
        if "own" in rule:
            return rule
        return {"layer": kind, "children": _describe_all(layer, arrays, prefix), "options": options, "rule": rule}
    if getattr(layers, kind, None) is not type(layer):
        return {"own": f"layer {kind}"}
    if isinstance(layer, Container):
        children, in_shape = _describe_all(layer, arrays, prefix), [int(n) for n in layer.in_shape]
        return {"layer": kind, "children": children, "options": options, "in_shape": in_shape}
    return {"layer": kind, "options": options}


def plain(what: str, given: object) -> Any:
    """Options as JSON holds them: numbers of NumPy become Python's; ``what`` says whose they are."""
    value = without_numpy(given)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if is_mapping(value):
        return {name: plain(f"{name} of {what}", option) for name, option in value.items()}
    if is_list_or_tuple(value):
        return [plain(what, item) for item in value]
    if callable(value):
        raise TypeError(f"{what} is a function, which a file cannot hold: give the array that it makes, and save then")
    raise TypeError(f"{what} is a {type(value).__name__}, which a file cannot hold")


def rebuild(
    description: object, setting: dict[str, Any], in_shape: tuple[int, ...], arrays: Entries, most: int = 2**62
) -> Layer:
    """The network that ``describe`` described, with parameters yet to be filled in.

    Raises
    ------
    OwnPart
        If a part is not one of nbsnn's own.
    Exception
        Any, if it cannot have been described so, or needs more than ``most`` random numbers.
    """
    fields("setting", setting, {"dt": float, "dtype": str})
    choice("dtype", setting["dtype"], ("float32", "float64"))
    net = _rebuild(description, arrays, most)
    net.build(in_shape, Setting(dt=setting["dt"], dtype=setting["dtype"]), _Few(most, 0))
    return net


class _Few(Draws):
    """Draws that refuse to make more numbers than a file holds parameters."""

    def __init__(self, most: int, seed: int, *stream: int | str):
        super().__init__(seed, *stream)
        object.__setattr__(self, "most", most)

    def fold(self, *more: SupportsIndex | str) -> Draws:
        return _Few(self.most, self.seed, *self.stream, *more)  # type: ignore[attr-defined]

    def _words(self, shape: Shape, step: int, start: int, key: int) -> np.ndarray:
        asked = math.prod(shape) if isinstance(shape, tuple) else int(shape)  # type: ignore[arg-type]
        _few(asked, self.most)  # type: ignore[attr-defined]
        return super()._words(shape, step, start, key)


def _few(asked: int, most: int) -> None:
    if asked > most:
        raise ValueError(f"a layer has {asked} parameters, but there are only {most}")


def _describe_all(layer: Container, arrays: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
    return {name: describe(child, arrays, f"{prefix}{name}/") for name, child in layer.children.items()}


def _describe_neuron(population: Population, arrays: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
    neuron = population.neuron
    if not hasattr(neurons, neuron.kind or "-"):
        return {"own": f"neuron {neuron.step.__qualname__}"}
    options: dict[str, Any] = {}
    for name, value in neuron.options.items():
        what = f"{name} of {prefix}{neuron.kind}"
        if isinstance(value, surrogates.Surrogate):
            known = hasattr(surrogates, value.name)
            known_as = (
                {"surrogate": value.name, "options": plain(what, value.options)} if known else {"own": repr(value)}
            )
            options[name] = known_as
        elif isinstance(value, np.ndarray):
            arrays[f"value/{prefix}{name}"] = value
            options[name] = {"array": f"value/{prefix}{name}"}
        else:
            options[name] = plain(what, value)
    return {"neuron": neuron.kind, "options": options}


def _rebuild(description: object, arrays: Entries, most: int) -> Layer:
    if not is_dict(description):
        raise ValueError(f"a layer must be an object, not {description!r}")
    if "own" in description:
        raise OwnPart(
            f"the file's network has a {description['own']} of your own: build it yourself and pass it as net="
        )
    if "neuron" in description:
        fields("a neuron", description, {"neuron": str, "options": dict})
        options = {name: _option(value, arrays) for name, value in description["options"].items()}
        return _bounded(Population(_neuron(description["neuron"], options)))
    fields("a layer", description, {"layer": str}, {"options": dict, "children": dict, "in_shape": list, "rule": dict})
    name, given = description["layer"], description.get("options", {})
    if "rule" in description:
        choice("a layer with a rule", name, ("Plastic",))
        parts: dict[str, Any] = {
            n: _rebuild(child, arrays, most) for n, child in description.get("children", {}).items()
        }
        options = {n: _option(value, arrays) for n, value in given.items()}
        return Plastic(rule=rebuild_rule(description["rule"]), **parts, **options)
    kind = getattr(layers, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Layer)):
        raise ValueError(f"there is no layer {name!r}")
    if "children" not in description:
        layer = kind(**_switched(kind, given))
        if isinstance(layer, layers.Dense):
            _few(layer.in_shape[0] * layer.shape[0], most)
        return _bounded(layer)
    net: Any = kind.__new__(kind)
    Container.__init__(net, **{name: _rebuild(child, arrays, most) for name, child in description["children"].items()})
    net.in_shape = tuple(listed("in_shape", description.get("in_shape", []), int, least=1))
    if not net.children:
        raise ValueError(f"a {name} has no layers")
    for option, value in given.items():
        allowed = WAITS if option == "waits" else getattr(kind, "joins", JOINS)
        setattr(net, choice("an option", option, (*net.options(), "waits")), choice(option, value, allowed))
    return net


def _bounded(layer: Layer) -> Layer:
    """``layer``, which refuses to be built for more units than any network has."""
    build = layer.build

    def checked(in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if math.prod(in_shape) > UNITS:
            raise ValueError(f"a layer of {list(in_shape)} units is larger than any that is read")
        del layer.build
        build(in_shape, setting, draws)

    layer.build = checked  # type: ignore[method-assign]
    return layer


def _neuron(kind: str, options: Mapping[str, Any]) -> Neuron:
    make = getattr(neurons, kind, None)
    if not inspect.isfunction(make):
        raise ValueError(f"there is no neuron {kind!r}")
    known = inspect.signature(make).parameters
    if unknown := [n for n in options if n not in known and not any(p.kind == p.VAR_KEYWORD for p in known.values())]:
        raise ValueError(f"{kind} has no option {', '.join(unknown)}: the file was written by another version")
    found = make(**_switched(make, options))
    if not isinstance(found, Neuron):
        raise ValueError(f"there is no neuron {kind!r}")
    return found


def _switched(make: Callable[..., Any], options: Mapping[str, Any]) -> Mapping[str, Any]:
    """``options``; raises ``ValueError`` if what is a switch by its default is given as something else."""
    for name, parameter in inspect.signature(make).parameters.items():
        if isinstance(parameter.default, bool) and not isinstance(options.get(name, True), bool):
            raise ValueError(f"{name} of {make.__name__} must be true or false, not {options[name]!r}")
    return options


def _option(value: object, arrays: Entries) -> Any:
    if is_dict(value):
        if "own" in value:
            raise OwnPart(f"the file's network has a surrogate of your own, {value['own']}: pass it as net=")
        if "array" in value:
            return arrays.array(fields("an array", value, {"array": str})["array"], "fiu")
        fields("a surrogate", value, {"surrogate": str, "options": dict})
        make = getattr(surrogates, value["surrogate"], None)
        found = make(**value["options"]) if inspect.isfunction(make) else None
        if not isinstance(found, surrogates.Surrogate):
            raise ValueError(f"there is no surrogate {value['surrogate']!r}")
        return found
    return tuple(value) if is_list(value) else value
