"""Networks from NIR files."""

from __future__ import annotations

import inspect
import warnings
from os import PathLike
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import layers, validate
from ..device.threads import resolve
from ..layers import Sequential
from ..validate import choice, number, scale, switch
from .convention import CONVENTIONS, NirWarning, convention_of
from .file import load
from .graph import Graph
from .maps import MAPS, WEIGHTED, foldable
from .neurons import NEURONS, Sense, unit_shape
from .own import has_no_bias, neuron_of, own_step
from .structure import Loop, Part, Side, arrange

RESETS = ("hard", "soft", "none", "late")


def read(
    path: str | PathLike[str],
    convention: str = "nir",
    dt: float | None = None,
    reset: str | float | None = None,
    *,
    decay_input: bool | None = None,
    dtype: DTypeLike | None = None,
    device: str = "cpu",
) -> Sequential:
    """Read a network from a NIR file.

    Parameters
    ----------
    path : str or path
        The file.
    convention : {"nir", "snntorch", "spikingjelly", "norse", "sinabs"}
        By which library the file was written, whose networks it then computes (see ``nbsnn.nir.convention``); "nir" is
        the text of NIR itself, forward Euler from 0, and what ``nbsnn.nir.write`` wrote.
    dt : float, optional
        Time step in the unit of the file's time constants, which is the network's ``dt``. By default that of the
        library's exporter; with "nir" it must be given unless ``nbsnn.nir.write`` wrote the file.
    reset : {"hard", "soft", "none", "late"} or float, optional
        How spiking neurons reset, where the file does not say it: to its v_reset; by subtraction of the threshold in
        the step of the spike; not at all; by subtraction one step later (``LateReset``, not of IF); or to this value.
    decay_input : bool, optional
        Whether input of neurons with a leak is scaled by 1 - factor (Sinabs' norm_input): of files that do not say it,
        which are those of Sinabs.
    dtype : float32 or float64, optional
        Precision; by default that of the file's numbers.
    device : {"cpu", "cuda", "auto", "python"}
        As of ``Sequential``.

    Returns
    -------
    Sequential
        Its layers have the names of the nodes, with "." for what NIR separates by "/". Loops are ``Recurrent`` and
        branches ``Parallel``, with the nodes inside. A factor that a neuron's own gain cannot express is part of the
        weights before it, or a ``Scale`` NAME_gain.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged or no NIR file, or holds what cannot be expressed: the message names the node.
    ImportError
        If pyfive is not installed: ``pip install "nbsnn[nir]"``.

    Warns
    -----
    NirWarning
        Once, if files of that library do not say all that its networks compute, and ``reset`` does not either.

    Examples
    --------
    >>> import os, tempfile, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), hidden=nbsnn.neurons.LIF(tau=20.0), seed=0)
    >>> path = os.path.join(tempfile.mkdtemp(), "net.nir")
    >>> nbsnn.nir.write(net, path)
    >>> list(nbsnn.nir.read(path).layers())
    ['dense1', 'hidden']
    """
    path, how = validate.path("path", path), convention_of(convention)
    if reset is not None:
        reset = choice("reset", reset, RESETS) if isinstance(reset, str) else number("reset", reset)
    if convention == "snntorch" and reset == "soft":
        raise ValueError(
            'reset="soft" is not what snnTorch computes: with reset_mechanism="subtract" and reset_delay=False a '
            'membrane that is still above its threshold counts less in the next step. Its default is reset="late"; for '
            'a plain soft reset, read with convention="nir", dt=1e-4'
        )
    if decay_input is not None:
        switch("decay_input", decay_input)
        if not how.whole_input:
            raise ValueError(f'decay_input is for convention="sinabs": in files of {convention!r}, r says it')
    step, device = None if dt is None else scale("dt", dt), resolve(device)
    if dtype is not None:
        dtype = validate.float_dtype(dtype)
    graph = load(path)
    try:
        start, end = graph.check()
        known = own_step(graph) if convention == "nir" else None
        own = known is not None and step in (None, known[0]) and reset is None and decay_input is None
        step = step or (known[0] if known else how.dt)
        if step is None:
            raise ValueError(
                "NIR files have no time step: give dt in the unit of the file's time constants, or name the library "
                f"that wrote it as convention={', '.join(map(repr, list(CONVENTIONS)[1:]))}"
            )
        sense = Sense(how, step, reset, decay_input)
        builder = _Builder(graph, sense, known[1] if own and known else None)
        parts = arrange(graph, start, end)
        builder.options = {"dt": known[1] if own and known else step, "dtype": dtype or builder.dtype()}
        net = builder.row(parts, input_shape=builder.in_shape(start))
        builder.fill()
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
    if unsaid := builder.unsaid():
        warnings.warn(f"{path}: {unsaid}", NirWarning, stacklevel=2)
    return net if device == "cpu" else net.twin(device=device)  # type: ignore[return-value]


