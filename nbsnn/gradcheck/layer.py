"""A layer or network: backward of its smooth twin against differences of its forward, array by array.

The loss is a random linear function of everything that a run returns: output, recorded variables and final state.
Each array that the run depends on is moved along one random direction.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..device.buffers import is_static
from ..layers import Layer, Population
from ..layers.layer import Nested, flatten
from ..layers.population import is_population
from ..neurons.reset import attached
from ..random import Draws
from ..validate.as_made import remake
from .compare import REDRAWS, H, Row, compared, difference, floor_of, worst_of
from .neuron import Model


def populations(layer: Layer) -> dict[str, Population]:
    """All populations by name; a population that stands alone has the name ""."""
    return {name: inner for name, inner in {"": layer, **layer.layers()}.items() if is_population(inner)}


def _smooth_twin(net: Layer) -> Layer:
    """A copy in float64 and plain Python with smooth spikes, whose resets are all attached."""
    if not net.built:
        raise ValueError(
            f"this {net.kind} is not built yet, as the shape of its input is not known: "
            "Sequential(..., input_shape=(1, 28, 28)) says it"
        )
    other = copy.deepcopy(net)
    for population in populations(other).values():
        neuron = population.neuron
        if "dthrough" in neuron.holes:
            remake(population, neuron=neuron.replace(holes={**neuron.holes, "dthrough": attached}))
    return other.twin(dtype=np.float64, smooth=True, device="python")


def _counters(net: Layer, rng: np.random.Generator) -> set[str]:
    """Names of the state variables that count."""
    names = set()
    for place, population in populations(net).items():
        model = Model(population.neuron, {})
        model.find_counters(rng)
        names |= {f"{place}/{name}".lstrip("/") for name in model.whole}
    return names


def _recorded(net: Layer) -> list[str]:
    """The names of all recorded variables."""
    leaves = {place: layer for place, layer in {"": net, **net.layers()}.items() if not layer.children}
    return [f"{place}/{name}".lstrip("/") for place, layer in leaves.items() for name in layer.recorded()]


def _nested(flat: Mapping[str, np.ndarray]) -> Nested:
    """The reverse of ``flatten``."""
    result: Nested = {}
    for path, array in flat.items():
        *places, name = path.split("/")
        inner = result
        for place in places:
            inner = inner.setdefault(place, {})
        inner[name] = array
    return result


class _Functional:
    """A random linear function of all that a run returns, and its gradient with respect to all inputs.

    With ``state`` None the run starts from the net's own initial state, which may be trained.
    """

    def __init__(self, net: Layer, x: np.ndarray, state: Nested | None, draws: Draws, rng: np.random.Generator):
        self.net, self.state, self.draws, self.steps = net, state, draws, len(x)
        self.x = np.array(x[:1] if is_static(x) else x, np.float64)
        self.static = is_static(x)
        _, results = self.run()
        size = math.sqrt(sum(array.size for array in results.values()))
        self.weights = {name: rng.normal(size=array.shape) / size for name, array in results.items()}

    def run(self) -> tuple[Nested, dict[str, np.ndarray]]:
        tape: Nested = {}
        x = np.broadcast_to(self.x, (self.steps, *self.x.shape[1:])) if self.static else self.x
        state = self.net.initial(x.shape[1]) if self.state is None else self.state
        y, final = self.net.forward(x, state, tape, self.draws)
        recorded = {f"recorded {name}": self.net.record(tape, name) for name in _recorded(self.net)}
        return tape, {"output": y, **recorded, **{f"final {name}": array for name, array in flatten(final).items()}}

    def __call__(self) -> float:
        return float(sum((self.weights[name] * array).sum() for name, array in self.run()[1].items()))

    def part(self, prefix: str) -> Nested:
        return _nested({k.removeprefix(prefix): w.copy() for k, w in self.weights.items() if k.startswith(prefix)})

    def arguments(self) -> dict[str, np.ndarray]:
        """Arrays that can be varied, not copies."""
        state = {f"initial {name}": array for name, array in flatten(self.state or {}).items()}
        return {"input": self.x, **state, **self.net.parameters()}

    def gradient(self) -> dict[str, np.ndarray]:
        tape, _ = self.run()
        grads = self.net.zeros()
        passed: dict[str, Any] = {"after": self.part("final "), "inject": self.part("recorded ")}
        gx, before = self.net.backward(self.weights["output"].copy(), tape, grads, **passed)
        found = {**flatten(grads), **{f"initial {name}": array for name, array in flatten(before).items()}}
        return found if gx is None else {"input": gx.copy(), **found}


def layer_rows(
    net: Layer, x: Any, trials: int, rng: np.random.Generator, tolerance: float, draws: Draws
) -> list[Row]:  # fmt: skip
    """The errors of a layer's gradients, one row per array, the worst of all trials."""
    for name, population in populations(net).items():
        if population.neuron.vjp is None:
            raise ValueError(f"{name or 'this population'}: {population.neuron!r} has no vjp: no gradient to check")
    twin, fixed, rows = _smooth_twin(net), _counters(net, rng), []
    for _ in range(trials):
        for _ in range(REDRAWS):
            given = twin.check_input(rng.normal(0.5, 1.0, (4, 2, *net.in_shape)) if x is None else x)
            state = {name: array.copy() for name, array in flatten(twin.initial(given.shape[1])).items()}
            for name, array in state.items():
                if name not in fixed and array.dtype.kind == "f":
                    array += 0.3 * rng.normal(size=array.shape)
            found = _directions(_Functional(twin, given, _nested(state), draws, rng), fixed, rng, tolerance)
            if found and any(p.start_learned for p in populations(twin).values()):
                more = _directions(_Functional(twin, given, None, draws, rng), fixed, rng, tolerance)
                found = [*found, *more] if more else []
            if found:
                break
        else:
            raise ValueError(f"no smooth point of this {net.kind} was found; give another input x")
        rows += found
    return worst_of(rows)


def _directions(f: _Functional, fixed: set[str], rng: np.random.Generator, tolerance: float) -> list[Row]:
    """One row per argument, along a random direction; none if a kink is near."""
    gradient, rows, floor = f.gradient(), [], floor_of(f())
    for name, array in f.arguments().items():
        counts = name.removeprefix("initial ") in fixed or array.dtype.kind != "f"
        if counts or (name == "input" and name not in gradient):
            continue
        start, direction = array.copy(), rng.normal(size=array.shape)
        g = gradient.get(name, np.zeros_like(array))

        def along(e: float, array: np.ndarray = array, start: Any = start, direction: Any = direction) -> float:
            array[...] = start + e * direction
            value = f()
            array[...] = start
            return value

        numeric = difference(along, H, floor, tolerance)
        if not math.isfinite(numeric):
            return []
        rows.append(compared(name, float((g * direction).sum()), numeric, floor))
    return rows
