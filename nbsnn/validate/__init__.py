"""Checks at the border: what was given, what is allowed, and where. Behind the border, code assumes."""

from __future__ import annotations

import dis
import inspect
import os
from collections.abc import Callable, Collection
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

UNITS = 2**31 - 1
"""The most units that there can be on a side: places of units are int32."""

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def float_dtype(dtype: object) -> np.dtype:
    """``dtype`` as a NumPy dtype; only float32 and float64 are allowed."""
    try:
        found = None if dtype is None or isinstance(dtype, (np.generic, np.ndarray)) else np.dtype(dtype)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        found = None
    if found is None or found not in FLOATS:
        raise TypeError(f"dtype must be float32 or float64, not {found or repr(dtype)}")
    return found


def number(
    name: str, value: object, *, above: float | None = None, least: float | None = None, most: float | None = None
) -> float:
    """A finite number, optionally greater than ``above``, at least ``least`` and at most ``most``."""
    try:
        if isinstance(value, (np.generic, np.ndarray)) and (value.ndim or value.dtype.kind not in "fiu"):
            raise TypeError
        if isinstance(value, (str, bytes, bytearray)):
            raise TypeError
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None
    except OverflowError:
        result = np.inf
    if not np.isfinite(result):
        raise ValueError(f"{name} must be finite, not {value!r}")
    if above is not None and not result > above:
        raise ValueError(f"{name} must be greater than {above:g}, not {value!r}")
    if least is not None and not result >= least:
        raise ValueError(f"{name} must be at least {least:g}, not {value!r}")
    if most is not None and not result <= most:
        raise ValueError(f"{name} must be at most {most:g}, not {value!r}")
    return result


