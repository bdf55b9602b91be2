"""A built network: arrays, state, and the methods that run it."""
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..device.threads import resolve, threads
from ..progress.bar import Progress
from ..random import Draws
from ..ranks import ranks_of
from ..validate import float_dtype, free_memory, scale, switch
from . import run
from .arrays import ARRAYS
from .backend import OffGrid, OnGpu, OnHost, OnRanks
from .changing import Changing
from .estimate import bytes_of
from .given import seed_of
from .group import Group
from .keeping import Keeping
from .layout import Layout
from .loop import Loop
from .members import Members
from .off_grid import check_place
from .present import Present
from .recording import Recording
from .rewired import rewiring
from .running import HELD, RUNNING, at_rest, mine
from .trials import Trials

Array = np.ndarray


class Simulation(Changing, Keeping, Members, Trials):
    """The running half of ``Network``, which describes what is simulated here."""

    CAN_BE_SET = ("noise",)
    INSTEAD = "; what a network is made of is said when it is made, and how far it has run by run, reset and restore"

    def __init__(
        self, dt: float = 0.1, seed: int = 0, *, noise: int | None = None, dtype: DTypeLike | None = None,
        device: str = "cpu", comm: object = None, off_grid: bool = False,
    ):  # fmt: skip
        self.dt, self.seed, self.off_grid = scale("dt", dt), seed, switch("off_grid", off_grid)
        self.draws = Draws(seed, "network")
        self._noise = self.draws.seed if noise is None else seed_of("noise", noise)
        default = np.float64 if off_grid else np.float32
        self.dtype, self.device = float_dtype(default if dtype is None else dtype), resolve(device)
        self.ranks = ranks_of(comm)
        self.backend: type[OnHost] = {"cuda": OnGpu}.get(self.device, OnRanks if self.ranks.size > 1 else OnHost)
        if self.ranks.size > 1 and self.backend is OnGpu:
            raise ValueError("a network on a GPU does not run on ranks: device='cpu' does")
        if self.off_grid:
            check_place(self.backend is OnHost, self.dtype)
            self.backend = OffGrid
        self.groups, self.sections, self.connections = [], {}, []
        self._layout: Layout | None = None
        self._loop: Loop | None = None
        self.clock = np.zeros(2, np.int64)  # steps done, and steps that had been done when the loop was last called
        self._threads: int | None = None  # as many as there are
        self._history: list[tuple[Array, Array]] = []  # the latest spikes, of a copy that has no loop yet
        self._drives, self._stale, self._rewiring = 0, False, False
        self._courses, self.present = None, Present()

    @property
    def step(self) -> int:
        """Steps done. The loop itself counts them, so that step and arrays belong together whatever happens."""
        return int(self.clock[0])

    def __getstate__(self) -> dict[str, Any]:
        if RUNNING.get(id(self)) != HELD:
            mine(self, "a copy")
        history = self._loop.history(self.step) if self._loop else self._history
        mine_alone: dict[str, Any] = {"_loop": None, "_history": history, "present": Present()}
        return {**self.__dict__, **mine_alone}

    @property
    def threads(self) -> int:
        """How many threads a run may take."""
        return self._threads or threads()

    @property
    def time(self) -> float:
        """Time that the network has run, ms."""
        return self.step * self.dt

    @property
    def built(self) -> bool:
        """True if synapses and arrays have been made."""
        return self._layout is not None

    def unbuilt(self, what: str) -> None:
        """``ValueError`` if the network has been built, too late for ``what``, unless it is being wired anew."""
        if self._layout is not None and not self._rewiring:
            raise ValueError(f"this network has been built: {what} must be added before the first run")

    @property
    def layout(self) -> Layout:
        """The arrays of the network, which is built if need be."""
        self.build()
        if self._layout is None:
            raise RuntimeError("a network is being built: its arrays are not there yet")
        return self._layout

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of the network: synapses, state, what is under way."""
        return bytes_of(self)

    def build(self) -> Simulation:
        """Make synapses and arrays; ``run`` does it when needed.

        Raises
        ------
        MemoryError
            If synapses, on ranks those of all that share this machine, would take more memory than it has free.
        """
        if self._layout is not None:
            return self
        if not self.groups:
            raise ValueError("this network has no population")
        self.affordable()
        self._layout = Layout(self)
        try:
            for c in self._layout.learning.connections:
                c.stored.reset()
            self._begin()
        except BaseException:
            self._layout = None
            raise
        return self

    rewiring = rewiring

    def affordable(self) -> None:
        """``MemoryError`` if synapses would take more memory than this machine has free."""
        held = [(c.held(), c.bytes_each()) for c in self.connections]
        own = sum(n for n, _ in held), sum(n * each for n, each in held), max((16 * n for n, _ in held), default=0)
        synapses, needed, largest = map(self.ranks.on_machine, own)
        free = free_memory()
        if free is not None and needed + largest > free:
            raise MemoryError(
                f"{synapses:,} synapses take {needed / 1e9:.1f} GB, and building them up to {largest / 1e9:.1f} GB "
                f"more; {free / 1e9:.1f} GB are free"
            )

    def reset(self) -> None:
        """Return to time 0: variables at their initial values, nothing under way, traces at 0. Weights stay.

        Raises
        ------
        RuntimeError
            If the network is running.
        """
        self.build()
        at_rest(self, "reset")
        self._begin()

    def _begin(self) -> None:
        layout = self.layout
        with layout.memory.at_hand(*ARRAYS):
            for c in layout.learning.connections:
                c.stored.settle()
            self.clock[...] = 0
            if self._loop is not None:
                self._loop.load([], 0)
            for array in (layout.states, layout.ring):
                array[...] = 0
            layout.learning.reset()
            for c in layout.learning.connections:
                c.stored.reset()
            layout.resources[...], layout.factors[...] = layout.start_resources, 1
            for group in self.groups:
                for name, values in group.initial.items():
                    group[name] = values

    def variable(self, group: Group, name: str) -> Array:
        """The array of a variable of a population, [n], or of one of its ports, named as "exponential.y".

        On a GPU this is a copy, which cannot be written to.
        """
        place, n = self.place(group, name)
        return self.layout.memory.read("states", place, place + n)

    def place(self, group: Group, name: str) -> tuple[int, int]:
        """Place of a variable among the states, and its length."""
        for owner, label, variable in self._variables(group):
            if label == name:
                return self.layout.place[owner, variable]
        known = [label for _, label, _ in self._variables(group)]
        raise KeyError(f"{group.name} has no variable {name!r}; it has {known}")

    def _variables(self, group: Group) -> Iterator[tuple[Any, str, str]]:
        for name in group.neuron.state if group.neuron else ():
            yield group, name, name
        for port in group.ports:
            for name in port.synapse.variables:
                yield port, port.label(name), name
        for gate in group.gates:
            for name in gate.gate.variables:
                yield gate, gate.label(name), name

    def run(
        self, duration: float, *, record: Mapping[Any, Any] | None = None,
        every: float | Mapping[Any, float] | None = None, to: Any = None, variables_to: Any = None,
        progress: Progress | bool = False,
        callback: Callable[..., Any] | Mapping[Callable[..., Any], float] | None = None,
        callback_every: float | None = None, checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
    ) -> Recording:  # fmt: skip
        """Simulate ``duration`` ms from the present state on.

        Parameters
        ----------
        duration : float, ms
            A whole number of steps; with those done before, 2^53 at most.
        record : mapping, optional
            What to record: {group: ["spikes", "v"], connection: ["weight"]}; {group[3:6]: "v"} records a section, and
            {group: {"v": [0, 5]}} chosen units. Of a connection "weight", the traces of its rule by their names,
            "eligibility", and of short-term plasticity "u" and "R", which a spike of the next step would find: of all
            synapses, or of chosen ones, {connection: {"weight": [0, 5]}}. By default the spikes of all populations.
        every : float or mapping, ms, optional
            Interval at which variables and weights are recorded, ``dt`` by default; {cells: 1.0, connection: 100.0} or
            {(cells, "v"): 1.0} are intervals of their own.
        to : path or SpikeWriter, optional
            File to which spikes are written as they come, instead of being kept in memory, to be read by
            ``nbsnn.files.SpikeFile`` too. It must not exist; ``SpikeWriter.resume(path)`` continues one, and from
            an earlier state with ``step=state.step + 1``, as a spike's time is the end of its step. On ranks the first
            writes, and all must see the file.
        variables_to : path or VariableWriter, optional
            Likewise for variables and weights: ``nbsnn.files.VariableFile``, ``VariableWriter.resume(path)``, and
            from an earlier state with ``step=state.step``.
        progress : bool or Progress
            Show a bar on a terminal.
        callback : callable or mapping, optional
            Called with the network again and again, and at the end; it may read and change state, weights, parameters
            and inputs, and end the run with ``network.stop()``. One that takes two arguments gets an ``Activity`` too:
            the spikes since its last call. {function: interval in ms} are several, in the order given.
        callback_every : float, ms, optional
            How often; after every step by default.
        checkpoint : path, optional
            File that holds the state after every ``checkpoint_every`` ms and at the end, the old one or the new one
            whenever the run ends: ``net.restore(path)`` goes back to it, on any number of ranks.
        checkpoint_every : float, ms, optional
            How often.

        Returns
        -------
        Recording

        Raises
        ------
        ValueError, TypeError, KeyError, FileExistsError
            If a time is not a whole number of steps, what is to be recorded is unknown, or a file exists or does not
            fit, or a variable or weight is not finite. Nothing has run then.
        ValueError
            If a variable or weight becomes so: the message names variable and population, unit, the time at which this
            was seen, and a time at which all was finite. It is looked for every 64 steps at most, more rarely in long
            runs; the network is left as it was then.
        RuntimeError
            If the network is running already, in another thread or in the ``callback`` that calls.

        Notes
        -----
        After Ctrl-C, a full disk, or an error of ``callback``, the network is where the loop has come to: its state is
        that after ``network.time``, and ``run`` continues from there. ``network.interrupted`` is the recording of what
        has been done. It and files hold all up to the piece, of half a second or less, in which that happened;
        files nothing of this piece if it was the writing that failed, and everything otherwise, but for weights that
        were due at its end.
        """
        return run.run(
            self, duration, record, every, to, variables_to, progress, callback, callback_every, checkpoint,
            checkpoint_every,
        )  # fmt: skip

    def steps(self, duration: float, **options: Any) -> Iterator[float]:
        """Run step by step: yields the time after each step; state may be read and changed in between."""
        for _ in range(run.whole(duration, self.dt, "duration")):
            self.run(self.dt, **options)
            yield self.time

    def loop(self) -> Loop:
        """The compiled loop; a new one after the number of threads has changed."""
        if self._loop is None or self._loop_threads != self.threads:
            history = self._loop.history(self.step) if self._loop else self._history
            self._loop, self._loop_threads = self.backend.loop(self), self.threads
            self._loop.load(history[-self._loop.longest - 1 :], self.step)
        return self._loop