class _Builder:
    """Layers of the nodes of a graph."""

    def __init__(self, graph: Graph, sense: Sense, own: float | None):
        self.graph, self.sense, self.own = graph, sense, own
        self.made: list[tuple[str, Any, dict[str, np.ndarray]]] = []
        self.neurons: dict[str, tuple[Any, Any, dict[str, np.ndarray]]] = {}
        self.factors: dict[str, np.ndarray] = {}
        self.sums = 0
        self.options: dict[str, Any] = {}
        for node in graph.nodes.values():
            if own is not None and node["type"] in WEIGHTED and has_no_bias(node):
                node["bias"] = None
        for name, node in graph.nodes.items():
            if node["type"] in NEURONS:
                self.neurons[name] = self._neuron(name)
            elif node["type"] not in MAPS and node["type"] not in ("Input", "Output", "Pass"):
                raise ValueError(
                    f"node {name!r} is of type {node['type']!r}; what can be read are {', '.join([*MAPS, *NEURONS])}"
                )

    def _neuron(self, name: str) -> tuple[Any, Any, dict[str, np.ndarray]]:
        """A neuron, the factor before it that no weights take, and its trained parameters."""
        node = self.graph.nodes[name]
        with _of(name, node):
            if self.own is not None and "nbsnn" in node["metadata"]:
                neuron, params = neuron_of(node["metadata"]["nbsnn"], unit_shape(node), self.own)
                return neuron, None, params
            neuron, factor = NEURONS[node["type"]](self.sense, node)
        before = self.graph.before(name)
        if factor is not None and all(
            self.graph.nodes[n]["type"] in WEIGHTED and self.graph.after(n) == [name] for n in before
        ):
            rows = {n: foldable(self.graph.nodes[n], factor) for n in before}
            if all(row is not None for row in rows.values()):
                self.factors |= rows  # type: ignore[arg-type]
                factor = None
        return neuron, factor, {}

    def in_shape(self, start: str) -> tuple[int, ...]:
        """The shape of one sample at one step. Norse writes that of a batch of one."""
        value = self.graph.nodes[start].get("shape")
        if not isinstance(value, np.ndarray) or not value.size or (value < 1).any():
            raise ValueError(f"the input {start!r} has no shape")
        shape = tuple(int(n) for n in value.reshape(-1))
        axes = {"Affine": 1, "Linear": 1, "Conv1d": 2, "Conv2d": 3}
        after = [axes.get(self.graph.nodes[n]["type"]) for n in self.graph.after(start)]
        batched = self.sense.convention.name == "norse" and shape[0] == 1 and after == [len(shape) - 1]
        return shape[1:] if batched else shape

    def dtype(self) -> Any:
        """float64 if a number of the file is."""
        kinds = [v.dtype for node in self.graph.nodes.values() for v in node.values() if isinstance(v, np.ndarray)]
        return np.float64 if any(kind == np.float64 for kind in kinds) else np.float32

    def row(self, parts: list[Part], **options: Any) -> Sequential:
        """Parts in a row."""
        found = [pair for part in parts for pair in self.layers(part)]
        return self.sequence(found or [("identity", layers.Identity())], **options)

    def sequence(self, found: list[tuple[str, Any]], **options: Any) -> Sequential:
        """Layers in a row."""
        taken = inspect.signature(Sequential).parameters  # names that are options
        named = {f"{name}_" if name in taken else name: layer for name, layer in found}
        if len(named) < len(found):
            raise ValueError(f"nodes have names that are one here: {[name for name, _ in found][:9]}")
        return Sequential(**named, **{**self.options, **options})

    def one(self, parts: list[Part]) -> tuple[str, Any]:
        """Parts in a row as one layer, and a name for it."""
        if not parts:
            return "identity", layers.Identity()
        found = [pair for part in parts for pair in self.layers(part)]
        return found[0] if len(found) == 1 else (found[-1][0], self.sequence(found))

    def layers(self, part: Part) -> list[tuple[str, Any]]:
        """The layers of a part by name: mostly one."""
        if isinstance(part, Side):
            named: dict[str, Any] = {}
            for name, layer in map(self.one, part.branches):
                named[name if name not in named else f"{name}{len(named)}"] = layer
            self.sums += 1
            return [(f"sum{self.sums}", layers.Parallel(join="sum", **named))]
        if isinstance(part, Loop):
            (name, inner), (_, feedback) = self.one(part.inner), self.one(part.feedback)
            return [(name, layers.Recurrent(inner, feedback, waits=self.waits(part.feedback)))]
        node = self.graph.nodes[part]
        if part in self.neurons:
            neuron, factor, params = self.neurons[part]
            layer = layers.Population(neuron)
            self.made.append((part, layer, params))
            if factor is None:
                return [(part, layer)]
            gain = layers.Scale()
            self.made.append((part, gain, {"scale": factor}))
            return [(f"{part}_gain", gain), (part, layer)]
        with _of(part, node):
            layer, params = MAPS[node["type"]](self.sense, node, self.factors.get(part))
        self.made.append((part, layer, params))
        return [(part, layer)]

    def waits(self, feedback: list[Part]) -> str:
        """What of a loop waits for a step: the output, if that makes no difference, as it is quicker."""
        nodes = [self.graph.nodes.get(part, {}) if isinstance(part, str) else {} for part in feedback]
        if not nodes:
            return "output"
        biased = nodes[-1].get("type") == "Affine" and nodes[-1]["bias"].any()
        if len(nodes) == 1 and nodes[0].get("type") in ("Affine", "Linear"):
            return "feedback" if biased and not self.sense.convention.first_bias else "output"
        if biased and self.sense.convention.first_bias:
            raise ValueError(
                f"the bias of {feedback[-1]!r}, at the end of a longer feedback, cannot be there at the first step"
            )
        return "feedback"

    def fill(self) -> None:
        """Give the layers their parameters."""
        for name, layer, params in self.made:
            with _of(name, self.graph.nodes[name]):
                for key, value in params.items():
                    array = layer.params[key]
                    if value.size != 1 and value.shape != array.shape:
                        raise ValueError(f"{key} has shape {list(value.shape)}, but the layer's is {list(array.shape)}")
                    array[...] = value.reshape(()) if value.size == 1 else value

    def unsaid(self) -> str:
        """What the file does not say."""
        how, nodes = self.sense.convention, self.graph.nodes
        found = [how.unsaid] if self.sense.reset is None and how.unsaid and any(map(spikes, nodes.values())) else []
        for name, node in nodes.items():
            whole = how.whole_if if node["type"] in ("IF", "I") else how.whole_input
            if whole and node["type"] in NEURONS and np.any(node.get("r", 1.0) != 1.0):
                found.append(f"r of node {name!r} is not 1, and has no meaning in files of {how.name}")
            if how.several and self.sense.reset is None and spikes(node) and np.any(node.get("v_reset", 0.0)):
                found.append(f"v_reset of node {name!r} is not 0, and has no meaning in files of {how.name}")
        return "; ".join(found)


def spikes(node: dict[str, Any]) -> bool:
    """True if a node is a neuron that is reset when it spikes."""
    return node["type"] in ("LIF", "IF", "CubaLIF")


class _of:
    """Errors inside name the node."""

    def __init__(self, name: str, node: dict[str, Any]):
        self.what = f"node {name!r} ({node['type']})"

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, (ValueError, TypeError)) and not str(error).startswith("node "):
            raise ValueError(f"{self.what}: {error}") from None
