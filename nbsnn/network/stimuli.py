"""Currents and Poisson drives of a network, which can be replaced and removed between runs and in a callback."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..validate import number_in
from ..validate.sealed import Sealed
from .course import Course, Given
from .home import Home, Units
from .port import Port
from .running import mine

Array = np.ndarray

MOST_EVENTS = 100_000  # of a drive in a step: its table is as long


class Current(Sealed):
    """A current into a population. Made by ``Network.inject``.

    Attributes
    ----------
    group : Group
    course : Course
        Its rows in the course of time.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(tau=10.0), 2)
    >>> current = net.inject(cells, 2.0)
    >>> before = net.run(20.0).spikes(cells)
    >>> current.set([0.0, 3.0])
    >>> sorted(set(net.run(20.0).spikes(cells)[1].tolist()))
    [1]
    >>> current.remove()
    """

    course: Course

    def __init__(self, group: Units, course: Course):
        self.group, self.course = group, course
        self.seal(Current)

    def set(self, current: Given, *, every: float | None = None, start: float = 0.0, stop: float | None = None) -> None:
        """Replace the current, from now on: the arguments are those of ``Network.inject``.

        Raises
        ------
        ValueError, TypeError
            If it cannot be, or has been removed.
        """
        mine(self.group.network, "a current")
        self._there()
        network, old = self.group.network, self.course
        new = Course(old.what, current, self.group.n, network, every, start, stop, old.check, units=old.units)
        self.__dict__["course"] = new
        plain = not isinstance(self.group.membrane, tuple)  # else rows are laid out in another form
        if (
            plain
            and old.function is None is new.function
            and new.rows.shape == old.rows.shape
            and new.line() == old.line()
        ):
            new.place = old.place
            network.rewrite(new)
        else:
            network.changed()

    def remove(self) -> None:
        """Remove the current, from now on."""
        mine(self.group.network, "a current")
        self._there()
        self.group.currents[:] = [current for current in self.group.currents if current is not self]
        self.group.network.changed()

    def _there(self) -> None:
        if not any(current is self for current in self.group.currents):
            raise ValueError(f"this current into {self.group.name} has been removed")


class Drive(Sealed):
    """A Poisson drive of a population. Made by ``Network.drive``.

    Attributes
    ----------
    group : Group
    mean : float
        Spikes per step, on average, where the rate is a number.
    weight : float
    number : int
        Its random numbers are those of the drive of this number.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(tau=10.0), 2)
    >>> drive = net.drive(cells, rate=2000.0, weight=0.5)
    >>> busy = len(net.run(50.0).spikes(cells)[0])
    >>> drive.set(rate=0.0)
    >>> busy > 0, len(net.run(50.0).spikes(cells)[0])
    (True, 0)
    >>> drive.remove()
    """

    course: Course
    weight: float

    def __init__(self, port: Port, course: Course, weight: float, number: int, units: Array | None = None):
        self.units = units  # if these are not all
        self.port, self.group, self.number, self.course = port, port.group, number, course
        self.weight = number_in(port.group.network.dtype, "weight", weight)
        self.seal(Drive)

    @property
    def weights(self) -> Array:
        """The weight of all units, or of each: 0 of those that are not driven."""
        if self.units is None:
            return np.array([self.weight])
        weights = np.zeros(self.group.n)
        weights[self.units] = self.weight
        return weights

    @property
    def mean(self) -> float:
        """Spikes per step, on average."""
        return self.means[0] if len(self.course.rows) else 0.0

    @property
    def means(self) -> list[float]:
        """The same of each row."""
        return [rate * self.group.network.dt / 1000.0 for rate in self.course.rows[:, 0].tolist()]

    def set(
        self, rate: Given | None = None, weight: float | None = None, *, every: float | None = None, start: float = 0.0,
        stop: float | None = None,
    ) -> None:  # fmt: skip
        """Replace rate or weight, from now on: the arguments are those of ``Network.drive``."""
        network = self.group.network
        mine(network, "a drive")
        self._there()
        if rate is None and weight is None:
            raise ValueError("a rate, or a weight, is what can be set of a drive")
        if rate is None and (every is not None or start or stop is not None):
            raise ValueError("every, start and stop are those of a rate; there is none")
        new = self.course if rate is None else rates(network, rate, every, start, stop)
        self.__dict__["weight"] = self.weight if weight is None else number_in(network.dtype, "weight", weight)
        self.__dict__["course"] = new
        network.changed()

    def remove(self) -> None:
        """Remove the drive, from now on."""
        mine(self.group.network, "a drive")
        self._there()
        self.port.drives[:] = [drive for drive in self.port.drives if drive is not self]
        self.group.network.changed()

    def _there(self) -> None:
        if not any(drive is self for drive in self.port.drives):
            raise ValueError(f"this drive of {self.group.name} has been removed")


def at_most_one(dt: float, rows: Array) -> None:
    """``ValueError`` unless rates (Hz) are those of at most one spike per step."""
    if not ((rows >= 0.0) & (rows * dt <= 1000.0 * (1.0 + 1e-6))).all():
        raise ValueError(
            f"rate must be a rate in Hz from 0 on, at most one per step (dt = {dt:g} ms), not {rows.min():g} to "
            f"{rows.max():g}"
        )


def rates(network: Home, rate: Given, every: float | None, start: float, stop: float | None) -> Course:
    """The course of a rate (Hz), in spikes per step and in double precision."""
    check = partial(_few, 1000.0 * MOST_EVENTS / network.dt)
    return Course("rate", rate, 1, network, every, start, stop, check, np.float64)


def _few(most: float, rows: Array) -> None:
    if (rows < 0.0).any():
        raise ValueError(f"rate must be at least 0, not {rows.min():g}")
    if (rows > most).any():
        raise ValueError(f"rate must be at most {most:g} Hz, {MOST_EVENTS} spikes in a step, not {rows.max():g}")
