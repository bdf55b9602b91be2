"""A neuron: its vjp against differences of its step, argument by argument.

Both run on plain Python floats, with the surrogate's smooth step for a spike. Half the art is in where to look: at
arguments like the neuron's own, with the membrane near its threshold, and not at a kink.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..neuron import Neuron
from ..neurons.reset import attached
from .compare import REDRAWS, GradientError, H, Row, as_floats, compared, difference, floor_of, worst_of

Ranges = Mapping[str, tuple[float, float]]


class _Memory:
    """Arguments that a hole was called with. Kept as a default argument of the filling: ``kernel`` copies those as they
    are."""

    def __init__(self, respond: Callable[[float, float], float]):
        self.respond, self.seen, self.place, self.replaying = respond, [], 0, False

    def start(self, replaying: bool) -> None:
        self.place, self.replaying = 0, replaying
        if not replaying:
            self.seen = []

    def visit(self, value: float) -> float:
        """``respond(first, value)``, with ``first`` the value of the same call at the unperturbed point."""
        if not self.replaying:
            self.seen.append(value)
        first = self.seen[self.place] if self.place < len(self.seen) else value
        self.place += 1
        return self.respond(first, value)

    def filling(self) -> Callable[[float], float]:
        def visit_memory(value, memory=self):
            return memory.visit(value)

        return visit_memory


class Model:
    """A neuron's functions with smooth spikes, and where to draw their arguments."""

    def __init__(self, neuron: Neuron, ranges: Ranges):
        if neuron.vjp is None:
            raise ValueError(f"{neuron!r} has no vjp: there is no gradient to check")
        self.results = [neuron.output, *neuron.state]
        self.names = ["x", *neuron.state, *neuron.params]
        for name in ranges:
            if name not in self.names:
                raise ValueError(f"ranges names {name!r}; the arguments of step are {self.names}")
        filling, slope = neuron.filling(smooth=True), neuron.surrogate.slope
        dthrough = filling.get("dthrough", attached)
        self.through = _Memory(lambda first, s: first + dthrough(s - first))
        self.spike = _Memory(lambda first, u: neuron.surrogate.smooth(u))
        holes = {**filling, "through": self.through.filling(), "spike": self.spike.filling()}
        self.step = kernel(neuron.step, device="python", dtype=np.float64, **holes)
        self.vjp = kernel(neuron.vjp, device="python", dtype=np.float64, **filling)
        self.plain = kernel(neuron.step, device="python", dtype=np.float64, **neuron.filling())
        self.neuron, self.ranges = neuron, ranges
        steep = max(abs(slope(1e-9)), abs(slope(-1e-9)))
        widths = [w for w in np.geomspace(1e-4, 1.0, 25) if max(abs(slope(w)), abs(slope(-w))) >= 0.1 * steep]
        self.width = float(max(widths, default=1e-4))
        self.whole = {name for name in neuron.params if neuron.per_step.get(name) == "steps"}

    def describe(self, i: int) -> str:
        """Argument ``i`` of ``step`` in words."""
        if i < len(self.results):
            return f"state {self.names[i]}" if i else "input x"
        return f"parameter {self.names[i]}" + (" (per step)" if self.names[i] in self.neuron.per_step else "")

    def draw(self, rng: np.random.Generator, near: bool) -> list[float]:
        """Random arguments; with ``near``, ``x`` and state are moved until the membrane is near the threshold."""
        problem = ""
        for _ in range(REDRAWS):
            try:
                args = self.around(rng)
                args = self.approach(args, self.width * rng.normal()) if near else args
                if all(map(math.isfinite, self.run(args))):
                    return args
            except GradientError:
                raise
            except (ArithmeticError, ValueError) as error:  # outside the domain of a root, a logarithm, a quotient
                problem = f" ({error})"
        raise ValueError(f"step of {self.neuron!r} gave no finite results{problem}; say in ranges where to look")

    def around(self, rng: np.random.Generator) -> list[float]:
        """Random arguments near the neuron's own values."""
        neuron = self.neuron
        args = [self.between("x", rng, rng.normal())]
        args += [self.between(k, rng, self.state(k, float(np.mean(v)), rng)) for k, v in neuron.state.items()]
        return args + [self.between(k, rng, self.param(k, v, rng)) for k, v in neuron.params.items()]

    def between(self, name: str, rng: np.random.Generator, otherwise: float) -> float:
        """A random value of an argument within its range, if the caller gave one."""
        return float(rng.uniform(*self.ranges[name])) if name in self.ranges else float(otherwise)

    def state(self, name: str, start: float, rng: np.random.Generator) -> float:
        """A random value of a state variable: a small whole number if it counts."""
        if name in self.whole:
            return float(rng.choice([0.0, 0.0, 1.0, 2.0]))
        return start + max(0.5, 0.2 * abs(start)) * rng.normal()

    def param(self, name: str, value: Any, rng: np.random.Generator) -> float:
        """Near its value, with its sign, and within 0 and 1 if it is: also a user's parameters then make sense."""
        value = value((2,)) if callable(value) else value
        p = float(rng.choice(np.asarray(value, np.float64).ravel()))
        if name in self.whole:
            return float(rng.integers(0, 4))
        if name in self.neuron.per_step:
            return rng.uniform(0.05, 0.95)
        if p == 0.0:
            return rng.uniform(0.05, 0.5)
        return p ** rng.uniform(0.5, 2.0) if 0.01 < p < 1.0 else p * rng.uniform(0.7, 1.3)

    def approach(self, args: list[float], target: float) -> list[float]:
        """Newton's method on the argument of ``spike``, along its gradient with respect to ``x`` and state."""
        inputs = self.names[: len(self.results)]
        moving = [i for i, name in enumerate(inputs) if name not in self.ranges and name not in self.whole]
        for _ in range(12):
            u = self.margin(args)
            if abs(target - u) < 0.1 * self.width:
                break
            slopes = [(self.margin(_moved(args, i, H)) - self.margin(_moved(args, i, -H))) / (2.0 * H) for i in moving]
            length = sum(s * s for s in slopes)
            if not 1e-9 < length < math.inf:
                break
            for i, s in zip(moving, slopes, strict=True):
                args = _moved(args, i, s * (target - u) / length)
        return args

    def margin(self, args: list[float]) -> float:
        """Argument of ``spike``: the membrane minus its threshold."""
        self.run(args)
        return self.spike.seen[0] if self.spike.seen else math.nan

    def run(self, args: list[float], replaying: bool = False) -> list[float]:
        """Results of ``step``; ``replaying`` keeps what is detached as it was at the run before."""
        self.through.start(replaying)
        self.spike.start(False)
        return as_floats("step", self.results, self.step(*args))

    def find_counters(self, rng: np.random.Generator) -> None:
        """State variables that stay whole numbers while everything else is not: they count, and have no derivative."""
        self.whole |= set(self.neuron.state)
        while True:
            runs = [self.run(self.draw(rng, near=True))[1:] for _ in range(15)]
            drawn = zip(*runs, strict=True)
            broken = {n for n, r in zip(self.neuron.state, drawn, strict=True) if not all(v.is_integer() for v in r)}
            if not broken & self.whole:
                return
            self.whole -= broken

    def reverse(self, args: list[float], g: list[float]) -> list[float]:
        """Results of ``vjp``."""
        as_floats("step", self.results, self.plain(*args))
        return as_floats("vjp", [f"the derivative with respect to {name}" for name in self.names], self.vjp(*args, *g))


