"""Random training networks against an oracle in plain NumPy: outputs, states, gradients, and what must not matter."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn.layers import Sequential

from .naive_gradient import Array
from .naive_networks import Dense, Drawing, Neurons, Oracle, Recurrent, Row
from .naive_neurons import NaiveNeuron, draw_neuron, draw_readout
from .worker import Mismatch, Worker

MODULE = __name__ if __name__.startswith("tests.") else f"tests.trust.{__name__.rpartition('.')[2]}"

ROUNDING = {np.float32: 2e-4, np.float64: 1e-9}
"""Relative to the largest number: by how much results may differ that were added up in another order."""

BORDERLINE = {np.float32: 5e-5, np.float64: 1e-11}
"""A membrane so near its threshold may spike here and not there, and all is different from then on."""


@pytest.mark.trust(share=2.5)
def test_interpreted_random_networks_do_what_the_equations_say(trials):
    with Worker(MODULE, interpreted=True, compiled=False) as worker:
        for seed in trials("interpreted random networks", least=6, hour=1000):
            worker(seed)


@pytest.mark.trust(share=1.0)
def test_compiled_random_networks_do_what_the_equations_say(trials):
    with Worker(MODULE, interpreted=False, compiled=True) as worker:
        for seed in trials("compiled random networks", least=2, hour=20):
            worker(seed, patience=1200.0)  # as long as compiling takes on a busy machine


def near(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two arrays are equal but for rounding."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size = 1.0 + np.maximum(np.abs(a), np.abs(b)).max(initial=0.0)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance * size))


def drawing(rng: np.random.Generator, compiled: bool) -> Drawing:
    """Compiled networks have neurons of few kinds, so that there are few kernels to compile."""
    few = lambda: np.random.default_rng([12, int(rng.integers(3))])  # noqa: E731
    return Drawing(rng, not compiled, few if compiled else lambda: rng)


class Trial:
    """One random network with its input, and what is compared."""

    def __init__(self, seed: int, counts: Counter[str], compiled: bool, device: str):
        self.rng = rng = np.random.default_rng(seed)
        self.counts, self.drawing, self.device = counts, drawing(rng, compiled), device
        self.row, self.shape = self.drawing.network()
        self.build(seed)
        self.kind, self.x = self.drawing.input(self.shape)

    def build(self, seed: int, weight: float = 2.5) -> None:
        """The library's network, whose weights are ``weight`` times those drawn: so that it spikes."""
        rng = self.rng
        self.dtype: Any = np.float64 if self.drawing.small and rng.random() < 0.6 else np.float32
        self.dt = float(rng.choice([1.0, 0.5]))
        setting = {"seed": seed, "dt": self.dt, "dtype": self.dtype, "input_shape": self.shape, "device": self.device}
        self.net: Sequential = self.row.library(**setting)
        for name, array in self.net.parameters().items():
            if name.endswith("weight"):
                array *= weight
        self.tolerance, self.border = ROUNDING[self.dtype], BORDERLINE[self.dtype]

    def oracle(self, net: Sequential | None = None, **how: Any) -> Oracle:
        params = {name: np.array(a, np.float64) for name, a in (net or self.net).parameters().items()}
        return Oracle(self.row, params, dt=self.dt, dtype=how.pop("dtype", self.dtype), **how)

    def neurons(self) -> list[NaiveNeuron]:
        """All models in the network."""
        found, pending = [], [self.row]
        while pending:
            layer: Any = pending.pop()
            pending += [
                getattr(layer, name) for name in ("branch", "shortcut", "inner", "feedback") if hasattr(layer, name)
            ]
            pending += getattr(layer, "layers", []) + getattr(layer, "branches", [])
            found += [layer.model] if isinstance(layer, Neurons) else []
        return found

    def expect(self, what: str, a: Any, b: Any, tolerance: float | None = None) -> None:
        """Raise unless two results are equal: in bits, or as far as rounding allows."""
        self.counts[what] += 1
        if not (np.array_equal(a, b) if tolerance is None else near(a, b, tolerance)):
            worst = np.abs(np.asarray(a, float) - b).max() if np.shape(a) == np.shape(b) else "another shape"
            raise Mismatch(f"{what}: {worst} of {np.abs(b).max(initial=0.0):.3g}\n{self}")

    def __repr__(self) -> str:
        return f"{self.row}\n{self.kind} {list(self.x.shape)}, {np.dtype(self.dtype)}, dt={self.dt}"

    # What is compared.

    def forward(self) -> bool:
        """Outputs and states; False if a membrane lies on its threshold, where rounding decides."""
        given = np.array(self.x)
        run, oracle = self.net.run(self.x), self.oracle()
        if not np.array_equal(given, self.x):
            raise Mismatch(f"the input was changed\n{self}")
        self.output = run.output.copy()
        expected = oracle.run(given).value
        self.counts["networks"] += 1
        self.counts["spikes"] += oracle.spikes.count
        if oracle.spikes.nearest < self.border * (1.0 + np.abs(expected).max(initial=0.0)):
            self.counts["borderline"] += 1
            return False
        self.expect("output", self.output, expected, self.tolerance)
        for name, steps in oracle.records.items():
            layer, _, variable = name.rpartition("/")
            if not any(part.startswith("recurrent") for part in layer.split("/")[:-2]):
                self.expect("states", run[layer][variable], np.array(steps), self.tolerance)
        return True

    def cuts(self) -> None:
        """A run cut in two is the whole run."""
        if len(self.x) < 2 or self.kind == "constant":
            return
        at = int(self.rng.integers(1, len(self.x)))
        first = self.net.run(self.x[:at])
        second = self.net.run(self.x[at:], first.state)
        both = np.concatenate([first.output, second.output])
        self.expect("cut run", both, self.output, 1e-5 if self.dtype is np.float32 else 1e-12)

    def gradients(self, **how: Any) -> dict[str, Array]:
        loss, target = self.goal()
        _, grads = nbsnn.BPTT(self.net, loss, **how).gradients(self.x, target)
        return {name: np.array(array) for name, array in grads.items()}

    def goal(self) -> tuple[Any, Any]:
        """A loss and its target, whose gradient is ``g``; on a GPU, one that it knows."""
        if self.device == "cpu":
            return self.loss, None
        return nbsnn.losses.StepMSE("sum"), self.output - 0.5 * self.output[0].size * self.g

    def loss(self, y: Array, target: Any) -> tuple[float, Array]:
        return float((y.astype(np.float64) * self.g).sum()), self.g.astype(y.dtype)

    def learning(self, threads: tuple[int, ...]) -> None:
        """Gradients: of the equations, compact and plain, with less memory, in chunks, on several threads."""
        steps, x = len(self.x), np.array(self.x)
        self.g = self.rng.normal(size=self.output.shape).astype(self.dtype) / np.sqrt(self.output.size)
        oracle = self.oracle(training=True)
        expected = oracle.gradients(x, self.g)
        if oracle.spikes.nearest < self.border:
            self.counts["borderline"] += 1
            return
        found = self.gradients()
        for name, array in expected.items():
            self.expect("gradient", found[name], array, self.tolerance)
        plain = self.gradients(compact=False)
        for name, array in plain.items():
            self.expect("plain gradient", array, expected[name], self.tolerance)
        for count in threads:
            nbsnn.set_threads(count)
            self.same_bits(f"{count} threads", found, self.gradients())
        nbsnn.set_threads(1)
        plans = nbsnn.BPTT(self.net, self.loss).plan(steps, x.shape[1]) if self.device == "cpu" else {}
        for share in (0.99, 0.8) if plans else ():
            budget = int(share * sum(plan.bytes for plan in plans.values()))
            try:
                lean = self.gradients(max_bytes=max(1, budget))
            except ValueError as error:
                if "max_bytes" not in str(error):
                    raise
                self.counts["refused budgets"] += 1
                continue
            self.same_bits("max_bytes", found, lean)
        chunk = int(self.rng.integers(1, steps + 1))
        expected = self.oracle(training=True, cut=chunk).gradients(x, self.g)
        for name, array in self.gradients(chunk=chunk).items():
            self.expect("truncated gradient", array, expected[name], self.tolerance)

    def same_bits(self, what: str, a: dict[str, Array], b: dict[str, Array]) -> None:
        for name in a:
            self.expect(what, a[name], b[name])

    def differences(self) -> None:
        """The gradient of the smooth twin against finite differences of the oracle."""
        detached = any(neuron.options.get("detach_reset") for neuron in self.neurons())
        if detached or "MaxPool2d" in repr(self.row):
            return
        twin: Any = self.net.twin(dtype=np.float64, smooth=True)
        base = {name: array.copy() for name, array in twin.parameters().items()}
        x, g = np.array(self.x, np.float64), self.g.astype(np.float64)
        _, found = nbsnn.BPTT(twin, lambda y, _: (float((y * g).sum()), g.copy())).gradients(x, None)

        def value(params: dict[str, Array]) -> float:
            run = Oracle(self.row, params, dt=self.dt, smooth=True, training=True)
            result = float((run.run(x).value * g).sum())
            self.nearest = min(self.nearest, run.spikes.nearest)
            return result

        direction = {name: self.rng.normal(size=array.shape) for name, array in base.items()}
        slope = sum(float((found[name] * d).sum()) for name, d in direction.items())
        size = sum(abs(float((found[name] * d).sum())) for name, d in direction.items())
        for h in (1e-5, 1e-6):
            self.nearest = np.inf
            ends = [value({name: a + s * h * direction[name] for name, a in base.items()}) for s in (1, -1)]
            if self.nearest < 1e-4:  # a refractory period or a kink begins or ends between the two
                return
            numeric = (ends[0] - ends[1]) / (2 * h)
            if abs(numeric - slope) <= 1e-5 * (abs(numeric) + size) + 1e-7:
                self.counts["finite differences"] += 1
                return
        raise Mismatch(f"smooth twin: {slope:.9g} along a direction, finite differences {numeric:.9g}\n{self}")


