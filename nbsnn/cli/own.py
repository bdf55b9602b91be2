"""A network of the user's own: a function in a file, and values of its arguments given as ``--set name=value``."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..network import Network

OURS = "seed", "dt", "dtype", "scale", "device", "comm"
"""Arguments that have options of their own."""


def function(place: str) -> Callable[..., Network]:
    """The function ``network``, or another named after a colon, of a file.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file or function, or the file cannot be run.
    """
    file, _, name = place.partition(":") if ".py:" in place else (place, "", "network")
    path = Path(file).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.modules.setdefault(path.stem, module)
    _calling(path, partial(spec.loader.exec_module, module))
    made = getattr(module, name, None)
    if not inspect.isfunction(made):
        here = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
        found = f"; there are {', '.join(here)}: nbsnn simulate {file}:{here[0]}" if here else ""
        raise ValueError(f"{file} has no function {name}() that returns an nbsnn.Network{found}")
    return made


def make(build: Callable[..., Network], place: str, settings: dict[str, Any], options: dict[str, Any]) -> Network:
    """The network that ``build`` returns, of ``settings`` and of those ``options`` that are given, or that it takes.

    Raises
    ------
    ValueError
        If it does not take one of them, or returns something else than a network.
    """
    known = inspect.signature(build).parameters
    takes = [name for name in known if name not in OURS]
    for name in settings:
        if name in OURS:
            raise ValueError(
                f"--set {name}: that has an option of its own, {'--float64' if name == 'dtype' else '--' + name}"
            )
        if name not in known:
            has = ", ".join(f"{n} = {known[n].default!r}" if known[n].default is not inspect.Parameter.empty else n
                            for n in takes)  # fmt: skip
            raise ValueError(f"--set {name}: {place} has no such setting; {f'it has {has}' if has else 'it has none'}")
    for name, value in options.items():
        if value is not None and name not in known:
            raise ValueError(f"{place} takes no {name}: its function has no such argument")
    given = {name: value for name, value in options.items() if value is not None}
    path = Path(inspect.getsourcefile(build) or place).resolve()
    net = _calling(path, partial(build, **given, **settings))
    if not isinstance(net, Network):
        raise ValueError(f"{place} must return an nbsnn.Network, not {type(net).__name__}")
    return net


def parsed(pairs: Sequence[str]) -> dict[str, Any]:
    """``["g=4.5"]`` as ``{"g": 4.5}``; what is no Python literal is a string.

    Raises
    ------
    ValueError
        If there is no "=", or a name comes twice.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ValueError(f"--set must be NAME=VALUE, --set weight=1.5 say, not {pair!r}")
        if name in values:
            raise ValueError(f"--set {name} is given twice")
        try:
            values[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            values[name] = text
    return values


def _calling(path: Path, call: Callable[[], object]) -> object:
    """The result of a call; where code in ``path`` raises, ValueError that says the line."""
    try:
        return call()
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).resolve() == path]
        line = lines[-1] if lines else getattr(error, "lineno", None)
        if path.is_relative_to(Path(__file__).parents[1]) or (line is None and not isinstance(error, SyntaxError)):
            raise
        said = error.msg if isinstance(error, SyntaxError) else error
        raise ValueError(f"{path.name}, line {line}: {type(error).__name__}: {said}") from error
