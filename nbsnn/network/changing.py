"""How a built network takes over what has been changed of its input and parameters."""

from __future__ import annotations

from typing import Any

from .course import Course
from .given import seed_of
from .running import mine, running
from .sealed import Sealed


class Changing(Sealed):
    """What ``Simulation`` does about changes between runs and in callbacks."""

    device: str
    groups: list[Any]
    layout: Any
    _layout: Any
    _stale: bool
    _stopped: bool
    _interrupted: object
    _recorded: frozenset[Any] = frozenset()  # connections that the present run records
    _halted: bool = False  # if a run in another thread is to end with KeyboardInterrupt

    _noise: int

    def loop(self) -> Any:
        """The compiled loop."""

    @property
    def interrupted(self) -> Any:
        """Recording of the latest run up to the step at which Ctrl-C or an error ended it; None if nothing has."""
        return self._interrupted

    @property
    def noise(self) -> int:
        """Seed of what is drawn in each step, from now on; it is no part of the state."""
        return self._noise

    @noise.setter
    def noise(self, seed: int) -> None:
        mine(self, "a seed")  # type: ignore[arg-type]
        self._noise = seed_of("noise", seed)
        if self._layout is not None:
            self._layout.take_noise()
            self.changed()

    def changed(self) -> None:
        """Say that inputs or parameters have been changed, which the loop takes over before its next step."""
        self._stale = self._layout is not None

    def rewrite(self, course: Course) -> None:
        """Write the rows of a course in the place of others, or say that they have been changed."""
        layout = self._layout
        if layout is None or self._stale or layout.memory.whole:
            return self.changed()
        layout.values.currents[course.place : course.place + course.rows.size] = course.rows.reshape(-1)

    def refresh(self, start: int, end: int) -> None:
        """Let the loop take over what has been changed, and functions of time for the steps [start, end)."""
        courses = (item.course for group in self.groups for item in group.given())
        sampled = [course.sample(start, end) for course in courses if course.function]
        if self._stale or any(sampled):
            self.layout.renew()
            self.loop().renew()
            self._stale = False

    def begin(self, start: int, end: int, recorded: frozenset[Any]) -> None:
        """Take over what has been changed before a run of the steps [start, end), which records some connections."""
        self._stopped, self._interrupted, self._recorded = False, None, recorded
        self.refresh(start, end)

    def go_on(self, step: int, end: int) -> int:
        """Take over what callbacks have changed; returns the step at which the run ends."""
        end = step if self._stopped else end
        if self._stale and step < end:
            self.refresh(step, end)
        return end

    def stop(self) -> None:
        """End the present run after this step: for a ``callback``. The recording holds what has been so far.

        Raises
        ------
        RuntimeError
            If the network is not running.
        """
        running(self, "stop")
        self._stopped = True
