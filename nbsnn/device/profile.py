"""Profile of the time of a training step.

Parts of the library that take time are marked with ``span``, launches of kernels and products with their ``Work``;
while a ``profile`` is open, these add up seconds, bytes read and written, and operations (additions,
multiplications with an addition, neuron updates) by name. Otherwise they do nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field


@dataclass
class Part:
    """Totals of one name."""

    seconds: float = 0.0
    calls: int = 0
    bytes: float = 0.0
    ops: float = 0.0


@dataclass
class Profile:
    """Parts by name, and the whole; ``print`` it for a table.

    Attributes
    ----------
    parts : dict
        Name -> Part. A part inside another one counts for itself only.
    seconds : float
        From opening to closing.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        named = sum(part.seconds for part in self.parts.values())
        rows = sorted(self.parts.items(), key=lambda item: -item[1].seconds)
        rows.append(("other", Part(max(0.0, self.seconds - named), 1)))
        lines = [f"{'part':30}{'ms':>10}{'share':>8}{'calls':>7}{'MB':>10}{'GB/s':>8}{'G ops/s':>9}"]
        for name, p in rows:
            share = p.seconds / self.seconds if self.seconds else 0.0
            rate = f"{p.bytes / p.seconds / 1e9:.1f}" if p.bytes and p.seconds else ""
            ops = f"{p.ops / p.seconds / 1e9:.2f}" if p.ops and p.seconds else ""
            size = f"{p.bytes / 1e6:.1f}" if p.bytes else ""
            lines.append(f"{name:30}{p.seconds * 1e3:10.2f}{share:8.1%}{p.calls:7}{size:>10}{rate:>8}{ops:>9}")
        return "\n".join([*lines, f"{'together':30}{self.seconds * 1e3:10.2f}"])


@dataclass
class Open:
    """The open profile, if any, and the seconds that spans inside the present one took."""

    profile: Profile | None = None
    inner: float = 0.0


OPEN = Open()

Work = tuple[str, float, float]
"""Name, bytes and operations of what ``span`` would measure."""


@contextmanager
def profile() -> Iterator[Profile]:
    """Measure where the time goes until the block ends.

    Yields
    ------
    Profile

    Raises
    ------
    RuntimeError
        One is open already.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LIF(), seed=0)
    >>> learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy)
    >>> with nbsnn.profile() as where:
    ...     value = learner.step(np.ones((10, 3, 4), np.float32), np.array([0, 1, 0]))
    >>> "optimiser" in where.parts
    True
    """
    if OPEN.profile is not None:
        raise RuntimeError("a profile is open already")
    result = Profile()
    OPEN.profile, OPEN.inner = result, 0.0
    start = time.perf_counter()
    try:
        yield result
    finally:
        result.seconds = time.perf_counter() - start
        OPEN.profile = None


_NOTHING = nullcontext()


def span(name: str, bytes: float = 0.0, ops: float = 0.0) -> AbstractContextManager[None]:
    """A part of the work, called ``name``, that reads and writes ``bytes`` and makes ``ops`` operations."""
    return _NOTHING if OPEN.profile is None else _measured(OPEN.profile, name, bytes, ops)


@contextmanager
def _measured(open_: Profile, name: str, bytes: float, ops: float) -> Iterator[None]:
    """Add a part to an open profile."""
    outside, OPEN.inner = OPEN.inner, 0.0
    start = time.perf_counter()
    try:
        yield
    finally:
        took = time.perf_counter() - start
        part = open_.parts.setdefault(name, Part())
        part.seconds += took - OPEN.inner
        part.calls, part.bytes, part.ops = part.calls + 1, part.bytes + bytes, part.ops + ops
        OPEN.inner = outside + took
