"""NIR's files, which are HDF5: read with pyfive, written with h5py.

    version                               a text
    node/type                             "NIRGraph"
    node/nodes/NAME/type, .../FIELD       a node; a graph among them is laid out flat
    node/edges                            [E, 2] texts
    node/metadata/KEY                     beside the graph, or in the same way beside a node

pyfive is Python and does not crash on damaged files; what it reads is counted, so that none keeps it busy for long.
"""

from __future__ import annotations

import io
import logging
import math
from importlib import import_module
from typing import Any

import numpy as np

from ..files.whole import beside, named
from .graph import Graph

ROOM = 2**28
"""Bytes that all arrays of a file may take together, unless eight times the file is more: damage can claim anything."""

MOST = 4096
"""Nodes of the largest graph."""


def _needed(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ImportError(f'NIR files need {name}, which is not installed: pip install "nbsnn[nir]"') from None


class _Counted(io.BytesIO):
    """A file in memory of which only so much can be read: what goes in circles comes to an end."""

    def __init__(self, data: bytes):
        super().__init__(data)
        self.left, self.calls = 8 * len(data) + 2**20, 10_000 + len(data) // 4

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.left, self.calls = self.left - len(found), self.calls - 1
        if min(self.left, self.calls) < 0:
            raise ValueError("it refers to itself in circles")
        return found


def load(path: str) -> Graph:
    """The graph in a file.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, or is no NIR file; the message begins with the path.
    ImportError
        If pyfive is not installed.
    """
    pyfive = _needed("pyfive")
    with named(path), open(path, "rb") as file:
        data = file.read()
    quiet = logging.getLogger("pyfive")
    level, quiet.disabled = quiet.disabled, True
    try:
        return _Reader(pyfive, data).graph()
    except Exception as error:  # whatever a library makes of damage
        told = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is damaged, or is not a NIR file: {told[:300]}") from None
    finally:
        quiet.disabled = level


class _Reader:
    """What is read of one file, and how much room that may still take."""

    def __init__(self, pyfive: Any, data: bytes):
        self.pyfive, self.room, self.pieces = pyfive, max(ROOM, 8 * len(data)), 1000 + len(data) // 8
        self.file = pyfive.File(_Counted(data))

    def graph(self) -> Graph:
        """The graph, laid out flat."""
        graph = Graph()
        root = self.group(self.file, "node")
        if self.value(root, "type") != "NIRGraph":
            raise ValueError('its "node" is no graph')
        self.add(root, "", graph, 0)
        return graph

    def add(self, group: Any, prefix: str, graph: Graph, depth: int) -> tuple[str, str]:
        """Add the nodes and edges of a graph; returns the names of its input and output if it is one inside another."""
        if depth > 16:
            raise ValueError("graphs lie in graphs too deep")
        ends: dict[str, tuple[str, str]] = {}
        own: dict[str, list[str]] = {"Input": [], "Output": []}
        nodes = self.group(group, "nodes")
        for name in nodes:
            node, full = self.group(nodes, name), f"{prefix}{name}".replace("/", ".")
            kind = self.value(node, "type")
            if kind == "NIRGraph":
                ends[name] = self.add(node, f"{full}.", graph, depth + 1)
                continue
            if not isinstance(kind, str) or full in graph.nodes or len(graph.nodes) >= MOST:
                raise ValueError(f"node {full!r} is of no type, or stands twice, or there are more than {MOST}")
            graph.nodes[full] = self.fields(node)
            ends[name] = full, full
            if kind in own:
                own[kind].append(full)
                graph.nodes[full]["type"] = kind if depth == 0 else "Pass"
        for a, b in dict.fromkeys(self.edges(group)):
            if a not in ends or b not in ends:
                raise ValueError(f"an edge leads from {a!r} to {b!r}, but the nodes are {list(ends)[:9]}")
            graph.edges.append((ends[a][1], ends[b][0]))
        if depth == 0:
            graph.metadata = self.metadata(group)
            return "", ""
        if any(len(found) != 1 for found in own.values()):
            raise ValueError(f"the graph {prefix[:-1]!r} inside has {own}: exactly one of each can be read")
        return own["Input"][0], own["Output"][0]

    def fields(self, node: Any) -> dict[str, Any]:
        """The fields of a node."""
        found = {name: self.value(node, name) for name in node if name != "metadata"}
        return {**found, "metadata": self.metadata(node)}

    def metadata(self, group: Any) -> dict[str, Any]:
        """What stands beside a graph or node."""
        if "metadata" not in list(group):
            return {}
        inside = self.group(group, "metadata")
        return {name: self.value(inside, name) for name in inside if not self.is_group(inside[name])}

    def edges(self, group: Any) -> list[tuple[str, str]]:
        """The edges of a graph."""
        found = self.array(self.item(group, "edges"))
        if found.size == 0:
            return []
        if found.ndim != 2 or found.shape[1] != 2 or len(found) > MOST * 4:
            raise ValueError(f"edges must be [E, 2], not {list(found.shape)}")
        return [(self.text(a), self.text(b)) for a, b in found]

    def is_group(self, item: Any) -> bool:
        """True if something is a group, not an array."""
        return isinstance(item, self.pyfive.Group)

    def group(self, parent: Any, name: str) -> Any:
        """The group of a name in a group."""
        found = self.item(parent, name)
        if not self.is_group(found):
            raise ValueError(f"{name!r} is no group")
        return found

    def item(self, parent: Any, name: str) -> Any:
        """What has a name in a group."""
        if name not in list(parent):  # the group's own "in" opens it
            raise ValueError(f"there is no {name!r}")
        return parent[name]

    def value(self, group: Any, name: str) -> Any:
        """A field: a text, or an array of finite numbers."""
        found = self.array(self.item(group, name))
        if found.dtype.kind in "OSU":
            if found.size != 1:
                raise ValueError(f"field {name!r} must be one text, or numbers")
            return self.text(found.reshape(-1)[0])
        if found.dtype.kind not in "fiub":
            raise ValueError(f"field {name!r} holds {found.dtype}, but not numbers")
        if not np.isfinite(found).all():
            raise ValueError(f"field {name!r} holds NaN or infinite values")
        return found

    def array(self, item: Any) -> np.ndarray:
        """An array, if there is room for it."""
        if self.is_group(item):
            raise ValueError("a group stands where numbers should")
        self.room -= math.prod(item.shape) * np.dtype(item.dtype).itemsize
        if self.room < 0 or len(item.shape) > 8:
            raise ValueError(f"an array of shape {list(item.shape)} is larger than the file allows")
        if item.chunks:  # each has an entry in the file, and takes time to be looked for
            self.pieces -= math.prod(-(-n // max(k, 1)) for n, k in zip(item.shape, item.chunks, strict=True))
            if self.pieces < 0:
                raise ValueError(f"an array of shape {list(item.shape)} is in more pieces than the file has room for")
        return np.asarray(item[()])

    @staticmethod
    def text(value: Any) -> str:
        """A text."""
        return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def store(graph: Graph, path: str) -> None:
    """Write a graph to a file, as a whole or not at all."""
    h5py = _needed("h5py")

    def put(group: Any, name: str, value: Any) -> None:
        group.create_dataset(name, data=value)

    with beside(path) as part, h5py.File(part, "w") as file:
        put(file, "version", "1.0.8")
        root = file.create_group("node")
        put(root, "type", "NIRGraph")
        root.create_dataset("edges", data=[[a, b] for a, b in graph.edges], dtype=h5py.string_dtype())
        nodes = root.create_group("nodes")
        for name, node in graph.nodes.items():
            group = nodes.create_group(name)
            for key, value in node.items():
                if key == "metadata":
                    for inner, text in value.items():
                        put(group.require_group("metadata"), inner, text)
                else:
                    put(group, key, value)
        for key, value in graph.metadata.items():
            put(root.require_group("metadata"), key, value)
