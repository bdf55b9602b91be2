"""A population whose output comes back to it one step later, through a connection that is trained too.

drive[t] = x[t] + feedback(s[t-1])
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ..neuron import Neuron
from ..random import Draws
from .container import Container
from .dense import Dense
from .layer import Array, Nested, Setting
from .population import Population


class Recurrent(Container):
    """A population with dense feedback of one step.

    Parameters
    ----------
    population : Neuron or Population
        The neurons.
    feedback : Dense, optional
        From the population to itself; by default dense without bias.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(8, 16), nbsnn.Recurrent(nbsnn.neurons.LIF()), seed=0)
    >>> list(net.parameters())
    ['dense1/weight', 'dense1/bias', 'recurrent1/feedback/weight']
    """

    kind = "recurrent"

    def __init__(self, population: Neuron | Population, feedback: Dense | None = None):
        super().__init__(neurons=population)
        if feedback is not None:
            self.children["feedback"] = feedback

    @property
    def population(self) -> Population:
        """The neurons."""
        return cast(Population, self.children["neurons"])

    @property
    def feedback(self) -> Dense:
        """The connection from the neurons to themselves."""
        return cast(Dense, self.children["feedback"])

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 1:
            raise ValueError(f"a Recurrent needs a flat input, not one of shape {list(in_shape)}")
        self.in_shape = self.shape = in_shape
        self.setting, self.built = setting, True
        self.children.setdefault("feedback", Dense(*in_shape, *in_shape, bias=False))
        for name, layer in self.children.items():
            layer.build(in_shape, setting, draws.fold(name))

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        population = self.population
        inner, back = tape.setdefault("neurons", {}), tape.setdefault("feedback", {})
        drive = np.array(x, order="C")  # changed below, so the population must not copy it
        population.begin(drive, state["neurons"], inner)
        output = inner["record"][0]
        for t in range(len(x)):
            drive[t : t + 1] += self.feedback.apply(output[t : t + 1], back, None)
            population.advance(inner, t, t + 1)
        self.feedback.offer(output[:-1], back)
        return population.output(inner), {"neurons": population.final(inner)}

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        inner = traces.setdefault("neurons", {})
        zero = np.zeros((x.shape[1], *self.shape), x.dtype)
        self.feedback.offer(inner.get("trace", zero)[None], tape["feedback"])  # of the step before, as its spikes
        return self.population.trace(x, tape["neurons"], inner)

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
        population, feedback = self.population, self.feedback
        inner, back = tape["neurons"], tape["feedback"]
        gy = population.begin_reverse(gy, inner, (after or {}).get("neurons"), (inject or {}).get("neurons")).copy()
        gx = inner["gx"]
        for t in reversed(range(len(gy))):
            population.retreat(gy, inner, t, t + 1)
            if t:
                gy[t - 1 : t] += feedback.pull(gx[t : t + 1], back)
        population.end_reverse(inner, grads["neurons"])
        feedback.accumulate(gx, back, grads["feedback"])
        before = population.before(inner)
        before[population.neuron.output] += feedback.pull(gx[:1], back)[0]
        return gx, {"neurons": before}
