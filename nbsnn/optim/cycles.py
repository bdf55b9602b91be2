"""Learning rates that go up again: warm restarts, and one cycle of up and down with its momentum."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

from ..validate import choice, count, fraction, number, switch


@dataclass(frozen=True)
class WarmRestarts:
    """A learning rate that falls along half a cosine again and again, maybe more slowly each time.

        lr_min + (lr - lr_min) (1 + cos(pi k / period)) / 2,     k = 0 .. period - 1

    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Parameters
    ----------
    lr : float
        Rate after each restart.
    period : int
        Iterations before the first restart.
    growth : int, default 1
        Factor of the period after each restart.
    lr_min : float, default 0
        What the rate falls towards; it restarts before it is there.

    Examples
    --------
    >>> [round(WarmRestarts(1.0, period=2, growth=2)(k), 3) for k in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    lr: float
    period: int
    growth: int = 1
    lr_min: float = 0.0

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)
        count("period", self.period)
        count("growth", self.growth)
        number("lr_min", self.lr_min, least=0.0)

    def __call__(self, iteration: int) -> float:
        k, period = iteration, self.period
        if self.growth == 1:
            k %= period
        while k >= period:
            k, period = k - period, period * self.growth
        return self.lr_min + (self.lr - self.lr_min) * 0.5 * (1.0 + cos(pi * k / period))


def cycle(iteration: int, iterations: int, rise: float, three_phase: bool, strategy: str, heights: tuple) -> float:
    """A curve through three or four heights, on which each phase ends one iteration before the next would begin."""
    ends = [rise * iterations - 1.0, *([2.0 * rise * iterations - 2.0] * three_phase), iterations - 1.0]
    start, k = 0.0, float(min(iteration, iterations - 1))
    for phase, end in enumerate(ends):
        if k <= end or phase == len(ends) - 1:
            along = min((k - start) / (end - start), 1.0) if end > start else 1.0
            low, high = heights[phase], heights[phase + 1]
            if strategy == "linear":
                return low + (high - low) * along
            return high + (low - high) * 0.5 * (1.0 + cos(pi * along))
        start = end
    raise AssertionError


@dataclass(frozen=True)
class OneCycle:
    """A learning rate that rises to ``lr`` and falls to almost nothing, once in a training.

    It starts at ``lr / div`` and ends at ``lr / div / final_div``; in three phases it falls to ``lr / div`` as fast as
    it rose, and then on. ``OneCycleMomentum`` goes the other way. After ``iterations`` it stays.

    L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks using large learning rates",
    arXiv:1708.07120 (2018); as in PyTorch's ``OneCycleLR``.

    Parameters
    ----------
    lr : float
        Largest rate.
    iterations : int
        Length of the cycle: epochs times batches per epoch.
    rise : float, default 0.3
        Share of it in which the rate rises.
    div, final_div : float, default 25 and 1e4
        How far below the largest rate it starts, and how far below that it ends.
    strategy : {"cos", "linear"}, default "cos"
    three_phase : bool, default False

    Examples
    --------
    >>> [round(OneCycle(1.0, iterations=6, rise=0.5)(k), 3) for k in range(6)]
    [0.04, 0.52, 1.0, 0.75, 0.25, 0.0]
    """

    lr: float
    iterations: int
    rise: float = 0.3
    div: float = 25.0
    final_div: float = 1e4
    strategy: str = "cos"
    three_phase: bool = False

    def __post_init__(self) -> None:
        number("lr", self.lr, least=0.0)
        number("div", self.div, above=0.0)
        number("final_div", self.final_div, above=0.0)
        _check(self.iterations, self.rise, self.strategy, self.three_phase)

    def __call__(self, iteration: int) -> float:
        low = self.lr / self.div
        heights = low, self.lr, *([low] * self.three_phase), low / self.final_div
        return cycle(iteration, self.iterations, self.rise, self.three_phase, self.strategy, heights)


@dataclass(frozen=True)
class OneCycleMomentum:
    """The momentum that belongs to ``OneCycle``: it falls from ``most`` to ``least`` while the rate rises, and back.

    Parameters
    ----------
    iterations, rise
        Those of the ``OneCycle``.
    least, most : float in [0, 1), default 0.85 and 0.95
        Momentum at the largest and at the smallest rate.
    strategy, three_phase
        Those of the ``OneCycle``.

    Examples
    --------
    >>> from nbsnn.optim import SGD, Adam, OneCycle
    >>> cycle = OneCycleMomentum(iterations=6, rise=0.5)
    >>> [round(cycle(k), 3) for k in range(6)]
    [0.95, 0.9, 0.85, 0.875, 0.925, 0.95]
    >>> optimizers = SGD(OneCycle(0.1, 6, rise=0.5), momentum=cycle), Adam(betas=(cycle, 0.999))
    """

    iterations: int
    rise: float = 0.3
    least: float = 0.85
    most: float = 0.95
    strategy: str = "cos"
    three_phase: bool = False

    def __post_init__(self) -> None:
        if fraction("least", self.least) > fraction("most", self.most):
            raise ValueError(f"most must be at least {self.least:g}, which is least, not {self.most!r}")
        _check(self.iterations, self.rise, self.strategy, self.three_phase)

    def __call__(self, iteration: int) -> float:
        heights = self.most, self.least, self.most, self.most
        return cycle(iteration, self.iterations, self.rise, self.three_phase, self.strategy, heights)


def _check(iterations: int, rise: float, strategy: str, three_phase: bool) -> None:
    count("iterations", iterations)
    number("rise", rise, above=0.0, most=1.0)
    choice("strategy", strategy, ("cos", "linear"))
    if switch("three_phase", three_phase) and rise > 0.5:
        raise ValueError(f"in three phases rise must be at most 0.5, not {rise!r}")
