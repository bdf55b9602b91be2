"""Which kernels count references to arrays.

Numba counts them wherever an array is handed to a function or taken out of a tuple, by a locked instruction each time:
two thirds of the time of a simulated network, whose loop hands on some thirty arrays at every call. A kernel whose
arrays all belong to its caller needs none of it; one that makes arrays does, to free them.
"""

from __future__ import annotations

import builtins
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any

import numpy as np

MAKERS = frozenset((
    "append", "arange", "argsort", "array", "asarray", "astype", "concatenate", "copy", "diff", "dot", "empty",
    "empty_like", "flatnonzero", "full", "full_like", "linspace", "list", "nonzero", "ones", "ones_like", "outer",
    "repeat", "sort", "stack", "where", "zeros", "zeros_like",
))  # fmt: skip
"""What makes arrays, in NumPy and as methods, of what kernels of this package call."""

WRAPPING = frozenset(
    opmap[name]
    for name in ("BUILD_MAP", "BUILD_CONST_KEY_MAP", "BUILD_SET", "BUILD_STRING", "BUILD_SLICE")
    if name in opmap
)
"""Instructions of Python that make what must be freed, or a part of an array."""

NUMBERS = frozenset((
    "abs", "bool", "complex", "divmod", "enumerate", "float", "int", "len", "max", "min", "pow", "range", "round",
    "sum", "zip",
))  # fmt: skip
"""Builtins that give numbers, or run through what there is."""

ATTRIBUTES = "shape", "size", "ndim"
"""What is read of an array, though NumPy has functions of these names."""


def makes_arrays(function: Any, filling: dict[str, Any], seen: set[int] | None = None) -> bool:
    """Whether a kernel makes arrays or lists, as far as the names and the byte code of all that it calls show.

    Parameters
    ----------
    function : function
        A template, or what it calls; anything else makes none.
    filling : dict
        What stands in holes.
    seen : set, optional
        Functions that have been looked at.

    Examples
    --------
    >>> makes_arrays(lambda x: x + 1.0, {}), makes_arrays(lambda x: [x], {})
    (False, True)
    """
    seen = set() if seen is None else seen
    function = getattr(function, "py_func", function)
    if not isinstance(function, FunctionType) or id(function) in seen:
        return False
    seen.add(id(function))
    code = function.__code__
    does = code.co_code[::2]
    listing = opmap["BUILD_LIST"] in does and opmap["LIST_EXTEND"] not in does  # both: a call with several ``*``
    listing |= any(isinstance(constant, CodeType) for constant in code.co_consts)  # a comprehension
    if listing or MAKERS.intersection(code.co_names) - function.__globals__.keys():
        return True
    ours = function.__module__ is None or function.__module__.startswith("nbsnn.")  # None: generated
    if not ours and (WRAPPING.intersection(does) or _beyond_scalars(function)):
        return True
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    names = (filling.get(name, function.__globals__.get(name)) for name in code.co_names)
    return any(makes_arrays(value, filling, seen) for value in (*names, *cells))


def _beyond_scalars(function: FunctionType) -> bool:
    """Whether a function of the user's calls what is neither an equation of numbers nor a function beside it."""
    names = function.__code__.co_names
    known = [function.__globals__.get(name) for name in names]
    numpy = [value for value in known if (getattr(value, "__module__", None) or "").partition(".")[0] == "numpy"]
    if any(value is np for value in known):
        numpy += [getattr(np, name, None) for name in names if name not in ATTRIBUTES]
    if any(callable(value) and not isinstance(value, (np.ufunc, type)) for value in numpy):
        return True
    return any(name not in NUMBERS and hasattr(builtins, name) and name not in function.__globals__ for name in names)
