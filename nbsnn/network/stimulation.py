"""Where a network's input comes from: Poisson units, lists of spikes, events, drives, currents."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from typing import Any, cast

import numpy as np

from ..events import Recording
from ..neuron import Neuron
from ..synapses import Delta, Synapse
from ..validate import array_of, count, number_in
from . import inputs, off_grid
from .course import Course, Given
from .group import Group, Section
from .running import mine
from .simulation import Simulation
from .stimuli import Current, Drive, rates


class Stimulation(Simulation):
    """The input of ``Network``."""

    def poisson(
        self, n: int, rate: Given, *, every: float | None = None, start: float = 0.0, stop: float | None = None,
        name: str | None = None,
    ) -> Group:  # fmt: skip
        """Add units that fire at random, independently.

        Parameters
        ----------
        n : int
            Number of units.
        rate : number, array or function, Hz
            A number, one per unit [n], rows [rows, n] or [rows, 1] of ``every`` ms each, or a function of time (ms)
            that gives a number or [n]. ``group.rate = ...`` and ``group.set_rate(...)`` replace it.
        every, start, stop : float, ms
            As in ``inject``; units are silent before and after.
        name : str, optional
        """
        from ..neurons import PoissonNeuron

        if not (callable(rate) or array_of("rate", rate).ndim > 1 or every is not None or start or stop is not None):
            return self._add(PoissonNeuron(cast(float, rate)), n, name, "poisson")
        group = self._add(PoissonNeuron(0.0), n, name, "poisson")
        try:
            group.set_rate(rate, every=every, start=start, stop=stop)
        except BaseException:
            self.groups.pop()
            raise
        return group

    def spikes(self, times: Any, units: Any, n: int, *, name: str | None = None) -> Group:
        """Add units that fire at given times: lists, event streams, another run's recording.

        Parameters
        ----------
        times : array [spikes], ms
            In any order; a spike belongs to the step that ends nearest to it, in the time of the network, and one that
            lies half-way to the later step. With ``off_grid=True`` it is fired at its time.
        units : int array [spikes]
            From 0 to n - 1; a unit fires at most once in a step.
        n : int
            Number of units.
        name : str, optional
        """
        listed = inputs.spike_list(times, units, count("n", n), self.dt, self.off_grid)
        return self._add(None, n, name, "spikes", listed)

    def events(
        self, events: Any, shape: tuple[int, ...] | None = None, *, unit: str = "us", name: str | None = None
    ) -> Group:
        """Add units that fire at the events of an address-event recording.

        Parameters
        ----------
        events : structured array [events], or Recording
            Fields "t" (from 0 on), "x", and as the sensor has them "y" and "p" (polarity), in any order, as the package
            tonic loads them; or what a reader of ``nbsnn.events`` returns, which knows its shape and unit. Events of
            one pixel in one step are one spike; ``merged`` of the group counts the others. Negative times, as after an
            overflow, are refused.
        shape : tuple of int
            (polarities, height, width), (height, width) or (width,): the fields that there are. Units are counted
            through in this order.
        unit : {"us", "ms", "s"}, default "us"
            Unit of t.
        name : str, optional
        """
        if self.off_grid:
            off_grid.refuse("events, which belong to whole steps", "spikes(times, units, n) have times of their own")
        if isinstance(events, Recording):
            events, unit, shape = events.events, events.unit, events.shape if shape is None else shape
        given = () if shape is None else shape
        times, units, merged = inputs.event_list(events, given, unit, self.dt)
        n = int(np.prod(given))
        return self._add(None, n, name, "spikes", inputs.spike_list(times, units, n, self.dt), merged)

    def drive(
        self, target: Group | Section | str, rate: Given, weight: float, synapse: Synapse | None = None, *,
        every: float | None = None, start: float = 0.0, stop: float | None = None,
    ) -> Drive:  # fmt: skip
        """Let every unit of ``target`` receive Poisson spikes of its own, at ``rate`` Hz altogether, of one weight.

        Parameters
        ----------
        target : Group, section of one, or name
        rate : number, array [rows, 1] or function, Hz
            In the course of time as in ``inject``.
        weight : float
        synapse : Synapse
            ``synapses.Delta()`` by default. Once the network has been built, one through which the target has drives
            or connections already.
        every, start, stop : float, ms
            As in ``inject``.

        Returns
        -------
        Drive
            With ``set(rate=..., weight=...)`` and ``remove()``, between runs and in a callback.
        """
        mine(self, "a drive")
        of = self.owner(target, "target")
        group, units = of.group, of.units if isinstance(of, Section) else None
        course = rates(self, rate, every, start, stop)
        if not isinstance(synapse, Synapse | None):
            raise TypeError(f"synapse must be a Synapse, synapses.Exponential(5.0) say, not {synapse!r}")
        if synapse is not None and synapse.gate is not None:
            raise ValueError(
                f"{synapse!r} has a gate of each source, and a drive has no sources: connect poisson units"
            )
        number_in(self.dtype, "weight", weight)
        port = group.port(Delta() if synapse is None else synapse)
        made = Drive(port, course, weight, self._drives, units)
        port.drives.append(made)
        self._drives += 1
        self.changed()
        return made

    def inject(
        self, target: Group | Section | str, current: Given, *, every: float | None = None, start: float = 0.0,
        stop: float | None = None,
    ) -> Current:  # fmt: skip
        """Inject a current: a number, an array [n], rows [rows, n] or [rows, 1] of ``every`` ms each, or a function.

        Parameters
        ----------
        target : Group, section of one, or name
        current : number, array or function
            In the unit of the neuron's input: mV for ``LIF`` (what it adds to the resting membrane), pA for neurons
            with a capacitance. An array of two axes changes in time. A function of time (ms) gives a number or [n]; it
            is called when a run begins, for the middle of each row.
        every : float, ms, optional
            How long a row lasts; one step by default.
        start : float, ms
            When the first row begins, in the network's time. After the last row the current is 0.
        stop : float, ms, optional
            When it ends.

        Returns
        -------
        Current
            With ``set(current, ...)`` and ``remove()``, between runs and in a callback.
        """
        mine(self, "a current")
        of = self.owner(target, "target")
        group, units = of.group, of.units if isinstance(of, Section) else None
        if group.neuron is None:
            raise ValueError(f"{group.name} is a list of spikes: it takes no current")
        course = Course("current", current, group.n, self, every, start, stop, units=units)
        group.currents.append(Current(group, course))
        self.changed()
        return group.currents[-1]

    def _add(
        self, neuron: Neuron | None, n: int, name: str | None, kind: str, listed: Any = None, merged: int = 0
    ) -> Group:
        self.unbuilt("a population")
        if self.units + count("n", n) >= 2**31:
            raise ValueError(f"n: a network has fewer than 2^31 units; {n} more than {self.units} are too many")
        if name is not None and not (isinstance(name, str) and name):
            raise TypeError(f"the name of a population must be a text, not {name!r}")
        name = name or f"{kind}{1 + sum(group.name.startswith(kind) for group in self.groups)}"
        if name in self.sections or any(group.name == name for group in self.groups):
            raise ValueError(f"this network has a population {name!r} already")
        self.groups.append(Group(self, name, n, neuron, len(self.groups), listed, merged))
        return self.groups[-1]
