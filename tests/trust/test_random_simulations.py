"""Random simulations against an oracle in plain NumPy: spikes, membranes, weights, and what must not matter."""

from __future__ import annotations

import copy
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn import neurons, plasticity, synapses
from nbsnn.network import State, loop

from ..tools.meeting import let_threads_meet
from .naive_simulations import Cells, Simulation, Wire, rest_of
from .worker import Mismatch, Worker

Array = np.ndarray
MODULE = __name__ if __name__.startswith("tests.") else f"tests.trust.{__name__.rpartition('.')[2]}"
BORDERLINE = 1e-9  # a membrane so near its threshold may spike here and not there


@pytest.mark.trust(share=2.5)
def test_interpreted_random_simulations_do_what_the_equations_say(trials):
    with Worker(MODULE, interpreted=True, compiled=False) as worker:
        for seed in trials("interpreted random simulations", least=4, hour=500):
            worker(seed)


@pytest.mark.trust(share=0.7)
def test_compiled_random_simulations_do_what_the_equations_say(trials):
    with Worker(MODULE, interpreted=False, compiled=True) as worker:
        for seed in trials("compiled random simulations", least=1, hour=10):
            worker(seed, patience=1200.0)  # as long as compiling takes on a busy machine


def inhibit(w, pre, post, x, y, eta, alpha):
    """Inhibition that learns (Vogels et al. 2011): a rule of a user's own."""
    return eta * post * x, eta * pre * (y - alpha)


def at_spikes(w, pre, post, x, u, eta, speed, theta):
    """What spikes do under a rule that sees membranes."""
    return eta * post * x * (1.0 + 0.01 * u), -eta * pre * x


def drift(w, x, u, eta, speed, theta):
    """And what happens between them."""
    return speed * (0.5 + x) * (u - theta)


def above(u, eta, speed, theta):
    """Where."""
    return u > theta


