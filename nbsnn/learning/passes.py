"""One pass of a set through a network: to train on it, or to measure how good the network is."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device.gpu import get
from ..diagnosis.report import warn_if_silent
from ..encode import Encoder
from ..events import Recordings
from ..layers import Container, Run
from ..layers.layer import Array
from ..losses import Weighted, predict
from ..losses.checks import class_weights as checked_weights
from ..progress.bar import Progress
from ..random import Draws
from ..spikes.spike_input import SpikeInput
from ..validate import array_of, real
from .accumulate import Accumulator
from .feed import Arrays, Batch, Samples, Stream
from .learner import Learner
from .pieces import Pieces

Augment = Callable[[Samples, Draws], Samples]
Row = tuple[float, float, int, int, int]


class Scores:
    """Mean loss, and share of labels that were met, of the batches so far."""

    def __init__(self, learner: Learner):
        self.loss = learner.loss
        self.value = self.weight = 0.0
        self.samples = self.met = self.labels = 0

    def add(self, row: Row) -> None:
        """Take note of a batch."""
        value, weight, samples, met, labels = row
        self.value, self.weight = self.value + value * weight, self.weight + weight
        self.samples, self.met, self.labels = self.samples + samples, self.met + met, self.labels + labels

    def of(self, value: float, weight: float, batch: Batch, output: Array) -> Row:
        """Mean loss, weight, samples, labels that were met and all labels of a batch."""
        target = batch.target
        if target.dtype.kind not in "iu" or target.ndim > 2 or (target.ndim == 2 and not over_time(self.loss, target)):
            return value, weight, batch.size, 0, 0
        found = predict(output, getattr(self.loss, "decision", "count")) if target.ndim == 1 else output.argmax(2).T
        asked = np.ones(target.shape, bool) if (left := getattr(self.loss, "ignore", None)) is None else target != left
        return value, weight, batch.size, int((found == target)[asked].sum()), int(asked.sum())

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
    pieces : Pieces
        How a batch is cut, and who shares it.
    """

    net: Container
    learner: Learner
    encoder: Encoder | None
    batch_size: int
    augment: Sequence[Augment]
    class_weight: np.ndarray | None
    accumulate: int
    show: Progress
    pieces: Pieces

    def train(self, data: Arrays | Stream, draws: Draws, epoch: int) -> dict[str, float]:
        """Train on every sample once; returns columns of a history."""
        learner, scores, counted = self.learner, Scores(self.learner), dict[str, int]()
        gather = Accumulator(learner) if self.accumulate > 1 else None
        start, waiting = time.perf_counter(), 0.0
        for number, batch in enumerate(data.batches(self.batch_size, draws, epoch)):
            part = draws.fold("batch", epoch, number)
            if self.pieces.micro > 1:
                self.step_in_pieces(batch, part, scores, counted)
            else:
                given = self.given(batch, part, counted)
                target, weight = self.aim(batch, weighted=True)
                if gather is None:
                    value = learner.step(given, target)
                else:
                    value = gather.add(given, target, weight)
                    waiting += weight
                    if (number + 1) % self.accumulate == 0:
                        waiting = step(gather, waiting)
                scores.add(scores.of(value, weight, batch, learner.output))
            if epoch == 0 and number == 0:
                warn_if_silent(Run(learner.net, learner.output, {}, learner.tape), stacklevel=4)
            if data.total:
                self.show.bar(f"epoch {epoch + 1}", scores.samples, data.total, f"loss {scores.mean:.4f}")
        if gather is not None and gather.grads:
            step(gather, waiting)
        seconds = time.perf_counter() - start
        return {"epoch": epoch + 1, **scores.row("", "train"), **counted, "seconds": seconds}

    def given(self, batch: Batch, part: Draws, counted: dict[str, int]) -> Array | SpikeInput:
        """The input that a batch of training becomes."""
        given = self.encoded(self.augmented(batch.x, part), part.fold("encode"))
        if isinstance(given, SpikeInput):
            for name in ("merged", "dropped"):
                counted[f"events_{name}"] = counted.get(f"events_{name}", 0) + getattr(given, name)
        return given

    def step_in_pieces(self, batch: Batch, part: Draws, scores: Scores, counted: dict[str, int]) -> None:
        """One step on a batch whose pieces ranks share."""
        if isinstance(batch.x, SpikeInput):
            raise TypeError("a SpikeInput is one batch, which cannot be cut into pieces: micro=1 takes it")
        learner, rows, events = self.learner, list[Row](), dict[str, int]()
        total = self.aim(batch, weighted=True)[1] or 1.0

        def gradients(piece: int) -> dict[str, Array]:
            which = self.pieces.cut(batch.size, piece)
            if not len(which):
                return {}
            some = batch.take(which)
            given = self.given(some, part.fold("piece", piece), events)
            target, weight = self.aim(some, weighted=True)
            value, grads = learner.gradients(given, target)
            rows.append(scores.of(value, weight, some, learner.output))
            return {name: get(g) * g.dtype.type(weight / total) for name, g in grads.items()}

        self.pieces.step(gradients)
        for found, more in self.pieces.ranks.every((rows, events)):
            for row in found:
                scores.add(row)
            for name, count in more.items():
                counted[name] = counted.get(name, 0) + count

    def measure(self, data: Arrays | Stream, draws: Draws, name: str) -> tuple[dict[str, float], dict[str, float]]:
        """Loss and accuracy on a set, and each spiking layer's mean rate (spikes per unit and step), as columns.

        Layers run as one where they train so, unless memory is planned for pieces of a batch. The class is decided as
        the loss says (``loss.decision``), by the largest sum over time if it says nothing.
        """
        fused = self.learner.fused if self.pieces.micro == 1 else None
        net = self.net if fused is None else fused
        scores, rates, tape = Scores(self.learner), dict[str, float](), dict[str, Any]()
        ranks, found, seen = self.pieces.ranks, list[tuple[int, Row, dict[str, float]]](), 0
        for number, batch in enumerate(data.batches(self.batch_size, None)):
            seen += batch.size
            if number % ranks.size != ranks.rank:
                continue
            given = net.check_input(self.encoded(batch.x, draws.fold(seen - batch.size)))
            run = Run(net, net.forward(given, net.initial(batch.size), tape)[0], {}, tape)
            target, weight = self.aim(batch, weighted=False)
            output = np.asarray(run.output)
            row = scores.of(float(self.learner.loss(output, target)[0]), weight, batch, output)
            spiking = [name for name, layer in net.layers().items() if layer.recorded()[:1] == ["spikes"]]
            fired = {layer: net.rate(tape, layer) * batch.size for layer in spiking}
            found.append((number, row, fired))
        for _, row, fired in sorted(itertools.chain(*ranks.every(found)), key=lambda item: item[0]):
            scores.add(row)
            for layer, count in fired.items():
                rates[layer] = rates.get(layer, 0.0) + count
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
            made = self.net.arrays.encoded(self.encoder, x, draws)
            made = made if hasattr(made, "shape") else real("what encoder returns", made)
            if len(made.shape) == len(self.net.in_shape) + 3:
                raise ValueError(
                    f"encoder makes steps of samples {list(x.shape)}, which have an axis too many for this network, "
                    f"{list(self.net.in_shape)}: series [samples, T, ...] are given without an encoder"
                )
            return made
        if isinstance(x, SpikeInput):
            return x
        if isinstance(x, Recordings):
            raise TypeError("recordings need encoder=nbsnn.events.binned(T=..., dt=...)")
        if x.ndim != len(self.net.in_shape) + 2:
            wanted = ", ".join(map(str, ("samples", "T", *self.net.in_shape)))
            raise ValueError(
                f"without an encoder, samples must be series [{wanted}], not {list(x.shape)}; "
                "encoder=nbsnn.encode.constant(T=8), say, makes them of samples without an axis of time"
            )
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
