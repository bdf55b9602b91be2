"""A plastic layer: input -> dense connection -> population, and a rule that changes the connection in every step.

    drive[t] = x[t - delay] W,   neurons step,   rule(x[t - lag_pre], spikes[t - lag_post]) changes W

The drive of a step is computed with the weights before that step's change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..layers.container import Container
from ..layers.dense import Dense
from ..layers.layer import Array, Nested, Setting
from ..layers.run import Run
from ..neuron import Neuron
from ..random import Draws
from ..validate import choice, count, number
from .check import check_spikes
from .integer import I32, PostPreInt
from .rule import Rule


@dataclass(frozen=True)
class IntegerSetting(Setting):
    """The setting of a network that computes in 32-bit integers."""

    dtype: Any = np.int32

    def __post_init__(self) -> None:
        number("dt", self.dt, above=0.0)
        choice("device", self.device, ("cpu", "python"))


class Plastic(Container):
    """Dense connection and population, with a plasticity rule.

    ``learn`` runs the layer and applies the rule at every step; ``run`` leaves the weights and the rule's state as they
    are. Inside a network the rule acts when the network is run for training, that is, with draws.

    Parameters
    ----------
    connection : Dense
        Its weights are changed in place: ``params["weight"]`` [n_pre, n_post].
    neurons : Neuron or Population
        The postsynaptic units.
    rule : Rule or PostPreInt
        With ``PostPreInt`` all of the layer computes in int32, and the neurons must be integer ones.
    delay : int
        Steps from an input spike to the current it causes.
    lag : (int, int), optional
        How many steps late the rule sees input and output spikes, each 0 or more (output: at most 1). By default it
        sees an input spike when its current arrives, and output spikes at once.
    defer : bool
        Apply what the rule asks for one step later; what it asks for at the last step is then left in the state, as
        "pending".
    dt, dtype, device, seed
        Setting of a layer that stands alone; in a network that of the network holds.

    Raises
    ------
    ValueError, TypeError
        If a part is of the wrong kind or a delay or lag is not allowed.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.plasticity import NearestSTDP, Plastic
    >>> layer = Plastic(nbsnn.Dense(4, 2, bias=False), nbsnn.neurons.LIF(tau=20.0), NearestSTDP(), seed=0)
    >>> run = layer.learn(np.ones((10, 1, 4)))
    >>> run["neurons"]["spikes"].shape, layer.weights.shape
    ((10, 1, 2), (4, 2))
    """

    kind = "plastic"

    def __init__(
        self,
        connection: Dense,
        neurons: Neuron | Any,
        rule: Rule | PostPreInt,
        *,
        delay: int = 0,
        lag: tuple[int, int] | None = None,
        defer: bool = False,
        dt: float = 1.0,
        dtype: Any = np.float32,
        device: str = "cpu",
        seed: int = 0,
    ):
        super().__init__(connection=connection, neurons=neurons)
        if not isinstance(connection, Dense):
            raise TypeError(f"a plastic connection must be Dense, not {connection!r}")
        if not isinstance(rule, (Rule, PostPreInt)):
            raise TypeError(f"rule must be a plasticity rule, not {rule!r}")
        self.rule, self.delay, self.defer = rule, count("delay", delay, least=0), bool(defer)
        before, after = (self.delay, 0) if lag is None else lag
        self.lag = count("lag of the input", before, least=0), count("lag of the output", after, least=0)
        if self.lag[1] > 1:
            raise ValueError(f"the rule sees output spikes at once or one step late, not {self.lag[1]} steps")
        if self.defer and (not isinstance(rule, Rule) or type(rule).advance is not Rule.advance):
            raise ValueError(f"a {type(rule).__name__} applies its increments itself: defer must be False")
        self.integer = isinstance(rule, PostPreInt)
        setting = IntegerSetting(dt, I32, device) if self.integer else Setting(dt, dtype, device)
        self.build(connection.in_shape, setting, Draws(seed))

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if setting.device == "cuda":
            raise ValueError("plasticity runs on the CPU: device must be 'cpu' or 'python'")
        if self.integer:
            setting = IntegerSetting(setting.dt, I32, setting.device)
        self.setting, self.built, self.in_shape = setting, True, in_shape
        self.connection, self.neurons = self.children["connection"], self.children["neurons"]
        self.connection.build(in_shape, setting, draws.fold("connection"))
        self.neurons.build(self.connection.shape, setting, draws.fold("neurons"))
        self.shape = self.neurons.shape

    @property
    def weights(self) -> Array:
        """The weights [n_pre, n_post], the array itself."""
        return self.connection.params["weight"]

    @property
    def queue(self) -> int:
        """How many input steps the state remembers."""
        return max(self.delay, self.lag[0])

    def initial(self, batch: int) -> Nested:
        state: Nested = {"neurons": self.neurons.initial(batch), "rule": self.rule.initial(batch, self.weights)}
        if self.queue:
            state["input"] = np.zeros((self.queue, batch, *self.in_shape), self.setting.dtype)
        if self.defer:
            state["pending"] = np.zeros_like(self.weights)
        return state

    def learn(self, x: Any, state: Nested | None = None, *, draws: Any = None, **signals: Any) -> Run:
        """Run and change the weights.

        Parameters
        ----------
        x : array [T, B, n_pre]
            Input spikes, 0 or 1.
        state : dict, optional
            Where to start, as in ``run``.
        draws, **signals
            What the rule asks for, for all steps: ``reward``, a number, [T] or [T, B]; ``draws`` of ``PostPreInt``.

        Returns
        -------
        Run
            As of ``run``; ``run["current"]`` is the drive of the neurons.

        Raises
        ------
        ValueError, TypeError
            If shapes do not fit or the input is not 0 or 1.
        """
        x = check_spikes("input", x, self.in_shape[0], self.setting.dtype)
        state = self.initial(x.shape[1]) if state is None else self.check_state(state, x.shape[1])
        if "reward" in signals and np.ndim(signals["reward"]):
            if np.shape(signals["reward"])[0] != len(x):
                raise ValueError(f"reward must have one row per step, {len(x)}, not {np.shape(signals['reward'])[0]}")
            signals["reward"] = np.asarray(signals["reward"])
        tape: Nested = {}
        if draws is not None:
            signals["draws"] = draws
        y, final = self._steps(x, state, tape, signals)
        return Run(self, y, final, tape)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        signals = None if draws is None else {"draws": draws.fold("rule")} if self.integer else {}
        return self._steps(np.ascontiguousarray(x), state, tape, signals)

    def _steps(self, x: Array, state: Nested, tape: Nested, signals: Nested | None) -> tuple[Array, Nested]:
        """All steps of a run; ``signals`` None leaves the weights alone."""
        whole = np.concatenate([state["input"], x]) if self.queue else x
        inner, back = tape.setdefault("neurons", {}), tape.setdefault("connection", {})
        dense: Any = self.connection
        population: Any = self.neurons
        drive = np.zeros((len(x), x.shape[1], *self.shape), self.setting.dtype)
        population.begin(drive, state["neurons"], inner)
        rule, pending = state["rule"], state.get("pending")
        for t in range(len(x)):
            now = self.queue + t
            drive[t : t + 1] = dense.apply(whole[now - self.delay : now - self.delay + 1], back, None)
            population.advance(inner, t, t + 1)
            if signals is not None:
                pre = whole[now - self.lag[0] : now - self.lag[0] + 1]
                post = inner["record"][0, t + 1 - self.lag[1] : t + 2 - self.lag[1]]
                rule, pending = self._change(t, pre, post, rule, pending, inner, signals)
        if signals is not None:
            self.rule.finish(self.weights)
        final = {"neurons": population.final(inner), "rule": rule}
        if self.queue:
            final["input"] = whole[len(x) :].copy()
        if self.defer:
            final["pending"] = pending
        return population.output(inner), final

    def _change(
        self, t: int, pre: Array, post: Array, state: Nested, pending: Any, inner: Nested, signals: Nested
    ) -> tuple[Nested, Any]:
        """Let the rule act on one step; returns its state and what is still to be applied."""
        how: dict[str, Any] = {"dt": self.setting.dt, "device": self.setting.device}
        rule: Any = self.rule
        if self.defer:
            used, after = rule.follow(pre, post, state, **how)
            dw = rule.increment(0, self.weights, pre, post, used, self.setting.device)
            rule.settle(self.weights, pending, int(state["step"]))
            return after, dw
        now = {name: _at(t, value) for name, value in signals.items()}
        now |= {name: self.neurons.record(inner, name)[t : t + 1] for name in rule.reads}
        return rule.advance(self.weights, pre, post, state, **how, **now), None

    def backward(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError("a plastic layer learns by its rule: no gradient flows through it")

    def record(self, tape: Nested, name: str) -> Any:
        return tape["neurons"]["x"] if name == "current" else super().record(tape, name)

    def recorded(self) -> list[str]:
        return [*super().recorded(), "current"]


def _at(t: int, value: Any) -> Any:
    """The part of a signal that belongs to step ``t``."""
    if isinstance(value, (tuple, list)):
        return tuple(part[t : t + 1] for part in value)
    return value[t : t + 1] if isinstance(value, np.ndarray) and value.ndim else value
