"""What this process has compiled, or loaded from disk, and what is being compiled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Compiled:
    """One line of the log: which kernel, how many seconds until it could run, and whether the disk had it."""

    name: str
    seconds: float
    cached: bool


log: list[Compiled] = []
"""What has been compiled or loaded so far."""

at_work: list[str] = []
"""Kernels that are being compiled or loaded."""


def summary() -> str:
    """Summary of what this process has compiled and loaded."""
    fresh = [entry for entry in log if not entry.cached]
    text = f"compiled {len(fresh)} kernels in {sum(entry.seconds for entry in fresh):.1f} s"
    return f"{text}, {len(log) - len(fresh)} came from the cache"
