"""Surrogates by name: ``surrogate="atan"`` stands for ``surrogates.atan()``."""

from __future__ import annotations

import inspect

from ..validate import instance, named
from .surrogate import Surrogate

ELSEWHERE = {"fast_sigmoid": "snntorch", "super": "norse", "triangle": "norse"}
"""Names that other libraries have for what is called otherwise here -> the module of presets that knows them."""


def known() -> list[str]:
    """Names of functions that make a surrogate when they are called with nothing."""
    from .. import surrogates

    made = {name: inspect.signature(make) for name, make in vars(surrogates).items() if inspect.isfunction(make)}
    return [
        name
        for name, signature in made.items()
        if "Surrogate" in str(signature.return_annotation)
        and all(p.default is not p.empty for p in signature.parameters.values())
    ]


def as_surrogate(value: Surrogate | str) -> Surrogate:
    """A surrogate as it is, or by its name; raises ``TypeError`` or ``ValueError`` for anything else."""
    from .. import surrogates

    if isinstance(value, str) and value in ELSEWHERE:
        word = f"presets.{ELSEWHERE[value]}.SURROGATES[{value!r}]"
        raise ValueError(f"surrogate must have a name of nbsnn.surrogates, not {value!r}, which {word} makes")
    if isinstance(value, str):
        return getattr(surrogates, named("surrogate", value, known()))()
    return instance("surrogate", value, Surrogate, "a surrogate, nbsnn.surrogates.atan() say")
