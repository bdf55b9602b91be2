"""Simulations, written from the documented equations as loops over steps and synapses in float64.

Order of a step: what arrives and the synapses' courses, the neurons, then plasticity (traces, rewards, the rule,
homeostasis), then spikes leave with the weights that this has made. A spike of step t arrives ``delay`` later, at the
end of that step: a delta synapse moves the membrane there, others act from the next step on, and rules count it there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import expm
from scipy.special import ndtri
from scipy.stats import poisson

from nbsnn.random import Draws

Array = np.ndarray


@dataclass
class Cells:
    """A population: the function in ``nbsnn.neurons``, its arguments, and where membranes start."""

    name: str
    n: int
    kind: str
    options: dict[str, Any]
    v: Array | None = None
    currents: list[Any] = field(default_factory=list)  # rows [rows, n], steps that each lasts, first step
    drives: list[Any] = field(default_factory=list)  # rate, weight, synapse, number


@dataclass
class Wire:
    """A connection: who, how, and its synapses as the network has built them."""

    source: str
    target: str
    synapse: tuple[str, dict[str, Any]]
    rule: tuple[str, dict[str, Any]] | None = None
    short: dict[str, float] | None = None
    care: tuple[str, dict[str, Any]] | None = None
    pattern: Any = None
    weight: Any = None
    delay: Any = None
    number: int = 0
    pre: Any = None
    post: Any = None
    steps: Any = None


def rest_of(cells: Cells) -> float:
    """Where the membrane starts."""
    rest = {"ConductanceLIF": -60.0, "Izhikevich": -65.0, "DiehlCook": -65.0}.get(cells.kind, 0.0)
    return cells.options.get("v_rest", cells.options.get("v_start", rest))


def decay_of(cells: Cells, dt: float) -> float | None:
    """By what a linear membrane is multiplied in a step."""
    tau = cells.options.get("tau", {"DiehlCook": 100.0}.get(cells.kind))
    if tau is None or cells.kind == "PoissonNeuron":
        return None
    return 1.0 - dt / tau if cells.options.get("decay") == "euler" else math.exp(-dt / tau)


class Port:
    """All synapses of one kind onto a population."""

    def __init__(self, cells: Cells, synapse: tuple[str, dict[str, Any]], dt: float):
        kind, o = synapse
        self.delta, self.reversal, n = kind == "Delta", o.get("reversal"), cells.n
        self.arriving: dict[int, Array] = {}
        if kind == "Exponential":
            a, b, c = [[-1.0 / o["tau"]]], [1.0], [1.0]
        elif kind == "Alpha":  # y'' with one time constant, whose peak is 1
            rate = 1.0 / o["tau"]
            a, b, c = [[-rate, 0.0], [1.0, -rate]], [math.e * rate, 0.0], [0.0, 1.0]
        elif kind == "DoubleExponential":
            rise, fall = o["tau_rise"], o["tau_decay"]
            peak = rise * fall / (fall - rise) * math.log(fall / rise)
            size = math.exp(-peak / fall) - math.exp(-peak / rise)
            a, b, c = [[-1.0 / fall, 0.0], [0.0, -1.0 / rise]], [1.0 / size, -1.0 / size], [1.0, 1.0]
        else:
            a, b, c = [], [], []
        m, decay = len(b), decay_of(cells, dt) if self.reversal is None else None
        leak = 0.0 if decay is None else -math.log(decay) / dt
        system = np.zeros((m + 1, m + 1))  # the course of the synapse, and what it does to a membrane in a step
        if m:
            system[:m, :m], system[m, :m], system[m, m] = a, np.array(c) * (leak or 1.0 / dt), -leak
        flow = expm(system * dt)
        self.flow, self.effect, self.jump = flow[:m, :m], flow[m, :m], np.array(b)
        self.y = np.zeros((m, n))

    def arrive(self, t: int, unit: int, weight: float) -> None:
        self.arriving.setdefault(t, np.zeros(self.y.shape[1]))[unit] += weight

    def step(self, t: int) -> Array:
        """The output of step ``t``: a jump, a current's effect on the membrane, or a mean conductance."""
        came = self.arriving.pop(t, np.zeros(self.y.shape[1]))
        if self.delta:
            return came
        self.y = self.y + self.jump[:, None] * came
        output = self.effect @ self.y
        self.y = self.flow @ self.y
        return output


