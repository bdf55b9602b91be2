"""A plastic layer: input -> dense connection -> population, and a rule that changes the connection in every step.

    drive[t] = x[t - delay] W + spikes[t - 1] L,   neurons step,   rule(x[t - lag_pre], spikes[t - lag_post]) changes W

The drive of a step is computed with the weights before that step's change. L is the lateral connection, if there is
one. Spikes that meet a ``Rule`` run in one compiled loop, where the rows of W that spikes choose are added up; other
input and rules with loops of their own (rewards, homeostasis, integers) go step by step. With ``path="dense"`` the
connection is multiplied by BLAS.
"""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike

from ..device import gpu
from ..device.exclusive import Exclusive, exclusive
from ..device.host import Host
from ..device.threads import resolve
from ..encode.encoder import Encoder
from ..layers.container import Container
from ..layers.dense import Dense
from ..layers.layer import Array, Nested, Setting, buffer
from ..layers.population import Population
from ..layers.run import Run
from ..layers.standardized import WSDense
from ..neuron import Neuron
from ..random import Draws
from ..validate import count, number, scale, shown, switch
from .backend import backend
from .check import check_spikes
from .inhibition import Inhibition
from .integer import I32, PostPreInt
from .present import Presented, present
from .rule import Rule
from .spikes_in import Drawn

FIXED = "rule", "delay", "lag", "defer"  # what is set in a layer that stands would be ignored


@dataclass(frozen=True)
class IntegerSetting(Setting):
    """The setting of a network that computes in 32-bit integers."""

    dtype: DTypeLike = np.int32

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", scale("dt", self.dt))
        object.__setattr__(self, "device", resolve(self.device))


