"""Networks on several threads, interpreted, as tests ask for them: so that tests.tools.mutate reaches what the same
tests reach in compiled code. Threads meet as compiled ones do, with a lock in the place of atomic instructions."""

import threading
import time
from types import FunctionType, ModuleType
from typing import Any

import nbsnn.network.loop as loops
from nbsnn.compile import barrier

shared: Any = ModuleType("shared")  # scalar code may refer to a module
shared.mutex = threading.Lock()


def add(cells, value):
    shared.mutex.acquire()
    before = cells[0]
    cells[0] += value
    shared.mutex.release()
    return before


def look(cells):
    return cells[0]


def rest(microseconds):
    time.sleep(microseconds / 1000000)


def let_threads_meet() -> None:
    """Deal the work of networks to threads as if they were compiled."""
    if barrier.SPINS == 0:
        return
    make = loops.Loop._make

    def made(self: loops.Loop) -> None:
        on_cpu = self.models.device == "cpu"
        anything: Any = type(None) if on_cpu else FunctionType
        loops.FunctionType = anything
        make(self)
        self.ready = self.interpreted = isinstance(self.call, FunctionType)

    loops.Loop._make = made
    barrier.filling = lambda: {"add": add, "look": look, "rest": rest}
    barrier.SPINS = 0