class Simulation:
    """A network, step by step.

    Parameters
    ----------
    dt, seed
        As the network's.
    sources : dict
        Name -> spikes [T, n] of populations without equations.
    cells, wires : list
    """

    def __init__(self, dt: float, seed: int, sources: dict[str, Array], cells: list[Cells], wires: list[Wire]):
        self.dt, self.seed, self.sources, self.wires = dt, seed, sources, wires
        self.cells = {c.name: c for c in cells}
        self.sizes = {**{name: s.shape[1] for name, s in sources.items()}, **{c.name: c.n for c in cells}}
        self.ports: dict[Any, Port] = {}
        self.t, self.nearest = 0, math.inf
        self.fired: dict[str, list[Array]] = {name: [] for name in self.sizes}
        self.v: dict[str, list[Array]] = {c.name: [] for c in cells}
        self.state: dict[str, dict[str, Array]] = {}
        for c in cells:
            v = np.full(c.n, rest_of(c)) if c.v is None else c.v.copy()
            zero = {name: np.zeros(c.n) for name in ("left", "a", "theta")}
            self.state[c.name] = {"v": v, "u": np.full(c.n, -13.0), **zero}
            for _, _, synapse, _ in c.drives:
                self.port(c.name, synapse)
        self.plastic = [Plastic(self, wire) for wire in wires]

    def port(self, target: str, synapse: tuple[str, dict[str, Any]]) -> Port:
        key = target, synapse[0], tuple(sorted(synapse[1].items(), key=str))
        if key not in self.ports:
            self.ports[key] = Port(self.cells[target], synapse, self.dt)
        return self.ports[key]

    def step(self) -> None:
        t = self.t
        for name, spikes in self.sources.items():
            self.fired[name].append(spikes[t])
        for name, cells in self.cells.items():
            self.fired[name].append(self.advance(cells, self.state[name]))
            self.v[name].append(self.state[name]["v"].copy())
        for plastic in self.plastic:
            plastic.step(t)
        self.t += 1

    def advance(self, cells: Cells, s: dict[str, Array]) -> Array:
        """One step of a population: its spikes."""
        t, n, o, kind, dt = self.t, cells.n, cells.options, cells.kind, self.dt
        current = np.zeros(n)
        for rows, every, start in cells.currents:
            if t >= start and (t - start) // every < len(rows):
                current = current + rows[(t - start) // every]
        for rate, weight, synapse, number in cells.drives:
            bits = Draws(self.seed, "drive", number).bits(n, step=t)
            mean = rate * dt / 1000.0
            most = int(mean + 10 * math.sqrt(mean) + 20)
            ends = np.rint(poisson.cdf(np.arange(most), mean) * 2.0**32)
            port = self.port(cells.name, synapse)
            for unit in range(n):
                port.arrive(t, unit, weight * float(np.sum(bits[unit] >= ends)))
        jump, effect, g, pull = (np.zeros(n) for _ in range(4))
        for (target, *_), port in self.ports.items():
            if target != cells.name:
                continue
            output = port.step(t)
            if port.delta:
                jump = jump + output
            elif port.reversal is None:
                effect = effect + output
            else:
                g, pull = g + output, pull + output * port.reversal
        noise = Draws(self.seed, "network").fold("noise", cells.name)

        def spike(distance: Array) -> Array:
            self.nearest = min(self.nearest, float(np.min(np.abs(distance))))
            default = ">" if kind == "ConductanceLIF" else ">="
            return distance > 0.0 if o.get("compare", default) == ">" else distance >= 0.0

        default = {"ConductanceLIF": 5.0, "DiehlCook": 5.0}.get(kind, 0.0)
        refractory = np.floor(np.asarray(o.get("refractory", default)) / dt + 0.5 + 1e-9)
        threshold = np.asarray(o.get("v_threshold", {"DiehlCook": -52.0}.get(kind, 1.0)))
        v = s["v"]
        if kind == "PoissonNeuron":
            chance = 0.001 * dt * (o["rate"] + current)
            return (noise.bits(n, step=t) >> 8) * 2.0**-24 < chance
        if kind == "ConductanceLIF":
            total = 10.0 + g
            end = (10.0 * -60.0 + pull + current + effect) / total
            u = end + (v - end) * np.exp(-dt * total / 200.0) + jump
            held = s["left"] > 0
            fires = spike(u + 50.0) & ~held
            s["v"], s["left"] = (
                np.where(fires | held, -60.0, u),
                np.where(fires, refractory, np.maximum(s["left"] - 1, 0)),
            )
            return fires
        if kind == "Izhikevich":
            h = dt / o["substeps"]
            for _ in range(o["substeps"]):
                slope = h * (0.08 * v + 5.0)
                share = 1.0 + h * g - np.where(slope < -2.0, slope, 0.0)
                v = v + h / share * (0.04 * v * v + 5.0 * v + 140.0 - s["u"] + current + effect + pull - g * v)
            u = s["u"] + dt * 0.02 * (0.2 * v - s["u"])
            v = v + jump
            fires = spike(v - 30.0)
            s["v"], s["u"] = np.where(fires, -65.0, v), np.where(fires, u + 8.0, u)
            return fires
        if kind == "IF":
            u = v + current + effect + jump - o.get("drain", 0.0)
        else:
            d, rest = decay_of(cells, dt), rest_of(cells)
            assert d is not None
            if np.any(g):  # exact for a conductance that is constant during the step, in units of the leak's
                total = 1.0 + g
                end = (rest + current + effect / (1.0 - d) + pull) / total
                u = end + (v - end) * d**total + jump
            else:
                u = rest + d * (v - rest) + (1.0 - d) * (current + pull) + effect + jump
        if kind == "LI":
            s["v"] = u
            return np.zeros(n, bool)
        if kind in ("NoisyLIF", "EscapeLIF"):
            bits = noise.bits(n, step=t).astype(np.float64)
            held = s["left"] > 0
            if kind == "NoisyLIF":
                u = u + o["sigma"] * math.sqrt(-math.expm1(-2.0 * dt / o["tau"])) * ndtri((bits + 0.5) * 2.0**-32)
                fires = spike(u - threshold) & ~held
            else:
                chance = -np.expm1(-dt * o["rho0"] * np.exp((u - threshold) / o["delta"]))
                fires = ((noise.bits(n, step=t) >> 8) * 2.0**-24 < chance) & ~held
            s["v"] = np.where(fires | held, o.get("v_reset", 0.0), u)
            s["left"] = np.where(fires, refractory, np.maximum(s["left"] - 1, 0))
            return fires
        theta = threshold + o.get("beta", 0.0) * s["a"] + s["theta"]
        fires = spike(u - theta)
        to = o.get("v_reset", {"ALIF": None, "DiehlCook": -60.0}.get(kind, 0.0))
        after = u - fires * theta if to is None else np.where(fires, to, u)
        held = s["left"] > 0
        fires, after = fires & ~held, np.where(held, v, after)
        s["v"], s["left"] = after, np.where(held, s["left"] - 1, np.where(fires, refractory, 0.0))
        if kind == "ALIF":
            s["a"] = math.exp(-dt / o["tau_adapt"]) * s["a"] + fires
        if kind == "DiehlCook":
            s["theta"] = math.exp(-dt / o["tau_theta"]) * s["theta"] + o["theta_plus"] * fires
        return fires


TRIPLET = {
    ("visual", "all"): (5e-10, 6.2e-3, 7e-3, 2.3e-4, 101.0, 125.0),
    ("visual", "nearest"): (8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714.0, 40.0),
    ("hippocampal", "all"): (6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946.0, 27.0),
    ("hippocampal", "nearest"): (4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575.0, 47.0),
}
"""Tables 3 and 4 of Pfister and Gerstner 2006, full models: A2+, A3+, A2-, A3-, tau_x, tau_y."""


class Plastic:
    """A connection: its synapses one by one, their weights, and what changes these."""

    def __init__(self, simulation: Simulation, wire: Wire):
        self.sim, self.wire, self.dt = simulation, wire, simulation.dt
        n, m = simulation.sizes[wire.source], simulation.sizes[wire.target]
        self.n, self.m = n, m
        self.delay = round(wire.delay / self.dt) if wire.rule or wire.care else 0  # of all its synapses
        self.w = np.asarray(wire.weight, np.float64) * np.ones(len(wire.pre))
        self.port = simulation.port(wire.target, wire.synapse)
        self.learning, self.reward = True, 0.0
        self.u, self.r, self.last = np.zeros(n), np.ones(n), np.full(n, -1)
        self.shares: list[Array] = []
        self.kind, self.o = wire.rule or ("none", {})
        self.traces = {name: np.zeros(n if pre else m) for name, (pre, *_) in self.kinds().items()}
        self.zeta, self.eligible = np.zeros(len(self.w)), np.zeros(len(self.w))
        self.rates = np.full(m, wire.care[1]["rate"] if wire.care and wire.care[0] == "Scaling" else 0.0)
        self.tally = np.zeros(m)
        self.counts = np.bincount(wire.post, minlength=m)
        self.aims = np.bincount(wire.post, self.w, m) / np.maximum(self.counts, 1)
        self.mean = self.aims[self.counts > 0].mean() if np.any(self.counts) else 0.0
        self.integers = np.zeros(n, np.int64), np.zeros(m, np.int64)
        self.averages: list[Array] = []  # of membranes, after each step

    def kinds(self) -> dict[str, tuple]:
        """Traces: whether of the source, time constant, whether added or set, order."""
        o, later = self.o, "decay use add"
        if self.kind in ("PairSTDP", "NearestSTDP", "MSTDP"):
            mode = "set" if self.kind == "NearestSTDP" else o.get("mode", "add")
            names = ("tau_plus", "tau_minus") if self.kind == "MSTDP" else ("tau_pre", "tau_post")
            order = o.get("order", "decay add use" if self.kind == "MSTDP" else later)
            return {"x": (True, o[names[0]], mode, order), "y": (False, o[names[1]], mode, order)}
        if self.kind == "TripletSTDP":
            *_, tau_x, tau_y = TRIPLET[o["data"], o["interaction"]]
            mode = "add" if o["interaction"] == "all" else "set"
            taus = {"x": (True, 16.8), "x2": (True, tau_x), "y": (False, 33.7), "y2": (False, tau_y)}
            return {name: (pre, tau, mode, later) for name, (pre, tau) in taus.items()}
        if self.kind == "DiehlCook":
            x = {"x": (True, 20.0, "set", "decay add use")}
            return x | {"y": (False, 20.0, "set", later), "y2": (False, 40.0, "set", later)}
        if self.kind == "MetaNearestSTDP":
            now = "decay add use"
            return {"x": (True, o["tau_pre"], "set", now), "y": (False, o["tau_post"], "set", now)}
        if self.kind == "membrane":
            return {"x": (True, o["tau"], "add", later)}
        if self.kind == "inhibition":
            now = "decay use add"
            return {"x": (True, o["tau"], "add", now), "y": (False, o["tau"], "add", now)}
        return {}

    def rewire(
        self, stay: Array, pre: Array, post: Array, weight: Array, steps: Array | None, all_steps: Array | None
    ) -> None:
        """Leave some synapses and add others, which have no past; then give all of them other delays."""
        wire, zero = self.wire, np.zeros(len(pre))
        had = np.bincount(wire.post[stay], minlength=self.m)
        steps = np.full(len(pre), self.delay) if steps is None else steps
        old = wire.pre, wire.post, self.w, self.zeta, self.eligible, wire.steps
        new = pre, post, weight, zero, zero, steps
        synapses = [np.concatenate([a[stay], b]) for a, b in zip(old, new, strict=True)]
        if wire.pattern != "pairs":  # which keep their order
            order = np.lexsort((synapses[1], synapses[0]))
            synapses = [values[order] for values in synapses]
        wire.pre, wire.post, self.w, self.zeta, self.eligible, wire.steps = synapses
        wire.steps = wire.steps if all_steps is None else all_steps
        self.counts = np.bincount(wire.post, minlength=self.m)
        means = np.bincount(wire.post, self.w, self.m) / np.maximum(self.counts, 1)
        self.aims = np.where(had == 0, means, self.aims)
        self.mean = self.aims[self.counts > 0].mean() if np.any(self.counts) else 0.0

    def begin(self) -> None:
        """What is done when a run begins: bounds, where a rule wants them of all weights."""
        o, whole = self.o, self.kind == "PostPreInt"
        if self.learning and (
            whole or (o.get("clip") == "all" and self.bounds != "none" and self.norm.get("when") != "every")
        ):
            self.w = np.clip(self.w, o.get("w_min", 0.0), o.get("w_max", 109.0 if whole else 1.0))

    def finish(self) -> None:
        """What is done when a run ends."""
        if self.learning and self.norm.get("when") == "end":
            self.normalize(self.norm["total"])

    @property
    def bounds(self) -> str:
        return self.o.get("bounds", "hard") if self.wire.rule else "none"

    @property
    def norm(self) -> dict[str, Any]:
        return self.o.get("normalize", {})

    def normalize(self, total: float) -> None:
        sums = np.bincount(self.wire.post, np.abs(self.w), self.m)
        sums[sums == 0.0] = total
        self.w = self.w * (total / sums)[self.wire.post]

    def step(self, t: int) -> None:
        """Plasticity of step ``t``, and the spikes that leave with the weights after it."""
        wire, here = self.wire, self.sim.fired[self.wire.source]
        self.shares.append(self.released(here[t], t))
        delay = self.delay
        if delay:
            came = here[t - delay] if t >= delay else np.zeros(self.n, bool)
            self.change(t, came, self.sim.fired[wire.target][t])
            emitted = [t + 1 - delay] * len(self.w)
        else:
            emitted = [t] * len(self.w)
        for k, (i, j) in enumerate(zip(wire.pre, wire.post, strict=True)):
            e = emitted[k]
            if e >= 0 and here[e][i]:
                at = e + int(wire.steps[k]) + (0 if self.port.delta else 1)
                self.port.arrive(at, j, self.w[k] * self.shares[e][i])

    def released(self, spikes: Array, t: int) -> Array:
        """What the synapses of each source release at this step's spike."""
        share = np.ones(self.n)
        if self.wire.short is None:
            return share
        use, recovery, facilitation = (self.wire.short[name] for name in ("U", "tau_rec", "tau_facil"))
        for i in np.flatnonzero(spikes):
            gap = (t - self.last[i]) * self.dt
            if self.last[i] < 0:
                self.u[i], self.r[i] = use, 1.0
            else:
                self.r[i] = 1.0 + (self.r[i] * (1.0 - self.u[i]) - 1.0) * math.exp(-gap / recovery)
                self.u[i] = use + self.u[i] * (1.0 - use) * (math.exp(-gap / facilitation) if facilitation else 0.0)
            self.last[i] = t
            share[i] = self.u[i] * self.r[i]
        return share

    def change(self, t: int, came: Array, back: Array) -> None:
        used = self.follow(came, back)
        if self.kind == "PostPreInt":
            self.in_integers(t, came, back)
        elif self.kind == "MSTDP":
            self.rewarded()
            self.zeta = self.increments(came, back, used)
        elif self.kind == "MetaNearestSTDP":
            if self.learning:
                self.steered(came, back, used)
        elif self.kind == "membrane":
            u = self.average(t)
            if self.learning:
                self.drift(used["x"], u)
                self.settle(t, self.increments(came, back, {**used, "y": u}))
        elif self.wire.rule and self.learning:
            self.settle(t, self.increments(came, back, used))
        if self.wire.care:
            self.tend(t, back)

    def follow(self, came: Array, back: Array) -> dict[str, Array]:
        """Traces go on; what a rule sees of them."""
        used = {}
        for name, (pre, tau, mode, order) in self.kinds().items():
            a, s = self.traces[name], came if pre else back
            for word in order.split():
                if word == "decay":
                    a = a * math.exp(-self.dt / tau)
                elif word == "use":
                    used[name] = a
                else:
                    a = a + s if mode == "add" else np.where(s, 1.0, a)
            self.traces[name] = a
        return used

    def asked(self, i: int, j: int, p: bool, q: bool, used: dict[str, Array]) -> tuple[float, float]:
        """What the rule asks for at a postsynaptic and at a presynaptic spike."""
        o, x, y = self.o, used["x"][i], used["y"][j]
        if self.kind == "TripletSTDP":
            a2p, a3p, a2m, a3m, *_ = TRIPLET[o["data"], o["interaction"]]
            up, down = x * (a2p + a3p * used["y2"][j]), y * (a2m + a3m * used["x2"][i])
            return o["rate"] * q * up, -o["rate"] * p * down
        if self.kind == "DiehlCook":
            return o["a_post"] * q * x * used["y2"][j], -o["a_pre"] * p * y
        if self.kind == "membrane":
            return o["eta"] * q * x * (1.0 + 0.01 * y), -o["eta"] * p * x
        if self.kind == "inhibition":
            return o["eta"] * q * x, o["eta"] * p * (y - o["alpha"])
        names = ("a_plus", "a_minus") if self.kind == "MSTDP" else ("a_post", "a_pre")
        return o[names[0]] * x * q, -o[names[1]] * y * p

    def increments(self, came: Array, back: Array, used: dict[str, Array]) -> Array:
        """What each weight gains, weighed by its distance to the bounds."""
        o, d = self.o, np.zeros(len(self.w))
        self.visited = np.zeros(len(self.w), bool)
        for k, (i, j) in enumerate(zip(self.wire.pre, self.wire.post, strict=True)):
            p, q = bool(came[i]), bool(back[j])
            if not (p or q) or (p and q and o.get("coincidence") == "ignore"):
                continue
            self.visited[k] = True
            for asked in self.asked(i, j, p, q, used):
                d[k] += self.weighed(k, asked)
        return d

    def weighed(self, k: int, asked: float) -> float:
        """A change that a rule asks for, of the size that the weight's distance to the bound leaves of it."""
        o = self.o
        part = asked * o.get("sign", 1)
        room = o.get("w_max", 1.0) - self.w[k] if part > 0 else self.w[k] - o.get("w_min", 0.0)
        factor = {"soft": room, "power": max(room, 0.0) ** o.get("mu", 1.0)}.get(self.bounds, 1.0)
        if self.bounds == "smooth":
            factor = math.exp(-0.2 / max(room, 1e-4))
        return part * factor

    def average(self, t: int) -> Array:
        """The membrane of the targets, smoothed, as it was ``late`` steps ago."""
        v = self.sim.v[self.wire.target][t]
        before = self.averages[-1] if self.averages else v
        self.averages.append(v + (before - v) * math.exp(-self.dt / self.o["tau_u"]))
        return self.averages[max(t - self.o["late"], 0)]

    def drift(self, x: Array, u: Array) -> None:
        """Weights between spikes."""
        o, (low, high) = self.o, (-np.inf, np.inf) if self.bounds == "none" else (self.o["w_min"], self.o["w_max"])
        for k, (i, j) in enumerate(zip(self.wire.pre, self.wire.post, strict=True)):
            if u[j] > o["theta"]:
                d = self.weighed(k, self.dt * o["speed"] * (0.5 + x[i]) * (u[j] - o["theta"]))
                self.w[k] = min(max(self.w[k] + d, low), high)

    def settle(self, t: int, d: Array) -> None:
        """Add what is gained, then bounds and normalisation in their order."""
        o, norm = self.o, self.norm if self.norm.get("when") == "every" else {}
        self.w = self.w + d
        if norm and norm["before_clip"]:
            self.normalize(norm["total"])
        if self.bounds in ("hard", "soft", "power"):
            changed = d != 0.0 if norm or self.kind == "MSTDP" else self.visited
            where = np.ones(len(d), bool) if o.get("clip") == "all" else changed
            self.w = np.where(where, np.clip(self.w, o.get("w_min", 0.0), o.get("w_max", 1.0)), self.w)
        if norm and not norm["before_clip"]:
            self.normalize(norm["total"])

    def rewarded(self) -> None:
        """The reward of this step acts on what the steps before have made eligible."""
        o, tau = self.o, self.o["tau_e"]
        if tau is None:
            self.eligible, gain = self.zeta, o["rate"]
        else:
            self.eligible = math.exp(-self.dt / tau) * self.eligible + self.zeta / tau
            gain = o["rate"] * self.dt
        if self.learning:
            self.settle(0, gain * self.reward * self.eligible)

    def steered(self, came: Array, back: Array, used: dict[str, Array]) -> None:
        o, post, some = self.o, self.wire.post, self.counts > 0
        low, high = o["w_min"], o["w_max"]
        d = np.zeros(len(self.w))
        for k, (i, j) in enumerate(zip(self.wire.pre, post, strict=True)):
            asked = o["a_post"] * used["x"][i] * back[j] - o["a_pre"] * used["y"][j] * came[i]
            room = high - self.w[k] if asked > 0 else self.w[k] - low
            d[k] = asked * math.exp(-0.2 / max(room, 1e-4)) if asked else 0.0
        y = used["y"]
        if np.any(some):
            self.aims = self.aims - 0.1 * o["a_pre"] * (y - y[some].mean())
            self.aims = self.aims * (self.mean / self.aims[some].mean())
        means = np.bincount(post, self.w, self.m) / np.maximum(self.counts, 1)
        self.w = self.w * (self.aims / np.maximum(means, 1e-6))[post] + d

    def in_integers(self, t: int, came: Array, back: Array) -> None:
        o = {"nu_pre": -14, "nu_post": 141, "shift": 14, "w_min": 0, "w_max": 109, **self.o}
        for trace, spikes in zip(self.integers, (came, back), strict=True):
            trace[...] = np.where(spikes, 127, (trace * 31169) >> 15)
        if not self.learning:
            return
        a, c = self.integers
        draws = Draws(self.sim.seed, "connection", self.wire.number, "rounding")
        place, pairs = self.wire.pre * len(c) + self.wire.post, len(a) * len(c)  # of a synapse among all pairs
        r = {side: draws.fold(side).bits(pairs, step=t) >> (32 - o["shift"]) for side in ("pre", "post")}
        for k, (i, j) in enumerate(zip(self.wire.pre, self.wire.post, strict=True)):
            gain = 0
            for spikes, z, side in (
                (came[i], o["nu_pre"] * int(c[j]), "pre"),
                (back[j], o["nu_post"] * int(a[i]), "post"),
            ):
                if spikes:
                    gain += (z >> o["shift"]) + (int(r[side][place[k]]) < z % (1 << o["shift"]))
            if came[i] or back[j]:
                self.w[k] = min(max(self.w[k] + gain, o["w_min"]), o["w_max"])

    def tend(self, t: int, back: Array) -> None:
        """Homeostasis at intervals."""
        assert self.wire.care
        kind, o = self.wire.care
        self.tally = self.tally + back
        if (t + 1) % o["steps"]:
            return
        every, post = o["steps"] * self.dt, self.wire.post
        low, high = (
            (self.o.get("w_min", 0.0), self.o.get("w_max", 1.0))
            if self.bounds in ("hard", "soft", "power")
            else (-np.inf, np.inf)
        )
        if kind == "Scaling":
            self.rates = self.rates - np.expm1(-every / o["tau"]) * (1000.0 * self.tally / every - self.rates)
            if self.learning:
                self.w = np.clip(self.w * np.maximum(1.0 + o["beta"] * (o["rate"] - self.rates), 0.0)[post], low, high)
        elif self.learning:
            self.normalize(o["total"])
            if self.o.get("clip") == "all":
                self.w = np.clip(self.w, low, high)
        self.tally = np.zeros(self.m)
