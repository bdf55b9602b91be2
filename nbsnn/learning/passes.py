"""One pass of a set through a network: to train on it, or to measure how good the network is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..diagnosis.report import warn_if_silent
from ..encode import Encoder
from ..events import Recordings
from ..layers import Container, Run
from ..layers.layer import Array
from ..losses import Weighted, predict
from ..losses.targets import class_weights as checked_weights
from ..progress.bar import Progress
from ..random import Draws
from ..spikes.spike_input import SpikeInput
from ..validate import array_of
from .accumulate import Accumulator
from .feed import Arrays, Batch, Samples, Stream
from .learner import Learner

Augment = Callable[[Samples, Draws], Samples]


class Scores:
    """Mean loss, and share of labels that were met, of the batches so far."""

    def __init__(self, learner: Learner):
        self.loss = learner.loss
        self.value = self.weight = 0.0
        self.samples = self.met = self.labels = 0

    def add(self, value: float, weight: float, batch: Batch, output: Array) -> None:
        """Take note of a batch with this mean loss."""
        self.value, self.weight = self.value + value * weight, self.weight + weight
        self.samples += batch.size
        target = batch.target
        if target.dtype.kind not in "iu" or target.ndim > 2 or (target.ndim == 2 and not over_time(self.loss, target)):
            return
        found = predict(output, getattr(self.loss, "decision", "count")) if target.ndim == 1 else output.argmax(2).T
        asked = np.ones(target.shape, bool) if (left := getattr(self.loss, "ignore", None)) is None else target != left
        self.met, self.labels = self.met + int((found == target)[asked].sum()), self.labels + int(asked.sum())

    @property
    def mean(self) -> float:
        """The mean loss."""
        return self.value / (self.weight or 1.0)

    def row(self, prefix: str, name: str) -> dict[str, float]:
        """Columns of a history."""
        accuracy = {f"{name}_accuracy": self.met / self.labels} if self.labels else {}
        return {f"{prefix}loss": self.mean, **accuracy}


@dataclass
class Passes:
    """How sets go through a network.

    Attributes
    ----------
    class_weight : array [C] or None
        What a sample's weight is multiplied by, by its label.
    accumulate : int
        How many batches there are to a step of the optimiser.
    """

    net: Container
    learner: Learner
    encoder: Encoder | None
    batch_size: int
    augment: Sequence[Augment]
    class_weight: np.ndarray | None
    accumulate: int
    show: Progress

    def train(self, data: Arrays | Stream, draws: Draws, epoch: int) -> dict[str, float]:
        """Train on every sample once; returns columns of a history."""
        learner, scores, counted = self.learner, Scores(self.learner), dict[str, int]()
        gather = Accumulator(learner) if self.accumulate > 1 else None
        start, waiting = time.perf_counter(), 0.0
        for number, batch in enumerate(data.batches(self.batch_size, draws, epoch)):
            part = draws.fold("batch", epoch, number)
            x = self.augmented(batch.x, part)
            given = self.encoded(x, part.fold("encode"))
            if isinstance(given, SpikeInput):
                for name in ("merged", "dropped"):
                    counted[f"events_{name}"] = counted.get(f"events_{name}", 0) + getattr(given, name)
            target, weight = self.aim(batch, weighted=True)
            if gather is None:
                value = learner.step(given, target)
            else:
                value = gather.add(given, target, weight)
                waiting += weight
                if (number + 1) % self.accumulate == 0:
                    waiting = step(gather, waiting)
            scores.add(value, weight, batch, learner.output)
            if epoch == 0 and number == 0:
                warn_if_silent(Run(learner.net, learner.output, {}, learner.tape), stacklevel=4)
            if data.total:
                self.show.bar(f"epoch {epoch + 1}", scores.samples, data.total, f"loss {scores.mean:.4f}")
        if gather is not None and gather.grads:
            step(gather, waiting)
        seconds = time.perf_counter() - start
        return {"epoch": epoch + 1, **scores.row("", "train"), **counted, "seconds": seconds}

    def measure(self, data: Arrays | Stream, draws: Draws, name: str) -> tuple[dict[str, float], dict[str, float]]:
        """Loss and accuracy on a set, and each spiking layer's mean rate (spikes per unit and step), as columns.

        The class is decided as the loss says (``loss.decision``), by the largest sum over time if it says nothing.
        """
        net, scores, rates, tape = self.net, Scores(self.learner), dict[str, float](), {}
        for batch in data.batches(self.batch_size, None):
            given = net.check_input(self.encoded(batch.x, draws.fold(scores.samples)))
            run = Run(net, net.forward(given, net.initial(batch.size), tape)[0], {}, tape)
            target, weight = self.aim(batch, weighted=False)
            output = np.asarray(run.output)
            scores.add(float(self.learner.loss(output, target)[0]), weight, batch, output)
            for layer, found in net.layers().items():
                if found.recorded()[:1] == ["spikes"]:
                    rates[layer] = rates.get(layer, 0.0) + float(run[layer]["spikes"].mean()) * batch.size
        return scores.row(f"{name}_", name), {f"rate/{layer}": r / scores.samples for layer, r in rates.items()}

    def augmented(self, x: Samples, part: Draws) -> Samples:
        """Samples after all augmentations, each with draws of its own."""
        for k, augment in enumerate(self.augment):
            before = x.shape[1] if isinstance(x, SpikeInput) else len(x)
            x = augment(x, part.fold("augment", k) if k else part.fold("augment"))
            x = x if isinstance(x, (Recordings, SpikeInput)) else array_of("what augment returns", x)
            if (x.shape[1] if isinstance(x, SpikeInput) else len(x)) != before:
                raise ValueError(f"augment must return as many samples as it is given, {before}, not {len(x)}")
        return x

    def encoded(self, x: Samples, draws: Draws) -> Array | SpikeInput:
        """The input of the network; of a network on a GPU made there. Without an encoder a series [B, T, ...]."""
        if self.encoder is not None:
            if isinstance(x, Recordings):  # whose events become an array on arrival
                return self.encoder(x, draws)  # type: ignore[arg-type, return-value]
            return self.net.arrays.encoded(self.encoder, x, draws)
        if isinstance(x, SpikeInput):
            return x
        if isinstance(x, Recordings):
            raise TypeError("recordings need encoder=nbsnn.events.binned(T=..., dt=...)")
        if x.ndim != len(self.net.in_shape) + 2:
            wanted = ", ".join(map(str, ("samples", "T", *self.net.in_shape)))
            raise ValueError(f"without an encoder, samples must be series [{wanted}], not {list(x.shape)}")
        return np.swapaxes(x, 0, 1)

    def aim(self, batch: Batch, *, weighted: bool) -> tuple[np.ndarray | Weighted, float]:
        """The target as the loss takes it, [T, B, ...] if it has an axis for time, and the sum of the weights."""
        target, weight = batch.target, batch.weight
        if weighted and self.class_weight is not None:
            most = len(self.class_weight)
            if target.dtype.kind not in "iu" or target.ndim != 1 or target.min() < 0 or target.max() >= most:
                raise ValueError(f"class_weight has {most} numbers: it needs labels [samples] from 0 to {most - 1}")
            weight = self.class_weight[target] * (1.0 if weight is None else weight)
        if over_time(self.learner.loss, target):
            target = np.ascontiguousarray(np.swapaxes(target, 0, 1))
        if weight is None:
            return target, float(batch.size)
        return Weighted(target, weight), float(weight.sum())


def over_time(loss: object, target: np.ndarray) -> bool:
    """True if targets [B, T, ...] of this loss have an axis for time."""
    axes = getattr(loss, "target_axes", None)
    return axes is not None and target.ndim >= axes + (axes == 2 and target.dtype.kind == "f")


def step(gather: Accumulator, weight: float) -> float:
    """One step with the mean gradient of all samples gathered, whose weights have this sum; returns 0."""
    for g in gather.grads.values():
        g *= g.dtype.type(1.0 / (weight or 1.0))
    gather.step()
    return 0.0


def class_weights(given: object, data: Arrays | Stream, outputs: int) -> np.ndarray | None:
    """Weights of classes as an array; "balanced" gives each class the same share of the whole."""
    if given is None:
        return None
    if isinstance(given, str):
        labels = data.all.target if isinstance(data, Arrays) else np.zeros(0)
        if given != "balanced" or labels.dtype.kind not in "iu" or labels.ndim != 1 or labels.min() < 0:
            raise ValueError(f'class_weight must be numbers, or "balanced" of arrays with labels, not {given!r}')
        found = np.bincount(labels, minlength=outputs)
        return np.where(found > 0, len(labels) / (np.maximum(found, 1) * (found > 0).sum()), 0.0)
    weights = np.array(checked_weights(given))  # type: ignore[arg-type]
    if len(weights) != outputs:
        raise ValueError(f"class_weight has {len(weights)} numbers, but the network has {outputs} outputs")
    return weights
