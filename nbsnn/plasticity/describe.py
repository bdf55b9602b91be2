"""A rule as plain data, and back: what stands in a checkpoint of a plastic layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from .diehl_cook import change as diehl_cook
from .mean_weight import MetaRule
from .mean_weight import change as meta
from .normalize import Normalize
from .pair import pair
from .reward import RewardRule
from .rule import Rule
from .trace import Trace
from .triplet import triplet

KINDS: dict[str, type[Rule]] = {kind.__name__: kind for kind in (Rule, MetaRule, RewardRule)}
CHANGES: dict[str, Callable] = {"pair": pair, "triplet": triplet, "diehl_cook": diehl_cook, "meta": meta}
"""Name in a file -> ``change``."""


def describe_rule(rule: Any) -> dict[str, Any]:
    """``rule`` as JSON-ready data; {"own": what} if a file cannot hold it.

    >>> from nbsnn.plasticity import PairSTDP
    >>> story = describe_rule(PairSTDP(0.1))
    >>> story["change"], rebuild_rule(story).params["a_post"]
    ('pair', 0.1)
    """
    names = [name for name, change in CHANGES.items() if getattr(rule, "change", None) is change]
    if not names or KINDS.get(type(rule).__name__) is not type(rule):
        return {"own": f"rule {rule!r}"}
    if any(callable(trace.mode) for trace in [*rule.pre.values(), *rule.post.values()]):
        return {"own": "trace with a function as mode"}
    story: dict[str, Any] = {"kind": type(rule).__name__, "change": names[0]}
    for name in _fields(rule):
        value = getattr(rule, name)
        if name in ("pre", "post"):
            value = {trace: {f: getattr(t, f) for f in _fields(t)} for trace, t in value.items()}
        elif isinstance(value, Normalize):
            value = {f: getattr(value, f) for f in _fields(value)}
        story[name] = dict(value) if isinstance(value, Mapping) else value
    return story


def rebuild_rule(story: Mapping[str, Any]) -> Rule:
    """The rule that ``describe_rule`` described."""
    options = {name: value for name, value in story.items() if name not in ("kind", "change")}
    for side in ("pre", "post"):
        options[side] = {name: Trace(**given) for name, given in options[side].items()}
    if options["normalize"] is not None:
        options["normalize"] = Normalize(**options["normalize"])
    return KINDS[story["kind"]](CHANGES[story["change"]], **options)


def _fields(data: Any) -> list[str]:
    """The names of the arguments that made a dataclass, but for ``change``."""
    return [f.name for f in fields(data) if f.init and f.name != "change"]
