"""A NIR graph as plain data: nodes with their fields, edges, and which edges close a loop.

Graphs inside the graph are laid out flat: the node "b" of the graph "a" is called "a.b", and what stands for a's input
and output becomes a node that passes on what it gets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Node = dict[str, Any]
Edge = tuple[str, str]


@dataclass
class Graph:
    """A flat graph.

    Attributes
    ----------
    nodes : dict of str to dict
        Fields of each node by name, "type" among them.
    edges : list of (str, str)
        From which node to which.
    metadata : dict
        Texts and numbers that stand beside the graph.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def only(self, kind: str) -> str:
        """The name of the one node of a kind; raises ``ValueError`` if there is none, or are several."""
        found = [name for name, node in self.nodes.items() if node["type"] == kind]
        if len(found) != 1:
            raise ValueError(f"the graph has {len(found)} nodes of type {kind}, {found[:4]}: exactly one can be read")
        return found[0]

    def before(self, name: str) -> list[str]:
        """From which nodes edges lead to one."""
        return [a for a, b in self.edges if b == name]

    def after(self, name: str) -> list[str]:
        """To which nodes edges lead from one."""
        return [b for a, b in self.edges if a == name]

    def check(self) -> tuple[str, str]:
        """Raise ``ValueError`` unless every node lies on a way from the input to the output; returns these two."""
        start, end = self.only("Input"), self.only("Output")
        for edge in self.edges:
            for name in edge:
                if name not in self.nodes:
                    raise ValueError(f"an edge names {name!r}, but the nodes are {list(self.nodes)[:9]}")
        for name, edges, what in (
            (start, self.edges, "is not reached from the input"),
            (end, [(b, a) for a, b in self.edges], "leads nowhere"),
        ):
            if missing := self.nodes.keys() - _reached(name, edges):
                raise ValueError(f"node {min(missing)!r} {what}")
        if self.before(start) or self.after(end):
            raise ValueError("an edge leads into the input, or out of the output")
        return start, end


def _reached(start: str, edges: list[Edge]) -> set[str]:
    """The nodes to which edges lead from one, itself included."""
    after: dict[str, list[str]] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
    found, waiting = {start}, [start]
    while waiting:
        new = [b for b in after.get(waiting.pop(), []) if b not in found]
        found.update(new)
        waiting += new
    return found


def closing(graph: Graph, start: str) -> set[Edge]:
    """The edges that close a loop, depth first from ``start``: what passes them arrives one step later."""
    after: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for a, b in graph.edges:
        after[a].append(b)
    back, seen, path = set(), {start}, {start}
    stack = [(start, iter(after[start]))]
    while stack:
        name, rest = stack[-1]
        for other in rest:
            if other in path:
                back.add((name, other))
            elif other not in seen:
                seen.add(other)
                path.add(other)
                stack.append((other, iter(after[other])))
                break
        else:
            path.discard(name)
            stack.pop()
    return back
