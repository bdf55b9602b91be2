"""A network as it trains: dense connections and populations in a row run together, each run a ``FusedStack``, and a
convolution with what follows it as a ``FusedConvolution``, several of which a budget makes a ``ConvolutionRow``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, cast

from ...random import Draws
from ..layer import Array, Layer, Nested
from ..run import Run
from ..sequential import Sequential
from ..spike_trace import LowPass
from .convolution import FusedConvolution, in_one
from .convolution_row import in_rows
from .memory_plan import Budget, Plan
from .normalized import FusedNormalization, normalized_in_one
from .part import Part, share_layers
from .stack import FusedStack


def fuse(
    net: Layer, max_bytes: int | None = None, *, convolutions: bool = True, whole: bool = False
) -> FusedNetwork | None:
    """The network that trains in place of ``net`` and shares its layers; None if nothing in it fuses.

    Parameters
    ----------
    net : Layer
        A built network.
    max_bytes : int, optional
        How much memory the backward pass may take; of layers in a row alone.
    convolutions : bool
        Whether convolutions fuse with the populations after them, too.
    whole : bool
        Whether nobody asks for the gradient with respect to the state at the start of a run, nor for the state at its
        end, unless it is ``continued``.
    """
    if not net.in_row:
        return None
    fused = FusedNetwork(cast(Sequential, net), max_bytes, convolutions, whole)
    return fused if len(fused.parts) < len(fused.children) or max_bytes is not None else None


def in_a_row(names: list[str], children: dict[str, Layer]) -> list[str]:
    """The first of ``names`` that make a stack: connection and population in turn, only the last without spikes."""
    found = list[str]()
    for first, second in zip(names[::2], names[1::2], strict=False):
        parts = children[second].fused_parts()
        if children[first].fuses_as != "dense" or parts is None:
            break
        found += [first, second]
        if parts[0].neuron.output != "spikes":
            break
    return found


class FusedNetwork(Sequential):
    """A ``Sequential`` as a learner trains it: the same layers under the same names, some of them in stacks.

    Attributes
    ----------
    parts : list of Sequential
        What runs one after the other: stacks, and the layers between them.

    Examples
    --------
    >>> import nbsnn
    >>> print(fuse(nbsnn.Sequential(nbsnn.Dense(8, 4), nbsnn.neurons.LI(), nbsnn.Dropout(0.5), seed=0)))
    FusedNetwork(
      FusedStack(
        dense1: Dense(8, 4)
        li1: LI(tau=2.0, ...)
      )
      Part(
        dropout1: Dropout(0.5)
      )
    )
    """

    def __init__(self, net: Sequential, max_bytes: int | None, convolutions: bool = True, whole: bool = False):
        share_layers(self, net, net.children)
        self.net, self.budget, self.parts = net, Budget(max_bytes), list[Part]()
        names = list(net.children)
        while names:
            part: Part
            if run := in_a_row(names, net.children):
                part = FusedStack(net, run, self.budget, whole)
                self.budget.stacks.append(part.least)
            elif run := in_one(names, net.children) if convolutions else []:
                part = FusedConvolution(net, run, self.budget, whole)
                self.budget.convolutions[names[0]] = part.plan
            else:
                run = normalized_in_one(names, net.children) if convolutions else []
                part = FusedNormalization(net, run, whole) if run else Part(net, names[:1])
                self.budget.others[names[0]] = part.plan
            self.parts.append(part)
            names = names[len(part.children) :]
        if max_bytes is not None:
            self.parts = in_rows(net, self.parts, self.budget)
        self.draws, self.checks_numbers = any(part.draws for part in self.parts), self.parts[0].checks_numbers
        self._stated = [part for part in self.parts if part.stated]

    def __repr__(self) -> str:
        return "\n".join(
            [f"{type(self).__name__}(", *(f"  {part!r}".replace("\n", "\n  ") for part in self.parts), ")"]
        )

    def unfused(self) -> Layer:
        return self.net

    def twin(self, **setting: Any) -> Layer:
        return self.net.twin(**setting)

    def run(self, x: Any, state: Nested | None = None) -> Run:
        return self.net.run(x, state)

    def steps(self, x: Any, state: Nested | None = None) -> Iterator[tuple[int, Nested]]:
        return self.net.steps(x, state)

    @property
    def takes_events(self) -> bool:
        return self.parts[0].takes_events or super().takes_events

    def plans(self, steps: int, batch: int, rate: float | None = None) -> dict[tuple[str, ...], Plan]:
        """What the parts take for a batch of this size, by the names of their layers."""
        self.budget.share(steps, batch)
        return {names: plan for part in self.parts for names, plan in part.plans(steps, batch, rate).items()}

    def initial(self, batch: int) -> Nested:
        return {name: state for part in self._stated for name, state in part.initial(batch).items()}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        if self.budget.max_bytes is not None:
            self.budget.share(len(x), x.shape[1])  # where there are no stacks, none of which asks
        final: Nested = {}
        for part in self.parts:
            x, after = part.forward(x, state, tape, draws)
            final |= after
        return x, final

    def continued(self, tape: Nested, state: Nested, traces: Nested, same: bool) -> Nested:
        """The state from which the next run goes on where the last, one of ``whole`` runs, ended.

        Parameters
        ----------
        tape : dict
            What the last run left.
        state : dict
            What its ``forward`` returned, which is the state of layers that ran by themselves.
        traces : dict
            What ``trace`` was given; the traces are those after the run then.
        same : bool
            Whether the next run has the same parameters, which then are not arranged anew.
        """
        found = (part.continued(tape, state, traces, same).items() for part in self.parts)
        return dict(itertools.chain(*found))

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
        before: Nested = {}
        for part in reversed(self.parts):
            passed: dict[str, Any] = {"after": after, "inject": inject, "wanted": wanted or part is not self.parts[0]}
            gy, start = part.backward(gy, tape, grads, **passed)  # type: ignore[assignment]
            before |= start
        return gy, before

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        for part in self.parts:
            x = part.trace(x, tape, traces)
        return x

    def trace_after(self, trace: LowPass, tape: Nested) -> Array:
        """The trace of the input after its window."""
        return self.parts[0].trace_after(trace, tape)

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        for part in reversed(self.parts):
            gy = part.backward_within(gy, tape, grads, wanted or part is not self.parts[0])  # type: ignore[assignment]
        return gy

    @property
    def traceable(self) -> bool:
        """True if the stacks can trace what comes in: spikes as they are, of units that leak alike."""
        handed_on = True
        for part in self.parts:
            if not part.traces(handed_on):
                return False
            handed_on = handed_on and part.hands_on()
        return True

    def record(self, tape: Nested, name: str) -> Any:
        for part in self.parts:
            if name.partition("/")[0] in part.children:
                return part.record(tape, name)
        return super().record(tape, name)

    def rate(self, tape: Nested, name: str) -> float:
        for part in self.parts:
            if name.partition("/")[0] in part.children:
                return part.rate(tape, name)
        return super().rate(tape, name)
