"""From a graph to layers in a row, side by side and in loops: series-parallel reduction.

Every node is a link from its entry to its exit, and every edge a link from an exit to an entry. Two links that follow
one another without a branch become one, links side by side become a ``Side`` (a sum), and a link with one that comes
back, a step late, becomes a ``Loop``. What is left is one link from the input to the output; where more is left,
branches cross, and no arrangement of layers says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .graph import Edge, Graph, closing

Part = Any
"""The name of a node, a ``Side``, or a ``Loop``."""


@dataclass
class Side:
    """Branches whose outputs are added; one without parts passes its input on."""

    branches: list[list[Part]]


@dataclass
class Loop:
    """Parts in a row, and what brings their output back to their input one step later."""

    inner: list[Part]
    feedback: list[Part]


@dataclass(eq=False)
class _Link:
    tail: tuple[str, str]
    head: tuple[str, str]
    parts: list[Part]
    late: bool = False


def arrange(graph: Graph, start: str, end: str) -> list[Part]:
    """The graph between ``start`` and ``end`` as parts in a row.

    Raises
    ------
    ValueError
        If branches cross, or a loop has two entries or two exits; the message names the nodes.
    """
    back = closing(graph, start)
    graph, back = _joined(graph, back)
    silent = {"Input", "Output", "Pass"}
    links = [_Link(("in", n), ("out", n), [] if node["type"] in silent else [n]) for n, node in graph.nodes.items()]
    links += [_Link(("out", a), ("in", b), [], (a, b) in back) for a, b in graph.edges]
    ends = {("in", start), ("out", end)}
    while len(links) > 1:
        smaller = _looped(_in_series(_side_by_side(links), ends))
        if len(smaller) == len(links):
            names = sorted({link.head[1] for link in links} & _joins(links))
            raise ValueError(
                f"the branches of the graph cross, or a loop has two entries or two exits, around the nodes "
                f"{names[:6]}: no row of layers, branches and loops computes the same"
            )
        links = smaller
    return links[0].parts


def _joined(graph: Graph, back: set[Edge]) -> tuple[Graph, set[Edge]]:
    """The graph, and what closes its loops, with a node for every sum of several nodes that goes to more than one."""
    into: dict[tuple[str, bool], frozenset[str]] = {}
    for a, b in graph.edges:
        key = (b, (a, b) in back)
        into[key] = into.get(key, frozenset()) | {a}
    nodes = dict(graph.nodes)
    for key in sorted(into, key=lambda key: (len(into[key]), key)):
        found = into[key]
        given = [other for other, before in into.items() if found <= before]
        if len(found) > 1 and len(given) > 1:
            name = f"the sum of {', '.join(sorted(found))}"
            nodes[name] = {"type": "Pass"}
            into |= {other: into[other] - found | {name} for other in given}
            into[name, False] = found
    late = {(a, b) for (b, is_late), before in into.items() if is_late for a in before}
    edges = [(a, b) for (b, _), before in into.items() for a in sorted(before)]
    return Graph(nodes, edges), late


def _joins(links: list[_Link]) -> set[str]:
    heads = [link.head for link in links]
    return {head[1] for head in heads if heads.count(head) > 1}


def _side_by_side(links: list[_Link]) -> list[_Link]:
    groups: dict[Any, list[_Link]] = {}
    for link in links:
        groups.setdefault((link.tail, link.head, link.late), []).append(link)
    return [
        group[0] if len(group) == 1 else _Link(key[0], key[1], [Side([link.parts for link in group])], key[2])
        for key, group in groups.items()
    ]


def _in_series(links: list[_Link], ends: set[tuple[str, str]]) -> list[_Link]:
    into: dict[Any, list[_Link]] = {}
    out: dict[Any, list[_Link]] = {}
    for link in links:
        into.setdefault(link.head, []).append(link)
        out.setdefault(link.tail, []).append(link)
    gone = set()
    for place, arriving in into.items():
        leaving = out.get(place, [])
        if place in ends or len(arriving) != 1 or len(leaving) != 1 or arriving[0] is leaving[0] or arriving[0].late:
            continue
        first, second = arriving[0], leaving[0]
        second.tail, second.parts = first.tail, first.parts + second.parts
        gone.add(first)
        out[first.tail] = [second if link is first else link for link in out[first.tail]]
    return [link for link in links if link not in gone]


def _looped(links: list[_Link]) -> list[_Link]:
    gone = set()
    for back in (link for link in links if link.late):
        around = [link for link in links if not link.late and link.tail == back.head and link not in gone]
        inside = [link for link in links if link.head == back.tail and link not in gone]
        if len(around) == 1 and inside == around:
            around[0].parts = [Loop(around[0].parts, back.parts)]
            gone.add(back)
    return [link for link in links if link not in gone]
