"""A batch in pieces that ranks share: the gradient is the same for any number of ranks.

A batch is always cut into the same pieces, each with random numbers of its own, and their gradients are added along a
tree that depends on the number of pieces alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ..layers.layer import Array
from ..ranks import Alone
from .learner import Learner


class Pieces:
    """How a learner makes its step from the pieces of a batch.

    Parameters
    ----------
    learner : Learner
        One that changes parameters once per batch.
    ranks : Alone or Ranks
        Each rank has its share of the pieces.
    micro : int
        Number of pieces.
    """

    def __init__(self, learner: Learner, ranks: Alone, micro: int):
        self.learner, self.ranks, self.micro = learner, ranks, micro
        if micro < ranks.size:
            raise ValueError(f"micro must be at least the number of ranks, {ranks.size}, not {micro}")
        if micro > 1 and getattr(learner, "update", "sample") == "step":
            raise ValueError('pieces of a batch need one step for all: update="step" changes parameters in every step')
        if micro > 1 and (buffers := learner.net.all_buffers()):
            raise ValueError(f"pieces of a batch would each have statistics of their own: {', '.join(buffers)}")

    @property
    def own(self) -> range:
        """The pieces of this rank."""
        return range(*self.ranks.share(self.micro))

    def cut(self, size: int, piece: int) -> Array:
        """Which of ``size`` samples are in a piece."""
        return np.arange(size * piece // self.micro, size * (piece + 1) // self.micro)

    def step(self, gradients: Callable[[int], Mapping[str, Array]]) -> None:
        """One step with the sum of the gradients of all pieces, of which this rank makes its own."""
        learner, first = self.learner, self.learner.iteration
        sizes = {name: p.size for name, p in learner.parameters.items()}
        empty = np.zeros(sum(sizes.values()), np.result_type(*(p.dtype for p in learner.parameters.values())))

        def leaf(piece: int) -> Array:
            learner.past.iteration = first * self.micro + piece  # of which dropout draws
            found = gradients(piece)
            joined = np.concatenate([found[name].reshape(-1) for name in sizes]) if found else empty
            return joined.astype(empty.dtype, copy=False)

        try:
            whole, at = self.ranks.total(map(leaf, self.own), self.micro, empty), 0
        finally:
            learner.past.iteration = first
        grads = dict[str, Array]()
        for name, size in sizes.items():
            p = learner.parameters[name]
            grads[name] = whole[at : at + size].reshape(p.shape).astype(p.dtype, copy=False)
            at += size
        learner.take(grads)
        learner.past.iteration = first + 1
