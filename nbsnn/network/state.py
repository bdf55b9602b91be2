"""A network's state: everything that a run changes, as arrays that can be kept, changed, and put back."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import validate
from ..scalar.times import LATEST
from ..validate.kinds import is_dict, is_list
from ..validate.sealed import Sealed
from .arrays import ARRAYS

if TYPE_CHECKING:
    from .shares import RankShares

Array = np.ndarray

UNBOUNDED = "resources", "aims"  # where infinity stands for never, or for none yet


@dataclass
class State(Sealed):
    """The state of a network between two steps. Made by ``Network.state``.

    Attributes
    ----------
    step : int
        Steps done.
    arrays : dict of str to array
        Variables, what is still to arrive, weights, traces, what waits for a reward, mean rates, factors of units and
        what belongs to them, integers. Weights that wait are as of the latest event of their synapse, or without the
        factor of their unit; the ``weight`` of a connection is as of now. On ranks, what belongs to synapses is that of
        the rank's own.
    history : list of (populations, units)
        Spikes that delayed plastic synapses still wait for.
    network : dict
        The network that it fits: time step, precision, populations, connections.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(), 2, name="cells", v=0.5)
    >>> before = net.state()
    >>> run = net.run(2.0)
    >>> net.state().step, before.step
    (4, 0)
    >>> net.restore(before)
    >>> net.time
    0.0
    """

    CAN_BE_SET = "step", "arrays", "history", "network"

    step: int
    arrays: dict[str, Array] = field(default_factory=dict[str, np.ndarray])
    history: list[tuple[Array, Array]] = field(default_factory=list[tuple[np.ndarray, np.ndarray]])
    network: dict[str, Any] = field(default_factory=dict[str, Any])
    shares: RankShares | None = field(default=None, repr=False, compare=False)  # of a state that is shared by ranks

    def __post_init__(self) -> None:
        self.seal(State)

    def copy(self) -> State:
        """A state of its own."""
        arrays = {name: array.copy() for name, array in self.arrays.items()}
        history = [(pops.copy(), units.copy()) for pops, units in self.history]
        return State(self.step, arrays, history, json.loads(json.dumps(self.network)), self.shares)

    def save(self, path: str | Path) -> None:
        """Write to an .npz file; the file is complete or not there. On ranks all must do so, and the first writes."""
        from ..checkpoint.save import write_npz

        lengths = np.array([len(pops) for pops, _ in self.history], np.int64)
        joined = [np.concatenate([pair[k] for pair in self.history] or [np.zeros(0, np.int64)]) for k in (0, 1)]
        content = {
            "nbsnn": np.array("network"), **self.arrays, "step": np.array(self.step), "lengths": lengths,
            "pops": joined[0], "units": joined[1], "network": np.array(json.dumps(self.network)),
        }  # fmt: skip
        if self.shares is None:
            write_npz(path, content)
        else:
            self.shares.ranks.agree("save", self.step)
            self.shares.write(lambda streams: write_npz(path, {**content, **streams}), self.arrays)

    @classmethod
    def load(cls, path: str | Path) -> State:
        """Read what ``save`` wrote, all of it; ``Network.restore(path)`` reads on ranks a rank's own synapses alone.

        Raises
        ------
        ValueError
            If the file is not a state, is damaged, or was written by a version of nbsnn that did not say of which
            network.
        """
        return load(path)


def load(path: str | Path, shares: RankShares | None = None, described: dict[str, Any] | None = None) -> State:
    """See ``State.load``; if it is to be of a network that is ``described``, with ``shares`` of ranks, of these."""
    from ..checkpoint.save import read_npz

    path = validate.path("path", path)
    content = read_npz(path)
    kind = content["nbsnn"]
    if kind.dtype.kind != "U" or kind.ndim or str(kind) != "network":
        raise ValueError(f"{path} is not the state of a network")
    if "network" not in content and "step" in content:
        raise ValueError(
            f"{path} is of an earlier version of nbsnn: it does not say to which network it belongs (time step, "
            "populations, connections). Restore it there, or run anew"
        )
    missing = [name for name in (*ARRAYS, "step", "lengths", "pops", "units", "network") if name not in content]
    if missing:
        raise ValueError(f"{path} is not the state of a network, or is damaged: it has no {', '.join(missing)}")
    try:
        state = State(
            _integer(content["step"]), {}, _parts(*(content[name] for name in ("lengths", "pops", "units"))),
            json.loads(str(content["network"])), shares,
        )  # fmt: skip
        _check_description(state.network)
        different = described is not None and _difference(state.network, described)
        if not different:
            take = content.__getitem__ if shares is None else functools.partial(shares.loaded, content)
            state.arrays.update({name: take(name) for name in ARRAYS})
            _check_numbers(state)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if different:
        raise ValueError(f"{path} is the state of another network: {different}")
    return state


def digest(index: Iterable[Array], start: Array, late: int | None, lates: Array) -> int:
    """A number that tells synapses between some units from those between others, or of other delays."""
    number = 0 if late is None else late + 1
    for array in chain([start.astype(np.int64, copy=False)], index, [lates] if len(lates) > 1 else []):
        number = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, number)
    return number


def check(
    state: object,
    network: dict[str, Any],
    arrays: dict[str, tuple[Any, ...]],
    changing: Array,
    longest: int,
    waiting: bool,
) -> None:
    """Raise unless this is a state of the network that ``State.network`` describes so.

    ``arrays`` are shapes and types of those of the network, ``changing`` the places of those numbers that are no
    parameters; plastic synapses, if there are any (``waiting``), wait for spikes of the ``longest`` latest steps.
    """
    if not isinstance(state, State):
        raise TypeError(f"a State of this network is needed, as state() gives it, not {state!r}")
    if not state.network:
        raise ValueError(
            "this state does not say to which network it belongs: state() of a network makes one that does"
        )
    _check_description(state.network)
    difference = _difference(state.network, network)
    if difference:
        raise ValueError(f"this state is of another network: {difference}")
    if not isinstance(state.arrays, dict) or set(state.arrays) != set(ARRAYS):
        found = sorted(state.arrays) if isinstance(state.arrays, dict) else repr(state.arrays)
        raise ValueError(f"arrays of a state must be {sorted(ARRAYS)}, not {found}")
    for name in ARRAYS:
        (shape, dtype), given = arrays[name], state.arrays[name]
        rows = name == "ring" and np.ndim(given) == 2  # which may be more: see ``rewired.fitting``
        if not isinstance(given, np.ndarray) or given.shape[rows:] != shape[rows:] or given.dtype != dtype:
            found = f"{given.dtype} {list(given.shape)}" if isinstance(given, np.ndarray) else repr(given)
            raise ValueError(f"{name} of this network is {dtype} {list(shape)}, the state has {found}")
    _check_numbers(state)
    if not np.isfinite(state.arrays["numbers"][changing]).all():
        raise ValueError("numbers contain a weight or a reward that is NaN or infinite")
    _check_history(state, network["populations"], longest, waiting)


def _check_numbers(state: State) -> None:
    """True if the step and the numbers in the arrays can be."""
    step = state.step
    if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or not 0 <= step <= LATEST:
        raise ValueError(f"step of a state must be an integer from 0 to 2^53, not {step!r}")
    for name, array in state.arrays.items():
        if array.dtype.kind not in "fiu":
            raise ValueError(f"{name} must be numbers, not {array.dtype}")
        wrong = np.isnan(array) if name in (*UNBOUNDED, "numbers") else ~np.isfinite(array)
        if wrong.any():
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ValueError(f"{name} contains {int(wrong.sum())} NaN or infinite values, the first at index {first}")


def _check_history(state: State, populations: list[list[Any]], longest: int, waiting: bool) -> None:
    """True if the latest spikes are those of units of this network, for as many steps as it waits for."""
    history, needed = state.history, min(longest, int(state.step)) if waiting else 0
    if not isinstance(history, list) or not needed <= len(history) <= longest:
        found = f"{len(history)} steps" if isinstance(history, list) else repr(history)
        raise ValueError(f"history must hold the spikes of the latest {needed or longest} steps, not {found}")
    for pair in history:
        arrays = [np.asarray(part) for part in pair] if isinstance(pair, (tuple, list)) else []
        if len(arrays) != 2 or any(a.ndim != 1 or a.dtype.kind not in "iu" for a in arrays):
            raise ValueError(
                f"history must hold two lists of integers for each step, populations and units, not {pair!r}"
            )
        pops, units = arrays
        if len(pops) != len(units):
            raise ValueError(f"history names {len(pops)} populations and {len(units)} units in one step")
        if len(pops) and not 0 <= pops.min() <= pops.max() < len(populations):
            raise ValueError(f"history has spikes of population {pops.min()} to {pops.max()} of {len(populations)}")
        for k, (name, n, _) in enumerate(populations):
            mine = units[pops == k]
            if len(mine) and not 0 <= mine.min() <= mine.max() < n:
                raise ValueError(f"history has spikes of unit {mine.min()} to {mine.max()} of {name}, of {n}")
            if len(np.unique(mine)) < len(mine):
                raise ValueError(f"history has two spikes of a unit of {name} in one step")


def _difference(given: dict[str, Any], mine: dict[str, Any]) -> str:
    """The first difference between two networks, in words; none if there is none."""
    if given["dt"] != mine["dt"]:
        return f"its steps are {given['dt']:g} ms long, those of this network {mine['dt']:g} ms"
    if given["dtype"] != mine["dtype"]:
        return f"its numbers are {given['dtype']}, those of this network {mine['dtype']}"
    for kind in ("populations", "connections"):
        pairs: Iterable[tuple[list[Any] | None, list[Any] | None]] = zip_longest(given[kind], mine[kind])
        for number, (there, here) in enumerate(pairs, 1):
            if there is None or here is None or there[:4] != here[:4]:
                return f"number {number} of its {kind} is {_say(there)}, that of this network {_say(here)}"
            if there != here:
                return f"the synapses of {here[0]!r} are between other units, or have other delays"
    return ""


def _say(entry: list[Any] | None) -> str:
    """A population or a connection in words."""
    if entry is None:
        return "missing"
    if len(entry) == 3:
        return f"{entry[0]!r} of {entry[1]} units" + (f" with {', '.join(entry[2])}" if entry[2] else "")
    return f"{entry[0]!r} from {entry[1]!r} to {entry[2]!r} of {entry[3]} synapses"


def _check_description(found: Any) -> None:
    """True if this describes a network as ``State.network`` does."""
    kinds = {"dt": float, "dtype": str, "populations": list, "connections": list}
    rows = {"populations": (str, int, list), "connections": (str, str, str, int, int)}
    right = is_dict(found) and found.keys() == kinds.keys()
    right = right and all(isinstance(found[name], kind) for name, kind in kinds.items())
    for name, fields in rows.items():
        right = right and all(
            is_list(row) and len(row) == len(fields) and all(map(isinstance, row, fields)) for row in found[name]
        )
    if not right or not all(isinstance(label, str) for row in found["populations"] for label in row[2]):
        raise ValueError("what is said of its network is not as it should be")


def _integer(array: Array) -> int:
    if array.ndim or array.dtype.kind not in "iu":
        raise ValueError(f"its step is no integer, but {array.dtype} {list(array.shape)}")
    return int(array)


def _parts(lengths: Array, pops: Array, units: Array) -> list[tuple[Array, Array]]:
    """The spikes of each step."""
    if any(array.ndim != 1 or array.dtype.kind not in "iu" for array in (lengths, pops, units)):
        raise ValueError("its latest spikes are not lists of integers")
    if (len(lengths) and int(lengths.min()) < 0) or not len(pops) == len(units) == int(lengths.sum()):
        raise ValueError(f"its latest spikes are {len(pops)} and {len(units)} numbers, not {int(lengths.sum())}")
    if not len(lengths):
        return []
    cuts = np.cumsum(lengths.astype(np.int64))[:-1]
    return list(zip(np.split(pops, cuts), np.split(units, cuts), strict=True))
