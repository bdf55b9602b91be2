"""What a connection is given: kept as it is at the call, and refused there if it cannot be what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..sparse import delay_steps, delays, values
from ..validate import finite

if TYPE_CHECKING:
    from .connection import Connection

ALIGN = 16  # units, of which there is room for at least so many
FIRST = 1000  # delays of a distribution that are looked at before all are drawn

ONE_DELAY = "{}: plastic synapses share one delay; make a connection for each delay"


def kept(name: str, given: Any) -> Any:
    """A number, a copy of an array, or a distribution: what synapses can be given."""
    if given is None or isinstance(given, values.Distribution):
        return given
    try:
        array = np.array(given)
    except ValueError:  # lists of several lengths
        array = np.array(None)
    if array.dtype.kind not in "fiu" and array.size:
        what = "a number, an array [synapses] or a distribution of nbsnn.values"
        raise TypeError(f"{name} must be {what}, not {given!r}")
    finite(name, array)
    return array if array.ndim else array.item()


def check(connection: Connection, number: int) -> None:
    """Raise what building connection ``number`` would raise, as far as that is known without building it."""
    pattern, network, name = connection.pattern, connection.network, connection.name
    synapses = connection.estimate()
    lists = [(k, v) for k, v in (("weight", connection._weight), ("delay", connection._delay)) if np.ndim(v)]
    for what, value in lists if pattern.exact else ():
        if value.shape != (synapses,):
            raise ValueError(
                f"{what} of {name} must be a number, a distribution or have shape [{synapses}], one per synapse, not "
                f"{list(value.shape)}"
            )
    weight = getattr(pattern, "weight", None) if connection._weight is None else connection._weight
    if connection.integer and weight is not None and not isinstance(weight, values.Distribution):
        whole(name, np.asarray(weight))
    delay = getattr(pattern, "delay", None) if connection._delay is None else connection._delay
    if isinstance(delay, values.Distribution):
        first = min(synapses if pattern.exact else synapses // 2, FIRST)
        delays(delay, first, dt=network.dt, seed=network.seed, stream=("connection", number, "delay"))
    elif delay is not None:
        steps = np.asarray(delay_steps(delay, network.dt))
        if connection.changes and steps.size and steps.min() != steps.max():
            raise ValueError(ONE_DELAY.format(name))
        waits(connection, int(np.max(steps, initial=1)))
    if (lists and not pattern.exact) or (connection.changes and isinstance(delay, values.Distribution)):
        connection.build(number)


def waits(connection: Connection, steps: int) -> None:
    """``MemoryError`` where what arrives at the targets in so many steps would not fit into memory."""
    from .simulation import _free_memory  # which imports connections

    network = connection.network
    needed = steps * max(connection.target.n, ALIGN) * network.dtype.itemsize
    free = _free_memory() if needed > 1 << 30 else None
    if free is not None and needed > free:
        raise MemoryError(
            f"{connection.name}: a delay of {steps * network.dt:g} ms is {steps:,} steps, for each of which what "
            f"arrives is kept, {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free"
        )


def whole(name: str, weights: np.ndarray) -> None:
    """``ValueError`` unless weights are whole numbers, as a rule in integers wants them."""
    wrong = weights[weights != np.rint(weights)]
    if wrong.size:
        raise ValueError(f"weights of {name} must be whole numbers for PostPreInt, not {wrong[0]:g}")
