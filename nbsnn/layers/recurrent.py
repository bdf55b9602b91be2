"""A loop in time: what a layer puts out comes back to its input one step later, through a layer that is trained too.

    z[t] = join(x[t], feedback(y[t-1])),    y[t] = inner(z[t])

``join`` adds the two or puts one behind the other. With ``waits="feedback"`` it is what the feedback layer puts out
that waits for a step, ``z[t] = join(x[t], f[t-1])`` and ``f[t] = feedback(y[t])``: the same but for the first step,
where nothing comes back, no bias either, and for a feedback with a memory, which runs in step with the rest.

One population with dense feedback runs over windows of its own record; anything else step by step, each step with a
tape of its own (``stepwise_loop.py``).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from ..device.threads import DEVICES
from ..neuron import Neuron
from ..random import Draws
from ..validate import choice
from . import stepwise_loop
from .container import Container, as_layer
from .dense import Dense
from .identity import Identity
from .join import JOINS, joined_shape
from .layer import Array, Layer, Nested, Setting, Start
from .population import Population
from .population_tape import PopulationTape
from .spike_trace import as_array

WAITS = ("output", "feedback")


class Recurrent(Container):
    """A layer with feedback of one step.

    Parameters
    ----------
    inner : Neuron or Layer
        What the loop goes around: neurons, or layers of any kind in a ``Sequential``.
    feedback : Layer or Neuron, optional
        From the output to what is joined to the input; by default dense without bias, or with
        ``join="concatenate"`` the output as it is.
    join : {"sum", "concatenate"}
        Whether what comes back is added to the input, or stands behind it on the first axis of its units.
    waits : {"output", "feedback"}
        What is kept for a step: the output, or what the feedback layer has made of it, which is zeros at first.

    Notes
    -----
    Its layers are called "neurons" (a population) or "inner", and "feedback". What is fed back at the first step is
    the output of the last population before it has made a step (zeros, unless the neuron says otherwise, see
    ``Neuron.first``), or zeros if the loop does not end in a population. Apart from one population with dense
    feedback, the state holds it as "output". Where the feedback layer's output waits, the state holds that as "output",
    and the learners without a backward pass through time have no gradient for the feedback.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(8, 16), nbsnn.Recurrent(nbsnn.neurons.LIF()), seed=0)
    >>> list(net.parameters())
    ['dense1/weight', 'dense1/bias', 'recurrent1/feedback/weight']

    A loop around two populations, whose output stands beside the input one step later:

    >>> inner = nbsnn.Sequential(nbsnn.Dense(8 + 5, 16), nbsnn.neurons.LIF(), nbsnn.Dense(16, 5), nbsnn.neurons.LIF())
    >>> net = nbsnn.Sequential(nbsnn.Recurrent(inner, join="concatenate"), nbsnn.Dense(5, 2), input_shape=8, seed=0)
    >>> net.shape
    (2,)
    """

    kind = "recurrent"
    devices = DEVICES
    join, waits = "sum", "output"

    def __init__(
        self, inner: Neuron | Layer, feedback: Neuron | Layer | None = None, *, join: str = "sum", waits: str = "output"
    ):
        layer = as_layer(inner)
        parts = {"neurons" if isinstance(layer, Population) else "inner": layer}
        super().__init__(**parts, **({} if feedback is None else {"feedback": feedback}))
        self.join, self.waits = choice("join", join, JOINS), choice("waits", waits, WAITS)
        if join == "sum":
            self.in_shape = layer.in_shape

    def options(self) -> dict[str, Any]:
        return {"join": self.join, **({} if self.waits == "output" else {"waits": self.waits})}

    @property
    def inner(self) -> str:
        """The name of what the loop goes around."""
        return next(iter(self.children))

    @property
    def population(self) -> Population:
        """The neurons."""
        return cast(Population, self.children["neurons"])

    @property
    def feedback(self) -> Dense:
        """The connection from the neurons to themselves."""
        return cast(Dense, self.children["feedback"])

    @property
    def windowed(self) -> bool:
        """True if this is one population with dense feedback, which runs over windows of one record."""
        both = isinstance(self.children[self.inner], Population) and isinstance(self.children.get("feedback"), Dense)
        return both and self.join == "sum" and self.waits == "output"

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        inner = self.children[self.inner]
        for name, layer in self.layers().items():
            if layer.over_time:
                raise ValueError(f"{name}, {layer!r}, belongs to all steps at once, which a loop in time does not have")
        if self.join == "concatenate":
            self.children.setdefault("feedback", Identity())
        elif "feedback" not in self.children and len(in_shape) != 1:
            raise ValueError(f"without a feedback layer a Recurrent needs a flat input, not one of {list(in_shape)}")
        entry = self._entry(in_shape)
        inner.build(entry, setting, draws.fold(self.inner))
        if "feedback" not in self.children:
            if len(inner.shape) != 1:
                raise ValueError(f"an output of shape {list(inner.shape)} needs a feedback layer")
            self.children["feedback"] = Dense(*inner.shape, *in_shape, bias=False)
        feedback = self.children["feedback"]
        feedback.build(inner.shape, setting, draws.fold("feedback"))
        found = joined_shape(self.join, [in_shape, feedback.shape], "the input of a Recurrent and what is fed back")
        if found != entry:
            raise ValueError(
                f"the input of shape {list(in_shape)} with what is fed back is {list(found)}, but {self.inner} takes "
                f"{list(entry)}"
            )
        self.in_shape, self.shape = in_shape, inner.shape
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.recurrent import CudaRecurrent

        return CudaRecurrent(self)

    def _entry(self, in_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what goes into the inner layer."""
        if self.join == "sum":
            return in_shape
        inner, feedback = self.children[self.inner], self.children["feedback"]
        if inner.in_shape:
            return inner.in_shape
        if feedback.shape:
            return joined_shape(self.join, [in_shape, feedback.shape], "the input of a Recurrent and what is fed back")
        raise ValueError(
            "the size of what is fed back is not known: let the inner layers begin with one that knows its input "
            "(Dense), or give input_shape to their Sequential"
        )

    def initial(self, batch: int) -> Nested:
        state = super().initial(batch)
        if self.windowed:
            return state
        first = self.first() if self.waits == "output" else np.zeros(self.children["feedback"].shape)
        first = np.broadcast_to(first.astype(self.setting.dtype), (batch, *first.shape))  # what comes back at first
        return Start({**state, "output": self.arrays.put(first)})

    def fused_parts(self) -> tuple[Any, Any] | None:
        if type(self) is not Recurrent or not self.windowed or not self.feedback.fuses_as:
            return None
        parts = self.population.fused_parts()
        return (parts[0], self.feedback) if parts and parts[0].neuron.output == "spikes" else None

    def driven(self) -> str | None:
        return "neurons" if self.windowed else None

    def tape_bytes(self, steps: int, batch: int) -> int:
        return super().tape_bytes(steps, batch) + Layer.tape_bytes(self, steps, batch)

    def first(self) -> Array:
        return self.children[self.inner].first()

    def first_reverse(self, g: Array, grads: Nested) -> None:
        self.children[self.inner].first_reverse(g, grads[self.inner])

    def tape_of(self, tape: Nested, name: str) -> Nested:
        return super().tape_of(tape, name) if self.windowed else stepwise_loop.tape_of(self.arrays, tape, name)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        if not self.windowed:
            return stepwise_loop.forward(self, self.inner, self.join, self.waits, x, state, tape, draws)
        population, feedback, arrays = self.population, self.feedback, self.arrays
        inner, back = tape.setdefault("neurons", {}), tape.setdefault("feedback", {})
        drive = arrays.buffer(inner, "drive", x.shape, self.setting.dtype)
        run = population.ops.begin(drive, state["neurons"], inner)
        output, steps = run.record[0], len(x)
        if self.cuda is None or not self.cuda.forward_at_once(x, run):
            arrays.copy(arrays.stored(x, inner, "stored"), drive)
            for t in range(steps):
                arrays.add(feedback.ops.apply(output[t : t + 1], back, None), drive[t : t + 1])
                population.ops.advance(run, t, t + 1)
        feedback.ops.offer(output[:steps], back)
        return population.output(inner), {"neurons": population.ops.final(run)}

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        if self.waits == "feedback":
            raise NotImplementedError('a Recurrent with waits="feedback" learns through time only: use BPTT')
        if not self.windowed:
            return stepwise_loop.trace(self, self.inner, self.join, x, tape, traces)
        inner = traces.setdefault("neurons", {})
        before = inner.get("trace")
        if before is None:
            before = self.arrays.zeros((x.shape[1], *self.shape), x.dtype)
        self.feedback.ops.offer(before.reshape(1, *before.shape), tape["feedback"])  # of the step before, as its spikes
        return as_array(self.population.trace(x, tape["neurons"], inner))

    def backward(
        self,
        gy: Array,
        tape: Nested,
        grads: Nested,
        *,
        after: Nested | None = None,
        inject: Nested | None = None,
        wanted: bool = True,
    ) -> tuple[Array | None, Nested]:
        if not self.windowed:
            return stepwise_loop.backward(self, self.inner, self.join, self.waits, gy, tape, grads, after, inject)
        population, feedback, arrays = self.population, self.feedback, self.arrays
        inner, ops = tape["neurons"], population.ops
        run: PopulationTape = inner["run"]
        gy, back = ops.begin_reverse(gy, run, (after or {}).get("neurons"), (inject or {}).get("neurons"))
        gx, fed = back.gx, arrays.buffer(inner, "g fed", (gy.shape[1], *self.shape), self.setting.dtype)
        if self.cuda is None or not self.cuda.backward_at_once(gy, fed, run, back):
            gy = arrays.copied(gy, inner, "gy of loop")
            for t in reversed(range(len(gy))):
                ops.retreat(gy, run, back, t, t + 1)
                g = feedback.ops.pull(gx[t : t + 1], tape["feedback"])
                if t:
                    arrays.add(g, gy[t - 1 : t])
                else:
                    arrays.copy(g, fed)
        population.end_reverse(run, back, grads["neurons"])
        feedback.ops.accumulate(gx, tape["feedback"], grads["feedback"])
        if run.start:
            population.first_reverse(fed, grads["neurons"])
        before = {**ops.before(back.gS), population.neuron.output: arrays.as_result(fed)}
        return gx.reshape(*gx.shape[:2], *self.in_shape), {"neurons": before}
