"""A rule as plain data, and back: what stands in a checkpoint of a plastic layer."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from importlib import import_module
from typing import Any

from ..validate import choice
from ..validate.kinds import is_mapping
from .normalize import Normalize
from .rule import Rule
from .trace import Trace

HOMES = "nbsnn.plasticity.", "nbsnn.presets."
"""Where a file looks for rules."""


def kinds(base: type[Any] = Rule) -> dict[str, type[Any]]:
    """The classes of rules that a file can hold, by name."""
    own = {base.__name__: base} if base.__module__.startswith(HOMES) else {}
    return own | {name: kind for each in base.__subclasses__() for name, kind in kinds(each).items()}


def change_of(place: object) -> Any:
    """The ``change`` of a rule of this package, by module and name: "nbsnn.plasticity.pair.pair"."""
    module, _, name = str(place).rpartition(".")
    with suppress(ImportError):
        return getattr(import_module(module), name, None) if module.startswith(HOMES) else None


def describe_rule(rule: Any) -> dict[str, Any]:
    """``rule`` as JSON-ready data; {"own": what} if a file cannot hold it.

    >>> from nbsnn.plasticity import PairSTDP
    >>> story = describe_rule(PairSTDP(0.1))
    >>> story["change"], rebuild_rule(story).params["a_post"]
    ('nbsnn.plasticity.pair.pair', 0.1)
    """
    function = getattr(rule, "change", None)
    place = f"{getattr(function, '__module__', '')}.{getattr(function, '__name__', '')}"
    if kinds().get(type(rule).__name__) is not type(rule) or change_of(place) is not function:
        return {"own": f"rule {rule!r}"}
    if any(callable(trace.mode) for trace in [*rule.pre.values(), *rule.post.values()]):
        return {"own": "trace with a function as mode"}
    story: dict[str, Any] = {"kind": type(rule).__name__, "change": place}
    for name in _fields(rule):
        value = getattr(rule, name)
        if name in ("pre", "post"):
            value = {trace: {f: getattr(t, f) for f in _fields(t)} for trace, t in value.items()}
        elif isinstance(value, Normalize):
            value = {f: getattr(value, f) for f in _fields(value)}
        story[name] = dict(value) if is_mapping(value) else value
    return story


def rebuild_rule(story: Mapping[str, Any]) -> Rule:
    """The rule that ``describe_rule`` described."""
    options = {name: value for name, value in story.items() if name not in ("kind", "change")}
    for side in ("pre", "post"):
        options[side] = {name: Trace(**given) for name, given in options[side].items()}
    if options["normalize"] is not None:
        options["normalize"] = Normalize(**options["normalize"])
    change = change_of(story["change"])
    if not inspect.isfunction(change):
        raise ValueError(f"there is no rule {story['change']!r}")
    return kinds()[choice("kind of a rule", story["kind"], kinds())](change, **options)


def _fields(data: Any) -> list[str]:
    """The names of the arguments that made a dataclass, but for ``change``."""
    return [f.name for f in fields(data) if f.init and f.name != "change"]
