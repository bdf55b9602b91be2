"""Processes that share one simulation or one training over MPI, and the process that is alone.

Nothing else imports mpi4py, and this does only where a communicator is given. What ranks do together, all of them must
call. A rank that ends otherwise than at the end of the program, or that the others wait for in vain, ends them all.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.util
import os
import platform
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .validate import number
from .version import __version__

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")
Array = np.ndarray

TIMEOUT = 600.0  # s that a rank waits for the others, unless told otherwise
MISSING = "ranks need mpi4py: pip install mpi4py, and mpich if there is no MPI yet"
LEFT, WAITS = 7, 8  # tags of messages: of a rank that has come to its end, of one that waits for others too
LAUNCHERS = "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_NTASKS"  # variables that say how many processes there are


class Alone:
    """One process: what ``Ranks`` is where there are no others."""

    rank, size = 0, 1

    def share(self, n: int, rank: int | None = None) -> tuple[int, int]:
        """Those of ``n`` units that a rank has, this one by default: from, to."""
        rank = self.rank if rank is None else rank
        return n * rank // self.size, n * (rank + 1) // self.size

    def every(self, value: T) -> list[T]:
        """The values that all ranks have brought, in their order."""
        return [value]

    def gathered(self, value: T) -> list[T] | None:
        """The values that all ranks have brought, in their order, on the first rank; None on others."""
        return [value]

    def sums(self, numbers: Array) -> tuple[Array, Array]:
        """Sums of whole numbers over the ranks before this one, and over all."""
        return np.zeros_like(numbers), numbers

    def on_machine(self, number: int) -> int:
        """The sum of what this rank and those on the same machine have brought."""
        here = platform.node()
        return sum(other for machine, other in self.every((here, number)) if machine == here)

    def joined(self, array: Array) -> Array:
        """The arrays of all ranks, which may differ in length alone, one after another."""
        return array

    def agree(self, what: str, value: object) -> None:
        """End all ranks if they are not at the same call, with the same value."""

    def first(self, make: Callable[[], T]) -> T | None:
        """What ``make`` returns on the first rank, None on others; an error of it is raised on all."""
        return make()

    def together(self, make: Callable[[], T]) -> T:
        """What ``make`` returns on each rank; an error of one is raised on all."""
        return make()

    def total(self, leaves: Iterable[Array], count: int, like: Array) -> Array:
        """The sum of ``count`` rows like one, along a tree that does not depend on ranks, which make a share each."""
        return tree(np.stack([*leaves]))


class Ranks(Alone):
    """The ranks of an MPI communicator.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm
        ``MPI.COMM_WORLD``, say; it is duplicated.
    timeout : float, s, default 600
        How long a rank waits for the others before it ends all of them.

    Raises
    ------
    TypeError, ValueError
        If ``comm`` is no communicator, or ``timeout`` not above 0.
    RuntimeError
        If this MPI must not be called by several threads.
    """

    def __init__(self, comm: object, *, timeout: float = TIMEOUT):
        if not hasattr(comm, "Dup"):
            raise TypeError(f"comm must be a communicator, mpi4py.MPI.COMM_WORLD say, not {comm!r}")
        MPI = _mpi()
        self.MPI, self.comm, self.timeout = MPI, MPI.Intracomm(comm).Dup(), number("timeout", timeout, above=0.0)
        self.rank, self.size = self.comm.rank, self.comm.size
        self.waiting: tuple[str, float, int] | None = None  # for what, since when, how many waits so far
        self.turn = 0
        if self.size > 1:
            if MPI.Query_thread() < MPI.THREAD_MULTIPLE:
                raise RuntimeError(
                    "ranks need an MPI that several threads may call at once; this one does not: see mpi4py.rc"
                )
            _end_together()
            threading.Thread(target=self._watch, daemon=True).start()
            self.agree("version of nbsnn", __version__)

    def __reduce__(self) -> Any:
        raise TypeError("ranks belong to their process and cannot be pickled or copied")

    @contextmanager
    def wait(self, what: str) -> Iterator[None]:
        """Note for what this rank waits, so that it does not wait for ever."""
        self.turn += 1
        self.waiting = what, time.monotonic(), self.turn
        try:
            yield
        finally:
            self.waiting = None

    def _watch(self) -> None:
        """End all ranks when this one has waited too long, or for one that has left."""
        control, told = _control(), []
        while True:
            time.sleep(min(0.5, self.timeout / 8))
            waiting = self.waiting
            if waiting is None:
                continue
            what, since, turn = waiting
            seconds = time.monotonic() - since
            status = self.MPI.Status()
            if seconds > 1.0 and control.Iprobe(self.MPI.ANY_SOURCE, LEFT, status) and self.waiting is waiting:
                self.end(f"rank {status.source} has ended, while rank {self.rank} waits: {what}")
            if seconds > self.timeout / 2 and told[:1] != [turn]:
                others = [rank for rank in range(self.size) if rank != self.rank]
                told = [turn, *(self.comm.isend(turn, rank, WAITS) for rank in others)]
            if seconds > self.timeout and self.waiting is waiting:
                self.end(f"rank {self.rank} has waited for {seconds:.0f} s for {self._missing(turn)}: {what}")

    def _missing(self, turn: int) -> str:
        """Those that have not said that they wait too."""
        silent = [*range(self.size)]
        silent.remove(self.rank)
        while self.comm.iprobe(tag=WAITS, status=(status := self.MPI.Status())):
            if self.comm.recv(source=status.source, tag=WAITS) == turn and status.source in silent:
                silent.remove(status.source)
        return f"rank{'s' * (len(silent) > 1)} {', '.join(map(str, silent))}" if silent else "all others"

    def end(self, why: str) -> None:
        """End all ranks."""
        print(f"nbsnn: {why}; all ranks end", file=sys.stderr, flush=True)
        self.comm.Abort(1)

    def every(self, value: T) -> list[T]:
        with self.wait("values of all ranks"):
            return self.comm.allgather(value)

    def gathered(self, value: T) -> list[T] | None:
        with self.wait("values for the first rank"):
            return self.comm.gather(value)

    def sums(self, numbers: Array) -> tuple[Array, Array]:
        before, every = np.zeros_like(numbers), np.empty_like(numbers)
        with self.wait("sums over ranks"):
            self.comm.Exscan(numbers, before)
            self.comm.Allreduce(numbers, every)
        return before if self.rank else np.zeros_like(numbers), every

    def joined(self, array: Array) -> Array:
        array = np.ascontiguousarray(array)
        sizes = np.array(self.every(len(array)))
        out = np.empty((int(sizes.sum()), *array.shape[1:]), array.dtype)
        each = array.itemsize * int(np.prod(array.shape[1:], dtype=np.int64))
        with self.wait("an array of all ranks"):
            counts = sizes * each
            self.comm.Allgatherv(
                [array.view(np.uint8).reshape(-1) if array.size else np.zeros(0, np.uint8), self.MPI.BYTE],
                [out.reshape(-1).view(np.uint8), counts, np.cumsum(counts) - counts, self.MPI.BYTE],
            )
        return out

    def agree(self, what: str, value: object) -> None:
        found = self.every((what, value))
        for rank, other in enumerate(found):
            if other != found[0]:
                self.end(f"ranks do different things: rank 0 {found[0]}, rank {rank} {other}")

    def first(self, make: Callable[[], T]) -> T | None:
        return self.together(lambda: None if self.rank else make())

    def together(self, make: Callable[[], T]) -> T:
        result, error = None, None
        try:
            result = make()
        except Exception as wrong:
            error = wrong
        for rank, wrong in enumerate(self.every(error)):
            if wrong is not None:
                wrong.add_note(f"raised on rank {rank}")
                raise wrong
        return result  # type: ignore[return-value]

    def total(self, leaves: Iterable[Array], count: int, like: Array) -> Array:
        """Each rank adds up a slice of all rows, in the order of the tree: MPI adds nothing.

        A row is on its way while the next one is made.
        """
        MPI, size, ranks = self.MPI, like.itemsize, range(self.size)
        cuts = np.array([self.share(len(like), rank) for rank in ranks]) * size
        widths, shares = np.diff(cuts)[:, 0], np.array([self.share(count, rank) for rank in ranks])
        got = np.empty((count, widths[self.rank] // size), like.dtype)
        rows, under_way = iter(leaves), []
        for turn in range(int(np.diff(shares).max())):
            there = shares[:, 0] + turn < shares[:, 1]  # who has another row
            row = np.ascontiguousarray(next(rows)) if there[self.rank] else like
            sent, came = widths * there[self.rank], widths[self.rank] * there
            into = np.minimum(shares[:, 0] + turn, count - 1) * widths[self.rank]
            sending, receiving = [row, sent, cuts[:, 0], MPI.BYTE], [got, came, into, MPI.BYTE]
            under_way.append((self.comm.Ialltoallv(sending, receiving), row))
        whole = np.empty_like(like)
        with self.wait("a sum over ranks"):
            MPI.Request.Waitall([request for request, _ in under_way])
            summed = np.ascontiguousarray(tree(got))
            self.comm.Allgatherv([summed, MPI.BYTE], [whole, widths, cuts[:, 0], MPI.BYTE])
        return whole


def tree(rows: Array) -> Array:
    """The sum of rows in pairs, then in pairs of these, and so on: the order depends on their number alone.

    >>> tree(np.array([[1.0], [2.0], [4.0]]))
    array([7.])
    """
    while len(rows) > 1:
        even = len(rows) // 2 * 2
        rows = np.concatenate([rows[0:even:2] + rows[1:even:2], rows[even:]])
    return rows[0]


def library() -> str:
    """The MPI library that mpi4py finds, which is not started; why there is none, or nothing without mpi4py."""
    if importlib.util.find_spec("mpi4py") is None:
        return ""
    importlib.import_module("mpi4py").rc.initialize = False
    try:
        return " ".join(_mpi().Get_library_version().split("\n")[0].split())
    except (ImportError, RuntimeError) as error:
        return f"no MPI library can be loaded: {str(error).splitlines()[0]}"


def world() -> Ranks:
    """All processes that a launcher has started."""
    if importlib.util.find_spec("mpi4py") is None:
        raise ImportError(MISSING)
    return Ranks(_mpi().COMM_WORLD)


def ranks_of(comm: object) -> Alone:
    """The ranks of what was given as ``comm``: a communicator, ``Ranks`` of one, or None."""
    if isinstance(comm, Alone):
        return comm
    if comm is not None:
        return Ranks(comm)
    _warn()
    return Alone()


@functools.cache
def _warn() -> None:
    """Say once that processes which an MPI launcher has started all do the same."""
    for name in LAUNCHERS:
        count = os.environ.get(name, "")
        if count.isdecimal() and int(count) > 1 and "mpi4py.futures" not in sys.modules:
            warnings.warn(
                f"{name}={count}: each of these processes does all of the work; comm=mpi4py.MPI.COMM_WORLD shares it",
                stacklevel=4,
            )
            return


def _mpi() -> Any:
    return importlib.import_module("mpi4py.MPI")


@functools.cache
def _control() -> Any:
    """The communicator of messages about ranks that leave."""
    return _mpi().COMM_WORLD.Dup()


@functools.cache
def _end_together() -> None:
    """Let no rank of this process end alone: with an error, by ``exit``, or at the end of its program."""
    MPI, control, before = _mpi(), _control(), sys.excepthook
    rank = MPI.COMM_WORLD.rank

    def failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        print(f"nbsnn: error on rank {rank}; all ranks end", file=sys.stderr)
        before(kind, error, trace)
        sys.stderr.flush()
        MPI.COMM_WORLD.Abort(1)

    def leave() -> None:
        """Tell a rank that watches, and wait for the others to come to their end too."""
        if MPI.Is_finalized():
            return
        request = control.Isend(np.zeros(1, np.int8), 0 if rank else 1, LEFT)
        done = control.Ibarrier()
        while not done.Test():
            time.sleep(0.001)
        if rank < 2:
            for _ in range(control.size - 1 if rank == 0 else 1):
                control.Recv(np.zeros(1, np.int8), MPI.ANY_SOURCE, LEFT)
        request.Wait()

    sys.excepthook = failed
    atexit.register(leave)


def abort_on_error(ranks: Ranks, call: Callable[[], None]) -> Callable[[], None]:
    """A call for compiled code, which could not hand on an error: it ends all ranks."""

    def guarded() -> None:
        try:
            call()
        except BaseException:
            traceback.print_exc()
            ranks.end(f"error on rank {ranks.rank}")

    return guarded
