"""Snapshots of a network's weights while it learns."""

from __future__ import annotations

import numpy as np

from ..device.gpu import get
from ..layers import Layer
from ..progress.history import History
from ..validate import count, instance

Array = np.ndarray


class Snapshots:
    """Weights of a network at several times of its training, for ``nbsnn.page``.

    Hand it to ``fit`` as ``callback``, or call ``take`` in a loop of your own. The first snapshot is taken when it is
    made. When there are more than ``most``, every second is dropped and further ones are taken half as often; the
    latest is always there.

    Parameters
    ----------
    net : Layer
        The network.
    most : int, default 12
        How many to keep, at least 2.

    Attributes
    ----------
    taken : list of (str, dict of str to array)
        What a snapshot is called, and copies of all parameters with two axes or more, by name.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), nbsnn.neurons.LIF(), seed=0)
    >>> snapshots = nbsnn.Snapshots(net)
    >>> net["dense1"].params["weight"][...] = 0.0
    >>> snapshots.take("epoch 1")
    >>> [label for label, _ in snapshots.taken]
    ['start', 'epoch 1']
    """

    def __init__(self, net: Layer, most: int = 12):
        self.net, self.most = instance("net", net, Layer, "a network"), count("most", most, least=2)
        self.seen, self.every = 0, 1
        self._kept: list[tuple[int, str, dict[str, Array]]] = []
        self._last: tuple[int, str, dict[str, Array]] | None = None
        self.take("start")

    def take(self, label: str) -> None:
        """Keep a copy of the weights as they are now."""
        if not isinstance(label, str):
            raise TypeError(f"label must be a text, not {label!r}")
        weights = {name: np.array(get(p)) for name, p in self.net.parameters().items() if p.ndim > 1}
        self._last = (self.seen, label, weights)
        if self.seen % self.every == 0:
            self._kept.append(self._last)
        self.seen += 1
        while len(self.taken) > self.most:
            self.every *= 2
            self._kept = [one for one in self._kept if one[0] % self.every == 0]

    @property
    def taken(self) -> list[tuple[str, dict[str, Array]]]:
        """Label and weights of each snapshot, in the order of time."""
        last = [self._last] if self._last and self._last[0] != self._kept[-1][0] else []
        return [(label, weights) for _, label, weights in [*self._kept, *last]]

    def __len__(self) -> int:
        return len(self.taken)

    def __call__(self, net: Layer, history: History) -> None:
        """As a callback of ``fit``: take one after each epoch."""
        row = history.rows[-1]
        self.take(f"epoch {row['epoch']}" if "epoch" in row else f"{row['samples']:,} samples")
