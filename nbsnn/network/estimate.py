"""What a network will take, before it is built: bytes, work, and what ranks would exchange."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..kernels.plasticity import mean_weight
from ..sparse import delays
from ..sparse.delay import delay_steps
from ..sparse.values import Distribution
from ..validate import count
from .arrays import ARRAYS
from .connection import Connection
from .home import Home
from .pool import padded

SAMPLE = 1000  # delays that stand for all of a distribution
ROW, PACKED = 16, 28  # bytes of where the synapses of a source begin; where only sources with synapses have rows
FIRST = 64  # spikes of a rank that travel with their number; more of them in a second message, and then with it
# Seconds at 2.5 GHz: a unit's step, a synapse that a spike passes, an exchange and each doubling of ranks.
UPDATE, EVENT, EXCHANGE, HOP = 5e-9, 2e-9, 14e-6, 2e-6


def shortest(late: dict[Connection, int]) -> int:
    """For how many steps no spike need be known beyond its unit, from the least delay of each connection; 0: any."""
    plastic = [c for c in late if c.changes]
    if any(c.kind.loops is mean_weight for c in plastic):  # which needs the traces of all targets
        return 1
    if any(c.gate for c in late):  # which may read all sources in each step
        return 1
    # A plastic synapse adds to the ring in the step before; all who add to it do so in the order of steps.
    return min((steps + (c._extra if plastic or c.network.off_grid else 1) for c, steps in late.items()), default=0)


@dataclass(frozen=True)
class Share:
    """What each of ``ranks`` has.

    Attributes
    ----------
    ranks : int
    synapses : int
    bytes : int
        Of all arrays.
    received : int
        Bytes of an exchange of spikes.
    work, exchange : float, s
        For the work between two exchanges, with one thread, and for an exchange on one machine.
    """

    ranks: int
    synapses: int
    bytes: int
    received: int
    work: float
    exchange: float


class Estimate(int):
    """What a network will take: as a number, the bytes of its synapses. Made by ``Network.estimate``.

    Attributes
    ----------
    neurons, synapses : int
    window : int
        Steps between two exchanges of spikes, as many as the shortest delay allows.
    interval : float, ms
        The same as a time.
    rate : float, Hz
        Mean rate of all units, for which work is estimated.

    Examples
    --------
    >>> import nbsnn
    >>> found = nbsnn.models.brunel(scale=1.0).estimate(rate=20.0)
    >>> found.synapses, found.window, int(found)
    (15625000, 15, 62500000)
    >>> found.ranks(4).synapses
    3906250
    """

    neurons: int
    synapses: int
    window: int
    interval: float
    rate: float
    _network: Home
    _held: list[int]
    _late: list[tuple[int, int]]

    def __new__(cls, network: Home, rate: float) -> Estimate:
        """An estimate for this network."""
        connections, held = network.connections, [c.estimate() for c in network.connections]
        self = super().__new__(cls, sum(n * c.bytes_each() for n, c in zip(held, connections, strict=True)))
        self._network, self._held, self.rate = network, held, rate
        self._late = [_late(c, number) for number, c in enumerate(connections)]
        least = {c: late[0] for c, late, n in zip(connections, self._late, held, strict=True) if n or c.changes}
        self.neurons, self.synapses, self.window = network.units, sum(held), shortest(least) or 1
        self.interval = self.window * network.dt
        return self

    def ranks(self, ranks: int) -> Share:
        """What each of so many ranks has."""
        P, window, seconds = count("ranks", ranks, least=1), self.window, self.interval / 1000.0
        synapses, fired = -(-self.synapses // P), self.neurons * self.rate * seconds
        own = fired / P  # spikes of a rank between two exchanges
        block = 4 * (3 + (FIRST if own <= FIRST else 2 * math.ceil(own)))
        work = self.neurons / P * window * UPDATE + synapses * self.rate * seconds * EVENT
        exchange = EXCHANGE + HOP * math.log2(P) if P > 1 else 0.0
        return Share(P, synapses, self._bytes(P), block * P if P > 1 else 0, work, exchange)

    def _bytes(self, P: int) -> int:
        """Bytes of all arrays of a rank."""
        network, size = self._network, self._network.dtype.itemsize
        near = all((c.one_delay or c.changes) and c.target.n <= 1 << 16 for c in network.connections)
        total, waits, longest, row = 0.0, 0, 0, 0
        for group in network.groups:
            for owner in (group, *group.ports):
                of = group.neuron.state if owner is group and group.neuron else getattr(owner, "synapse", None)
                variables = len(getattr(of, "variables", of or ()))
                total += variables * padded(group.n) * size
            row += sum(padded(group.n) * port.synapse.arrivals for port in group.ports)
        for c, held, late in zip(network.connections, self._held, self._late, strict=True):
            n, m, k = c.source.n, c.target.n, held / P
            total += k * ((2 if near else 4) + size * c.own_weights + (8 + size) * c.kind.waits // 2)
            found = -n * math.expm1(-k / n)  # sources that have synapses on a rank
            total += PACKED * found if P > 1 and 3 * found < 2 * n else ROW * n
            longest = max(longest, late[1])
            if c.changes:
                waits = max(waits, late[0] + c._extra - 1)
                lines = (1 + 2 * len(c.rule.pre)) * n + (1 + 2 * len(c.rule.post)) * m
                total += 8 * k + 8 * (m + 1) + 2 * size * lines
        depth = 2 * self.window + waits + 2
        return round(total + (longest + 1) * row * size + 8 * depth * self.neurons)

    def __repr__(self) -> str:
        lines = [
            f"{self.neurons:,} units, {self.synapses:,} synapses; spikes are exchanged every {self.interval:g} ms; "
            f"at {self.rate:g} Hz:",
            "ranks   synapses each    MB each   exchanges/s   bytes of one   us of work, of exchange",
        ]
        for P in (1, 2, 4, 8, 16, 64):
            s = self.ranks(P)
            often = 1000.0 / self.interval if P > 1 else 0.0
            lines.append(
                f"{P:5}{s.synapses:16,}{s.bytes / 1e6:11,.1f}{often:14,.0f}{s.received:15,}{1e6 * s.work:13,.1f}"
                f"{1e6 * s.exchange:12,.1f}"
            )
        return "\n".join(lines)


def bytes_of(network: Home) -> int:
    """Bytes of all arrays of a network that is built."""
    layout, loop, learning = network.layout, network.loop(), network.layout.learning
    changed = [layout.memory.host[name] for name in ARRAYS if name != "weights"]
    given = [array for name, array in layout.values._asdict().items() if name not in ARRAYS]
    spikes = [loop.spikes, loop.counts, *(a for c in network.connections for a in (c.start, c.senders))]
    arrays = [*changed, *given, *layout.tables, *learning.columns, learning.others, *loop.synapses[:3], *spikes]
    return sum(array.nbytes for array in arrays)


def _late(c: Connection, number: int) -> tuple[int, int]:
    """The least and the longest delay of a connection, as ``Connection.late`` counts them."""
    delay = getattr(c.pattern, "delay", None) if c._delay is None else c._delay
    dt = c.network.dt
    if isinstance(delay, Distribution):
        ends = np.asarray(delays(delay, SAMPLE, dt=dt, seed=c.network.seed, stream=("connection", number, "delay")))
        low, high = (round(max(end, dt) / dt) if math.isfinite(end) else 0 for end in delay._bounds())
        ends = np.array([low or ends.min(), high or ends.max()])
    else:
        ends = np.asarray(delay_steps(dt if delay is None else delay, dt)).reshape(-1)
    return int(ends.min(initial=1 << 30)) - c._extra, int(ends.max(initial=1)) - c._extra
