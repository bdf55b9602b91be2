"""e-prop: how much each synapse has contributed to its neuron's state is carried forward, not errors back.

For synapse i -> j, with h the neuron's state, x its current and z its output,

    eps[t]    = (dh[t]/dh[t-1]) eps[t-1] + (dh[t]/dx[t]) z_pre[t]             eligibility vector
    e[t]      = (dz[t]/dh[t-1]) eps[t-1] + (dz[t]/dx[t]) z_pre[t]             eligibility trace
    dL/dW_ij  = sum_t L_j[t] ebar_ij[t],    ebar[t] = kappa ebar[t-1] + e[t]
    L_j[t]    = sum_k B_jk dL/dy_k[t]                                         learning signal

kappa is the decay of the leaky readout, B what brings its errors to the neurons: the readout's own weights
("symmetric"), fixed random ones, or random ones that change as the readout's do ("adaptive"). All derivatives come
from the neuron's ``vjp``: the LIF neuron's eligibility is a trace of presynaptic spikes times the surrogate
derivative, a second component follows a threshold that adapts, and any custom neuron has its own.

Without recurrent connections this is the exact gradient; with them, the only thing left out is that a spike acts on
later errors through other neurons.

Bellec et al. 2020, "A solution to the learning dilemma for recurrent networks of spiking neurons",
doi:10.1038/s41467-020-17236-y. Adaptive feedback: Kolen and Pollack 1994.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from ..device.gpu import assign, get, on_gpu, put
from ..layers import Dense, Population, Recurrent, Sequential
from ..layers.layer import Array, Layer, Nested
from ..optim.optimizer import Optimizer
from ..random import Draws
from ..validate import choice, finite, number, shaped
from .learner import Loss, check_net
from .online import Online


class EProp(Online):
    """Learner: e-prop, for one hidden population, with or without recurrent connections.

    Parameters
    ----------
    net : Sequential
        ``Sequential(Dense, Recurrent(neuron), Dense, LI())``; without ``Recurrent``, or without the last layer, too.
    loss, optimizer
        As in ``Online``.
    feedback : {"symmetric", "random", "adaptive"}
        What brings errors back to the neurons.
    feedback_decay : float, default 0.0
        Share by which adaptive feedback and the readout's weights shrink at each update, which lets them converge.
    update, clip, seed
        As in ``Online``; ``seed`` also draws the feedback.

    Attributes
    ----------
    feedback_weight : array [N, C]
        B; the readout's own weights if symmetric.

    Notes
    -----
    Memory is B x N x (units before + N) x (state variables + 1) numbers, whatever the number of steps.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import ALIF, LI
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 8), nbsnn.Recurrent(ALIF()), nbsnn.Dense(8, 2), LI(20.0), seed=0)
    >>> learner = nbsnn.EProp(net, feedback="random")
    >>> value = learner.step(np.ones((10, 3, 4), np.float32), np.array([0, 1, 0]))
    """

    def __init__(
        self,
        net: Layer,
        loss: Loss | str | None = None,
        optimizer: Optimizer | str | None = None,
        *,
        feedback: str = "symmetric",
        feedback_decay: float = 0.0,
        update: str = "sample",
        clip: float | None = None,
        seed: int = 0,
    ):
        self.first, self.hidden, self.last, self.readout = _parts(check_net(net))
        super().__init__(net, loss, optimizer, update=update, clip=clip, seed=seed, window=1, compact=False)
        self.feedback = choice("feedback", feedback, ("symmetric", "random", "adaptive"))
        self.feedback_decay = number("feedback_decay", feedback_decay, least=0.0)
        if self.feedback_decay and feedback != "adaptive":
            raise ValueError(f'feedback_decay needs feedback="adaptive", not {feedback!r}')
        hidden, last = net.layers()[self.hidden], cast("Dense", net.layers()[self.last])
        self.recurrent = cast(Recurrent, hidden) if hidden.children else None
        self.population = cast(Population, hidden.children.get("neurons", hidden))
        self.kappa, self.gain = _readout_filter(net.layers()[self.readout]) if self.readout else (0.0, 1.0)
        self.feedback_weight: Array = last.params["weight"]
        if feedback != "symmetric":
            fans = {"fan_in": last.in_shape[0], "fan_out": last.shape[0]}
            shape, dtype = tuple(last.params["weight"].shape), net.setting.dtype
            drawn = last.weight_init(shape, draws=Draws(seed, "feedback"), dtype=dtype, **fans)
            self.feedback_weight = put(drawn) if on_gpu(last.params["weight"]) else drawn
        self.close(EProp)

    @staticmethod
    def fits(net: Layer) -> bool:
        """True if a network has the form that e-prop needs."""
        try:
            EProp(net)
        except ValueError:
            return False
        return True

    def reverse(self, x: Array, gy: Array, traces: Nested) -> None:
        arrays, room = self.net.arrays, traces.setdefault("room", {})
        tape = self.tape[self.hidden]["neurons"] if self.recurrent else self.tape[self.hidden]
        before, now = tape["run"].record[0, 0], tape["run"].record[0, 1]
        error = arrays.scaled(gy[0], self.gain, room, "error")
        signal = arrays.multiply_back(error, self.feedback_weight, room, "signal")
        derivatives = jacobian(self.population, tape, room)
        if "ones" not in room:
            arrays.fill(arrays.buffer(room, "ones", (len(now), 1), now.dtype), 1)
        ones = room["ones"]
        pres = {f"{self.first}/weight": arrays.stored(x, room, "x")[0], f"{self.first}/bias": ones}
        pres |= {f"{self.hidden}/feedback/weight": before, f"{self.hidden}/feedback/bias": ones}
        for name, pre in pres.items():
            *path, last = name.split("/")
            grads = functools.reduce(lambda nested, key: nested.get(key, {}), path, self.grads)
            if last in grads:
                self._advance(pre, derivatives, signal, traces.setdefault(name, {}), grads[last])
        # The readout is linear, so its own eligibility is a trace of what it receives.
        grads = self.grads[self.last]
        for name, pre in (("weight", now), ("bias", ones)):
            if name in grads:
                key = f"{self.last}/{name}"
                if key not in traces:
                    traces[key] = arrays.zeros(pre.shape, pre.dtype)
                arrays.leak(traces[key], self.kappa, pre)
                arrays.add_outer(traces[key], error, grads[name], room)

    def _advance(self, pre: Array, derivatives: Array, signal: Array, traces: Nested, grads: Array) -> None:
        """One step of the eligibility of all synapses that share ``pre`` [B, I]; adds to ``grads``."""
        arrays, dtype, (batch, n_pre), n_post = self.net.arrays, signal.dtype, pre.shape, signal.shape[1]
        states = len(derivatives) - 1
        if not traces:
            traces["eps"] = arrays.zeros((n_pre, batch, states, n_post), dtype)
            traces["traced"] = arrays.zeros((n_pre, batch, n_post), dtype)
            arrays.buffer(traces, "work", (n_pre, 1 + states, n_post), dtype)
        given = pre, derivatives, traces["eps"], traces["traced"], signal, traces["work"], grads.reshape(n_pre, n_post)
        arrays.launch("arrays.eligibility", "eligibility", dtype, n_pre, n_post, dtype.type(self.kappa), *given)

    def change(self, grads: dict[str, Array]) -> None:
        if self.feedback != "adaptive":
            return super().change(grads)
        if self.clip is not None:
            self.place.clip(grads, self.clip)
        name, params = f"{self.last}/weight", self.net.parameters()
        both = grads | {"feedback": self.net.arrays.copied(grads[name], {}, name)}
        self.place.optimise(self.optimizer, params | {"feedback": self.feedback_weight}, both)
        for weight in (params[name], self.feedback_weight):
            self.net.arrays.scale(weight, 1.0 - self.feedback_decay)

    def state(self) -> dict[str, Array]:
        own = {} if self.feedback == "symmetric" else {"feedback": np.array(get(self.feedback_weight))}
        return {**super().state(), **own}

    def load_state(self, state: Mapping[str, Array]) -> None:
        if self.feedback == "symmetric":
            return super().load_state(state)
        if "feedback" not in state:
            raise ValueError(f"the state holds no feedback, which a learner with {self.feedback} feedback needs")
        given = shaped("state['feedback']", state["feedback"], tuple(self.feedback_weight.shape))
        finite("state['feedback']", given)
        super().load_state(state)
        assign(self.feedback_weight, given)


def jacobian(population: Population, tape: Nested, room: Nested) -> Array:
    """Derivatives of a population's last step with respect to its input and states, unit by unit: D of
    ``kernels.arrays.eligibility``.

    The reverse of the step, asked once for each result of the step.

    Parameters
    ----------
    population : Population
        One without learned parameters.
    tape : dict
        What its forward pass of one step left.
    room : dict
        Where arrays are kept from call to call.

    Returns
    -------
    array [1 + K, 1 + K, B, N]
        By row, output and states after the step; by column, input and states before it.
    """
    arrays, states, (batch, units) = population.arrays, list(population.neuron.state), tape["run"].x.shape[1:]
    dtype = population.setting.dtype
    result = arrays.buffer(room, "jacobian", (1 + len(states), 1 + len(states), batch, units), dtype)
    if "one" not in room:
        arrays.fill(arrays.buffer(room, "one", (1, batch, *population.shape), dtype), 1)
        arrays.fill(arrays.buffer(room, "zero", (1, batch, *population.shape), dtype), 0)
    for k, name in enumerate([None, *states]):
        gy, after = (room["one"], {}) if name is None else (room["zero"], {name: room["one"]})
        gx, before = population.backward(gy, tape, {}, after=after)
        for m, column in enumerate([gx, *(before[state] for state in states)]):
            arrays.copy(column.reshape(batch, units), result[k, m])  # type: ignore[union-attr]
    return result


def _parts(net: Any) -> tuple[str, str, str, str | None]:
    """The names of the layers, if the network has the form that e-prop needs."""
    names = list(net.children) if isinstance(net, Sequential) else []
    kinds: list[tuple[type, ...]] = [(Dense,), (Recurrent, Population), (Dense,), (Population,)]
    fits = len(names) in (3, 4) and all(isinstance(net.children[n], k) for n, k in zip(names, kinds, strict=False))
    hidden = net.children[names[1]] if fits else None
    if not fits or (isinstance(hidden, Recurrent) and not hidden.windowed):
        raise ValueError(
            "e-prop needs a network of the form Sequential(Dense, Recurrent(neuron) or neuron, Dense, LI()), with "
            f"dense feedback, where the last layer may be missing, not {net!r}"
        )
    for name, layer in net.layers().items():
        if isinstance(layer, Population) and layer.params:
            raise ValueError(f"e-prop trains connections, but {name} has learned parameters {list(layer.params)}")
    return names[0], names[1], names[2], names[3] if len(names) == 4 else None


def _readout_filter(readout: Layer) -> tuple[float, float]:
    """Decay and input gain of a readout that is a leaky integrator."""
    found = list[Array]()
    for value in (0.0, 1.0):  # the derivatives of a linear readout are the same everywhere
        plain: Any = readout.twin(device="python")
        state, tape = {name: np.full_like(a, value) for name, a in plain.initial(1).items()}, Nested()
        plain.forward(np.full((1, 1, *plain.shape), value, plain.setting.dtype), state, tape)
        found.append(jacobian(plain, tape, {}).reshape(-1, plain.units) if len(state) == 2 else np.zeros((0, 1)))
    rows = np.stack(found)
    # [output, state] by [input, state]: both rows are (gain, kappa), the same for all units.
    linear = rows.shape[1] == 4 and np.all(rows == rows[:1, :, :1]) and np.all(rows[:, :2] == rows[:, 2:])
    if not linear:
        raise ValueError(
            f"e-prop needs a readout that integrates with one decay for all units, as LI(), not {readout!r}"
        )
    gain, kappa = rows[0, :2, 0]
    return float(kappa), float(gain)
