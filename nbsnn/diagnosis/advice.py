"""Advice in words, from the numbers of a report."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from ..layers import Population
from ..layers.layer import Array, Nested
from ..layers.population_tape import PopulationTape
from ..spikes.spike_input import SpikeInput
from .rows import GradientReport, LayerReport, percent
from .target_rate import find_scale

SILENT = 0.5
"""Above this share of silent units a layer needs advice."""

SATURATED = 0.1
"""Above this share of saturated units a layer needs advice."""

CLOSE = 0.05
"""A rate that misses its target by this share is not worth a scale."""

UNEVEN = 10.0
"""An input whose channels' deviations differ by this factor needs advice."""

OFFSET = 3.0
"""An input whose mean is larger than its deviation by this factor needs advice."""

SPARSE = 1e-3
"""An input with a smaller share of values that are not zero needs advice."""

COURSE, FALL = 3, 0.1
"""After this many epochs a loss should have fallen by this share."""

STUCK = 0.25
"""Above this share of units without any gradient a connection needs advice."""

DEAD = 0.99
"""Above this share of dead gradients a layer needs advice."""

VANISHING = 1e-4
"""A weight's gradient below this multiple of the largest one vanishes."""

EXPLODING = 10.0
"""A weight's gradient norm above this multiple of the weight's norm explodes."""


def advise(row: LayerReport, feeder: str, population: Population, tape: Nested, rate: float) -> Iterator[str]:
    """Advice on one population."""
    if row.rate is None or row.silent is None or row.saturated is None:
        return
    if row.silent > SILENT and row.rate >= (1.0 - CLOSE) * rate:
        yield (
            f"{row.name}: {percent(row.silent)} of its units never spike, while the others spike at "
            f"{row.rate / (1.0 - row.silent):.2g} per step. Give its units smaller or more equal weights."
        )
    elif row.silent > SILENT:
        yield (
            f"{row.name}: {percent(row.silent)} of its units never spike. "
            + _advise_scale(feeder, "divide v_threshold by as much", population, tape, rate)
        )
    elif row.saturated > SATURATED:
        yield (
            f"{row.name}: {percent(row.saturated)} of its units spike in more than half of the steps. "
            + _advise_scale(feeder, "divide v_threshold by as much (raise it)", population, tape, rate)
        )
    elif row.dead is not None and row.dead > DEAD:
        yield (
            f"{row.name}: the surrogate's slope is negligible in {percent(row.dead)} of all cases: no gradient passes. "
            f"Choose a wider surrogate than {population.neuron.surrogate!r}."
        )


def _advise_scale(feeder: str, otherwise: str, population: Population, tape: Nested, rate: float) -> str:
    """Factor by which to scale the drive of ``population``, found by running it on multiples of its drive.

    For a ``Recurrent`` that is an estimate: the feedback is part of the drive, and is scaled as it was.
    """
    run: PopulationTape = tape["run"]
    steps, drive = run.record.shape[1] - 1, run.x.reshape(-1, run.x.shape[1], *population.shape)
    start, inner = population.initial(drive.shape[1]), {}

    def rate_of(k: float) -> float:
        scaled = np.broadcast_to((k * drive).astype(drive.dtype), (steps, *drive.shape[1:]))
        return float(population.forward(scaled, start, inner)[0].mean(dtype=np.float64))

    try:
        k = find_scale(rate_of, rate, CLOSE * rate)
    except ValueError as error:
        return f"Scaling its input does not help ({error}). Look at the input, the biases and v_threshold."
    if k == 1.0:
        return "A common scale does not help, as the mean rate is what it should be: give its units more equal weights."
    what = f"weight and bias of {feeder}" if feeder else "its input"
    either = f", or {otherwise}" if "v_threshold" in population.neuron.params else ""
    return f"Scale {what} by {k:.4g}{either}."


def advise_input(x: Array | SpikeInput) -> Iterator[str]:
    """Advice on the input [T, B, ...] of a network with a problem."""
    x = np.asarray(x)
    there = np.count_nonzero(x) / x.size
    if there < SPARSE:
        values = f"only {there:.2g} of its values are not" if there else "all of its values are"
        yield f"input: {values} 0. Scale samples to what the encoder takes, or raise its gain or rate."
    if np.isin(x, (0, 1)).all():
        return
    means, deviations = x.mean((0, 1), dtype=np.float64), x.std((0, 1), dtype=np.float64)
    offset = math.sqrt((means**2).sum() / (deviations**2).sum()) if deviations.any() else 0.0
    deviations = deviations[deviations > 0.0]
    if len(deviations) and (offset > OFFSET or deviations.max() > UNEVEN * deviations.min()):
        most = f", and its mean is {offset:.2g} times what varies" if offset > OFFSET else ""
        yield (
            f"input: its channels' standard deviations lie between {deviations.min():.2g} and "
            f"{deviations.max():.2g}{most}. Give them equal ones: subtract each channel's mean and divide by its "
            "standard deviation."
        )


def advise_course(losses: Sequence[float], target: object, loss: object, classes: int) -> Iterator[str]:
    """Advice on the losses of a training, epoch by epoch; a batch may lack some of the ``classes``."""
    if len(losses) < COURSE:
        return
    last, rises = float(np.median(losses[-3:])), int((np.diff(losses) > 0.0).sum())
    labels, guess = np.asarray(target), math.inf
    if labels.dtype.kind in "iu" and labels.size and "CrossEntropy" in type(loss).__name__:
        guess = math.log(max(2, classes))
    if last > 0.8 * guess or last > (1.0 - FALL) * losses[0]:
        known = f"; guessing among {round(math.exp(guess))} classes has {guess:.3g}" if last > 0.8 * guess else ""
        say = "lower the learning rate" if 3 * rises > len(losses) else "raise the learning rate"
        yield (
            f"loss: in {len(losses)} epochs it went from {losses[0]:.3g} to {last:.3g}{known}. The network hardly "
            f"learns: look at what else is said here; if that is nothing, {say}."
        )


def advise_gradients(rows: list[GradientReport], feeders: Collection[str]) -> Iterator[str]:
    """Advice on gradients; only weights are compared, as biases and neuron parameters differ in kind. ``feeders`` drive
    spiking populations."""
    weights = [row for row in rows if row.name.rpartition("/")[2] == "weight"]
    largest = max((row.gradient for row in weights if math.isfinite(row.gradient)), default=0.0)
    for row in rows:
        if not math.isfinite(row.gradient):
            yield f"{row.name}: its gradient is not finite. Lower the weights, or bound the surrogate's slope."
        elif row.gradient == 0.0:
            yield f"{row.name}: its gradient is zero. Is the layer before silent, or does one after pass nothing back?"
        elif row.stuck is not None and row.stuck > STUCK:
            spiking = row.name.rpartition("/")[0] in feeders
            say = (
                "Choose a wider surrogate, or scale the weights so that membranes come near the threshold"
                if spiking
                else "No spike reaches them at the steps that the loss looks at"
            )
            share = percent(row.stuck)
            yield f"{row.name}: {share} of its units learn nothing: their weights' gradient is zero. {say}."
        elif row in weights and row.gradient < VANISHING * largest:
            yield (
                f"{row.name}: its gradient vanishes, {row.gradient:.2g} where the largest is {largest:.2g}. Choose a "
                "wider surrogate or a longer tau, or skip layers with Residual."
            )
        elif row in weights and row.weight and row.ratio > EXPLODING:
            yield (
                f"{row.name}: its gradient explodes, {row.ratio:.2g} times the weight. Clip it (clip=1.0), detach the "
                "reset, or choose a flatter surrogate."
            )
