"""What a page shows of a trained network: one sample of a batch, and for a loss its error at every step."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np

from ..device.constant_input import fetched
from ..diagnosis.measure import populations
from ..layers import Layer, Population, Run
from ..layers.layer import Nested
from ..losses.result import checked_result
from ..spikes.spike_input import SpikeInput
from ..validate import count
from .budget import Budget, left_out
from .content import Activity, Array, Traces
from .content import Population as Shown
from .described import described
from .of_recording import whose
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
    dense = x.dense(net.setting.dtype) if isinstance(x, SpikeInput) else fetched(x)
    given: Array = net.check_input(np.array(dense))  # every step stored, so that each has a gradient of its own
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

        def retreat(gy: Array, tape: Nested, t0: int, t1: int) -> None:
            type(population).retreat(population, gy, tape, t0, t1)
            chunks.append((gy[t0:t1].copy(), tape["gx"][t0:t1].copy()))

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
    outputs = [p.output(inner).reshape(steps, -1, p.units) for _, p, inner in found]
    batch = outputs[0].shape[1]
    sample = count("sample", sample, least=0, most=batch - 1)
    traced, stride = budget.traced([np.arange(p.units) for _, p, _ in found], steps)
    spiking = [p.neuron.output == "spikes" for _, p, _ in found]
    events = [np.nonzero(y[:, sample] * s) for y, s in zip(outputs, spiking, strict=True)]
    sizes = [p.units for _, p, _ in found]
    counts = [np.bincount(units, minlength=n) for (_, units), n in zip(events, sizes, strict=True)]
    drawn = budget.drawn(sizes, counts, traced)
    shown, populations_shown = 0, []
    for (name, p, _), y, (t, u), rows, spikes in zip(found, outputs, events, drawn, spiking, strict=True):
        mine = np.isin(u, rows)
        mine[np.flatnonzero(mine)[max(0, budget.spikes - shown) :]] = False
        shown += int(mine.sum())
        rates = y.mean((0, 1), dtype=np.float64)[rows] if spikes else np.full(len(rows), np.nan)
        populations_shown.append(
            Shown(
                name, described(p.neuron), p.units, rows, t[mine].astype(np.float64), u[mine], rates, rates == 0.0,
                rates > 0.5, window(p.neuron.surrogate) if spikes else (), ("input current",),
            )
        )  # fmt: skip
    number, everything = sum(map(len, traced)), sum(int(c.sum()) for c in counts)
    said += left_out(drawn, sizes, shown, everything, "", number, sum(sizes), stride, "step")
    if batch > 1:
        said.append(f"Samples: spikes and membranes of sample {sample} alone; rates are means over all {batch}.")
    lines = _lines(found, traced, sample, steps, errors)
    lines = {name: line[:, ::stride] for name, line in lines.items()}
    traces = Traces(np.arange(steps)[::stride], *whose(traced), lines)
    return Activity("step", -0.5, steps - 0.5, populations_shown, traces, f"sample {sample} of {batch}")


def _lines(found: list, traced: list[Array], sample: int, steps: int, errors: Errors) -> dict[str, Array]:
    names = ["membrane", "threshold", "input0", *(["error", "passed", "slope"] if errors else ["slope"])]
    lines = {name: np.full((sum(map(len, traced)), steps), np.nan, np.float32) for name in names}
    first = 0
    for (name, population, tape), units in zip(found, traced, strict=True):
        rows = slice(first, first + len(units))
        first += len(units)
        x = tape["x"][:, sample][:, units]
        lines["input0"][rows] = np.broadcast_to(x, (steps, len(units))).T
        _membranes(population, tape, sample, units, steps, {name: line[rows] for name, line in lines.items()})
        for line, array in zip(("error", "passed"), errors.get(name, ()), strict=False):
            lines[line][rows] = array[:, sample][:, units].T
    return lines


def _membranes(
    population: Population, tape: Nested, sample: int, units: Array, steps: int, lines: dict[str, Array]
) -> None:
    """Fill in membrane, threshold and slope of units of one sample, a step at a time."""
    neuron, record = population.neuron, tape["record"]
    if neuron.output != "spikes":
        lines["membrane"][...] = record[0, 1:, sample][:, units].T
        return
    probe, surrogate = Probe(neuron), neuron.surrogate
    x, params, largest = tape["x"], tape["params"].astype(np.float64), peak(surrogate)
    for k, n in enumerate(units.tolist()):
        for t in range(steps):
            state = record[1:, t, sample, n].tolist()
            v, threshold = probe(float(x[t if len(x) > 1 else 0, sample, n]), state, params[:, n].tolist())
            if math.isnan(v) and probe.place is not None:  # held, so that nothing is compared
                v = float(record[probe.place, t + 1, sample, n])
            lines["membrane"][k, t], lines["threshold"][k, t] = v, threshold
            if not math.isnan(threshold) and largest > 0.0:
                lines["slope"][k, t] = surrogate.slope(v - threshold) / largest
