"""Random plasticity rules on dense weights and given spikes against the oracle of sparse synapses."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn.random import Draws

from .naive_simulations import Array, Plastic, Wire
from .test_random_simulations import Drawing
from .worker import Mismatch, Worker

MODULE = __name__ if __name__.startswith("tests.") else f"tests.trust.{__name__.rpartition('.')[2]}"


@pytest.mark.trust(share=0.1)
def test_interpreted_random_rules_do_what_the_equations_say(trials):
    with Worker(MODULE, interpreted=True, compiled=False) as worker:
        for seed in trials("interpreted random rules", least=4):
            worker(seed)


def leaky(x: Any, v: Any, decay: Any) -> tuple[Any, Any]:
    """A leaky unit."""
    u = decay * v + x
    s = nbsnn.spike(u - 1.0)
    return s, (1.0 - s) * u


class Rule(Drawing):
    """A random rule, weights, and spikes of some samples."""

    def __init__(self, seed: int):
        self.rng = self.kinds = rng = np.random.default_rng([8, seed])
        self.seed, self.compiled, self.dt = seed, False, float(rng.choice([0.5, 1.0]))
        kind, self.options = self.rule()
        while kind == "membrane":
            kind, self.options = self.rule()
        if kind not in ("MSTDP", "MetaNearestSTDP", "PostPreInt") and self.chance(0.3):
            self.options["bounds"] = "smooth"
        if self.options.get("bounds") == "smooth":
            self.options["clip"] = "changed"
        self.kind, n, m, steps = kind, *(int(k) for k in rng.integers(1, 7, 2)), int(rng.integers(1, 16))
        one = kind in ("MSTDP", "MetaNearestSTDP", "PostPreInt")  # whose samples are not simply added up
        batch = 1 if one else int(rng.integers(1, 4))
        self.pre, self.post = (rng.random((steps, batch, k)) < rng.choice([0.1, 0.4]) for k in (n, m))
        self.weights = rng.uniform(0.1, 1.9, (n, m))
        if kind == "PostPreInt":
            self.weights = rng.integers(0, 6, (n, m))
        self.reward = rng.normal(size=(steps, batch))
        self.layered = seed % 2 == 1 and kind != "PostPreInt"
        self.delay, self.lag = int(rng.integers(0, 4)), (int(rng.integers(0, 4)), int(rng.integers(0, 2)))
        self.defer = bool(rng.random() < 0.3) and kind not in ("MSTDP", "MetaNearestSTDP")
        self.bias, self.back = rng.normal(0.0, 0.1, m) * rng.integers(0, 2), rng.normal(0.0, 0.4, (m, m))
        self.back_bias, self.around = rng.normal(0.0, 0.1, m), int(rng.integers(0, 3))

    def layer(self, device: str) -> Any:
        """The rule in a layer, with feedback of no kind, without a bias, or with one."""
        (n, m), lateral = self.weights.shape, None
        if self.around:
            bias = self.around == 2
            lateral = nbsnn.Dense(m, m, bias=bias, path="events", weight=lambda *_, **__: self.back.copy())
        given = nbsnn.Dense(n, m, bias=bool(self.bias.any()), path="events")
        neuron = nbsnn.Neuron(leaky, state={"v": 0.0}, params={"decay": 0.7})
        layer = nbsnn.plasticity.Plastic(
            given, neuron, self.made(), lateral=lateral, delay=self.delay, lag=self.lag, defer=self.defer, dt=self.dt,
            dtype=np.float64, device=device,
        )  # fmt: skip
        layer.weights[...] = self.weights
        for name, array in layer.parameters().items():
            if name == "connection/bias":
                array[...] = self.bias
            if name == "lateral/bias":
                array[...] = self.back_bias
        return layer

    def made(self) -> Any:
        return self.made_rule((self.kind, self.options))

    def signals(self, a: int, z: int) -> dict[str, Any]:
        if self.kind == "PostPreInt":
            draws = Draws(self.seed, "connection", 0, "rounding")
            return {"draws": draws, "thresh": np.zeros((z - a, 1, self.weights.shape[1]), np.int32)}
        return {"reward": self.reward[a:z]} if self.kind == "MSTDP" else {}

    def run(self, device: str, *cuts: int) -> Array:
        """Weights after all steps, cut where it says."""
        rule, state, ends = self.made(), None, [0, *cuts, len(self.pre)]
        if self.layered:
            layer, spikes = self.layer(device), list[Array]()
            for a, z in pairwise(ends):
                run = layer.learn(self.pre[a:z].astype(float), state, **self.signals(a, z))
                state = run.state
                spikes.append(run.output)
            return np.append(np.concatenate(spikes), layer.weights)
        weights = self.weights.astype(np.int32 if self.kind == "PostPreInt" else np.float64)
        for a, z in pairwise(ends):
            pre, post = (s[a:z].astype(weights.dtype) for s in (self.pre, self.post))
            state = rule.run(weights, pre, post, state, dt=self.dt, device=device, **self.signals(a, z)).state
        return weights

    def expected(self) -> Array:
        """The same, synapse by synapse."""
        n, m = self.weights.shape
        pairs = [k.ravel() for k in np.mgrid[:n, :m]]
        wire = Wire("s", "c", ("Delta", {}), (self.kind, self.options), delay=0.0, weight=self.weights.ravel())
        wire.pre, wire.post = pairs
        sim: Any = SimpleNamespace(dt=self.dt, seed=self.seed, sizes={"s": n, "c": m}, port=lambda *_: None)
        naive, samples = Plastic(sim, wire), [Plastic(sim, wire) for _ in self.pre[0]]
        naive.begin()
        v, output = np.zeros((len(samples), m)), np.zeros((len(self.pre) + 1, len(samples), m), bool)
        pending = np.zeros(n * m), np.zeros(n * m, bool)
        none = np.zeros((len(samples), n), bool)
        for t, (pre, post) in enumerate(zip(self.pre, self.post, strict=True)):
            if self.layered:
                x = self.pre[t - self.delay] if t >= self.delay else none
                current = x @ naive.w.reshape(n, m) + self.bias + (self.around > 0) * (output[t - 1] @ self.back)
                current += (self.around == 2) * self.back_bias
                output[t] = current + 0.7 * v >= 1.0
                v = np.where(output[t], 0.0, current + 0.7 * v)
                pre = self.pre[t - self.lag[0]] if t >= self.lag[0] else none
                post = output[t - self.lag[1]]
            if self.kind in ("MSTDP", "MetaNearestSTDP", "PostPreInt"):
                naive.reward = float(self.reward[t, 0])
                naive.change(t, pre[0], post[0])
            else:
                used = [one.follow(*spikes) for one, spikes in zip(samples, zip(pre, post, strict=True), strict=True)]
                asked = self.sum(naive, pre, post, used), naive.visited
                now, pending = (pending, asked) if self.layered and self.defer else (asked, pending)
                naive.visited = now[1]
                naive.settle(t, now[0])
        naive.finish()
        return np.append(output[:-1], naive.w) if self.layered else naive.w

    def sum(self, naive: Plastic, pre: Array, post: Array, used: list[Any]) -> Array:
        """What each weight gains from all samples, whose demands are added up first."""
        d, naive.visited = np.zeros(len(naive.w)), np.zeros(len(naive.w), bool)
        for k, (i, j) in enumerate(zip(naive.wire.pre, naive.wire.post, strict=True)):
            total = np.zeros(2)
            for p, q, each in zip(pre[:, i], post[:, j], used, strict=True):
                naive.visited[k] |= p or q
                if (p or q) and not (p and q and self.options.get("coincidence") == "ignore"):
                    total += naive.asked(i, j, bool(p), bool(q), each)
            d[k] = sum(naive.weighed(k, asked) for asked in total)
        return d

    def __repr__(self) -> str:
        how = (
            f"layer, {self.delay=}, {self.lag=}, {self.defer=}, {self.around=}, {self.bias=}"
            if self.layered
            else "rule"
        )
        return f"{self.made()}, dt={self.dt}, spikes {self.pre.shape}, {self.post.shape}, {how}"


def trial(seed: int, counts: Counter[str], compiled: bool, device: str = "cpu") -> None:
    """The rule number ``seed``, at once and in two pieces."""
    one = Rule(seed)
    ways = {"": ()}
    whole = one.options.get("normalize", {}).get("when") == "end" or one.options.get("clip") == "all"
    if not whole and len(one.pre) > 1:
        ways["in two pieces, "] = (int(one.rng.integers(1, len(one.pre))),)
    wanted = one.expected()
    for how, cuts in ways.items():
        found = one.run(device, *cuts).ravel()
        counts["rules"] += 1
        if not np.allclose(found, wanted, rtol=1e-9, atol=1e-10):
            raise Mismatch(f"{how}{np.abs(found - wanted).max()} of {np.abs(wanted).max()}\n{one}")
