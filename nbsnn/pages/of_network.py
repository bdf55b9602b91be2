"""What a page shows of a trained network: one sample of a batch, and for a loss its error at every step."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..device.constant_input import fetched
from ..diagnosis.measure import populations
from ..kernels.population.loops import Gradients
from ..layers import Layer, Population, Run
from ..layers.layer import Nested
from ..layers.population_tape import PopulationTape
from ..losses.checks import checked_result
from ..validate import count
from .budget import Budget
from .content import Activity, Array
from .content import Population as Shown
from .described import described
from .probe import Probe, peak, window

Errors = dict[str, tuple[Array, Array]]


def of_run(run: Run, sample: int, budget: Budget, said: list[str]) -> Activity:
    """One sample of what ``net.run(x)`` returned."""
    if not run._layer.arrays.numpy:
        raise ValueError('a page shows a run on the CPU: net.twin(device="cpu").run(x)')
    if run._layer.unfused() is not run._layer:
        raise ValueError("a page shows a run of the network itself, not of a learner's fused one: net.run(x)")
    return _activity(run._layer, run._tape, len(run.output), sample, {}, budget, said)


def of_batch(
    net: Layer, x: object, target: object, loss: Callable | None, sample: int, budget: Budget, said: list[str]
) -> Activity:
    """One sample of a batch, with the error of all if there is a loss. The network is not changed."""
    net = copy.deepcopy(net.unfused().on_host())
    # Every step stored, so that each has a gradient of its own.
    given = np.array(net.check_input(fetched(x)), net.setting.dtype)
    tape: Nested = {}
    y, _ = net.forward(given, net.initial(given.shape[1]), tape)
    errors: Errors = {}
    if loss is not None:
        _, gy = checked_result("loss", loss(y, target), y)
        errors = _errors(net, gy, tape)
    return _activity(net, tape, len(given), sample, errors, budget, said)


def _errors(net: Layer, gy: Array, tape: Nested) -> Errors:
    """Gradient of the loss with respect to each population's output and input, [T, B, N] each.

    No tape holds the first: each population, of a copy that is made for this, notes what it is given in reverse.
    """
    noted: dict[str, list[tuple[Array, Array]]] = {}

    def listen(name: str, population: Population) -> None:
        chunks = noted[name] = []

        def retreat(gy: Array, run: PopulationTape, back: Gradients, t0: int, t1: int) -> None:
            type(population).retreat(population, gy, run, back, t0, t1)
            chunks.append((gy[t0:t1].copy(), back.gx[t0:t1].copy()))

        population.retreat = retreat  # type: ignore[method-assign]

    for name, population, _ in populations(net, tape):
        listen(name, population)
    net.backward(gy, tape, net.zeros(), wanted=False)
    both = {name: list(zip(*reversed(chunks), strict=True)) for name, chunks in noted.items() if chunks}
    return {name: (np.concatenate(a), np.concatenate(b)) for name, (a, b) in both.items()}


def _activity(
    net: Layer, tape: Nested, steps: int, sample: int, errors: Errors, budget: Budget, said: list[str]
) -> Activity:
    found = list(populations(net, tape))
    if not found:
        raise ValueError("this network has no population, so that there is nothing to draw")
    shown, batch = [], 1
    for name, p, inner in found:
        y = p.output(inner).reshape(steps, -1, p.units)
        batch = y.shape[1]
        sample = count("sample", sample, least=0, most=batch - 1)
        spiking = p.neuron.output == "spikes"
        times, units = np.nonzero(y[:, sample] * spiking)
        rates = y.mean((0, 1), dtype=np.float64) if spiking else np.full(p.units, np.nan)
        trace = partial(_trace, p, inner["run"], sample, steps, errors.get(name, ()))
        near = window(p.neuron.surrogate) if spiking and p.neuron.vjp else ()
        shown.append(
            Shown(
                name, described(p.neuron), p.units, times.astype(np.float64), units, rates, np.arange(p.units), trace,
                near, ("input current",),
            )
        )  # fmt: skip
    activity = budget.within(shown, np.arange(steps), "step", -0.5, steps - 0.5, said)
    if batch > 1:
        said.append(f"Samples: spikes and membranes of sample {sample} alone; rates are means over all {batch}.")
    return replace(activity, title=f"sample {sample} of {batch}")


def _trace(
    population: Population,
    run: PopulationTape,
    sample: int,
    steps: int,
    errors: tuple[Array, ...],
    units: Array,
    stride: int,
) -> dict[str, Array]:
    """Lines of these units, [K, T]: of those that spike, each step is taken once more."""
    neuron, record, x = population.neuron, run.record, run.x[:, sample]
    input0 = np.broadcast_to(x[:, units], (steps, len(units))).T
    lines = {"membrane": np.full(input0.shape, np.nan), "threshold": np.full(input0.shape, np.nan), "input0": input0}
    lines |= {name: array[:, sample][:, units].T for name, array in zip(("error", "passed"), errors, strict=False)}
    lines["slope"] = np.full(input0.shape, np.nan)
    if neuron.output != "spikes":
        lines["membrane"] = record[0, 1:, sample][:, units].T
        return {name: line[:, ::stride] for name, line in lines.items()}
    probe, largest, params = Probe(neuron), peak(neuron.surrogate), run.params.astype(np.float64)
    for k, n in enumerate(units.tolist()):
        for t in range(0, steps, stride):
            v, threshold = probe(float(input0[k, t]), record[1:, t, sample, n].tolist(), params[:, n].tolist())
            if math.isnan(v) and probe.place is not None:  # held, so that nothing is compared
                v = float(record[probe.place, t + 1, sample, n])
            lines["membrane"][k, t], lines["threshold"][k, t] = v, threshold
            if not math.isnan(threshold) and largest > 0.0 and neuron.vjp:
                lines["slope"][k, t] = neuron.surrogate.slope(v - threshold) / largest
    return {name: line[:, ::stride] for name, line in lines.items()}
