"""Compilation: plain scalar functions and a loop template become a kernel.

A template in ``kernels/`` calls functions that it does not define: holes. ``kernel`` copies the template with its
holes filled, follows every plain Python function that is reachable by name, and compiles the copies. No source text
is generated, and nothing in a neuron's file imports Numba.

What Numba would get wrong is put right on the way:

* Numba widens float32 to float64 at every float literal; literals are narrowed to ``dtype``, as NumPy does.
* A function that looks into the bits of a float has a version for each precision (``hole.narrow``): it is taken here.
* A function that LLVM does not vectorise well may have an instruction in its place (``hole.instruction``).
* Numba's disk cache knows a function by file, name, line and byte code, so it would reuse a kernel whose helper,
  constant or compiler option has changed since; each copy is named after a digest of everything that shaped it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from .log import log as log
from .references import makes_arrays

CPU_OPTIONS: dict[str, Any] = {"error_model": "numpy", "nogil": True, "no_cfunc_wrapper": True}

INNER_OPTIONS: dict[str, Any] = {"forceinline": True, "no_cpython_wrapper": True}
"""For the functions that a kernel calls. A call left in the innermost loop keeps LLVM from vectorising it; and nobody
calls them from Python, so the code for that need not be compiled."""


def kernel(
    template: Callable[..., Any], *, device: str = "cpu", dtype: Any = np.float32, block: int | None = None,
    whole: bool = False, **filling: Any,
) -> Callable[..., Any]:  # fmt: skip
    """Make a kernel of ``template``, its holes (at any depth) filled from ``filling``.

    Parameters
    ----------
    template : function
        A loop that calls holes.
    device : {"cpu", "cuda", "python"}
        ``"python"`` only fills the holes: the loop then runs interpreted, for checks and debuggers.
    dtype : dtype
        What float literals are narrowed to.
    block : int, optional
        Most threads of a block on a GPU: a thread gets no more registers than that many can have.
    whole : bool
        Whether a CPU's kernel is optimised as a whole and not function by function, if it counts no references: it
        compiles in less time.
    **filling
        Name of a hole, or of a number that the template reads -> what stands there.

    Returns
    -------
    callable
        The kernel. Two calls with equal templates and fillings return the same object.
    """
    dtype = np.dtype(dtype)
    options = _options(template, filling)
    whole = whole and not options.get("_nrt", True)
    setting = device, dtype.str, tuple(sorted({**options, **INNER_OPTIONS}.items())), _level(), *(["whole"] * whole)
    if device == "python":
        return _fill(template, filling, dtype, lambda f: f, setting)
    if device not in COMPILERS:
        raise ValueError(f"device must be 'cpu', 'cuda' or 'python', not {device!r}")
    inner, outer, setting = COMPILERS[device](setting, block, options, whole)
    copy = _fill(template, filling, dtype, inner, setting)
    key = (copy.__module__, copy.__qualname__)
    if key not in _kernels:
        _kernels[key] = outer(copy)
    return _kernels[key]


def _for_cpu(
    setting: tuple, block: int | None, options: dict[str, Any], whole: bool
) -> tuple[Callable, Callable, tuple]:
    """What compiles the functions that a kernel calls, what compiles the kernel, and what shapes both."""
    return functools.partial(_inner, options, whole), functools.partial(_kept, options, whole), setting


def _for_cuda(
    setting: tuple, block: int | None, options: dict[str, Any], whole: bool
) -> tuple[Callable, Callable, tuple]:
    from numba import config, cuda

    if getattr(config, "ENABLE_CUDASIM", False):
        return _simulated, lambda copy: cuda.jit(_simulated(copy)), (*setting, block)
    bounds: dict[str, Any] = {"launch_bounds": block} if block else {}
    return cuda.jit(device=True), cuda.jit(**bounds), (*setting, block)


COMPILERS = {"cpu": _for_cpu, "cuda": _for_cuda}

_kernels: dict[tuple[str, str], Any] = {}
_callees: dict[tuple[str, str], Any] = {}


def _inner(options: dict[str, Any], whole: bool, copy: FunctionType) -> Any:
    """A function that only kernels call, once for all kernels that need the same."""
    if not compiles():
        return copy
    from .part import Part, PartCompiler, RawPartCompiler

    key = (copy.__module__, copy.__qualname__)
    if key not in _callees:
        settings = {"nopython": True, "boundscheck": None, **options, **INNER_OPTIONS}
        _callees[key] = Part(copy, targetoptions=settings, pipeline_class=RawPartCompiler if whole else PartCompiler)
    return _callees[key]


def _kept(options: dict[str, Any], whole: bool, copy: FunctionType) -> Any:
    """A kernel that is kept on disk; the function itself with NUMBA_DISABLE_JIT=1."""
    if not compiles():
        return copy
    from .dispatcher import Kernel

    return Kernel(copy, options, whole)


def _simulated(copy: FunctionType) -> FunctionType:
    """A function for Numba's simulator, in which all threads of a block find the same kernel's ``cuda``.

    The simulator itself changes the globals of a function that a kernel calls for as long as a call takes, and leaves
    those without who have called it in the meantime.
    """
    from numba import cuda

    for name, value in copy.__globals__.items():
        if value is cuda:
            copy.__globals__[name] = _RUNNING
    return copy


class _Running:
    """The ``cuda`` of the kernel that the simulator runs at present."""

    def __getattr__(self, name: str) -> Any:
        from numba.cuda.simulator.kernel import _get_kernel_context

        return getattr(_get_kernel_context(), name)


_RUNNING = _Running()


def bind(template: Callable[..., Any], **filling: Any) -> Callable[..., Any]:
    """Fill some holes of ``template`` and leave the others, and the precision, to the kernel of which it is a part.

    So a kernel can hold several copies of one template whose holes are filled in different ways.
    """
    return _fill(template, filling, None, lambda f: f, ("bound",))


def _before_fork() -> None:
    """Wait until no thread compiles: in the child nobody would continue, nor release the locks of Numba and LLVM."""
    if numba := sys.modules.get("numba.core.compiler_lock"):
        numba.global_compiler_lock.acquire()
        _held.append(numba.global_compiler_lock)


def _after_fork() -> None:
    while _held:
        _held.pop().release()


_held: list[Any] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def _fill(
    function: Callable, filling: dict[str, Any], dtype: np.dtype | None, inner: Callable, setting: tuple
) -> FunctionType:
    """Copy ``function`` with its holes filled and its literals narrowed, and everything that it calls likewise.

    The copy's name ends in a digest of all that shapes its machine code, its callees' names included. Callees need it
    as much as kernels do: machine code from the cache finds them by name, and two processes number equal names alike.
    """
    function = getattr(function, "py_func", function)  # a function that is compiled already is taken as its source
    if not isinstance(function, FunctionType):
        raise TypeError(f"a kernel is made of plain Python functions, not of {function!r}")
    code = function.__code__
    story: list[Any] = [setting, function.__qualname__, _code_story(code, function.__doc__), function.__defaults__]

    def value_of(name: str, value: Any) -> Any:
        """Value of a name of ``function`` in the copy."""
        if getattr(value, "hole", False) and name in filling:
            value = filling[name]
        value = getattr(value, "py_func", value)
        if dtype is None and getattr(value, "hole", False) and not getattr(value, "optional", False):
            return value  # left for later
        if isinstance(value, FunctionType) and hasattr(value, "instruction"):
            if dtype is None:
                return value  # as a hole
            if _instructs(setting[0]):
                story.append((name, *map(_source, (value.instruction.__module__, f"{__package__}.simd"))))
                return value.instruction()
        if dtype == np.float32:
            value = getattr(value, "narrow", value)
        if isinstance(value, FunctionType):
            copy = _fill(value, filling, dtype, inner, setting)
            if dtype is None and hasattr(value, "narrow"):
                copy.narrow = _fill(value.narrow, filling, dtype, inner, setting)  # type: ignore[attr-defined]
            story.append((name, copy.__qualname__))
            return inner(copy)
        if isinstance(value, (bool, int, float, complex, str, tuple, type(None))):
            story.append((name, value))
            return _narrow(value, dtype)
        if isinstance(value, (ModuleType, type, BuiltinFunctionType, np.ufunc)) or name.startswith("__"):
            story.append((name, getattr(value, "__name__", name), getattr(value, "_fields", ())))
            return value
        if type(value).__module__.startswith("numba."):  # an instruction that only compiled code has
            made = getattr(getattr(value, "_defn", None), "__module__", "")
            story.append((name, type(value).__name__, repr(value), _source(made) if made else ""))
            return value
        raise TypeError(
            f"{function.__qualname__} refers to {name!r}, a {type(value).__name__}; "
            "scalar code may use numbers, tuples of numbers, plain functions and the math module"
        )

    names = {}
    for name in code.co_names:
        if name in filling and not callable(filling[name]):
            names[name] = value_of(name, filling[name])
        elif name in function.__globals__:
            names[name] = value_of(name, function.__globals__[name])
    cells = tuple(
        CellType(value_of(name, cell.cell_contents))
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
    )
    code = code.replace(co_consts=tuple(_narrow(constant, dtype) for constant in code.co_consts))
    copy = FunctionType(
        code, {**function.__globals__, **names}, function.__name__, function.__defaults__, cells or None
    )
    digest = hashlib.sha256(repr(story).encode()).hexdigest()[:16]
    copy.__module__, copy.__qualname__ = function.__module__, f"{function.__qualname__}_{digest}"
    return copy


def _narrow(value: Any, dtype: np.dtype | None) -> Any:
    """A float, or the floats in a tuple, as ``dtype``; everything else unchanged."""
    if isinstance(value, float) and dtype is not None and dtype != np.float64:
        return dtype.type(value)
    if isinstance(value, tuple):
        return tuple(_narrow(item, dtype) for item in value)
    return value


def _level() -> str:
    """LLVM's optimisation level: NUMBA_OPT, which Numba's cache ignores."""
    return os.environ.get("NUMBA_OPT", "3")


def _instructs(device: str) -> bool:
    """True if instructions (``hole.instruction``) stand for functions."""
    return device == "cpu" and not checked() and compiles()


def compiles() -> bool:
    """False with NUMBA_DISABLE_JIT=1."""
    from numba import config

    return not getattr(config, "DISABLE_JIT", False)


def checked() -> bool:
    """True if NBSNN_CHECK asks for kernels that check every index: slow, to find out who writes where."""
    return os.environ.get("NBSNN_CHECK", "0") not in ("", "0")


def _options(template: Callable, filling: dict[str, Any]) -> dict[str, Any]:
    """Options with which a kernel for the CPU is compiled.

    One that makes no arrays counts no references to those that it is given, see ``references``.
    """
    if checked():
        return {**CPU_OPTIONS, "boundscheck": True}
    return {**CPU_OPTIONS, "_nrt": makes_arrays(template, filling)}


@functools.cache
def _source(module: str) -> str:
    """A digest of a module's text, for code of which more than byte code matters."""
    return hashlib.sha256(inspect.getsource(importlib.import_module(module)).encode()).hexdigest()


def _code_story(code: CodeType, doc: str | None = None) -> tuple:
    """What of a code object shapes the machine code: all but names of files, line numbers and the docstring."""
    constants = tuple(_code_story(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    if doc is not None and constants[:1] == (doc,):
        constants = (None, *constants[1:])
    return code.co_code, constants, code.co_names, code.co_varnames
