"""Back-propagation through time with surrogate gradients, whole or truncated.

Run a batch forward from the stated initial state, ask the loss for its gradient at the output, and run the same
steps in reverse. In the spiking literature this is STBP, spatio-temporal back-propagation (Wu et al. 2018,
arXiv:1706.02609; Neftci et al. 2019, arXiv:1901.09948). Truncated (``chunk=k``), no gradient crosses the border
between chunks of k steps (Williams and Peng 1990): memory then grows with k, not with T.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..device.exclusive import exclusive
from ..device.profile import span
from ..layers.fused.memory_plan import Plan, alone
from ..layers.fused.network import fuse
from ..layers.layer import Array, Layer, Nested
from ..losses.checks import Target
from ..optim.optimizer import Optimizer
from ..random import Draws
from ..validate import count, function, instance, number, switch
from .learner import Learner, Loss

Regularizers = Mapping[str, Callable[[Array], tuple[float, Array]]]


class BPTT(Learner):
    """Learner: back-propagation through time.

    Parameters
    ----------
    net : Layer
        The network to train.
    loss : callable or str
        ``loss(output, target) -> (value, gradient)``, from ``nbsnn.losses`` or custom; or "rate_cross_entropy" ...
    optimizer : optional
        From ``nbsnn.optim``, or a name, "adamw"; Adam with its defaults when not given.
    chunk : int, optional
        Cut the gradient every this many steps; by default it flows through all of them.
    clip : float, optional
        Largest global norm of the gradient.
    regularizers : mapping, optional
        Layer name -> regulariser of that layer's spikes, from ``nbsnn.losses``.
    seed : int
        Seed of what is random in training (dropout).
    max_bytes : int, optional
        How much memory the backward pass may take (``plan`` says how much it needs). What does not fit is recomputed:
        in stacks of dense connections and populations, and in convolutions of spikes, which go through the batch in
        pieces; gradients are the same bit for bit. Other layers keep all, and are refused if that is too much.
    compact : bool, default True
        Whether such stacks run in one pass with spikes as bits, where they can. If not, the tape holds all currents
        and states of all layers as numbers.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import LIF
    >>> net = nbsnn.Sequential(nbsnn.Dense(4, 2), LIF(), seed=0)
    >>> learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy)
    >>> x, labels = np.ones((10, 3, 4), np.float32), np.array([0, 1, 0])
    >>> value = learner.step(x, labels)
    """

    def __init__(
        self,
        net: Layer,
        loss: Loss | str,
        optimizer: Optimizer | str | None = None,
        *,
        chunk: int | None = None,
        clip: float | None = None,
        regularizers: Regularizers | None = None,
        seed: int = 0,
        max_bytes: int | None = None,
        compact: bool = True,
    ):
        super().__init__(net, loss, optimizer, clip, seed)
        max_bytes = None if max_bytes is None else count("max_bytes", max_bytes)
        if max_bytes is not None:
            if not switch("compact", compact):
                raise ValueError("max_bytes needs compact=True")
            if not self.net.in_row:
                raise ValueError(f"max_bytes needs a Sequential, not a {type(net).__name__}")
            if not net.arrays.numpy:
                raise NotImplementedError('max_bytes is for device="cpu"; on a GPU, chunk= bounds the memory')
        if switch("compact", compact) and (fused := fuse(self.net, max_bytes, whole=chunk is None)) is not None:
            self.net = self.fused = fused
        self.chunk = None if chunk is None else count("chunk", chunk)
        given: Regularizers = {} if regularizers is None else regularizers
        instance("regularizers", given, Mapping, "a mapping from layers")
        self.regularizers = dict(given)
        for name, regularizer in self.regularizers.items():
            function(f"regularizers[{name!r}]", regularizer, "a function of a layer's spikes", takes=1)
            if name not in net.layers():
                raise ValueError(f"a regulariser is given for {name!r}; the layers are {list(net.layers())}")
        self.close(BPTT)

    @exclusive
    def step(self, x: Any, target: Target) -> float:
        """Change the parameters by one training step on a batch.

        Parameters
        ----------
        x : array [T, B, ...]
            Input.
        target : array [B] or [T, B, ...]
            Labels, or whatever else the loss compares the output with.

        Returns
        -------
        float
            The loss before the step.
        """
        value, grads = self._gradients(x, target)
        self.change(grads)
        self.past.iteration += 1
        return value

    def _gradients(self, x: Any, target: Target) -> tuple[float, dict[str, Array]]:
        with span("check of the input"):
            self.check_layers()
            self.place.clear(self.by_name)
            x = self.net.check_input(x)
        draws = Draws(self.seed, "training", self.past.iteration) if self.net.draws else None
        if self.chunk is None or self.chunk >= len(x):
            value = self._whole(x, target, draws)
        else:
            value = self._truncated(x, target, draws, self.chunk)
        return self.result(value)

    def plan(self, steps: int, batch: int, rate: float | None = None) -> dict[tuple[str, ...], Plan]:
        """Memory that a training step takes for the backward pass, before anything is run.

        Without ``rate``, what is taken at most, however many spikes there are: for stacks of dense connections and
        populations an upper bound, for other layers an estimate; of convolutions that train with their populations, one
        for inputs of spikes. With other numbers, or where most are ones, those run one by one and take several times as
        much, unless ``max_bytes`` refuses that.

        Parameters
        ----------
        steps, batch : int
            Of the input.
        rate : float, optional
            Share of ones in input and spikes, to plan what they take, instead of the most that they may take.

        Returns
        -------
        dict
            Names of a stack's layers, or of another layer -> Plan; ``print`` one for a table of bytes. Convolutions
            that go through a batch in pieces have one plan together, whose ``chunk`` is the samples of a piece.

        Raises
        ------
        ValueError
            ``max_bytes`` is less than what is needed; or ``rate`` is not in [0, 1].

        Examples
        --------
        >>> import nbsnn
        >>> net = nbsnn.Sequential(nbsnn.Dense(784, 800), nbsnn.neurons.LIF(), seed=0)
        >>> plans = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy).plan(steps=100, batch=128)
        >>> plans["dense1", "lif1"].bytes < 200e6
        True
        """
        steps = count("steps", steps) if self.chunk is None else min(count("steps", steps), self.chunk)
        batch = count("batch", batch)
        if rate is not None:
            number("rate", rate, least=0.0, most=1.0)
        if self.fused is not None:
            return self.fused.plans(steps, batch, rate)
        layers = self.net.children if self.net.in_row else {self.net.kind: self.net}
        return {(name,): alone(layer, steps, batch) for name, layer in layers.items()}

    def _whole(self, x: Array, target: Target, draws: Draws | None) -> float:
        self.past.output, _ = self.net.forward(x, self.net.initial(x.shape[1]), self.tape, draws)
        with span("loss"):
            value, gy = self.place.loss(self.loss, self.past.output, target)
        extra, inject = self._regularize(self.tape) if self.regularizers else (0.0, None)
        self.net.backward(gy, self.tape, self.grads, inject=inject, wanted=False)
        return value + extra

    def _truncated(self, x: Array, target: Target, draws: Draws | None, chunk: int) -> float:
        """Forward once for the output and the states between chunks, then each chunk again, forward and back."""
        if self.regularizers:
            raise ValueError("regularisers need the whole run: they cannot be combined with chunk")
        arrays, state, starts, outputs = self.net.arrays, self.net.initial(x.shape[1]), list[Nested](), list[Array]()
        for t in range(0, len(x), chunk):
            starts.append(arrays.kept(state) if t else state)
            y, state = self.net.forward(x[t : t + chunk], state, self.tape, draws)
            outputs.append(arrays.copied(arrays.stored(y, {}, "y"), {}, "y"))
        self.past.output = arrays.concatenated(outputs)
        value, gy = self.place.loss(self.loss, self.past.output, target)
        for t, state in zip(range(0, len(x), chunk), starts, strict=True):
            self.net.forward(x[t : t + chunk], state, self.tape, draws)
            self.net.backward(gy[t : t + chunk], self.tape, self.grads, wanted=False)
        return value

    def _regularize(self, tape: Nested) -> tuple[float, Nested]:
        total, inject = 0.0, Nested()
        for name, regularizer in self.regularizers.items():
            population = self.net.layers()[name]
            spikes = population.recorded()[0]
            value, g = self.place.penalty(regularizer, self.net.record(tape, name).raw(spikes), name)
            total += value
            place = inject
            for part in name.split("/"):
                place = place.setdefault(part, {})
            place[spikes] = g
        return total, inject


STBP = BPTT
"""The same learner under the name of Wu et al. 2018."""
