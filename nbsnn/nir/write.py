"""Networks to NIR files."""

from __future__ import annotations

import warnings
from os import PathLike
from typing import Any

import numpy as np

from .. import layers, validate
from ..layers import Layer
from ..random import Draws
from ..validate import instance
from .convention import NirWarning
from .dialect import Dialect, dialect_of
from .emit import LAYERS
from .file import store
from .graph import Graph
from .maps import WEIGHTED
from .own import note_step


def write(net: Layer, path: str | PathLike[str], dialect: str = "nir") -> None:
    """Write a network to a NIR file.

    Parameters
    ----------
    net : Layer
        A network, built: layers in rows, branches that are added, and loops.
    path : str or path
        The file, by custom ``.nir``.
    dialect : {"nir", "norse", "sinabs"}
        Who shall read it: "nir" is NIR's text in steps of 1e-4, as snnTorch and SpikingJelly assume, too; with "norse"
        input that is not scaled by 1 - factor is scaled in the weights, in steps of 1e-6 as Norse's importer assumes
        them to be by default; with "sinabs" time constants are in steps and exact, and spikes subtract the threshold.

    Raises
    ------
    TypeError, ValueError
        If the network has what NIR, or the library that shall read it, does not: the message names the layer. Nothing
        is written then.
    OSError
        If the file cannot be written. An earlier one then is as it was.
    ImportError
        If h5py is not installed: ``pip install "nbsnn[nir]"``.

    Warns
    -----
    NirWarning
        Once, if there is something that the nodes do not say. ``nbsnn.nir.read`` finds it in the metadata.

    Notes
    -----
    Every leak is written as the time constant of forward Euler, ``tau = dt / (1 - factor)``, except for Sinabs. No file
    says whether a membrane that equals its threshold spikes: snnTorch and Norse say no, SpikingJelly and Sinabs yes.

    Examples
    --------
    >>> import os, tempfile, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LIF(tau=20.0), seed=0)
    >>> nbsnn.nir.write(net, os.path.join(tempfile.mkdtemp(), "net.nir"))
    """
    instance("net", net, Layer, "a network")
    path, how = validate.path("path", path), dialect_of(dialect)
    if not net.built:
        raise ValueError("net is not built yet: its input's shape is not known. Give input_shape")
    net = net.twin(device="cpu")  # its arrays are NumPy's
    writer = _Writer(how)
    graph = writer.graph
    graph.nodes["input"] = {"type": "Input", "shape": np.array(net.in_shape)}
    last = writer.add("", net, ["input"])
    graph.nodes["output"] = {"type": "Output", "shape": np.array(net.shape)}
    writer.connect(last, "output")
    writer.finish()
    graph.metadata["nbsnn"] = note_step(how.dt, net.setting.dt, dialect)
    store(graph, path)
    if writer.unsaid:
        said = "; ".join(writer.unsaid)
        warnings.warn(f"{path} tells other libraries nothing of this: {said}", NirWarning, stacklevel=2)


