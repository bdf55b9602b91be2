"""How a network's state is kept, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..ranks import Alone
from .arrays import ARRAYS
from .home import Home
from .layout import Layout
from .rewired import fitting
from .running import at_rest, mine
from .shares import RankShares
from .state import State, check, load


class Keeping:
    """What ``Simulation`` does about its state."""

    dt: float
    dtype: np.dtype
    off_grid: bool
    ranks: Alone
    clock: np.ndarray
    groups: list[Any]
    connections: list[Any]
    layout: Layout
    step: int

    def loop(self) -> Any:
        """The compiled loop."""

    def _variables(self, group: Any) -> Iterator[tuple[Any, str, str]]:
        raise NotImplementedError

    def _described(self) -> dict[str, Any]:
        """Description that a state must fit, JSON-ready."""
        return {
            "dt": self.dt,
            "dtype": f"{self.dtype} off the grid" if self.off_grid else str(self.dtype),
            "populations": [[g.name, g.n, [label for _, label, _ in self._variables(g)]] for g in self.groups],
            "connections": [
                [c.name, c.source.name, c.target.name, self.layout.shares.count(c), digest]
                for c, digest in zip(self.connections, self.layout.digests, strict=True)
            ],
        }

    def state(self) -> State:
        """A copy of the state."""
        layout = self.layout
        mine(cast(Home, self), "state")
        self.ranks.agree("state", self.step)
        arrays = {name: layout.shares.held(name) for name in ARRAYS}
        return State(self.step, arrays, self.loop().history(self.step), self._described(), self._apart)

    @property
    def _apart(self) -> RankShares | None:
        """The shares of ranks, of which each has the state of its own synapses alone; None in one process."""
        shares = self.layout.shares
        return shares if isinstance(shares, RankShares) else None

    def restore(self, state: State | str | PathLike[str]) -> None:
        """Go back, or on, to a state of this network or of one that is built alike.

        Parameters stay those of this network, and so does which connections learn; variables, weights, traces and all
        else that a run changes are those of the state. While the network runs, in a ``callback``, the time must stay
        the same.

        Parameters
        ----------
        state : State or path
            From ``state`` or ``State.load``, or the file of one, of which each rank reads its own part.

        Raises
        ------
        TypeError, ValueError
            If it is no state, or one of another network: with another time step, other populations or connections, in
            names, order or sizes, or synapses between other units; or if its numbers cannot be, or the file is
            damaged. Nothing is changed then.
        OSError
            If there is no such file, or one of the ranks cannot read it.
        RuntimeError
            If the network is running, and the state is of another time.
        """
        layout = self.layout
        mine(cast(Home, self), "restore")
        longest, waiting = self.loop().longest + 1, self.off_grid or bool(layout.learning.connections)
        described, shares, host = self._described(), layout.shares, layout.memory.host
        if isinstance(state, (str, PathLike)):
            path = Path(state)
            self.ranks.together(path.stat)
            state = self.ranks.together(lambda: load(path, self._apart, described))
        apart = getattr(state, "shares", None)
        self.ranks.agree("restore", getattr(state, "step", None))
        shares.same(apart)
        wanted = {name: (host[name].shape if apart else shares.shape(name), host[name].dtype) for name in ARRAYS}
        self.ranks.together(lambda: check(state, described, wanted, layout.changing, longest, waiting))
        if state.step != self.step:
            at_rest(cast(Home, self), "restore")
        ring = fitting(state.arrays["ring"], layout.ring, state.step)
        numbers, places = layout.memory.read("numbers").copy(), layout.changing
        numbers[places] = state.arrays["numbers"][places]
        for name in ARRAYS:
            given = {"numbers": numbers, "ring": ring}.get(name, state.arrays[name])
            layout.memory.write(name, given if name == "numbers" or apart else shares.own(name, given))
        self.clock[...] = state.step
        self.loop().load(state.history, state.step)
        for c in layout.learning.connections:
            c.stored.set_learning(c.learning)
