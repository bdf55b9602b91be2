"""A step in several equal parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from ..scalar.hole import hole
from ..validate import count

MOST = 100
"""Parts that are spelt out, at most: each is compiled."""


@hole
def parts():
    """Number of parts."""
    return 1


@hole
def share():
    """The length of a part: a float, as whole numbers make float64 of float32 in compiled code."""
    return 1.0


@hole
def all_parts(state: tuple[float, ...], jump: float, *arguments: float) -> tuple[float, ...]:
    """The parts of a step, see ``spelt``."""
    raise NotImplementedError("all_parts is a hole; compile.kernel fills it")


def in_loop(substeps):
    """The filling of ``parts`` and ``share``: the same functions for the same number, which share a kernel."""
    return _in_loop(count("substeps", substeps, most=1000))


def in_a_row(substeps, part):
    """The filling of ``share`` and ``all_parts``, likewise: so many times ``part``."""
    return _in_a_row(count("substeps", substeps, most=MOST), part)


@cache
def _in_loop(n):
    h = 1.0 / n
    return {"parts": lambda: n, "share": lambda: h}


@cache
def _in_a_row(n, part):
    return {"share": _in_loop(n)["share"], "all_parts": spelt(part, n)}


def spelt(part: Callable[..., tuple[float, ...]], count: int) -> Callable[..., tuple[float, ...]]:
    """``count`` parts of a step one after the other: ``part(state, jump, ...)`` is given the state that it returned.

    Only the last part is given the jump: what arrives, arrives at the end of a step. The parts are spelt out, as a loop
    within the loop over units keeps LLVM from vectorising it (ten times slower).
    """
    names = ", ".join([*inspect.signature(part).parameters][2:])
    lines = [f"state = part(state, 0.0, {names})"] * (count - 1) + [f"return part(state, jump, {names})"]
    scope: dict[str, Any] = {"part": part, "__name__": __name__}
    exec(f"def parts(state, jump, {names}):\n    " + "\n    ".join(lines), scope)
    scope["parts"].__qualname__ = "spelt.<locals>.parts"
    return scope["parts"]
