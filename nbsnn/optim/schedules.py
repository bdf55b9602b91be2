"""Learning rates that change: pure functions of the iteration number, counted from 0.

A schedule remembers nothing, so training that is resumed at iteration ``k`` continues with the same rates. Any
function ``int -> float`` will do; those below say in their ``repr`` what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

from ..validate import array_of, count, function, number, switch

Schedule = Callable[[int], float]
"""The learning rate of iteration ``0, 1, 2, ...``"""


@dataclass(frozen=True)
class Constant:
    """Constant learning rate.

    Parameters
    ----------
    lr : float

    Examples
    --------
    >>> Constant(0.1)(7)
    0.1
    """

    lr: float

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)

    def __call__(self, iteration: int) -> float:
        return float(self.lr)


@dataclass(frozen=True)
class StepDecay:
    """A learning rate that is multiplied by ``factor`` after each ``every`` iterations.

        lr * factor ** (iteration // every)

    Parameters
    ----------
    lr : float
        Rate of the first ``every`` iterations.
    every : int
        Length of a stair.
    factor : float, default 0.1

    Examples
    --------
    >>> [StepDecay(1.0, every=2, factor=0.5)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    lr: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)
        count("every", self.every)
        number("factor", self.factor, above=0.0)

    def __call__(self, iteration: int) -> float:
        return self.lr * _power(self.factor, iteration // self.every)


@dataclass(frozen=True)
class MultiStep:
    """A learning rate that is multiplied by ``factor`` at each of some iterations.

    Parameters
    ----------
    lr : float
        Rate before the first of them.
    milestones : tuple of int
        When it changes, ascending.
    factor : float, default 0.1

    Examples
    --------
    >>> [MultiStep(1.0, milestones=(2, 3), factor=0.5)(k) for k in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    lr: float
    milestones: tuple[int, ...]
    factor: float = 0.1

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)
        given = tuple(count("milestones", k) for k in array_of("milestones", self.milestones).reshape(-1).tolist())
        if not given or list(given) != sorted(given):
            raise ValueError(f"milestones must be ascending, and at least one, not {self.milestones!r}")
        object.__setattr__(self, "milestones", given)
        number("factor", self.factor, above=0.0)

    def __call__(self, iteration: int) -> float:
        return self.lr * _power(self.factor, sum(k <= iteration for k in self.milestones))


@dataclass(frozen=True)
class Cosine:
    """A learning rate that falls from ``lr`` to ``lr_min`` along half a cosine, and stays there.

        lr_min + (lr - lr_min) (1 + cos(pi min(iteration / iterations, 1))) / 2

    With ``stays=False`` it rises again along the other half, and so on, as PyTorch's ``CosineAnnealingLR`` does.

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017 (without restarts).

    Parameters
    ----------
    lr : float
        Rate of iteration 0.
    iterations : int
        When ``lr_min`` is reached.
    lr_min : float, default 0
    stays : bool, default True
        Whether it stays at ``lr_min``.

    Examples
    --------
    >>> [round(Cosine(1.0, iterations=4)(k), 3) for k in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """

    lr: float
    iterations: int
    lr_min: float = 0.0
    stays: bool = True

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)
        count("iterations", self.iterations)
        number("lr_min", self.lr_min, least=0.0)
        switch("stays", self.stays)

    def __call__(self, iteration: int) -> float:
        along = iteration / self.iterations
        along = min(along, 1.0) if self.stays else along
        return self.lr_min + (self.lr - self.lr_min) * 0.5 * (1.0 + cos(pi * along))


@dataclass(frozen=True)
class Warmup:
    """A learning rate that grows linearly to the first one of another schedule, which then begins.

        (iteration + 1) / iterations * schedule(0)      for the first ``iterations``
        schedule(iteration - iterations)                afterwards

    P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", arXiv:1706.02677 (2017).

    Parameters
    ----------
    schedule : schedule or float
        What comes after.
    iterations : int
        Length of the ramp.

    Examples
    --------
    >>> [Warmup(StepDecay(1.0, every=1, factor=0.5), iterations=4)(k) for k in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5]
    """

    schedule: Schedule | float
    iterations: int

    def __post_init__(self) -> None:
        if callable(self.schedule):
            function("schedule", self.schedule, "a number or a schedule", takes=1)
        else:
            number("schedule", self.schedule, least=0.0)
        count("iterations", self.iterations)

    def __call__(self, iteration: int) -> float:
        after = self.schedule if callable(self.schedule) else Constant(self.schedule)
        if iteration < self.iterations:
            return (iteration + 1) / self.iterations * after(0)
        return after(iteration - self.iterations)


def _power(factor: float, k: int) -> float:
    """``factor`` to the power of k; infinite beyond the range of numbers, which an optimiser refuses as a rate."""
    try:
        return factor**k
    except OverflowError:
        return math.inf
