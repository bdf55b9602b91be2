"""The present run of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Present:
    """What the present run of a network asks of it, and what the latest has left.

    Attributes
    ----------
    recorded : frozenset of Connection
        Of which the present run records something.
    stopped, halted : bool
        Whether it is to end after this step, or, as another thread wants it, with ``KeyboardInterrupt``.
    interrupted : Recording or None
        The latest run up to the step at which Ctrl-C or an error ended it.
    """

    recorded: frozenset[Any] = frozenset()
    stopped: bool = False
    halted: bool = False
    interrupted: object = None
