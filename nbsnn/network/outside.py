"""What is given to a network from outside, laid out for its loop: currents, Poisson drives, lists of spikes."""

from __future__ import annotations

import functools
import math

import numpy as np

from ..kernels.network import tables as at
from ..random import Draws
from ..validate.kinds import is_tuple
from .course import Course
from .home import Home
from .pool import Numbers, table
from .port import held

Array = np.ndarray

GIVEN = "currents", "keys", "thresholds", "steps", "units"
"""Names of the arrays among the values of a network."""


def laid(network: Home, pops: Array, ports: Array, keys: Array) -> tuple[dict[str, Array], Array, Array]:
    """The arrays, the table of drives and that of currents; writes into the tables of populations and ports.

    ``keys`` are those of the populations' random numbers, after which those of drives come.
    """
    values, thresholds, more = Numbers(network.dtype), Numbers(np.uint32), Numbers(np.uint64)
    more.put(keys)
    drives, rows, currents = list[list[int]](), list[list[int]](), list[list[int]]()
    steps, units, listed = list[Array](), list[Array](), 0
    for pop, group in zip(pops, network.groups, strict=True):
        if group.list is not None:
            pop[at.STATE], pop[at.VARIABLES] = listed, len(group.list[0])
            listed += len(group.list[0])
            steps.append(group.list[0])
            units.append(group.list[1])
            pop[at.CURRENT] = values.put(group.list[2]) if network.off_grid else 0  # their times within the steps
            continue
        pop[at.CURRENT] = len(currents)
        membrane = group.membrane if group.currents and not network.off_grid else None
        each = np.array([held(one) for one in membrane]) if is_tuple(membrane) else None
        factor = values.put([1.0 if is_tuple(membrane) else held(membrane)]) if group.currents else 0
        for course in (current.course for current in group.currents):
            scaled = course.rows if each is None else course.rows * each
            course.place = values.put(scaled)
            currents.append([*course.line(), course.place, scaled.shape[1], factor])
        if group.injected and not group.currents:
            currents.append([0, 1, 0, 0, 0, 1, 0])  # no row: the loop forgets what flowed before
        pop[at.CURRENTS] = len(currents) - pop[at.CURRENT]
        for line, port in zip(ports[pop[at.PORT] :], group.ports, strict=False):
            line[at.DRIVE] = len(drives)
            for drive in port.drives:
                key = more.put(Draws(network.noise, "drive", drive.number).key)
                weight, course = values.put(drive.weights), drive.course
                drives.append([*_line(course), 0, 0, weight, key, len(rows), drive.units is not None])
                for mean in drive.means:
                    part = poisson_table(mean)
                    rows.append([0] * at.TABLE + [thresholds.put(part), thresholds.size, 0, 0, 0, 0])
            line[at.DRIVES] = len(drives) - line[at.DRIVE]
    spikes = (np.concatenate([*part, np.zeros(0, np.int64)]).astype(np.int64) for part in (steps, units))
    given: dict[str, Array] = dict(zip(GIVEN, (values.array(), more.array(), thresholds.array(), *spikes), strict=True))
    lines = table(drives + rows, at.DRIVE_COLUMNS)
    lines[:, at.FIRST_ROW] += len(drives)
    return given, lines, table(currents, at.CURRENT_COLUMNS)


def _line(course: Course) -> list[int]:
    """The line of a course, which is over before it begins if it has no rows in this run."""
    return course.line() if len(course.rows) else [1, 1, 0, 0]


@functools.lru_cache(1024)
def poisson_table(mean: float) -> Array:
    """2^32 times the probability of at most k events, k = 0, 1, ..., as far as 32 bits tell it from 1: uint32."""
    most = int(mean + 10.0 * math.sqrt(mean) + 20.0)
    logs = [k * math.log(mean) - mean - math.lgamma(k + 1.0) for k in range(most)] if mean else [0.0]
    scaled = np.rint(np.cumsum(np.exp(logs)) * 2.0**32)
    return scaled[scaled < 2.0**32].astype(np.uint32)