class Drawing:
    """A random network and what is done with it.

    Compiled, a network's models make a kernel: so what shapes it (``kinds``) is then one of three choices.
    """

    def __init__(self, seed: int, compiled: bool, device: str = "cpu"):
        self.rng = rng = np.random.default_rng(seed)
        self.kinds = np.random.default_rng([5, seed % 3]) if compiled else rng
        self.seed, self.compiled, self.device = seed, compiled, device
        self.dt = float(rng.choice([0.1, 0.2, 0.5, 1.0]))
        self.steps = int(rng.integers(20, 130))
        self.sources: dict[str, tuple] = {}
        for k in range(int(self.kinds.integers(1, 3))):
            self.sources[f"s{k}"] = self.source(int(rng.integers(3, 8)))
        self.cells = [self.population(f"c{k}") for k in range(int(self.kinds.integers(1, 4)))]
        self.wires = [self.wire(k) for k in range(int(self.kinds.integers(1, 6)))]
        for c in self.cells:
            self.drive(c)
        self.pieces = self.schedule()

    def chance(self, share: float) -> bool:
        return bool(self.kinds.random() < share)

    def one_of(self, *choices: Any) -> Any:
        return choices[int(self.kinds.integers(len(choices)))]

    def source(self, n: int) -> tuple:
        rng, kind = self.rng, self.one_of("poisson", "list", "events", "noise")
        if kind in ("poisson", "noise"):
            return kind, n, float(rng.choice([60.0, 300.0]))
        count = int(rng.integers(1, 60))
        steps, units = rng.integers(1, self.steps + 5, count), rng.integers(0, n, count)
        steps[: 1 + count // 8] = 1  # what comes first must not be lost
        if kind == "events":
            events = np.zeros(count, [("t", "<i8"), ("x", "<i4"), ("y", "<i2")])
            n += n % 2
            units = rng.integers(0, n, count)
            times = np.ceil((steps - rng.uniform(0.1, 0.9, count)) * self.dt * 1000.0).astype(np.int64)
            events["t"], events["x"], events["y"] = times, units % (n // 2), units // (n // 2)
            return "events", n, steps, units, events
        both = np.unique(np.stack([steps, units]), axis=1)
        order = rng.permutation(both.shape[1])
        steps, units = both[:, order]
        return "list", n, steps, units, (steps + rng.uniform(-0.4, 0.4, len(steps))) * self.dt

    def population(self, name: str) -> Cells:
        rng, n = self.rng, int(self.rng.integers(2, 10))
        kinds = [
            "LIF",
            "shifted",
            "soft",
            "own",
            "ALIF",
            "ConductanceLIF",
            "Izhikevich",
            "IF",
            "NoisyLIF",
            "EscapeLIF",
            "DiehlCook",
            "LI",
        ]
        kind = str(self.kinds.choice(kinds[:2] if self.compiled else kinds))
        o: dict[str, Any] = {}
        if kind == "LIF":
            o = {"tau": 20.0, "v_threshold": 5.0, "refractory": float(rng.choice([0.0, 0.5, 1.0]))}
        elif kind == "shifted":
            kind, o = "LIF", {"tau": 10.0, "v_rest": -70.0, "v_threshold": -60.0, "v_reset": -65.0, "refractory": 2.0}
        elif kind == "soft":
            kind = "LIF"
            o = {"tau": 15.0, "v_threshold": 4.0, "v_reset": None, "decay": self.one_of("exp", "euler"), "compare": ">"}
            o["decay_input"] = self.chance(0.5)
        elif kind == "own":
            kind = "LIF"
            o = {"tau": 8.0, "v_threshold": rng.uniform(2.0, 5.0, n), "refractory": rng.uniform(0.0, 1.0, n)}
        elif kind == "ALIF":
            o = {"tau": 12.0, "tau_adapt": 50.0, "beta": 0.5, "v_threshold": 4.0}
        elif kind == "ConductanceLIF":
            o = {"refractory": float(rng.choice([0.0, 1.0]))}
        elif kind == "Izhikevich":
            o = {"substeps": int(rng.integers(1, 4)), "method": "euler"}
        elif kind == "IF":
            o = {"v_threshold": 4.0, "v_reset": self.one_of(None, 0.0), "drain": 0.02}
        elif kind == "NoisyLIF":
            o = {"tau": 10.0, "v_threshold": 4.0, "sigma": 1.5, "refractory": float(rng.choice([0.0, 1.0]))}
        elif kind == "EscapeLIF":
            o = {
                "tau": 10.0,
                "v_threshold": 4.0,
                "rho0": 0.3,
                "delta": 1.0,
                "refractory": float(rng.choice([0.0, 1.0])),
            }
        elif kind == "DiehlCook":
            o = {"tau_theta": float(rng.choice([50.0, 1e7])), "theta_plus": 0.3}
        elif kind == "LI":
            o = {"tau": 5.0}
        cells = Cells(name, n, kind, o)
        if kind not in ("Izhikevich", "LI") and self.chance(0.4):
            low, high = {"ConductanceLIF": (-60.0, -51.0), "DiehlCook": (-65.0, -55.0)}.get(kind, (0.0, 1.5))
            cells.v = rng.uniform(low, high, n) + o.get("v_rest", 0.0)
        level = {"ConductanceLIF": 250.0, "Izhikevich": 8.0, "DiehlCook": 16.0, "IF": 0.3}.get(kind, 6.0)
        level = 11.0 if o.get("v_rest") else level
        if self.chance(0.5):
            cells.currents.append((np.full((1, n), level), 1 << 40, 0))
        if self.chance(0.3):
            rows = level * rng.uniform(0.0, 1.0, (int(rng.integers(1, 6)), n))
            cells.currents.append((rows, int(rng.integers(1, 20)), int(rng.integers(0, 10))))
        return cells

    def drive(self, cells: Cells) -> None:
        """Poisson spikes of its own for every unit, or none."""
        if self.chance(0.3):
            synapse, rate = self.synapse(cells), self.one_of(50.0, 400.0, 5000.0)
            weight = 0.3 * self.strength(cells, "reversal" in synapse[1]) / max(1.0, rate / 1000.0)
            cells.drives.append((rate, weight, synapse, sum(len(c.drives) for c in self.cells)))

    def strength(self, cells: Cells, conductance: bool) -> float:
        """A weight that matters and does not overwhelm."""
        if conductance:
            return {"ConductanceLIF": 6.0, "Izhikevich": 0.1}.get(cells.kind, 0.1)
        return {"ConductanceLIF": 20.0, "Izhikevich": 6.0, "DiehlCook": 3.0}.get(cells.kind, 1.0)

    def synapse(self, cells: Cells) -> tuple[str, dict[str, Any]]:
        kind = str(
            self.kinds.choice(
                ["Delta", "Exponential"] if self.compiled else ["Delta", "Exponential", "Alpha", "DoubleExponential"]
            )
        )
        if kind == "Delta":
            return kind, {}
        o = {
            "Exponential": {"tau": 3.0},
            "Alpha": {"tau": 2.0},
            "DoubleExponential": {"tau_rise": 1.0, "tau_decay": 6.0},
        }[kind]
        if cells.kind not in ("IF", "LI", "NoisyLIF", "EscapeLIF") and self.chance(0.35):
            return kind, {**o, "reversal": float(self.rng.choice([0.0, -80.0, 60.0]))}
        return kind, dict(o)

    def wire(self, number: int) -> Wire:
        rng = self.rng
        sizes = {**{name: s[1] for name, s in self.sources.items()}, **{c.name: c.n for c in self.cells}}
        quiet = {c.name for c in self.cells if c.kind == "LI"}  # readouts emit no spikes
        source, target = self.one_of(*(name for name in sizes if name not in quiet)), self.one_of(*self.cells)
        synapse = self.synapse(target)
        big = self.strength(target, "reversal" in synapse[1])
        rule = self.rule() if self.chance(0.55) else None
        care = (
            self.care()
            if self.chance(0.2)
            and (
                rule is None
                or (
                    rule[0] not in ("PostPreInt", "MetaNearestSTDP")
                    and rule[1].get("normalize", {}).get("when") != "every"
                )
            )
            else None
        )
        if target.kind == "LI":
            rule = care = None
        if rule and rule[0] == "membrane":
            rule[1]["theta"] = rest_of(target) + 1.0
        pattern: Any = self.one_of("all", "sparse", "one", "degree", "pairs")
        pattern = "all" if pattern == "one" and sizes[source] != target.n else pattern
        low = int(rng.integers(1, 10))
        plastic = rule is not None or care is not None
        delay: Any = low * self.dt if plastic or self.chance(0.5) else ("uniform", low * self.dt, (low + 6) * self.dt)
        weight: Any = (
            ("uniform", 0.2 * big, 1.4 * big) if plastic or self.chance(0.5) else big * self.one_of(0.7, 1.0, -0.5)
        )
        if rule and rule[0] == "PostPreInt":
            weight = ("uniform", 0.0, 6.0)
        short = {"U": 0.4, "tau_rec": 80.0, "tau_facil": self.one_of(0.0, 50.0)} if self.chance(0.3) else None
        wire = Wire(source, target.name, synapse, rule, short, care, pattern, weight, delay, number)
        if pattern == "pairs":  # in any order, some of them twice
            count = int(rng.integers(1, 25))
            wire.pre, wire.post = rng.integers(0, sizes[source], count), rng.integers(0, target.n, count)
            wire.weight = rng.uniform(0.2 * big, 1.4 * big, count)
            wire.weight = np.rint(wire.weight) if rule and rule[0] == "PostPreInt" else wire.weight
            wire.delay = delay if plastic else rng.integers(1, 8, count) * self.dt
        return wire

    def rule(self) -> tuple[str, dict[str, Any]]:
        every = [
            "PairSTDP",
            "NearestSTDP",
            "TripletSTDP",
            "DiehlCook",
            "MSTDP",
            "MetaNearestSTDP",
            "PostPreInt",
            "inhibition",
            "membrane",
        ]
        kind = str(self.kinds.choice(["PairSTDP", "MSTDP"] if self.compiled else every))
        common = {"bounds": self.one_of("hard", "soft", "none", "power"), "w_min": 0.0, "w_max": 2.0, "mu": 0.5}
        common |= {"coincidence": self.one_of("count", "ignore"), "sign": self.one_of(1, -1)}
        common |= {"clip": self.one_of("changed", "changed", "all")}
        if self.chance(0.25):
            common["normalize"] = {"total": 3.0, "when": self.one_of("end", "every"), "before_clip": self.chance(0.5)}
        if kind in ("PairSTDP", "NearestSTDP"):
            orders = (
                "decay use add",
                "decay add use",
                "use decay add",
                "add decay use",
                "add use decay",
                "use add decay",
            )
            o = {"a_post": 0.05, "a_pre": 0.04, "tau_pre": 15.0, "tau_post": 25.0}
            if kind == "PairSTDP":
                o |= {"order": self.one_of(*orders), "mode": self.one_of("add", "set")}
            return kind, o | common
        if kind == "TripletSTDP":
            data, interaction = self.one_of("visual", "hippocampal"), self.one_of("all", "nearest")
            return kind, {"data": data, "interaction": interaction, "rate": 3.0} | common
        if kind == "DiehlCook":
            return kind, {"a_post": 0.05, "a_pre": 0.02} | common
        if kind == "inhibition":
            return kind, {"eta": 0.02, "alpha": 0.3, "tau": 20.0} | common
        if kind == "membrane":
            if common.get("normalize", {}).get("when") == "every":
                del common["normalize"]
            o = {"eta": 0.05, "speed": 2e-3, "tau": 15.0, "tau_u": 8.0, "late": int(self.rng.integers(0, 12))}
            return kind, o | common
        if kind == "MSTDP":
            common |= {"bounds": self.one_of("hard", "none"), "clip": "changed"}
            if common.get("normalize", {}).get("when") == "every":
                del common["normalize"]
            o = {"rate": 0.2, "a_plus": 1.0, "a_minus": 0.8, "tau_plus": 10.0, "tau_minus": 20.0}
            return kind, o | {
                "tau_e": self.one_of(None, 15.0),
                "order": self.one_of("decay add use", "decay use add"),
            } | common
        if kind == "MetaNearestSTDP":
            return kind, {"a_post": 0.05, "a_pre": 0.02, "tau_pre": 20.0, "tau_post": 30.0, "w_min": 0.0, "w_max": 2.0}
        return kind, {"nu_pre": -900, "nu_post": 1500, "w_max": self.one_of(109, 5)}

    def care(self) -> tuple[str, dict[str, Any]]:
        steps = int(self.rng.integers(1, 30))
        if self.chance(0.5):
            return "Normalize", {"total": 3.0, "steps": steps}
        return "Scaling", {"rate": 20.0, "beta": 2e-3, "tau": 50.0, "steps": steps}

    def schedule(self) -> list[tuple[int, list[bool], list[float]]]:
        """Runs one after the other: steps, who learns, rewards."""
        pieces, left = [], self.steps
        while left:
            steps = min(left, int(self.rng.integers(5, 60)))
            learning = [bool(self.rng.random() > 0.15) for _ in self.wires]
            pieces.append((steps, learning, [float(self.rng.choice([0.0, 1.0, -0.5])) for _ in self.wires]))
            left -= steps
        return pieces

    def rewiring(self, piece: int, number: int, count: int) -> tuple | None:
        """What is done to the ``count`` synapses of a wire before a piece: who stays, who comes, delays; or nothing."""
        rng, wire = np.random.default_rng([11, self.seed, piece, number]), self.wires[number]
        if not piece or rng.random() > 0.3:
            return None
        sizes = {**{name: s[1] for name, s in self.sources.items()}, **{c.name: c.n for c in self.cells}}
        stay, new = rng.random(count) > rng.choice([0.0, 0.3, 1.0]), int(rng.integers(0, 5))
        pre, post = rng.integers(0, sizes[wire.source], new), rng.integers(0, sizes[wire.target], new)
        (target,) = (c for c in self.cells if c.name == wire.target)
        weight = self.strength(target, "reversal" in wire.synapse[1]) * rng.uniform(0.2, 1.4, new)
        if wire.rule and wire.rule[0] == "PostPreInt":
            weight = np.rint(weight)
        fixed = not (wire.rule or wire.care)
        steps = rng.integers(1, 13, new) if fixed else None
        all_steps = rng.integers(1, 13, int(stay.sum()) + new) if fixed and rng.random() < 0.3 else None
        return stay, pre, post, weight, steps, all_steps

    @property
    def rewired(self) -> bool:
        """Whether anything is done to synapses."""
        return any(self.rewiring(piece, k, 0) for piece in range(len(self.pieces)) for k in range(len(self.wires)))

    def rewire(self, piece: int, made: list[Any]) -> None:
        """The library's connections before a piece."""
        for k, c in enumerate(made):
            if (what := self.rewiring(piece, k, len(c))) is not None:
                stay, pre, post, weight, steps, all_steps = what
                c.disconnect(synapses=~stay)
                c.add(pre, post, weight=weight, delay=None if steps is None else steps * self.dt)
                if all_steps is not None:
                    c.delay = all_steps * self.dt

    # The library's network.

    def build(self) -> Any:
        net = nbsnn.Network(dt=self.dt, seed=self.seed, dtype=np.float64, device=self.device)
        groups: dict[str, Any] = {}
        for name, (kind, n, *rest) in self.sources.items():
            if kind == "poisson":
                groups[name] = net.poisson(n, rest[0], name=name)
            elif kind == "noise":
                groups[name] = net.population(neurons.PoissonNeuron(rest[0]), n, name=name)
            elif kind == "list":
                groups[name] = net.spikes(rest[2], rest[1], n, name=name)
            else:
                groups[name] = net.events(rest[2], (2, n // 2), name=name)
        for c in self.cells:
            start = {} if c.v is None else {"v": c.v}
            groups[c.name] = net.population(getattr(neurons, c.kind)(**c.options), c.n, name=c.name, **start)
            for rows, every, begin in c.currents:
                if every > 1 << 30:
                    net.inject(c.name, rows[0])
                else:
                    net.inject(c.name, rows, every=every * self.dt, start=begin * self.dt)
        made = [self.connect(net, groups, wire) for wire in self.wires]
        for c in self.cells:
            for rate, weight, synapse, _ in c.drives:
                net.drive(c.name, rate, weight, getattr(synapses, synapse[0])(**synapse[1]))
        return net, made

    def connect(self, net: Any, groups: dict[str, Any], wire: Wire) -> Any:
        def drawn(value: Any) -> Any:
            return nbsnn.values.Uniform(*value[1:]) if isinstance(value, tuple) else value

        pattern: Any = {
            "all": nbsnn.AllToAll, "one": nbsnn.OneToOne, "sparse": lambda: nbsnn.Sparse(probability=0.4),
            "degree": lambda: nbsnn.Sparse(indegree=2), "pairs": lambda: nbsnn.Explicit(wire.pre, wire.post),
        }[wire.pattern]()  # fmt: skip
        care: Any = None
        if wire.care:
            o = {k: v for k, v in wire.care[1].items() if k != "steps"} | {"every": wire.care[1]["steps"] * self.dt}
            care = getattr(plasticity, wire.care[0])(**o)
        return net.connect(
            groups[wire.source], groups[wire.target], pattern, weight=drawn(wire.weight), delay=drawn(wire.delay),
            synapse=getattr(synapses, wire.synapse[0])(**wire.synapse[1]), plasticity=self.made_rule(wire.rule),
            short_term=None if wire.short is None else synapses.TsodyksMarkram(**wire.short), homeostasis=care,
        )  # fmt: skip

    def made_rule(self, rule: tuple[str, dict[str, Any]] | None) -> Any:
        if rule is None:
            return None
        kind, o = rule[0], dict(rule[1])
        if "normalize" in o:
            o["normalize"] = plasticity.Normalize(**o["normalize"])
        if kind == "inhibition":
            eta, alpha, tau = (o.pop(name) for name in ("eta", "alpha", "tau"))
            x, y = (plasticity.Trace(tau, "add", "decay use add") for _ in range(2))
            return plasticity.Rule(inhibit, {"x": x}, {"y": y}, {"eta": eta, "alpha": alpha}, **o)
        if kind == "membrane":
            params = {name: o.pop(name) for name in ("eta", "speed", "theta")}
            u = plasticity.LowPass("v", o.pop("tau_u"), o.pop("late") * self.dt)
            x = plasticity.Trace(o.pop("tau"), "add", "decay use add")
            return plasticity.MembraneRule(at_spikes, {"x": x}, {"u": u}, params, drift=drift, active=above, **o)
        return getattr(plasticity, kind)(**o)

    def wired(self, made: list[Any]) -> list[Wire]:
        """The wires with their synapses as they were built, after a look at those that were given."""
        result = []
        for wire, c in zip(self.wires, made, strict=True):
            if wire.pattern == "pairs":
                given, found = (
                    sorted(zip(*arrays, strict=True))
                    for arrays in (
                        (
                            wire.pre,
                            wire.post,
                            wire.weight,
                            np.rint(np.asarray(wire.delay) / self.dt) * np.ones(len(wire.pre)),
                        ),
                        (c.pre, c.post, c.weight, np.rint(np.asarray(c.delay) / self.dt) * np.ones(len(c.pre))),
                    )
                )
                if not np.allclose(given, found):
                    raise Mismatch(f"pairs of {wire} became {found}")
            new = copy.copy(wire)
            new.pre, new.post, new.weight = np.array(c.pre), np.array(c.post), np.array(c.weight, np.float64)
            new.steps = np.rint(np.asarray(c.delay) / self.dt).astype(int) * np.ones(len(new.pre), int)
            result.append(new)
        return result

    def set(self, made: list[Any], learning: list[bool], rewards: list[float]) -> None:
        for wire, c, learns, reward in zip(self.wires, made, learning, rewards, strict=True):
            if wire.rule or wire.care:
                c.learning = learns
            if wire.rule and wire.rule[0] == "MSTDP":
                c.reward = reward

    def set_at(self, step: int, made: list[Any]) -> None:
        """As it was set and wired in step ``step``, before what is to be done then."""
        ends = np.cumsum([steps for steps, _, _ in self.pieces])
        for piece in range(int(np.searchsorted(ends, step)) + 1):
            self.rewire(piece, made)
        self.set(made, *self.pieces[int(np.searchsorted(ends, step))][1:])

    @property
    def record(self) -> dict[str, list[str]]:
        cells = {c.name: ["v"] if c.kind == "LI" else ["spikes", "v"] for c in self.cells}
        return {**{name: ["spikes"] for name in self.sources}, **cells}

    def run(self, cut: bool = False, since: int = 0, net: Any = None, made: Any = None) -> Outcome:
        """All pieces from step ``since`` on, cut further at random if ``cut``."""
        if net is None:
            net, made = self.build()
        outcome, t = Outcome(net, made), 0
        for piece, (steps, learning, rewards) in enumerate(self.pieces):
            todo = min(steps, t + steps - since)
            t += steps
            if todo <= 0:
                continue
            self.set(made, learning, rewards)
            if todo == steps:
                self.rewire(piece, made)
            while todo:
                now = int(self.rng.integers(1, todo + 1)) if cut else todo
                outcome.add(net.run(now * self.dt, record=self.record), self)
                todo -= now
                if cut and outcome.saved is None and self.chance(0.3):
                    outcome.saved = net.step, net.state()
        outcome.weights = [np.array(c.weight) for c in made]
        return outcome

    def run_at_once(self) -> Outcome:
        """One run, in which a callback does what is to be done between pieces."""
        net, made = self.build()
        ends = np.cumsum([steps for steps, *_ in self.pieces])
        begins = {0: 0, **{int(end): k for k, end in enumerate(ends[:-1], 1)}}

        def go_on(net: Any) -> None:
            if net.step in begins:
                piece = begins[net.step]
                self.set(made, *self.pieces[piece][1:])
                self.rewire(piece, made)

        self.set(made, *self.pieces[0][1:])
        outcome = Outcome(net, made)
        recording = net.run(self.steps * self.dt, record=self.record, callback=go_on, callback_every=self.dt)
        outcome.add(recording, self)
        outcome.weights = [np.array(c.weight) for c in made]
        return outcome

    def __repr__(self) -> str:
        lines = [f"dt={self.dt}, {self.steps} steps, {[p[0] for p in self.pieces]}"]
        lines += [f"{name}: {s[:3]}" for name, s in self.sources.items()] + [
            *map(repr, self.cells),
            *map(repr, self.wires),
        ]
        return "\n".join(lines)


class Outcome:
    """What came out of a network: spikes and membranes of all runs, weights."""

    def __init__(self, net: Any, made: Any):
        self.net, self.made, self.saved = net, made, None
        self.parts: dict[str, list[Array]] = {}
        self.weights: list[Array] = []

    def add(self, recording: Any, drawing: Drawing) -> None:
        for name, kinds in drawing.record.items():
            times, units = recording.spikes(name) if "spikes" in kinds else (np.zeros(0), np.zeros(0, np.int32))
            self.parts.setdefault(f"{name} times", []).append(times)
            self.parts.setdefault(f"{name} units", []).append(units)
            if "v" in kinds:
                self.parts.setdefault(f"{name} v", []).append(recording[name, "v"])

    def __getitem__(self, name: str) -> Array:
        return np.concatenate(self.parts[name])

    def trains(self, name: str, n: int, steps: int, dt: float) -> Array:
        """Spikes as 0 and 1, [T, n]."""
        result = np.zeros((steps, n), int)
        np.add.at(result, (np.rint(self[f"{name} times"] / dt).astype(int) - 1, self[f"{name} units"]), 1)
        if result.max(initial=0) > 1:
            raise Mismatch(f"a unit of {name} spikes twice in a step")
        return result.astype(bool)

    def same(self, what: str, other: Outcome, since: float = -1.0) -> None:
        """Raise unless the other, which began at ``since``, is equal in bits."""
        for name in self.parts:
            a, b = self[name], other[name]
            if since > 0 and name.endswith((" times", " units")):
                a = a[self[f"{name.rpartition(' ')[0]} times"] > since]
            a = a[len(a) - len(b) :] if since > 0 else a
            if not np.array_equal(a, b):
                raise Mismatch(f"{what}: other bits of {name}")
        for k, (a, b) in enumerate(zip(self.weights, other.weights, strict=True)):
            if not np.array_equal(a, b):
                raise Mismatch(f"{what}: other bits of the weights of connection {k}")


def trial(
    seed: int, counts: Counter[str], compiled: bool, device: str = "cpu", threads: tuple[int, ...] = ()
) -> None:  # fmt: skip
    """All comparisons of the simulation number ``seed``; on a GPU, of one run; on ``threads`` that are interpreted."""
    nbsnn.set_threads(1)
    if threads:
        let_threads_meet()
    one = Drawing(seed, compiled, device)
    try:
        compare(one, threads or ((2, 3) if compiled else ()), counts)
    except Mismatch as error:
        raise Mismatch(f"{error}\n{one}") from None


def compare(one: Drawing, threads: tuple[int, ...], counts: Counter[str]) -> None:
    net, made = one.build()
    wires = one.wired(made)
    first = one.run(net=net, made=made)
    counts["simulations"] += 1
    trains = {name: first.trains(name, s[1], one.steps, one.dt) for name, s in one.sources.items()}
    for name, (kind, n, *rest) in one.sources.items():
        if kind in ("list", "events"):
            expected = np.zeros((one.steps, n), bool)
            inside = rest[0] <= one.steps
            expected[rest[0][inside] - 1, rest[1][inside]] = True
            if not np.array_equal(expected, trains[name]):
                raise Mismatch(f"{name} does not spike as listed")
        if kind == "noise":
            bits = np.array([net.draws.fold("noise", name).bits(n, step=t) >> 8 for t in range(one.steps)])
            if not np.array_equal(bits * 2.0**-24 < 0.001 * rest[0] * one.dt, trains[name]):
                raise Mismatch(f"{name} does not spike as its draws say")
    naive = Simulation(one.dt, one.seed, trains, one.cells, wires)
    with np.errstate(over="ignore"):
        for piece, (steps, learning, rewards) in enumerate(one.pieces):
            for k, (plastic, learns, reward) in enumerate(zip(naive.plastic, learning, rewards, strict=True)):
                plastic.learning, plastic.reward = learns, reward
                what = one.rewiring(piece, k, len(plastic.w))
                if what is not None:
                    plastic.rewire(*what)
                    counts["rewirings"] += 1
                plastic.begin()
            for _ in range(steps):
                naive.step()
            for plastic in naive.plastic:
                plastic.finish()
    check(one, first, naive, counts)
    if one.device == "cpu":
        again(one, first, threads, counts)


def check(one: Drawing, first: Outcome, naive: Simulation, counts: Counter[str]) -> None:
    """Spikes, membranes and weights against the oracle's."""
    for c in one.cells:
        spikes, v = first.trains(c.name, c.n, one.steps, one.dt), first[f"{c.name} v"]
        fired, expected = np.array(naive.fired[c.name]), np.array(naive.v[c.name])
        far = ~np.isclose(v, expected, rtol=1e-7, atol=1e-6)
        if far.any() or not np.array_equal(spikes, fired):
            if naive.nearest < BORDERLINE:
                counts["borderline"] += 1
                return
            t, k = np.argwhere(far | (spikes != fired))[0]
            raise Mismatch(
                f"{c.name}, a {c.kind}: unit {k} at step {t}: v {v[t, k]:.9g}, should be {expected[t, k]:.9g}, "
                f"spike {spikes[t, k]}, should be {fired[t, k]}"
            )
        counts["spikes"] += int(spikes.sum())
    for k, (wire, weights) in enumerate(zip(naive.plastic, first.weights, strict=True)):
        if wire.wire.rule or wire.wire.care:
            counts["plastic connections"] += 1
            if not np.allclose(weights, wire.w, rtol=1e-7, atol=1e-8):
                worst = np.abs(weights - wire.w).max()
                raise Mismatch(f"weights of connection {k} differ by {worst:.3g} of {np.abs(wire.w).max():.3g}")


def again(one: Drawing, first: Outcome, threads: tuple[int, ...], counts: Counter[str]) -> None:
    """The same in more pieces, from a file, after a reset, on several threads: equal in bits."""
    ends = any(w.rule and w.rule[1].get("normalize", {}).get("when") == "end" for w in one.wires)
    if not ends:
        second = one.run(cut=True)
        first.same("cut runs", second)
        counts["runs in pieces"] += 1
        if second.saved and second.saved[0] < one.steps:
            step, state = second.saved
            with tempfile.TemporaryDirectory() as folder:
                state.save(Path(folder) / "state.npz")
                net, made = one.build()
                one.set_at(step, made)  # who learns is a setting: another would bring all synapses up to date here
                net.restore(State.load(Path(folder) / "state.npz"))
            first.same("restored", one.run(since=step, net=net, made=made), since=(step + 0.5) * one.dt)
            counts["restored states"] += 1
        if not any(w.rule and (w.rule[0] == "PostPreInt" or w.rule[1].get("clip") == "all") for w in one.wires):
            first.same("changed in a callback", one.run_at_once())  # but for bounds of all weights when a run begins
            counts["runs with callbacks"] += 1
    if not any(w.rule or w.care for w in one.wires) and not one.rewired:
        first.net.reset()
        first.same("after a reset", one.run(net=first.net, made=first.made))
        counts["resets"] += 1
    if threads:
        before, loop.SHARE = loop.SHARE, 1
        for count in threads:
            nbsnn.set_threads(count)
            first.same(f"{count} threads", one.run())
            counts["runs on several threads"] += 1
        loop.SHARE = before
        nbsnn.set_threads(1)
