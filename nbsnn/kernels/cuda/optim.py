"""One step of an optimiser on a GPU: ``kernels.cpu.optim``, one thread for each element.

``hyper`` is a tuple of numbers here, not an array: a kernel's arguments need no copy of their own.
"""

# pyright: reportCallIssue=false

from typing import Any

from numba import cuda

from ...hole import hole


@hole
def rule(p: float, g: float, *slots_and_constants: float) -> tuple[float, ...]:
    """The equation of an optimiser; filled in."""
    raise NotImplementedError("rule is a hole; compile.kernel fills it")


@hole
def slots(array: Any, i: int) -> tuple[float, ...]:
    """``array[:, i]`` as a tuple; filled with ``spell.row``."""
    raise NotImplementedError("slots is a hole; compile.kernel fills it")


@hole
def constants(array: Any, i: int) -> tuple[float, ...]:
    """The numbers that are the same for all elements, as a tuple; filled in."""
    raise NotImplementedError("constants is a hole; compile.kernel fills it")


@hole
def keep(memory: Any, result: tuple[float, ...], i: int) -> None:
    """Store the new slots ``result[1:]`` of element ``i``; filled with ``spell.store``."""
    raise NotImplementedError("keep is a hole; compile.kernel fills it")


def update(lo: int, hi: int, p: Any, g: Any, memory: Any, hyper: Any) -> None:
    """Apply ``rule`` to ``p[lo:hi]`` in place."""
    i = lo + cuda.grid(1)
    if i < hi:
        result = rule(p[i], g[i], *slots(memory, i), *constants(hyper, 0))
        p[i] = result[0]
        keep(memory, result, i)