def _moved(args: list[float], i: int, by: float) -> list[float]:
    return [*args[:i], args[i] + by, *args[i + 1 :]]


def neuron_rows(neuron: Neuron, ranges: Ranges, trials: int, rng: np.random.Generator, tolerance: float) -> list[Row]:
    """The errors of a neuron's ``vjp``, one row per argument of ``step``, the worst of all trials."""
    model, rows = Model(neuron, ranges), []
    model.find_counters(rng)
    for trial in range(trials):
        problem = "kinks or jumps"
        for _ in range(REDRAWS):
            try:
                found = _point(model, rng, trial % 3 > 0, tolerance)
            except GradientError:
                raise
            except (ArithmeticError, ValueError) as error:
                found, problem = [], str(error)
            if found:
                break
        else:
            raise ValueError(f"no smooth point of {neuron!r} was found ({problem}); say in ranges where to look")
        rows += found
    return worst_of(rows)


def _point(model: Model, rng: np.random.Generator, near: bool, tolerance: float) -> list[Row]:
    """The rows of one random point; none if it is near a kink."""
    args, g, rows = model.draw(rng, near), [float(v) for v in rng.normal(size=len(model.results))], []
    gradient = model.reverse(args, g)
    floor = floor_of(sum(a * b for a, b in zip(g, model.run(args), strict=True)))
    for i, name in enumerate(model.names):
        what = model.describe(i)
        if name in model.whole and gradient[i] == 0.0:
            rows.append(Row(what, 0.0, 0.0, 0.0))
            continue
        size = abs(args[i])
        h = H * (size if what.startswith("parameter") and 0.0 < size < 0.01 else max(1.0, size))
        least = floor * max(1.0, H / h)  # rounding counts for more where the difference is a small one
        model.run(args)

        def along(e: float, i: int = i) -> float:
            return sum(a * b for a, b in zip(g, model.run(_moved(args, i, e), replaying=True), strict=True))

        numeric = difference(along, h, least, tolerance)
        if not math.isfinite(numeric) and name not in model.whole:
            return []
        rows.append(compared(what, gradient[i], numeric, least))
    return rows