def fraction(name: str, value: object) -> float:
    """A number in [0, 1), such as the decay of a running mean."""
    if number(name, value, least=0.0) >= 1.0:
        raise ValueError(f"{name} must be less than 1, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def scale(name: str, value: object, most: float = 1e30) -> float:
    """A number above 0 that is finite as float32, as is its inverse: from ``1 / most`` to ``most``."""
    return number(name, value, above=0.0, least=1.0 / most, most=most)


def number_in(dtype: np.dtype, name: str, value: object) -> float:
    """A number that is finite in a precision, too."""
    result = number(name, value)
    with np.errstate(over="ignore"):
        if not np.isfinite(dtype.type(result)):
            raise ValueError(f"{name} must be finite as {dtype}, not {value!r}")
    return result


def cast(name: str, value: object, dtype: np.dtype) -> np.ndarray:
    """A copy in a precision, in which what is finite stays so."""
    with np.errstate(over="ignore"):
        array = np.array(value, dtype)
    if np.isinf(array).any() and np.isfinite(np.asarray(value, np.float64)).all():
        raise ValueError(f"{name} must be finite as {dtype}, not {value!r}")
    return array


def unmasked(name: str, value: T) -> T:
    """The same; NumPy reads what is masked as if it were not, so that is refused."""
    if np.any(getattr(value, "_mask", False)):
        raise TypeError(f"{name} must have no masked values: fill them first")
    return value


def array_of(name: str, value: object) -> np.ndarray:
    """An array; the one that was given, if it is one."""
    try:
        return np.asarray(unmasked(name, value))
    except ValueError:
        raise TypeError(f"{name} must be an array of numbers, not rows of several lengths") from None


def real(name: str, value: object) -> np.ndarray:
    """An array of real numbers, NaN among them perhaps; the one that was given, if it is one."""
    array = array_of(name, value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be numbers, an array of real numbers, not {array.dtype}")
    return array


def ascending(low: str, a: object, high: str, b: object, *, equal: bool = True) -> None:
    """Raise unless two numbers are in this order."""
    if not (number(low, a) <= number(high, b) if equal else number(low, a) < number(high, b)):
        raise ValueError(f"{high} must be {'at least' if equal else 'greater than'} {a:g}, which is {low}, not {b!r}")


def numbers(name: str, value: object) -> np.ndarray:
    """A number or an array of numbers, all finite: a float64 array, which may be the one that was given."""
    try:
        array = array_of(name, value)
        right = array.dtype.kind in "fiub" or isinstance(value, int)  # one of more than 64 bits is an object to NumPy
    except (TypeError, ValueError):  # rows of several lengths, say
        array, right = np.zeros(0), False
    if not right:
        raise TypeError(f"{name} must be a number or an array of numbers, not {value!r}")
    array = array if array.dtype.kind in "fiub" else np.asarray(number(name, value))
    if array.ndim == 0 and not np.isfinite(array):
        raise ValueError(f"{name} must be finite, not {value!r}")
    return finite(name, array.astype(np.float64, copy=False))


def filled(name: str, value: object) -> np.ndarray:
    """A number or an array of at least one number; see ``numbers``."""
    array = numbers(name, value)
    if not array.size:
        raise ValueError(f"{name} must be a number or an array of numbers, not an empty one")
    return array


def count(name: str, value: object, *, least: int = 1, most: int = 2**63 - 1) -> int:
    """An integer from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    if value > most:
        raise ValueError(f"{name} must be at most {most}, not {value}")
    return int(value)


def shape_of(name: str, value: object, *, least: int = 1) -> tuple[int, ...]:
    """A shape as a tuple: of an integer, or of several."""
    given = (value,) if isinstance(value, (int, np.integer)) else value
    if not isinstance(given, (tuple, list)):
        raise TypeError(f"{name} must be an integer or a tuple of integers, not {value!r}")
    return tuple(count(f"{name} {value!r}" if given is value else name, n, least=least, most=UNITS) for n in given)


def switch(name: str, value: object) -> bool:
    """True or False; nothing else stands for them."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def instance(name: str, value: object, kind: type[T] | tuple[type[T], ...], say: str) -> T:
    """An object of ``kind``; ``say`` tells in words what that is."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {say}, not {shown(value)}")
    return value


def function(name: str, value: object, say: str = "a function", takes: int | None = None) -> Callable[..., Any]:
    """Something that can be called as it is, with ``takes`` arguments: not a class, of which an object is called."""
    if not callable(value) or isinstance(value, type) or hasattr(value, "backward_within"):  # a layer
        raise TypeError(f"{name} must be {say}, not {shown(value)}")
    if takes is not None:
        try:
            inspect.signature(value).bind(*range(takes))
        except TypeError:
            raise TypeError(f"{name} must be {say}, called with {takes} arguments, not {shown(value)}") from None
        except ValueError:  # a builtin that does not tell
            pass
    return value


def in_place(name: str, of: Callable[..., Any], wanted: Collection[str]) -> None:
    """Raise ``ValueError`` if an argument has the name of a value that is given at another place."""
    for given, place in zip(inspect.signature(getattr(of, "py_func", of)).parameters, wanted, strict=False):
        if given != place and given in wanted:
            order = ", ".join(wanted)
            raise ValueError(f"{name} is called by position, with ({order}): its argument {given!r} would be {place!r}")


def results(name: str, of: Callable[..., Any], wanted: int, form: str) -> None:
    """Raise ``ValueError`` if a function returns another number of values, as far as its returns are spelt out."""
    code = getattr(getattr(of, "py_func", of), "__code__", None)
    if code is None:
        return
    lines = [(dis.opname[op], k) for op, k in zip(*[iter(code.co_code)] * 2, strict=True)]
    for (before, k), (at, const) in pairwise(lines):
        if (before, at) == ("BUILD_TUPLE", "RETURN_VALUE"):
            given = k
        elif at == "RETURN_CONST" or (before, at) == ("LOAD_CONST", "RETURN_VALUE"):
            value = code.co_consts[const if at == "RETURN_CONST" else k]
            given = len(value) if isinstance(value, tuple) else int(value is not None)
        else:  # a call, say, of which nothing is known
            continue
        if given != wanted:
            raise ValueError(
                f"{name} must return {form}, {wanted} in number, but {shown(of)} returns {given or 'None'}"
            )


def path(name: str, value: object) -> str:
    """The path of a file as text."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise TypeError(f"{name} must be a path, not {value!r}")
    return os.fsdecode(value)


def pair_of(name: str, value: object) -> tuple[float, float]:
    """Two numbers."""
    if not isinstance(value, (tuple, list, np.ndarray)):
        raise TypeError(f"{name} must be two numbers, not {value!r}")
    if (isinstance(value, np.ndarray) and not value.ndim) or len(value) != 2:
        raise ValueError(f"{name} must be two numbers, not {value!r}")
    return tuple(number(name, each) for each in value)  # type: ignore[return-value]


def names(name: str, value: object) -> tuple[str, ...]:
    """A name or several as a tuple; those of a set in alphabetical order."""
    given = (value,) if isinstance(value, str) else value
    if not isinstance(given, (tuple, list, set, frozenset)) or not all(isinstance(each, str) for each in given):
        raise TypeError(f"{name} must be a name or a tuple of names, not {value!r}")
    return tuple(sorted(given) if isinstance(given, (set, frozenset)) else given)  # the same in every process


def arguments(of: Callable[..., Any], *without: str) -> list[str]:
    """The names of a function's arguments."""
    parameters = inspect.signature(of).parameters.values()
    return [p.name for p in parameters if p.kind != p.VAR_KEYWORD and p.name not in without]


def check_options(where: str, given: Collection[str], known: Collection[str]) -> None:
    """Raise ``TypeError`` if an option that ``where`` hands on is none of the known ones."""
    for name in given:
        if name not in known:
            raise TypeError(f"{where} has no option {name!r}; its options are {', '.join(known)}")


def affordable(what: str, nbytes: float) -> None:
    """Raise ``ValueError`` if ``what`` takes more memory than the machine has free."""
    if nbytes > 1 << 28:  # less is not worth a look
        free = free_memory()
        if nbytes > (1 << 46 if free is None else free):
            has = "" if free is None else f", of which {free / 1e9:.1f} GB are free"
            raise ValueError(f"{what} would take {nbytes / 1e9:.3g} GB of memory{has}")


def free_memory() -> int | None:
    """Bytes that this process can still have, or None where the system does not tell."""
    free = None
    try:
        with open("/proc/meminfo") as file:
            free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
        with open("/proc/self/limits") as file:
            limit = next(line.split()[3] for line in file if line.startswith("Max address space"))
        if limit != "unlimited":
            with open("/proc/self/statm") as file:
                free = min(free, int(limit) - int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, StopIteration):
        pass
    return free


def shown(value: object) -> str:
    """A value that is of another kind; where a class or a function stands for its result, what is missing."""
    name = getattr(value, "__name__", None)
    if callable(value) and name and str(getattr(value, "__module__", "")).startswith("nbsnn"):
        return f"{name} itself: {name}(), with parentheses, makes one"
    return repr(value)


def choice(name: str, value: T, allowed: Collection[object]) -> T:
    """Check that a value is one of ``allowed``."""
    try:
        known = any(bool(value == other) for other in allowed)
    except (TypeError, ValueError):
        known = False
    if not known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
    return value


def named(name: str, word: str, known: Collection[str]) -> str:
    """The one of some names that a text stands for, in whatever case; the message says which are like it."""
    found = {each.lower(): each for each in known}
    if word.lower() in found:
        return found[word.lower()]
    like = get_close_matches(word.lower(), found, n=3, cutoff=0.4)
    like += [each for each in found if word.lower() in each.split("_", 1) and each not in like]
    hint = f"; did you mean {' or '.join(repr(found[each]) for each in like)}?" if like else ""
    raise ValueError(f"{name} must be one of {', '.join(sorted(known))}, not {word!r}{hint}")


def finite(name: str, array: np.ndarray) -> np.ndarray:
    """An array without NaN or infinity; the message says how many there are and where the first is."""
    # The sum is finite unless an element is not, or it overflows: one pass without a temporary array. The sum of
    # squares would be quicker, but BLAS's threads then wait busily for more and take the processor from ours.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious:
        bad = ~np.isfinite(array)
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{name} contains {int(bad.sum())} NaN or infinite values, the first at index {first}")
    return array


def shaped(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of the given shape; None stands for any length."""
    if array.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, array.shape, strict=False)):
        wanted = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(f"{name} must have shape [{wanted}], not {list(array.shape)}")
    return array
