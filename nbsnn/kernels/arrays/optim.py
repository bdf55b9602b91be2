"""One step of an optimiser over the elements [lo, hi) of a flat parameter.

``rule(p, g, *slots, *constants) -> (p, *slots)`` is the optimiser's equation for one number. ``memory[k, i]`` is slot
``k`` of element ``i`` (a momentum, a mean square); ``hyper[q, 0]`` is the same for all elements (a learning rate).
"""

import numpy as np

from ...scalar.hole import hole


@hole
def rule(p: float, g: float, *slots_and_constants: float) -> tuple[float, ...]:
    """The equation of an optimiser; filled in."""
    raise NotImplementedError("rule is a hole; compile.kernel fills it")


@hole
def slots(array: np.ndarray, i: int) -> tuple[float, ...]:
    """``array[:, i]`` as a tuple; filled with ``spell.row``."""
    raise NotImplementedError("slots is a hole; compile.kernel fills it")


@hole
def constants(array: np.ndarray, i: int) -> tuple[float, ...]:
    """``array[:, i]`` as a tuple; filled with ``spell.row``."""
    raise NotImplementedError("constants is a hole; compile.kernel fills it")


@hole
def keep(memory: np.ndarray, result: tuple[float, ...], i: int) -> None:
    """Store the new slots ``result[1:]`` of element ``i``; filled with ``spell.store``."""
    raise NotImplementedError("keep is a hole; compile.kernel fills it")


def update(lo: int, hi: int, p: np.ndarray, g: np.ndarray, memory: np.ndarray, hyper: np.ndarray) -> None:
    """Apply ``rule`` to ``p[lo:hi]`` in place. ``lo`` and ``hi`` are unsigned, so that the loop vectorises."""
    h = constants(hyper, 0)
    for i in range(lo, hi):
        result = rule(p[i], g[i], *slots(memory, i), *h)
        p[i] = result[0]
        keep(memory, result, i)
