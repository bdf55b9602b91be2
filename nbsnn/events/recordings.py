"""Recordings: what a file holds, and a set of samples that a network is trained with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from ..validate import shape_of
from .fields import check_unit, placed

Array = np.ndarray
Shape = int | tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Recording:
    """The events of one file.

    Parameters
    ----------
    events : structured array [events]
        Fields t, x, y, p.
    unit : {"us", "ms", "s"}
        Of t.
    shape : tuple of int
        (2, height, width) of the sensor; empty where the file does not tell.
    left_out : dict
        How many records of the file are not among the events, by kind.

    Examples
    --------
    >>> recording = Recording(np.array([(5, 1)], [("t", "i8"), ("x", "i2")]), "us", (2,))
    >>> len(recording), recording["x"]
    (1, array([1], dtype=int16))
    """

    events: Array
    unit: str
    shape: tuple[int, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.events)

    def __getitem__(self, name: str | slice | ArrayLike) -> Array:
        """A field, or some of the events."""
        return self.events[name]  # type: ignore[index]

    def __repr__(self) -> str:
        more = "".join(f", {count} {kind} left out" for kind, count in self.left_out.items())
        return f"Recording({len(self)} events, t in {self.unit}, shape {self.shape}{more})"


class Recordings:
    """Events of several samples: a data set for ``nbsnn.fit``, or a batch of one.

    Parameters
    ----------
    samples : sequence of structured arrays, or of ``Recording``
        Events of each sample: fields t and x, optionally y and p, in any order. They are copied. Events out of order
        are sorted by time.
    shape : tuple of int
        Of the sensor: (polarities, height, width) with the fields p, y, x; (height, width) with y, x; (polarities,
        width) with p, x; (width,) with x. Without an axis for polarity both polarities of a pixel are one unit.
        Not needed where every ``Recording`` knows it.
    unit : {"us", "ms", "s"}
        Unit of t: no default, as no two formats agree. Not needed for ``Recording``, which knows.

    Attributes
    ----------
    t : array [events]
        Times, one sample behind another: int32 or int64 if all are integers, else float64.
    index : uint32 array [events]
        Flat unit of each event.
    start : int64 array [samples + 1]
        Sample i has the events ``start[i]:start[i + 1]``.
    left_out : dict
        What readers left out, all samples together.

    Raises
    ------
    TypeError, ValueError
        If a field is missing or holds what it cannot; the message has the sample, the field and the index.

    Examples
    --------
    >>> kind = [("x", "i4"), ("t", "f8")]
    >>> samples = [np.array([(0, 0.5), (2, 1.5)], kind), np.array([(1, 0.25)], kind)]
    >>> recordings = Recordings(samples, shape=(3,), unit="ms")
    >>> recordings, recordings[1:]
    (Recordings(2 samples, 3 events, t in ms, shape (3,)), Recordings(1 samples, 1 events, t in ms, shape (3,)))
    """

    def __init__(
        self, samples: Iterable[Array | Recording] | Recording, shape: Shape = None, *, unit: str | None = None
    ):
        samples = [samples] if isinstance(samples, Recording) else samples
        if getattr(getattr(samples, "dtype", None), "names", None) or not isinstance(samples, Iterable):
            raise TypeError("samples must be a list of structured arrays, one for each sample: put one alone in a list")
        given = list(samples)
        units = {s.unit for s in given if isinstance(s, Recording)} | (
            {check_unit(unit)} if unit is not None else set()
        )
        shapes = (
            {tuple(s.shape) for s in given if isinstance(s, Recording)} if shape is None else {shape_of("shape", shape)}
        )
        if len(units) != 1:
            said = f"these differ: {', '.join(sorted(units))}" if units else "it has no default"
            raise ValueError(f'unit must be given, "us", "ms" or "s", the same for all samples; {said}')
        if len(shapes) != 1 or not (shape := shapes.pop()):
            raise ValueError("shape must be given: (polarities, height, width) of the sensor, say, one for all samples")
        parts, counts = list[tuple[Array, Array]](), {}
        for k, sample in enumerate(given):
            for kind, count in (sample.left_out if isinstance(sample, Recording) else {}).items():
                counts[kind] = counts.get(kind, 0) + count
            times, index = placed(sample.events if isinstance(sample, Recording) else sample, shape, f"sample {k}")
            if (times[1:] < times[:-1]).any():
                order = np.argsort(times, kind="stable")
                times, index = times[order], index[order]
            parts.append((_narrow(times), index.astype(np.uint32)))
        start = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(times) for times, _ in parts], out=start[1:])
        self._set(
            np.concatenate([times for times, _ in parts]) if parts else np.zeros(0, np.int32),
            np.concatenate([index for _, index in parts]) if parts else np.zeros(0, np.uint32),
            start, shape, units.pop(), counts,
        )  # fmt: skip

    def _set(
        self, t: Array, index: Array, start: Array, shape: tuple[int, ...], unit: str, left_out: Mapping[str, int]
    ) -> None:
        self.t, self.index, self.start, self.shape, self.unit, self.left_out = t, index, start, shape, unit, left_out

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, which: slice | ArrayLike) -> Recordings:
        """Some of the samples: a slice, numbers, or a mask, as of an array; copied."""
        samples = np.atleast_1d(np.arange(len(self))[which])  # type: ignore[index]
        counts = self.counts[samples]
        start = np.zeros(len(samples) + 1, np.int64)
        np.cumsum(counts, out=start[1:])
        source = np.repeat(self.start[:-1][samples] - start[:-1], counts) + np.arange(start[-1])
        part = Recordings.__new__(Recordings)
        part._set(self.t[source], self.index[source], start, self.shape, self.unit, {})
        return part

    def edited(self, t: Array, index: Array, keep: Array, shape: tuple[int, ...] | None = None) -> Recordings:
        """The same samples with other times and units of their events, of which some are kept; in order of time.

        Parameters
        ----------
        t, index : array [events]
        keep : bool array [events]
        shape : tuple of int, optional
            Of the sensor, if it is another.
        """
        sample = np.repeat(np.arange(len(self)), self.counts)[keep]
        t, index = t[keep].astype(self.t.dtype), index[keep].astype(np.uint32)
        order = np.lexsort((t, sample))
        start = np.zeros(len(self) + 1, np.int64)
        np.cumsum(np.bincount(sample, minlength=len(self)), out=start[1:])
        part = Recordings.__new__(Recordings)
        part._set(t[order], index[order], start, shape or self.shape, self.unit, self.left_out)
        return part

    @property
    def units(self) -> int:
        """Number of units, polarities times pixels."""
        return math.prod(self.shape)

    @property
    def counts(self) -> Array:
        """Number of events of each sample, int64 [samples]."""
        return np.diff(self.start)

    def events(self, sample: int) -> tuple[Array, Array]:
        """Times and flat units of one sample; views."""
        part = slice(*self.start[np.arange(len(self))[sample] :][:2])
        return self.t[part], self.index[part]

    def __repr__(self) -> str:
        more = "".join(f", {count} {kind} left out" for kind, count in self.left_out.items())
        return f"Recordings({len(self)} samples, {len(self.t)} events, t in {self.unit}, shape {self.shape}{more})"


def _narrow(times: Array) -> Array:
    """Integers in half the memory, where they fit."""
    return times.astype(np.int32) if times.dtype == np.int64 and (not len(times) or times.max() < 2**31) else times
