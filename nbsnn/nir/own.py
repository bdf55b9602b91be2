"""What ``write`` notes in a file's metadata, where other libraries leave it alone, and ``read`` takes back.

Beside the graph "nbsnn" is a JSON text with the time step; beside a neuron's node, one with the kind of the neuron and
its options, and its trained parameters.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..checkpoint.describe import describe, rebuild
from ..layers import Population
from ..neuron import Neuron
from ..validate import number
from .graph import Graph, Node

FORMAT = 1


def note_step(dt: float, net_dt: float, dialect: str) -> str:
    """The text beside a graph: the step in the file's unit of time, and in that of the network."""
    return json.dumps({"format": FORMAT, "dt": float(dt), "net_dt": float(net_dt), "dialect": dialect})


def own_step(graph: Graph) -> tuple[float, float] | None:
    """Both steps noted beside a graph; None if ``write`` did not write it."""
    text = graph.metadata.get("nbsnn")
    if not isinstance(text, str):
        return None
    description = json.loads(text)
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ValueError(f"its metadata are not of format {FORMAT}, which this version reads")
    dt, net_dt = (number(f"{name} in its metadata", description.get(name), above=0.0) for name in ("dt", "net_dt"))
    return dt, net_dt


def note_neuron(population: Population, **options: Any) -> str:
    """The text beside a neuron's node; ``options`` replace those of the neuron."""
    arrays: dict[str, np.ndarray] = {}
    description: dict[str, Any] = {"neuron": describe(population, arrays)}
    if "own" in description["neuron"]:
        raise ValueError(f"a file cannot hold the {description['neuron']['own']}")
    for option in description["neuron"]["options"].values():
        if isinstance(option, dict) and "own" in option:
            raise ValueError(f"a file cannot hold a surrogate of your own, {option['own']}")
    description["neuron"]["options"] |= options
    description["arrays"] = {name: array.tolist() for name, array in arrays.items()}
    description["params"] = {name: np.asarray(array).tolist() for name, array in population.params.items()}
    return json.dumps(description)


class _Lists(dict):
    """Arrays as ``rebuild`` asks for them."""

    def array(self, name: str, kinds: str, shape: Any = None) -> np.ndarray:
        return np.asarray(self[name], np.float64)


def neuron_of(text: str, shape: tuple[int, ...], dt: float) -> tuple[Neuron, dict[str, np.ndarray]]:
    """The neuron that ``note_neuron`` noted, for units of a shape, and its trained parameters."""
    description = json.loads(text)
    if not isinstance(description, dict) or not {"neuron", "arrays", "params"} <= description.keys():
        raise ValueError("its metadata describe no neuron")
    setting = {"dt": dt, "dtype": "float64"}
    population: Any = rebuild(description["neuron"], setting, shape, _Lists(description["arrays"]))  # type: ignore[arg-type]
    if not isinstance(population, Population):
        raise ValueError("its metadata describe no neuron")
    return population.neuron, {name: np.asarray(value, np.float64) for name, value in description["params"].items()}


def has_no_bias(node: Node) -> bool:
    """True if ``write`` noted that a map has no bias, where NIR must have one, and it still is zero."""
    text = node["metadata"].get("nbsnn")
    if not isinstance(text, str) or not isinstance(node.get("bias"), np.ndarray):
        return False
    return json.loads(text) == {"bias": False} and not node["bias"].any()
