"""Which networks are running, and what may be done with them meanwhile."""

from __future__ import annotations

import threading

from .home import Home

RUNNING: dict[int, tuple[int]] = {}
"""Which networks are running, and in which thread."""


HELD = (-1,)
"""In the place of a thread: trials are running, copies of the network."""


def at_rest(network: Home, what: str) -> None:
    """``RuntimeError`` if the network is running, in any thread."""
    if id(network) in RUNNING:
        raise RuntimeError(f"this network is running: {what} is for the time between two runs")


def mine(network: Home, what: str) -> None:
    """``RuntimeError`` if the network is running in another thread."""
    if RUNNING.get(id(network), (threading.get_ident(),)) != (threading.get_ident(),):
        where = "in its trials, which are copies" if RUNNING.get(id(network)) == HELD else "in another thread"
        raise RuntimeError(f"this network is running {where}: {what} is for the time between two runs")


def running(network: object, what: str) -> None:
    """``RuntimeError`` unless the network is running in this thread, which is in its callback."""
    if RUNNING.get(id(network)) != (threading.get_ident(),):
        raise RuntimeError(f"this network is not running: {what} is for a callback of a run")