class _Writer:
    """Nodes and edges of a network, layer by layer: each is given the nodes whose sum is its input, and returns those
    whose sum is its output."""

    def __init__(self, dialect: Dialect):
        self.dialect, self.graph = dialect, Graph()
        self.unsaid: list[str] = []
        self.factors: dict[str, Any] = {}
        self.takers: list[tuple[str, str, set[str]]] = []

    def name(self, path: str) -> str:
        """A name for a node that no other has, and that no library cuts into parts."""
        wanted = found = "".join(c if c.isalnum() else "_" for c in path.removesuffix("/neurons")) or "layer"
        number = 1
        while found in self.graph.nodes or found in ("input", "output"):
            number += 1
            found = f"{wanted}_{number}"
        return found

    def add(self, path: str, layer: Layer, before: list[str]) -> list[str]:
        """Add a layer."""
        kind, prefix = type(layer), f"{path}/" if path else ""
        if kind is layers.Sequential:
            for name, child in layer.children.items():  # type: ignore[attr-defined]
                before = self.add(prefix + name, child, before)
            return before
        if kind is layers.Parallel or kind is layers.Residual:
            return self.branches(path, prefix, layer, before)
        if kind is layers.Recurrent:
            return self.loop(path, prefix, layer, before)
        if kind is layers.Identity:
            return before
        if kind is layers.Dropout:
            self.unsaid.append(f"{path} is there in training only")
            return before
        if kind not in LAYERS:
            raise ValueError(f"{path}: NIR has no node for a {kind.__name__}")
        try:
            found = LAYERS[kind](layer, self.dialect)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        if found.node["type"] not in self.dialect.types:
            raise ValueError(f"{path}: {self.dialect.name} reads no node of type {found.node['type']}")
        name = self.name(path)
        self.graph.nodes[name] = found.node
        self.unsaid += [f"{what}, of {path}" for what in found.unsaid]
        if found.factor is not None:
            self.factors[name] = (path, found.factor)
        self.connect(before, name)
        return [name]

    def connect(self, before: list[str], name: str) -> None:
        """Edges from nodes, whose outputs are added, to one."""
        if len(set(before)) < len(before):
            raise ValueError(
                f"{name}: the output of {max(before, key=before.count)} is added twice, which NIR cannot say"
            )
        if len(before) > 1 and not self.dialect.flow:
            raise ValueError(f"{name}: {self.dialect.name} reads no branches that are added, and no loops")
        self.graph.edges += [(other, name) for other in before]

    def branches(self, path: str, prefix: str, layer: Any, before: list[str]) -> list[str]:
        """Layers side by side, or a branch with a shortcut."""
        if layer.join != "sum":
            raise ValueError(f"{path}: NIR adds what comes together, it has no join={layer.join!r}")
        after = [name for key, child in layer.children.items() for name in self.add(prefix + key, child, before)]
        return after + (before if type(layer) is layers.Residual and "shortcut" not in layer.children else [])

    def loop(self, path: str, prefix: str, layer: Any, before: list[str]) -> list[str]:
        """A loop: what comes back goes where the input goes."""
        if layer.join != "sum":
            raise ValueError(f"{path}: NIR adds what comes together, it has no join={layer.join!r}")
        feedback, mark, taker = layer.children["feedback"], f"\0{path}", None
        if layer.waits == "output":
            feedback, taker = self.first_step(path, layer, feedback, before)
        after = self.add(prefix + layer.inner, layer.children[layer.inner], [*before, mark])
        back = self.add(f"{prefix}feedback", feedback, after)
        if mark in after or mark in back:
            raise ValueError(f"{path}: a loop around nothing has no node")
        if sum(a == mark for a, _ in self.graph.edges) > 1:
            raise ValueError(f"{path}: a loop around layers side by side has no one node to which it comes back")
        edges, self.graph.edges = self.graph.edges, []
        for a, b in edges:
            self.graph.edges += [(other, b) for other in back] if a == mark else [(a, b)]
        if taker:
            self.takers.append((path, taker, {b for a, b in edges if a == mark}))
        return after

    def first_step(self, path: str, layer: Any, feedback: Layer, before: list[str]) -> tuple[Any, str | None]:
        """The feedback with nothing that comes back at the first step, as in NIR, and which node took its bias."""
        inside = [feedback, *feedback.layers().values()]
        if np.any(layer.first()) or any(
            isinstance(each, (layers.Population, layers.Delay, layers.TemporalConv)) for each in inside
        ):
            raise ValueError(
                f'{path}: what comes back at the first step differs from NIR: use Recurrent(..., waits="feedback")'
            )
        biased = [each for each in inside if "bias" in each.params and each.params["bias"].any()]
        if not biased:
            return feedback, None
        into = [n for n in before if self.graph.nodes.get(n, {}).get("type") in ("Affine", "Linear")]
        if type(feedback) is not layers.Dense or not into:
            raise ValueError(
                f"{path}: the bias of its feedback acts at the first step, where nothing comes back in NIR, and no "
                'dense layer before can take it: use Recurrent(..., waits="feedback")'
            )
        node = self.graph.nodes[into[0]]
        node |= {"type": "Affine", "bias": node.get("bias", 0.0) + feedback.params["bias"]}
        node.pop("metadata", None)
        plain = layers.Dense(*feedback.in_shape, *feedback.shape, bias=False)
        plain.build(feedback.in_shape, feedback.setting, Draws(0))
        plain.params["weight"][...] = feedback.params["weight"]
        return plain, into[0]

    def finish(self) -> None:
        """Multiply weights by the factors of what follows, and see where biases have gone."""
        for path, name, wanted in self.takers:
            if set(self.graph.after(name)) != wanted:
                raise ValueError(
                    f"{path}: the bias of its feedback acts at the first step, where nothing comes back in NIR, and "
                    f'{name}, which goes elsewhere, too, cannot take it: use Recurrent(..., waits="feedback")'
                )
        for name, (path, factor) in self.factors.items():
            for other in self.graph.before(name):
                node = self.graph.nodes[other]
                rows = factor.reshape(factor.shape[0], -1)
                if (
                    node["type"] not in WEIGHTED
                    or self.graph.after(other) != [name]
                    or len(rows) != len(node["weight"])
                    or not (rows == rows[:, :1]).all()
                ):
                    raise ValueError(
                        f"{path}: {self.dialect.name} adds its input times another factor, which the weights before "
                        "must hold; but there is no dense layer or convolution directly before it and for it alone"
                    )
                each = rows[:, 0]
                dtype = node["weight"].dtype
                node["weight"] = (node["weight"] * each.reshape(-1, *[1] * (node["weight"].ndim - 1))).astype(dtype)
                if "bias" in node:
                    node["bias"] = (node["bias"] * each).astype(dtype)
