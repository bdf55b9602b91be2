"""Activity and gradients in numbers, from the tape of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..compile.fill import kernel
from ..layers import Layer, Population
from ..layers.layer import Array, Nested
from ..layers.population import is_population
from ..layers.population_tape import PopulationTape
from .rows import GradientReport, LayerReport

SAMPLE = 4096
"""Distance and slope are means over at most this many random (step, sample, unit)."""


def populations(layer: Layer, tape: Nested, name: str = "") -> Iterator[tuple[str, Population, Nested]]:
    """All populations with their names and tapes; one that stands alone is called by its kind."""
    if is_population(layer):
        yield name or layer.kind, layer, tape
    for child, inner in layer.children.items():
        yield from populations(inner, layer.tape_of(tape, child), f"{name}/{child}".lstrip("/"))


def measure(name: str, population: Population, tape: Nested) -> LayerReport:
    """Activity of one population, from the tape of a run."""
    y, neuron = population.output(tape), population.neuron
    y = y.reshape(*y.shape[:2], -1)
    kind = neuron.kind or "Neuron"
    if neuron.output != "spikes":
        mean, std = float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64))
        return LayerReport(name, kind, population.units, mean=mean, std=std)
    rates = y.mean((0, 1), dtype=np.float64)
    distance, dead = _membranes(population, tape["run"])
    shares = {"silent": float((rates == 0.0).mean()), "saturated": float((rates > 0.5).mean())}
    return LayerReport(name, kind, population.units, float(rates.mean()), **shares, distance=distance, dead=dead)


def _membranes(population: Population, run: PopulationTape) -> tuple[float | None, float | None]:
    """Mean distance to the threshold and share of dead gradients, from steps recomputed one by one.

    The membrane before the spike is in no record: the hole ``spike`` is filled with functions that note it.
    """
    neuron, seen = population.neuron, []

    def never(u, seen=seen):
        seen.append(u)
        return 0.0

    def always(u):
        return 1.0

    quiet, loud = (
        kernel(neuron.of_current(), device="python", dtype=np.float64, **{**neuron.filling(), "spike": spike})
        for spike in (never, always)
    )
    x, record, params = run.x, run.record, run.params.astype(np.float64)
    shape = (record.shape[1] - 1, *record.shape[2:])
    size = math.prod(shape)
    places = np.arange(size) if size <= SAMPLE else np.random.default_rng(0).integers(size, size=SAMPLE)
    slope = neuron.surrogate.slope
    least = 0.01 * max(abs(slope(u)) for u in (0.0, 1e-9, -1e-9, 1e-6, -1e-6))
    distances, dead = [], 0
    for t, b, n in zip(*np.unravel_index(places, shape), strict=True):
        args = [float(x[t if len(x) > 1 else 0, b, n]), *map(float, record[1:, t, b, n]), *map(float, params[:, n])]
        seen.clear()
        without = quiet(*args)[0]
        if not seen:
            return None, None
        dead += abs(slope(seen[0])) < least or loud(*args)[0] == without
        distances.append(-seen[0])
    names = list(neuron.params)
    if "v_threshold" not in names:
        return None, dead / len(places)
    threshold = np.abs(params[names.index("v_threshold")]).mean()
    return (float(np.mean(distances) / threshold) if threshold else None), dead / len(places)


def measure_gradient(name: str, weight: Array, g: Array) -> GradientReport:
    """Norms of a parameter and its gradient."""
    size, norm = (float(np.linalg.norm(array.astype(np.float64))) for array in (weight, g))
    zero = g == 0.0
    stuck = float(zero.all(axis=tuple(range(g.ndim - 1))).mean()) if name.endswith("weight") and g.ndim > 1 else None
    return GradientReport(name, size, norm, norm / size if size else math.inf, float(zero.mean()), stuck)
