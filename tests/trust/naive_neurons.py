"""The neurons that learn, written from their equations for whole arrays, and random options for them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf, expit

from nbsnn import neurons, surrogates

from .naive_gradient import Value, exp, function, of, still, where

Array = np.ndarray


def _density(u: Array, mean: float, scale: float) -> Array:
    return np.exp(-0.5 * ((u - mean) / scale) ** 2) / (scale * math.sqrt(2.0 * math.pi))


def _distribution(u: Array, mean: float, scale: float) -> Array:
    return 0.5 * (1.0 + erf((u - mean) / (scale * math.sqrt(2.0))))


SURROGATES: dict[str, tuple] = {
    "atan": (
        lambda u: 1.0 / (1.0 + (math.pi * u) ** 2),
        lambda u: np.arctan(math.pi * u) / math.pi + 0.5,
        (),
    ),
    "sigmoid": (lambda u: 4.0 * expit(4.0 * u) * expit(-4.0 * u), lambda u: expit(4.0 * u), ()),
    "superspike": (lambda u: (1.0 + 10.0 * np.abs(u)) ** -2, lambda u: 0.5 + u / (1.0 + 10.0 * np.abs(u)), ()),
    "rect": (lambda u: 1.0 * (np.abs(u) < 0.5), lambda u: np.clip(u + 0.5, 0.0, 1.0), (0.5,)),
    "piecewise_quadratic": (
        lambda u: np.maximum(0.0, 1.0 - np.abs(u)),
        lambda u: 0.5 + np.clip(u, -1.0, 1.0) * (1.0 - 0.5 * np.minimum(np.abs(u), 1.0)),
        (),
    ),
    "spike_linear": (
        lambda u: 0.3 * np.maximum(0.0, 1.0 - np.abs(u)),
        lambda u: 0.5 + 0.3 * np.clip(u, -1.0, 1.0) * (1.0 - 0.5 * np.minimum(np.abs(u), 1.0)),
        (),
    ),
    "erf": (
        lambda u: 2.0 / math.sqrt(math.pi) * np.exp(-4.0 * u * u),
        lambda u: 0.5 * (1.0 + erf(2.0 * u)),
        (),
    ),
    "gaussian": (lambda u: _density(u, 0.0, 0.5**0.5), lambda u: _distribution(u, 0.0, 0.5**0.5), ()),
    "multi_gaussian": (
        lambda u: 1.15 * _density(u, 0, 0.5) - 0.15 * (_density(u, 0.5, 3.0) + _density(u, -0.5, 3.0)),
        lambda u: 1.15 * _distribution(u, 0, 0.5) - 0.15 * (_distribution(u, 0.5, 3.0) + _distribution(u, -0.5, 3.0)),
        (),
    ),
    "s2nn": (
        lambda u: np.where(u < 0.0, 4.0 * expit(4.0 * u) * expit(-4.0 * u), 1.0 / (np.abs(u) + 1.0)),
        lambda u: np.where(u < 0.0, expit(4.0 * u), np.log(np.abs(u) + 1.0) + 0.5),
        (0.0,),
    ),
    "inverse_square": (
        lambda u: (1.0 + np.abs(u)) ** -2,
        lambda u: 0.5 + u / (1.0 + np.abs(u)),
        (),
    ),
}
"""Name -> slope, smooth step, and the distances from the threshold at which the slope jumps; with default options."""


class Spikes:
    """The spike function of one run, which notes how near a decision was.

    Attributes
    ----------
    nearest : float
        The smallest distance of a membrane from its threshold, or from a jump of its surrogate's slope.
    count : int
        How many spikes there were.
    """

    def __init__(self, smooth: bool):
        self.smooth, self.nearest, self.count = smooth, math.inf, 0

    def near(self, distances: Array) -> None:
        self.nearest = min(self.nearest, float(np.min(np.abs(distances), initial=math.inf)))

    def __call__(self, u: Value, options: dict[str, Any]) -> Value:
        slope, smooth, jumps = SURROGATES[options.get("surrogate", "atan")]
        for jump in jumps:
            self.near(np.abs(u.value) - jump)
        if self.smooth:
            return function(u, smooth(u.value), slope(u.value))
        self.near(u.value)
        fires = u.value >= 0.0 if options.get("compare", ">=") == ">=" else u.value > 0.0
        self.count += int(fires.sum())
        return function(u, fires.astype(float), slope(u.value))


@dataclass
class NaiveNeuron:
    """Neurons of one kind.

    Attributes
    ----------
    kind, options
        The function in ``nbsnn.neurons`` and its arguments; "surrogate" by name.
    """

    kind: str
    options: dict[str, Any]

    @property
    def label(self) -> str:
        """What a container calls it."""
        return self.kind.lower()

    def library(self) -> Any:
        given = dict(self.options)
        if "surrogate" in given:
            given["surrogate"] = getattr(surrogates, given["surrogate"])()
        return getattr(neurons, self.kind)(**given)

    def start(self, p: Any, shape: tuple[int, ...], spikes: Spikes) -> dict[str, Value]:
        """State and first output, [B, ...]; ``p(name, default)`` is a parameter."""
        o, ones = self.options, np.ones(shape)
        v = p("initial_v", o.get("v_start", p("v_rest", 0.0)))
        state = {} if self.kind in ("Discontinuous", "CLIF") else {"v": of(v) * ones}
        for name, kind in (("a", "ALIF"), ("b", "Adaptive"), ("i", "CubaLIF"), *((n, "CLIF") for n in "mqe")):
            if self.kind == kind:
                state[name] = of(p(f"initial_{name}", 0.0)) * ones
        if o.get("refractory"):
            state["left"] = Value(0.0 * ones)
        first: Any = 0.0
        if o.get("first") == "spike":
            first = spikes(of(v) - p("v_threshold", 1.0), o)
        elif self.kind == "Cooldown":
            first = (self.signs(shape[1:]) < 0.0).astype(float)
        elif "first" in o or "initial_spikes" in o.get("learn", ()):
            first = p("initial_spikes", o.get("first", 0.0))
        return state | {"first": of(first) * ones}

    def leak(self, p: Any, dt: float) -> Any:
        """By what the membrane is multiplied in a step, which is how the trace of OTTT fades; 1 without a leak."""
        if self.kind == "PLIF":
            return 1.0 / (1.0 + np.exp(of(p("w", None)).value))
        if self.kind in ("IF", "CLIF", "Discontinuous"):
            return 1.0
        tau = of(p("tau", {"LIF": 2.0, "LI": 2.0, "CubaLIF": 10.0}.get(self.kind, 20.0))).value
        return 1.0 - dt / tau if self.options.get("decay") == "euler" else np.exp(-dt / tau)

    def signs(self, shape: tuple[int, ...]) -> Any:
        """Of a Cooldown: 1 for the first half of the units, -1 for the others."""
        sign = self.options.get("sign", "halves")
        if isinstance(sign, str):
            n = math.prod(shape)
            return np.where(np.arange(n) < n // 2, 1.0, -1.0).reshape(shape)
        return np.broadcast_to(sign, shape)

    def advance(self, x: Value, s: dict[str, Value], p: Any, dt: float, spikes: Spikes) -> Value:
        """One step: ``s`` is changed, the output returned."""
        o, kind = self.options, self.kind
        euler, shape = o.get("decay", "exp") == "euler", x.shape

        def decay(name: str, default: float) -> Value:
            tau = of(p(name, default))
            return 1.0 - dt / tau if euler else exp(-(dt / tau))

        def fire(u: Value, threshold: Any) -> Value:
            return spikes(u - threshold, o)

        def reset(u: Value, spike: Value, threshold: Any) -> Value:
            spike = still(spike) if o.get("detach_reset") else spike
            to = o.get("v_reset", None if kind == "ALIF" else 0.0)
            how = o.get("reset") or ("none" if kind == "NoReset" else "soft" if to is None else "hard")
            if how == "none":
                return u
            return u - spike * threshold if how == "soft" else (1.0 - spike) * u + spike * p("v_reset", 0.0)

        def charge(v: Value, x: Value, d: Value) -> Value:
            rest = of(p("v_rest", 0.0))
            return rest + d * (v - rest) + (1.0 - d if o.get("decay_input") else 1.0) * x

        threshold = of(p("v_threshold", 1.0))
        if kind == "LI":
            s["v"] = charge(s["v"], x, decay("tau", 2.0))
            return s["v"]
        if kind == "Discontinuous":
            return fire(x, threshold)
        if kind == "CLIF":
            b = o["tau_p"] / o["tau_q"]  # as given: learning does not change the gain
            gain = p("v0", b ** (b / (b - 1.0)) / (b - 1.0))
            s["m"] = decay("tau_p", 12.0) * s["m"] + gain * x
            s["q"] = decay("tau_q", 8.0) * s["q"] + gain * x
            spike = fire(s["m"] - s["q"] - s["e"], threshold)
            s["e"] = decay("tau", 20.0) * s["e"] + threshold * (still(spike) if o.get("detach_reset") else spike)
            return spike
        if kind == "Cooldown":
            d, before = decay("tau", 20.0), s["v"]
            s["v"] = d * before + (1.0 - d) * exp(x)
            return spikes((((before if o.get("delayed") else s["v"]) - threshold) * self.signs(shape[1:])), o)
        if kind == "Adaptive":
            theta, before = threshold + s["b"], s["v"]
            u = decay("tau", 20.0) * before + x
            spike = spikes(((before if o.get("delayed") else u) - theta) / theta, o)
            s["v"] = u - (still(spike) if o.get("detach_reset") else spike) * theta
            s["b"] = decay("tau_adapt", 200.0) * s["b"] + p("beta", 0.2) * spike
            return spike
        if kind == "IF":
            u = s["v"] + x - p("drain", 0.0)
        elif kind == "CubaLIF":
            s["i"] = decay("tau_syn", 5.0) * s["i"] + x
            u = charge(s["v"], s["i"], decay("tau", 10.0))
        elif kind == "PLIF":
            u = charge(s["v"], x, 1.0 / (1.0 + exp(p("w", None))))
        else:
            u = charge(s["v"], x, decay("tau", {"ALIF": 20.0, "NoReset": 20.0}.get(kind, 2.0)))
        theta = threshold + p("beta", 0.2) * s["a"] if kind == "ALIF" else threshold
        spike = fire(u, theta)
        after = reset(u, spike, theta)
        if "left" in s:
            held = s["left"].value > 0.0
            spike, after = where(held, 0.0, spike), where(held, s["v"], after)
            if spikes.smooth:
                spikes.near(np.where(held, np.inf, spike.value - 0.5))
            new = np.where(spike.value > 0.5, np.floor(np.asarray(o["refractory"]) / dt + 0.5 + 1e-9), 0.0)
            s["left"] = Value(np.where(held, s["left"].value - 1.0, new))
        if kind == "ALIF":
            s["a"] = decay("tau_adapt", 200.0) * s["a"] + spike
        s["v"] = after
        return spike


LEARNED = {
    "LIF": ("tau", "v_threshold", "v_reset", "v_rest", "initial_v"),
    "IF": ("v_threshold", "v_reset", "drain", "initial_v"),
    "PLIF": ("v_threshold", "v_rest"),
    "CubaLIF": ("tau", "tau_syn", "v_threshold", "v_rest", "initial_i"),
    "ALIF": ("tau", "tau_adapt", "beta", "v_threshold", "initial_a"),
    "Adaptive": ("tau", "tau_adapt", "beta", "v_threshold", "initial_v", "initial_b"),
    "CLIF": ("v0", "tau_p", "tau_q", "tau", "v_threshold"),
    "Cooldown": ("tau", "v_threshold", "initial_v"),
    "NoReset": ("tau", "v_threshold", "v_rest", "initial_v"),
    "Discontinuous": ("v_threshold",),
    "LI": ("tau", "v_rest", "initial_v"),
}
"""Kind -> what it can learn."""

WEIGHTS = {"LIF": 5, "Adaptive": 2, "ALIF": 2, "CubaLIF": 2, "IF": 2}
"""How often a kind is drawn; 1 for the others."""


def draw_neuron(rng: np.random.Generator, shape: tuple[int, ...], kinds: np.random.Generator) -> NaiveNeuron:
    """Neurons with random options: numbers from ``rng``, what shapes a kernel (kind, surrogate) from ``kinds``."""
    names = [name for name in LEARNED if name != "LI"]
    odds = np.array([WEIGHTS.get(name, 1) for name in names], float)
    kind = str(kinds.choice(names, p=odds / odds.sum()))
    o: dict[str, Any] = {"surrogate": str(kinds.choice(list(SURROGATES)))} if kinds.random() < 0.5 else {}

    def maybe(name: str, share: float, *choices: Any) -> None:
        if kinds.random() < share:
            o[name] = choices[int(kinds.integers(len(choices)))]

    def number(low: float, high: float) -> Any:
        """A number, or one per unit."""
        return rng.uniform(low, high, shape) if rng.random() < 0.15 else float(rng.uniform(low, high))

    maybe("compare", 0.2, ">")
    o["v_threshold"] = number(0.3, 1.3)
    if kind != "Discontinuous" and kind != "IF":
        o["tau"] = number(1.6, 9.0)
    if kind not in ("Discontinuous", "IF", "PLIF"):
        maybe("decay", 0.3, "euler")
    if kind in ("LIF", "PLIF", "CubaLIF", "ALIF", "NoReset"):
        maybe("decay_input", 0.3, True)
        if rng.random() < 0.4:  # some of them above threshold: units that fire without input
            o["v_rest"] = number(-0.4, 0.5) if rng.random() < 0.7 else float(np.min(o["v_threshold"])) + 0.2
    if kind in ("LIF", "IF", "PLIF", "CubaLIF", "ALIF"):
        hard = kinds.random() < 0.5
        o["v_reset"] = number(-0.3, 0.2) if hard else None
        maybe("reset", 0.15, "none", "soft")
    if kind in ("LIF", "IF", "PLIF", "CubaLIF", "ALIF", "Adaptive", "CLIF"):
        maybe("detach_reset", 0.25, True)
    if kind in ("LIF", "PLIF") and kinds.random() < 0.3:
        o["refractory"] = float(rng.choice([0.5, 1.0, 2.0, 3.2]))
    if kind in ("LIF", "NoReset", "Adaptive"):
        maybe("first", 0.25, "spike", 1.0)
    if kind in ("Adaptive", "Cooldown"):
        maybe("delayed", 0.3, True)
    if kind in ("ALIF", "Adaptive"):
        o |= {"tau_adapt": number(3.0, 40.0), "beta": number(0.05, 0.5)}
    if kind == "CubaLIF":
        o["tau_syn"] = number(1.5, 6.0)
    if kind == "CLIF":
        o |= {"tau_p": float(rng.uniform(5.0, 9.0)), "tau_q": float(rng.uniform(1.6, 4.0))}
    if kind == "IF":
        o |= {"drain": number(-0.1, 0.2), "v_start": float(rng.uniform(-0.2, 0.3))}
    if kinds.random() < 0.5:
        wanted = kinds.permutation(LEARNED[kind])[: int(kinds.integers(1, 3))]
        o["learn"] = tuple(str(name) for name in wanted if name != "v_reset" or o.get("v_reset") is not None)
    return NaiveNeuron(kind, o)


def draw_readout(rng: np.random.Generator, kinds: np.random.Generator) -> NaiveNeuron:
    """A leaky integrator with random options."""
    o: dict[str, Any] = {"tau": float(rng.uniform(1.5, 8.0)), "v_rest": float(rng.choice([0.0, 0.2]))}
    o |= {"decay": str(kinds.choice(["exp", "euler"])), "decay_input": bool(kinds.random() < 0.5)}
    return NaiveNeuron("LI", o | ({"learn": ("tau",)} if kinds.random() < 0.3 else {}))