class Plastic(Container):
    """Dense connection and population, with a plasticity rule.

    ``learn`` runs the layer and applies the rule at every step; ``run`` leaves the weights as they are, while the
    rule's traces, and what is eligible for a reward, follow the spikes. Inside a network the rule acts when the
    network is run for training, that is, with draws.

    Parameters
    ----------
    connection : Dense
        Its weights are changed in place: ``params["weight"]`` [n_pre, n_post].
    neurons : Neuron or Population
        The postsynaptic units.
    rule : Rule or PostPreInt
        With ``PostPreInt`` all of the layer computes in int32, and the neurons must be integer ones.
    lateral : Dense or float, optional
        Connection from the population to itself, with fixed weights and a delay of one step. A number is the strength
        with which each unit inhibits all others: weights of ``-lateral``, and 0 on the diagonal.
    delay : int
        Steps from an input spike to the current it causes.
    lag : (int, int), optional
        How many steps late the rule sees input and output spikes, each 0 or more (output: at most 1). By default it
        sees an input spike when its current arrives, and output spikes at once.
    defer : bool
        Apply what the rule asks for one step later; what it asks for at the last step is then left in the state, as
        "pending".
    dt, dtype, device, seed
        Setting of a layer that stands alone; in a network that of the network holds. With ``device="cuda"`` a run is
        one launch, and arrays are on the GPU for as long as it takes.

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
    arrays = Host()  # type: ignore[assignment]  # its parts' arrays stay on the CPU, and go to a GPU for each run

    def __init__(
        self,
        connection: Dense,
        neurons: Neuron | Any,
        rule: Rule | PostPreInt,
        *,
        lateral: Dense | float | None = None,
        delay: int = 0,
        lag: tuple[int, int] | None = None,
        defer: bool = False,
        dt: float = 1.0,
        dtype: DTypeLike = np.float32,
        device: str = "cpu",
        seed: int = 0,
    ):
        if not isinstance(connection, Dense) or isinstance(connection, WSDense):
            raise TypeError(
                f"connection: a plastic connection must be Dense, with weights as they are, not {shown(connection)}"
            )
        units = connection.shape[0]
        if lateral is not None and not isinstance(lateral, Dense):
            lateral = Dense(
                units, units, bias=False, path="events", weight=Inhibition(number("strength of lateral", lateral))
            )
        super().__init__(connection=connection, neurons=neurons, **({} if lateral is None else {"lateral": lateral}))
        if not isinstance(rule, (Rule, PostPreInt)):
            raise TypeError(f"rule must be a plasticity rule, not {shown(rule)}")
        if rule.loop == "membrane":
            raise ValueError(f"{type(rule).__name__} reads neurons between spikes: it runs in nbsnn.Network, no layer")
        self.exclusive = Exclusive("this plastic layer")
        self.rule, self.delay, self.defer = rule, count("delay", delay, least=0, most=1 << 20), switch("defer", defer)
        if not (lag is None or (isinstance(lag, (tuple, list)) and len(lag) == 2)):
            raise TypeError(f"lag must be two numbers of steps, not {lag!r}")
        before, after = (self.delay, 0) if lag is None else lag
        self.lag = count("lag of the input", before, least=0, most=1 << 20), count("lag of the output", after, least=0)
        if self.lag[1] > 1:
            raise ValueError(f"the rule sees output spikes at once or one step late, not {self.lag[1]} steps")
        if self.defer and rule.loop != "pairs":
            raise ValueError(f"a {type(rule).__name__} applies its increments itself: defer must be False")
        self.integer = rule.loop == "integer"
        setting = IntegerSetting(dt, I32, device) if self.integer else Setting(dt, dtype, device)
        self.build(connection.in_shape, setting, Draws(seed))
        self._made = True

    def __setattr__(self, name: str, value: object) -> None:
        if "_made" in self.__dict__ and (name in FIXED or not (name in self.__dict__ or hasattr(type(self), name))):
            raise AttributeError(
                f"{name!r} of a plastic layer cannot be set: make another Plastic({', '.join(FIXED)}, ...)"
            )
        super().__setattr__(name, value)

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if self.integer:
            setting = IntegerSetting(setting.dt, I32, setting.device)
        self.setting, self.built, self.in_shape = setting, True, in_shape
        self.arrays = Host()  # of its parts; they go to a GPU for each run
        self.backend = backend(setting.device)
        setting = replace(setting, device=self.backend.device)
        self.connection = cast(Dense, self.children["connection"])
        self.neurons = cast(Population, self.children["neurons"])
        self.connection.build(in_shape, setting, draws.fold("connection"))
        self.neurons.build(self.connection.shape, setting, draws.fold("neurons"))
        self.shape = self.neurons.shape
        self.lateral = cast(Dense | None, self.children.get("lateral"))
        if self.lateral is not None:
            if self.lateral.in_shape + self.lateral.shape != 2 * self.shape:
                raise ValueError(f"lateral must be a Dense({self.shape[0]}, {self.shape[0]}), not {self.lateral!r}")
            self.lateral.build(self.shape, setting, draws.fold("lateral"))
        self.compiled = {}

    def options(self) -> dict[str, Any]:
        return {"delay": self.delay, "lag": self.lag, "defer": self.defer}

    @property
    def weights(self) -> Array:
        """The weights [n_pre, n_post], the array itself."""
        return self.connection.params["weight"]

    @property
    def queue(self) -> int:
        """Number of input steps that the state remembers."""
        return max(self.delay, self.lag[0])

    def initial(self, batch: int) -> Nested:
        state: Nested = {"neurons": self.neurons.initial(batch), "rule": self.rule.initial(batch, self.weights)}
        if self.queue:
            state["input"] = np.zeros((self.queue, batch, *self.in_shape), self.setting.dtype)
        if self.defer:
            state["pending"] = np.zeros_like(self.weights)
        return state

    @exclusive
    def learn(
        self,
        x: Any,
        state: Nested | None = None,
        *,
        draws: Draws | tuple[Array, Array] | None = None,
        every: int | None = None,
        **signals: Any,
    ) -> Run:
        """Run and change the weights.

        Parameters
        ----------
        x : array [T, B, n_pre]
            Input spikes, 0 or 1.
        state : dict, optional
            Where to start, as in ``run``.
        every : int, optional
            Record the weights after every this many steps: ``run["weights"]`` [T // every, n_pre, n_post].
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
        every = None if every is None else count("every", every)
        tape: Nested = {}
        if draws is not None:
            signals["draws"] = draws
        y, final = self.run_steps(x, state, tape, signals, every)
        return Run(self, y, final, tape)

    @exclusive
    def present(
        self, x: Any, encoder: Encoder, draws: Draws, *, state: Nested | None = None, keep: tuple[str, ...] = (),
        learn: bool = True, first: int = 0, batch: int = 1, every: int | None = None,
    ) -> Presented:  # fmt: skip
        """Show samples one after another, each for the ``T`` steps of the encoder.

        Every sample starts from the initial state, but for the neurons' variables in ``keep``, which it takes from the
        sample before, and is a run of its own: weights that are normalised at the end are so after each.
        ``encode.poisson`` draws its spikes while the loop runs, and makes no array of them.

        Parameters
        ----------
        x : array [S, n_pre]
            Samples, as the encoder takes them.
        encoder : Encoder
            From ``nbsnn.encode``.
        draws : Draws
            Sample s is encoded with ``draws.fold(first + s)``.
        state : dict, optional
            Of one sample: where to start, by default ``initial(1)``; only ``keep`` is taken of it.
        keep : tuple of str
            Variables of the neurons that last: "theta", say.
        learn : bool
            Whether weights change. Otherwise every sample starts from ``state``: their order does not matter.
        first : int
            Number of the first sample, to show a data set in parts.
        batch : int
            How many samples run at once; with ``learn`` it must be 1.
        every : int, optional
            Record the weights after every this many samples.

        Returns
        -------
        Presented
            Spike counts, the state after the last sample, and the weights that were noted.

        Raises
        ------
        ValueError, TypeError
            If shapes do not fit, the encoder refuses the samples, or ``keep`` names what the neurons do not have.

        Examples
        --------
        >>> import numpy as np, nbsnn
        >>> from nbsnn.plasticity import NearestSTDP, Plastic
        >>> from nbsnn.random import Draws
        >>> layer = Plastic(nbsnn.Dense(4, 2, bias=False), nbsnn.neurons.LIF(tau=20.0), NearestSTDP(), lateral=1.0)
        >>> shown = layer.present(np.full((3, 4), 0.5), nbsnn.encode.poisson(T=50), Draws(0))
        >>> shown.counts.shape
        (3, 2)
        """
        return present(self, x, encoder, draws, state, keep, learn, first, batch, every)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        signals = None if draws is None else {"draws": draws.fold("rule")} if self.integer else {}
        y, final = self.run_steps(np.ascontiguousarray(gpu.get(x)), state, tape, signals)
        return (gpu.put(y) if gpu.on_gpu(x) else y), final

    def run_steps(
        self, x: Array | Drawn, state: Nested, tape: Nested, signals: Nested | None, every: int | None = None
    ) -> tuple[Array, Nested]:
        """All steps of a run; ``signals`` None leaves the weights alone."""
        batch, steps = state["neurons"][self.neurons.neuron.output].shape[0], len(x)
        inner = tape.setdefault("neurons", {})
        drive = buffer(tape, "drive", (steps, batch, *self.shape), self.setting.dtype)
        run = self.neurons.begin(drive, state["neurons"], inner)
        way = self.backend.run(self, x, state, tape, signals)
        window = every or steps + 1
        kept = tape["weights"] = np.empty((steps // window, *self.weights.shape), self.weights.dtype)
        tape["noted"] = every is not None
        for k, line in enumerate(kept):
            way.advance(k * window, (k + 1) * window)
            line[...] = self.weights
        way.advance(len(kept) * window, steps)
        way.finish()
        final = way.final()
        if signals is None:
            final["rule"] = self._rest(cast(Array, x), state, run.record[0])
        return self.neurons.output(inner), {"neurons": self.neurons.final(run), **final}

    def _rest(self, x: Array, state: Nested, output: Array) -> Nested:
        """The rule's state after steps in which it has left the weights alone; ``output`` begins a step earlier."""
        whole = np.concatenate([state["input"], x]) if self.queue else x
        early, late = self.queue - self.lag[0], 1 - self.lag[1]
        pre = np.not_equal(whole[early : early + len(x)], 0).astype(self.setting.dtype)
        post = np.ascontiguousarray(output[late : late + len(x)])
        return self.rule.rest(self.weights, pre, post, state["rule"], dt=self.setting.dt, device=self.backend.device)

    def backward(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueError("a plastic layer learns by its rule: no gradient flows through it")

    def record(self, tape: Nested, name: str) -> Any:
        if name == "weights":
            if not tape["noted"]:
                raise KeyError("no weights were noted: learn(x, every=10) notes them after every 10 steps")
            return tape["weights"]
        return tape["neurons"]["run"].x if name == "current" else super().record(tape, name)

    def recorded(self) -> list[str]:
        return [name for name in super().recorded() if name != "lateral"] + ["current"]
