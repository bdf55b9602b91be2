"""How a built network takes over what has been changed of its input and parameters."""

from __future__ import annotations

from typing import Any

from ..validate.sealed import Sealed
from .course import Course
from .given import seed_of
from .present import Present
from .running import mine, running


class Changing(Sealed):
    """What ``Simulation`` does about changes between runs and in callbacks."""

    device: str
    groups: list[Any]
    layout: Any
    _layout: Any
    present: Present
    _stale: bool
    _courses: list[Course] | None  # that are functions of time; None if that is to be looked up
    _noise: int

    def loop(self) -> Any:
        """The compiled loop."""

    @property
    def interrupted(self) -> Any:
        """Recording of the latest run up to the step at which Ctrl-C or an error ended it; None if nothing has."""
        return self.present.interrupted

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
        self._stale, self._courses = self._layout is not None, None

    def rewrite(self, course: Course) -> None:
        """Write the rows of a course in the place of others, or say that they have been changed."""
        layout = self._layout
        if layout is None or self._stale or layout.memory.whole:
            return self.changed()
        layout.values.currents[course.place : course.place + course.rows.size] = course.rows.reshape(-1)

    def refresh(self, start: int, end: int) -> None:
        """Let the loop take over what has been changed, and functions of time for the steps [start, end)."""
        if self._courses is None:
            every = [item.course for group in self.groups for item in group.given()]
            self._courses = [course for course in every if course.function]
        for course in self._courses:
            course.sample(start, end)
        if self._stale or self._courses:
            self.layout.renew()
            self.loop().renew()
            self._stale = False

    def begin(self, start: int, end: int, recorded: frozenset[Any]) -> None:
        """Take over what has been changed before a run of the steps [start, end), which records some connections."""
        present = self.present
        present.stopped, present.interrupted, present.recorded = False, None, recorded
        self.refresh(start, end)

    def go_on(self, step: int, end: int) -> int:
        """Take over what callbacks have changed; returns the step at which the run ends."""
        end = step if self.present.stopped else end
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
        self.present.stopped = True
