"""From events to steps: an event at time t after the start belongs to step floor(t / dt)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device import gpu
from ..encode import Encoder
from ..random import Draws
from ..scalar.times import begun
from ..spikes.spike_input import SpikeInput
from ..validate import UNITS, choice, count, instance, number, switch
from .fields import PER_MS
from .recordings import Recordings

Array = np.ndarray
STARTS = "zero", "first"


def to_spikes(
    recordings: Recordings, *, dt: float, T: int | None = None, start: str = "zero", partial: bool | None = None
) -> SpikeInput:
    """Spikes of all samples, as a network takes them.

    Parameters
    ----------
    recordings : Recordings
        They are not changed.
    dt : float
        Length of a step in ms.
    T : int, optional
        Number of steps; events that lie later are dropped and counted. By default as many as the longest sample needs.
    start : {"zero", "first"}
        Where step 0 begins: at time 0, or at the first event of each sample.
    partial : bool, optional
        Without ``T``: whether the last step is kept (the default) if the longest sample ends within it. If not, the
        events in it are dropped and counted.

    Returns
    -------
    SpikeInput
        [T, samples, ...] with the sensor's shape: at most one spike per step and unit; ``merged`` says how many further
        events there were, ``dropped`` how many lie outside. No dense array is made.

    Raises
    ------
    ValueError
        If there are no samples or no steps, or time and ``dt`` make more than 2^31 steps.

    Examples
    --------
    >>> events = np.array([(0, 1), (10, 1), (60, 0)], [("t", "i8"), ("x", "i2")])
    >>> recordings = Recordings([events], shape=(2,), unit="us")
    >>> to_spikes(recordings, dt=0.05)
    SpikeInput([2, 1, 2], 2 spikes, 1 merged, 0 dropped)
    >>> to_spikes(recordings, dt=0.05, partial=False)
    SpikeInput([1, 1, 2], 1 spikes, 1 merged, 1 dropped)
    """
    instance("recordings", recordings, Recordings, "nbsnn.events.Recordings")
    choice("start", start, STARTS)
    ticks = number("dt", dt, above=0.0) * PER_MS[recordings.unit]
    if not len(recordings):
        raise ValueError("recordings hold no samples")
    times, counts = recordings.t, recordings.counts
    if start == "first":
        first = times[np.minimum(recordings.start[:-1], len(times) - 1)] if len(times) else times
        times = times - np.repeat(first, counts)
    step = begun(times, ticks)
    if T is None:
        T = _steps(times, step, ticks, True if partial is None else switch("partial", partial))
    else:
        count("T", T, most=UNITS)
        if partial is not None:
            raise ValueError("partial is about the last step of the longest sample: it has no meaning with T")
    inside = step < T
    dropped = len(step) - int(np.count_nonzero(inside))
    sample, index = np.repeat(np.arange(len(recordings)), counts), recordings.index
    if dropped:
        sample, index, step = sample[inside], index[inside], step[inside]
    return SpikeInput.of(sample, step.astype(np.int64), index, (T, len(recordings), *recordings.shape), dropped=dropped)


def _steps(times: Array, step: Array, ticks: float, partial: bool) -> int:
    """How many steps the longest sample takes."""
    last = times.max() if len(times) else 0
    longest = step.max() if len(step) else 0
    if longest >= UNITS:
        raise ValueError(
            f"the longest sample takes {longest:.3g} steps of this dt: give T, a larger dt, or another unit"
        )
    ends = last + (1 if times.dtype.kind == "i" else 0)  # an integer time stands for the whole of its unit
    most = int(longest) + 1 if partial else int(begun(np.array([ends]), ticks)[0])
    if not most:
        raise ValueError("the longest sample ends within the first step: with partial=False nothing is left of it")
    return most


@dataclass(frozen=True, repr=False)
class binned(Encoder):
    """Encoder of recordings: steps of ``dt`` ms, and a spike where there is an event.

    Parameters
    ----------
    T : int
        Number of time steps. Events after ``T dt`` are dropped and counted.
    dt : float
        Length of a step in ms.
    start : {"zero", "first"}
        Where step 0 begins: at time 0, or at the first event of each sample.
    dtype : dtype, default float32
        Of the array on a GPU.

    Returns
    -------
    SpikeInput [T, B, ...]
        The positions of the spikes, of which dense connections take sums of rows of their weights; no dense array is
        made on the CPU. See ``nbsnn.events.to_spikes``.

    Examples
    --------
    >>> events = np.array([(0, 1), (10, 1), (60, 0)], [("t", "i8"), ("x", "i2")])
    >>> binned(T=4, dt=0.05)(Recordings([events], shape=(2,), unit="us"))
    SpikeInput([4, 1, 2], 2 spikes, 1 merged, 0 dropped)
    """

    dt: float
    start: str = "zero"

    def __post_init__(self) -> None:
        super().__post_init__()
        number("dt", self.dt, above=0.0)
        choice("start", self.start, STARTS)

    def __call__(self, x: Recordings, draws: Draws | None = None) -> SpikeInput:  # type: ignore[override]
        """Spikes [T, B, ...] of ``Recordings`` of B samples."""
        return to_spikes(x, dt=self.dt, T=self.T, start=self.start)

    def on_gpu(self, x: Recordings, draws: Draws | None = None) -> Any:
        return gpu.put(self(x).dense(self.dtype))
