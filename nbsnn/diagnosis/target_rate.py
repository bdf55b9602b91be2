"""Initialisation by activity: each layer's weights are scaled until the neurons that it feeds spike at a target rate.

    k  such that  mean(spikes of population(k (x W + b))) = rate

Weights drawn for rectifiers leave spiking layers silent or saturated, because they know neither threshold nor leak
nor how sparse the input is. One batch knows. The layers are scaled in the order of computation, so that each sees the
activity of those that are scaled already. The idea is layer-sequential unit-variance initialisation (Mishkin and Matas
2016, arXiv:1511.06422), with the spike rate in the place of the variance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..device.constant_input import fetched
from ..device.gpu import assign
from ..layers import Layer
from ..layers.layer import Array, Nested
from ..layers.population import is_population
from ..validate import instance, number

REACH = 2.0**20
"""Largest scale that is tried; the smallest is its reciprocal."""

PRECISION = 1e-6
"""Where the search gives up: relative width of the interval of scales in which the rate jumps over its target."""


def target_rate(net: Layer, x: Any, rate: float = 0.1, tolerance: float | None = None) -> dict[str, float]:
    """Scale the weights and biases that feed spiking populations, in place, until each spikes at ``rate``.

    In a ``Sequential``, nested ones included, a spiking population is fed by the nearest layer before it that has
    weights; layers without weights in between (pooling, delay) stay as they are. A ``Recurrent`` is scaled by the
    layer before it and run with its feedback, whose weights stay as they are. The parts of a ``Residual`` or a
    ``Parallel`` are each treated as a network of its own; what follows them needs a weighted layer of its own.
    Populations without such a layer, and readouts that do not spike, are left alone. Runs start from the initial
    state, and dropout does not drop. The rates of a network on a GPU are those of its twin on the CPU.

    Parameters
    ----------
    net : Layer
        The network.
    x : array [T, B, ...]
        A batch like those of training.
    rate : float, default 0.1
        Spikes per unit and step, between 0 and 1.
    tolerance : float, optional
        How far from ``rate`` a population may stay; 5 % of ``rate`` by default.

    Returns
    -------
    dict of str to float
        Name of the scaled layer -> scale.

    Raises
    ------
    ValueError
        A population cannot be brought to the rate; the network is then as it was before.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(20, 30), nbsnn.neurons.LIF(), seed=0)
    >>> x = (np.random.default_rng(0).random((25, 8, 20)) < 0.1).astype(np.float32)
    >>> scales = nbsnn.target_rate(net, x, rate=0.1)
    >>> bool(abs(net.run(x)["lif1"]["spikes"].mean() - 0.1) < 0.005)
    True
    """
    instance("net", net, Layer, "a network")
    number("rate", rate, above=0.0)
    if rate >= 1.0:
        raise ValueError(f"rate must be below 1 spike per step, not {rate!r}")
    tolerance = 0.05 * rate if tolerance is None else number("tolerance", tolerance, above=0.0)
    if (twin := net.on_host()) is not net:
        scales = target_rate(twin, fetched(x), rate, tolerance)
        for name, array in net.parameters().items():
            assign(array, twin.parameters()[name])
        return scales
    x = net.check_input(x)
    before = {name: array.copy() for name, array in net.parameters().items()}
    scales: dict[str, float] = {}
    try:
        _scale(net, "", x, rate, tolerance, scales)
    except BaseException:
        for name, array in net.parameters().items():
            array[...] = before[name]
        raise
    return scales


def find_scale(rate_of: Callable[[float], float], rate: float, tolerance: float) -> float:
    """The ``k`` between 1 / ``REACH`` and ``REACH`` at which ``rate_of(k)`` is ``rate``, by doubling and bisection.

    Raises
    ------
    ValueError
        The rate does not get there, or jumps over its target.

    >>> round(find_scale(lambda k: 0.2 * k, 0.1, 0.001), 2)
    0.5
    """
    k, found = 1.0, rate_of(1.0)
    if abs(found - rate) <= tolerance:
        return k
    grow, start, best = found < rate, found, found
    low = high = (k, found)
    while (found < rate) == grow:
        k = 2.0 * k if grow else 0.5 * k
        if not 1.0 / REACH <= k <= REACH:
            bound = "at most" if grow else "at least"
            raise ValueError(f"no scale gives a rate of {rate:g}: it is {start:.3g} now, and {bound} {best:.3g}")
        found = rate_of(k)
        if abs(found - rate) <= tolerance:
            return k
        best = max(best, found) if grow else min(best, found)
        low, high = (high, (k, found)) if grow else ((k, found), low)
    while high[0] / low[0] > 1.0 + PRECISION:
        k = float(np.sqrt(low[0] * high[0]))
        found = rate_of(k)
        if abs(found - rate) <= tolerance:
            return k
        low, high = ((k, found), high) if found < rate else (low, (k, found))
    raise ValueError(
        f"at a scale of {k:.4g} the rate jumps from {low[1]:.3g} to {high[1]:.3g}, past {rate:g}: the units spike "
        "together. Use a larger batch, a less regular input, or a larger tolerance"
    )


def steps_of(net: Layer, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """The layers of a network in the order of computation, nested ``Sequential`` opened up."""
    if not net.in_row:
        yield prefix.rstrip("/"), net
        return
    for name, layer in net.children.items():
        yield from steps_of(layer, f"{prefix}{name}/")


def spiking(layer: Layer) -> str | None:
    """The name, within ``layer``, of the spiking population that its input drives; None if there is none."""
    name = layer.driven()
    population = layer.layers().get(name or "", layer)
    return name if is_population(population) and population.neuron.output == "spikes" else None


def weighted(layer: Layer) -> bool:
    """True if ``layer`` is a connection with weights."""
    return "weight" in layer.params and not opaque(layer)


def opaque(layer: Layer) -> bool:
    """True if weights before ``layer`` do not scale what comes out of it: it is a population, or holds layers."""
    return is_population(layer) or bool(layer.children)


def feeders(net: Layer, prefix: str = "") -> dict[str, str]:
    """Spiking population -> the layer whose weights drive it, by name."""
    found: dict[str, str] = {}
    last = ""
    for name, layer in steps_of(net, prefix):
        inner = spiking(layer)
        if inner is not None and last:
            found[f"{name}/{inner}".strip("/")] = last
        if layer.side_by_side:
            for part, child in layer.children.items():
                found |= feeders(child, f"{name}/{part}/")
        if weighted(layer):
            last = name
        elif opaque(layer):
            last = ""
    return found


def _forward(layer: Layer, x: Array, tape: Nested) -> Array:
    return layer.forward(x, layer.initial(x.shape[1]), tape)[0]


def _scale(net: Layer, prefix: str, x: Array, rate: float, tolerance: float, scales: dict[str, float]) -> Array:
    """Scale the layers of ``net`` for the input ``x``; returns its output."""
    chain: list[tuple[str, Layer, Array]] = []  # since the last connection: name, layer, input
    for name, layer in steps_of(net, prefix):
        inner = spiking(layer)
        if weighted(layer):
            chain = []
        chain.append((name, layer, x))
        if inner is not None and weighted(chain[0][1]):
            try:
                scales[chain[0][0]] = _scale_chain(chain, rate, tolerance)
            except ValueError as error:
                raise ValueError(f"{chain[0][0]}, which drives {f'{name}/{inner}'.strip('/')}: {error}") from None
            x = chain[0][2]
            for _, part, _ in chain:
                x = _forward(part, x, {})
            chain = []
        else:
            for part, child in layer.children.items() if layer.side_by_side else ():
                _scale(child, f"{name}/{part}/", x, rate, tolerance, scales)
            x = _forward(layer, x, {})
            if opaque(layer):
                chain = []
    return x


def _scale_chain(chain: list[tuple[str, Layer, Array]], rate: float, tolerance: float) -> float:
    """Scale the first layer of ``chain`` so that the last one spikes at ``rate``; the layers between stay."""
    _, first, x = chain[0]
    start = {name: first.params[name].copy() for name in ("weight", "bias") if name in first.params}
    tapes: list[Nested] = [{} for _ in chain]

    def rate_of(k: float) -> float:
        for name, array in start.items():
            first.params[name][...] = k * array
        y = x
        for (_, layer, _), tape in zip(chain, tapes, strict=True):
            y = _forward(layer, y, tape)
        return float(y.mean(dtype=np.float64))

    k = find_scale(rate_of, rate, tolerance)
    rate_of(k)
    return k
