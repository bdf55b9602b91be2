"""Functions that are spelt out for a number of others that is known only when a kernel is made."""

from collections.abc import Callable, Sequence
from typing import Any


def switch(functions: Sequence[Callable], arguments: str) -> Callable:
    """A function that calls one of ``functions``, chosen by its first argument, and returns what that returns.

    >>> switch([abs, str], "a")(1, -2)      # def switch(which, a): return f0(a) if which == 0 else f1(a)
    '-2'
    """
    chain = "".join(f"f{k}({arguments}) if which == {k} else " for k in range(len(functions) - 1))
    last = f"f{len(functions) - 1}({arguments})" if functions else "None"
    scope: dict[str, Any] = {f"f{k}": function for k, function in enumerate(functions)}
    exec(f"def switch(which, {arguments}): return {chain}{last}", scope)
    return scope["switch"]