def trial(seed: int, counts: Counter[str], compiled: bool, device: str = "cpu") -> None:
    """All comparisons of the network number ``seed``."""
    nbsnn.set_threads(1)
    if seed % 5 == 4:
        return online(seed, counts, compiled, device)
    one = Trial(seed, counts, compiled, device)
    if not one.forward():
        return
    one.cuts()
    one.learning((2, 3) if compiled else ())
    if device == "cuda":
        return
    if seed % 3 == 0 and hasattr(one, "g"):
        one.differences()
    if seed % 25 == 1 and sum(a.size for a in one.net.parameters().values()) < 400:
        nbsnn.check(one.net, trials=1)
        counts["nbsnn.check"] += 1


def online(seed: int, counts: Counter[str], compiled: bool, device: str) -> None:
    """Rules that learn while time passes: SLTT, OTTT, and e-prop where the network has its form."""
    one = Trial.__new__(Trial)
    one.rng = rng = np.random.default_rng(seed)
    one.counts, one.drawing, one.device = counts, drawing(rng, compiled), device
    kinds = one.drawing.kinds
    n, m, classes = one.drawing.size(), one.drawing.size(), int(rng.integers(1, 6))
    hidden: Any = Neurons(draw_neuron(rng, (m,), kinds()))
    hidden.model.options.pop("learn", None)
    loop = rng.random() < 0.5
    parts = [Dense(n, m, bool(rng.random() < 0.7)), Recurrent(hidden) if loop else hidden, Dense(m, classes)]
    readout = draw_readout(rng, kinds())
    readout.options.pop("learn", None)
    one.row, one.shape = Row([*parts, Neurons(readout)]), (n,)
    one.build(seed)
    one.kind, one.x = "spikes", (rng.random((int(rng.integers(2, 9)), int(rng.integers(1, 4)), n)) < 0.3).astype("f4")
    if not one.forward():
        return
    one.g = rng.normal(size=one.output.shape).astype(one.dtype)
    how: dict[str, dict[str, Any]] = {
        "SLTT": {"cut": 1},
        "OTTT": {"cut": 1, "rule": "OTTT"},
        "e-prop": {"rule": "e-prop"},
        "e-prop, random feedback": {"rule": "e-prop"},
    }

    def loss(y: Array, g: Array) -> tuple[float, Array]:
        return float((y * g).sum()), g.astype(y.dtype)

    goal: tuple[Any, Any] = (loss, one.g) if device == "cpu" else one.goal()
    for name, options in how.items():
        if "e-prop" in name and not nbsnn.EProp.fits(one.net):  # a PLIF learns its leak in any case
            continue
        if "e-prop" in name:
            learner: Any = nbsnn.EProp(one.net, goal[0], feedback="random" if "random" in name else "symmetric")
            options["feedback"] = learner.feedback_weight.astype(np.float64)
        else:
            learner = {"SLTT": nbsnn.SLTT, "OTTT": nbsnn.OTTT}[name](one.net, goal[0], window=int(rng.integers(1, 5)))
        expected = one.oracle(**options).gradients(np.array(one.x), one.g)
        _, found = learner.gradients(one.x, goal[1])
        for parameter, array in expected.items():
            one.expect(name, found[parameter], array, one.tolerance)
