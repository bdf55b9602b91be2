"""What a training is fed with: batches of samples, targets and weights, from arrays or from any iterable of batches."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ..data import batches
from ..events import Recordings
from ..random import Draws
from ..spikes.spike_input import SpikeInput
from ..validate import array_of, finite, function, real, shaped
from ..validate.kinds import is_list, is_list_or_tuple, is_tuple

Samples = np.ndarray | Recordings | SpikeInput
Given = tuple[object, ...] | Iterable[tuple[object, ...]] | Callable[[Draws], Iterable[tuple[object, ...]]]

NO_BATCHES: tuple[type, ...] = (str, bytes, dict, np.ndarray)

SAY = "(x, target), (x, target, weight), or an iterable of such batches"


class Batch(NamedTuple):
    """Samples [B, ...], targets [B, ...], and weights [B] or None."""

    x: Samples
    target: np.ndarray
    weight: np.ndarray | None

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.x.shape[1] if isinstance(self.x, SpikeInput) else len(self.x)

    def take(self, which: np.ndarray) -> Batch:
        """Some of the samples."""
        assert not isinstance(self.x, SpikeInput)
        return Batch(self.x[which], self.target[which], None if self.weight is None else self.weight[which])


class Arrays:
    """A whole set in memory, or mapped into it: batches in an order of each epoch's own."""

    def __init__(self, name: str, given: tuple[object, ...]):
        self.all = checked(name, given)
        if isinstance(self.all.x, SpikeInput):
            raise TypeError(f"{name} needs samples [samples, ...], not a SpikeInput, which is one batch")
        self.total = self.all.size

    def batches(self, size: int, draws: Draws | None, epoch: int = 0) -> Iterator[Batch]:
        """One epoch, in random order if there are draws."""
        return map(self.all.take, batches(self.total, size, draws, epoch))

    def split(self, name: str, share: float, draws: Draws) -> tuple[Arrays, Arrays]:
        """Two parts, the second with a ``share`` of the samples, chosen at random; both in the order of before."""
        held = round(share * self.total)
        if not 0 < held < self.total:
            raise ValueError(f"{name} = {share:g} of {self.total} samples leaves one of two parts empty")
        order = draws.permutation(self.total)
        parts = list[Arrays]()
        for which in (np.sort(order[held:]), np.sort(order[:held])):
            part = Arrays.__new__(Arrays)
            part.all, part.total = self.all.take(which), len(which)
            parts.append(part)
        return parts[0], parts[1]


class Stream:
    """Batches that the user makes: an iterable that begins again in every epoch, or a function that makes one."""

    def __init__(self, name: str, source: Iterable[object] | Callable[[Draws], Iterable[object]], epochs: int):
        self.name, self.source, self.total = name, source, 0
        if callable(source):
            function(name, source, f"{SAY}, or a function of draws that makes one", takes=1)
        elif iter(source) is source and epochs > 1:
            raise ValueError(
                f"{name} is an iterator, which is used up after one epoch of {epochs}: give what makes one, a loader, "
                "a list, or a function of draws, def batches(draws): yield x, target"
            )

    def batches(self, size: int, draws: Draws | None, epoch: int = 0) -> Iterator[Batch]:
        """One epoch, as it comes."""
        own = (draws or Draws(0)).fold("stream", epoch)
        found, count = self.source(own) if callable(self.source) else self.source, 0
        if not isinstance(found, Iterable):
            raise TypeError(f"{self.name} must give an iterable of batches, not {type(found).__name__}")
        for k, batch in enumerate(found):
            made = checked(f"batch {k} of {self.name}", batch)
            count += made.size
            yield made
        if not count:
            raise ValueError(f"{self.name} has no samples")
        self.total = count


def feed(name: str, given: Given, epochs: int = 1) -> Arrays | Stream:
    """A set as it is given to ``fit``, checked as far as it can be before training."""
    if is_tuple(given) or (is_list(given) and not (given and is_tuple(given[0]))):
        return Arrays(name, tuple(given))
    if isinstance(given, NO_BATCHES) or not (callable(given) or isinstance(given, Iterable)):
        raise TypeError(f"{name} must be a pair {SAY}, not {type(given).__name__}")
    return Stream(name, given, epochs)


def checked(name: str, given: object) -> Batch:
    """Samples, targets and weights of equal number, at least one."""
    if not is_list_or_tuple(given) or len(given) not in (2, 3):
        many = f" of {len(given)}" if is_list_or_tuple(given) else ""
        raise TypeError(f"{name} must be a pair (x, target) or (x, target, weight), not a {type(given).__name__}{many}")
    x, target = given[0], array_of(f"the target of {name}", given[1])
    if not isinstance(x, (Recordings, SpikeInput)):
        x = array_of(f"{name}, the samples (x, target),", x)
        if not x.ndim or x.dtype.kind not in "fiub":
            raise TypeError(f"{name} needs samples [samples, ...] of numbers, not {x.dtype} {list(x.shape)}")
    n = Batch(x, target, None).size
    if not n:
        raise ValueError(f"{name} has no samples")
    if target.shape[:1] != (n,) or target.dtype.kind not in ("iu" if target.ndim == 1 else "fiub"):
        more = ""
        if target.shape == (n,):
            more = "; names, labels = np.unique(labels, return_inverse=True) numbers classes"
        elif isinstance(x, np.ndarray) and x.ndim > 2 and target.shape[:1] == x.shape[1:2]:
            more = f"; samples come first, [{len(target)}, {n}, ...], then steps: np.swapaxes(x, 0, 1)"
        raise ValueError(
            f"{name} needs one integer label for each of its {n} samples, or targets [{n}, ...], not {target.dtype} "
            f"{list(target.shape)}{more}"
        )
    weight = given[2] if len(given) == 3 else None
    if weight is None:
        return Batch(x, target, None)
    weight = finite(f"weights of {name}", shaped(f"weights of {name}", real(f"weights of {name}", weight), (n,)))
    if weight.min() < 0.0:
        raise ValueError(f"weights of {name} must be at least 0, not {weight.min():g}")
    return Batch(x, target, weight.astype(np.float64))
