"""Spikes from objects of Neo, the data model of electrophysiology in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..validate import finite, instance

Array = np.ndarray


def read_neo(source: object, population: str | None = None) -> tuple[Array, Array]:
    """Take spikes from Neo, for ``Network.spikes``: of one population, or of all trains if they name none or one.

    Parameters
    ----------
    source : neo.Block, neo.Segment or sequence of neo.SpikeTrain
        As ``recording.to_neo`` makes them, or as any ``neo.io`` reads them; a block of one segment.
    population : str, optional
        Whose trains, by their annotation "population".

    Returns
    -------
    times : float64 array [spikes], ms
        Ascending, on the clock of the trains.
    units : int64 array [spikes]
        By the annotation "unit", or where trains have none the number of the train.

    Raises
    ------
    TypeError, ValueError
        If there are no trains, a block has several segments, several populations are there and none is named, times
        are not finite, or the annotations "unit" are no whole numbers from 0 on, of some trains alone, or twice the
        same.

    Examples
    --------
    >>> import neo  # doctest: +SKIP
    >>> read_neo([neo.SpikeTrain([0.002], units="s", t_stop=1.0, unit=3)])  # doctest: +SKIP
    (array([2.]), array([3]))
    """
    trains = _trains(source)
    if population is not None:
        instance("population", population, str, "the name of one")
    names = {train.annotations.get("population") for train in trains}
    if population is None and len(names) > 1:
        raise ValueError(f"the trains are of {sorted(map(str, names))}: name the population whose spikes are wanted")
    if population is not None:
        trains = [train for train in trains if train.annotations.get("population") == population]
        if not trains:
            raise ValueError(f"population: no train is of {population!r}; they are of {sorted(map(str, names))}")
    given = [train.annotations.get("unit") for train in trains]
    if all(unit is None for unit in given):
        given = list(range(len(trains)))
    whole = (isinstance(unit, int | np.integer) and not isinstance(unit, bool) for unit in given)
    good = all(whole) and all(0 <= unit < 2**63 for unit in given)
    if not good or len(set(given)) < len(given):
        raise ValueError(
            f'annotations "unit" must be different whole numbers from 0 on, or there must be none: {given}'
        )
    spikes = [np.asarray(train.rescale("ms").magnitude, np.float64) for train in trains]
    for k, part in enumerate(spikes):
        finite(f"train {k} of source", part)
    times, units = np.concatenate(spikes), np.repeat(np.array(given, np.int64), [len(part) for part in spikes])
    order = np.lexsort((units, times))
    return times[order], units[order]


def _trains(source: object) -> list[Any]:
    """The spike trains of a block, a segment or a sequence."""
    segments = getattr(source, "segments", [source])
    if len(segments) != 1:
        raise ValueError(f"source is a block of {len(segments)} segments: give one of block.segments")
    trains = getattr(segments[0], "spiketrains", segments[0])
    try:
        trains = list(trains)
    except TypeError:
        trains = [None]
    if not all(hasattr(train, "annotations") and hasattr(train, "t_stop") for train in trains):
        raise TypeError(f"source must be a Block, a Segment or SpikeTrains of Neo, not {source!r}")
    if not trains:
        raise ValueError(f"source has no spike trains: {source!r}")
    return trains
