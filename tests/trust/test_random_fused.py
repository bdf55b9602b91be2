"""Random layers that run as one, convolutions and normalisations with their populations, against the same by turns."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn import neurons
from nbsnn.layers.fused import convolution, normalized

from .worker import Mismatch, Worker

MODULE = __name__ if __name__.startswith("tests.") else f"tests.trust.{__name__.rpartition('.')[2]}"


@pytest.mark.trust(share=0.3)
def test_interpreted_random_layers_as_one_are_the_layers_one_by_one(trials):
    with Worker(MODULE, interpreted=True, compiled=False) as worker:
        for seed in trials("interpreted random layers as one", least=4):
            worker(seed)


class Drawing:
    """Random layers, their input, and how they are run."""

    def __init__(self, seed: int):
        self.rng = rng = np.random.default_rng([3, seed])
        self.seed, self.steps, self.batch = seed, int(rng.integers(1, 7)), int(rng.integers(1, 5))
        self.image = int(rng.integers(1, 3)), int(rng.integers(3, 9)), int(rng.choice([3, 5, 8, 18, 36]))
        self.normal = bool(seed % 2)
        self.every, self.lanes = int(rng.integers(1, 4)), int(rng.choice([1, 150, 4096]))
        self.constant, self.chunk = rng.random() < 0.3 and self.normal, int(rng.integers(1, 7))
        self.layers = self.normalized() if self.normal else self.convolved()
        self.net: Any = nbsnn.Sequential(
            *self.layers, nbsnn.Flatten(), input_shape=self.image, dtype=np.float64, seed=seed
        )
        for name, array in self.net.parameters().items():
            if name.startswith("batchnorm"):
                array[...] = rng.uniform(0.5, 1.5, array.shape)
        self.x = self.input()

    def neuron(self, shape: tuple[int, ...], spiking: bool) -> Any:
        rng = self.rng
        threshold: Any = rng.uniform(0.2, 0.5, shape) if rng.random() < 0.5 else 0.3
        learn = tuple(name for name in ("tau", "v_threshold", "initial_v") if rng.random() < 0.4)
        kind = rng.choice(["LIF", "soft", "LIF", "PLIF", "ALIF", "firing", "LI"])
        if kind == "PLIF":
            return neurons.PLIF(2.0, v_threshold=threshold, learn=("initial_v",) * ("initial_v" in learn))
        if kind == "ALIF":
            return neurons.ALIF(3.0, 9.0, 0.3, threshold, learn=learn)
        if kind == "LI" and not spiking:
            return neurons.LI(2.0)
        tau: Any = rng.uniform(1.5, 3.0, shape) if rng.random() < 0.3 else 2.0
        threshold = -threshold if kind == "firing" else threshold
        return neurons.LIF(tau, v_threshold=threshold, v_reset=None if kind == "soft" else 0.1, learn=learn)

    def normalized(self) -> list[Any]:
        rng, (c, h, w) = self.rng, self.image
        channels, high, wide = int(rng.integers(1, 3)), *(int(k) for k in rng.choice([1, 1, 2, 3], 2))
        self.image = c, h - h % high, w - w % wide
        options: Any = [{}, {"affine": False, "momentum": None}, {"bias": False, "gain": 0.7, "running": False}]
        layers = [nbsnn.Conv2d(c, channels, 1, bias=False, path="dense")] if rng.random() < 0.5 else []
        shape = channels if layers else c, *self.image[1:]
        layers += [nbsnn.BatchNorm(**options[int(rng.integers(3))]), self.neuron(shape, False)]
        return [*layers, nbsnn.MaxPool2d((high, wide))] if high * wide > 1 else layers

    def convolved(self) -> list[Any]:
        rng, (c, _, w), layers = self.rng, self.image, list[Any]()
        self.image = c, int(rng.integers(3, 7)), min(w, 6)
        shape = self.image
        for _ in range(int(rng.integers(1, 3))):
            channels = int(rng.choice([1, 3, 9, 17, 64]))
            size = tuple(int(k) for k in rng.integers(1, 4, 2))
            padding = tuple(int(rng.integers(0, k)) for k in size)
            bias = bool(rng.random() < 0.7)
            layers += [nbsnn.Conv2d(shape[0], channels, size, padding=padding, bias=bias, path="events")]
            shape = channels, *(n + 2 * p - k + 1 for n, p, k in zip(shape[1:], padding, size, strict=True))
            layers += [self.neuron(shape, True)]
            pool = int(rng.integers(1, 4))
            if pool > 1 and min(shape[1:]) >= pool:
                layers += [nbsnn.MaxPool2d(pool)]
                shape = channels, *(n // pool for n in shape[1:])
            if min(shape[1:]) < 3:
                break
        return layers

    def input(self) -> np.ndarray:
        rng, shape = self.rng, (self.steps, self.batch, *self.image)
        if not self.normal:
            return (rng.random(shape) < rng.choice([0.0, 0.1, 0.4])).astype(float)
        x = rng.normal(size=shape)
        return np.broadcast_to(x[:1], shape) if self.constant else x

    def gradients(self, compact: bool) -> dict[str, np.ndarray]:
        """Value, gradients and running statistics."""
        net: Any = self.net.twin() if self.normal else self.net
        before = {name: array.copy() for name, array in net.all_buffers().items()}
        pulled = self.seed % 3 == 0 and "lif1" in net.children
        pull: Any = {"lif1": lambda s: (float((s**2).sum()), 2.0 * s)} if pulled else {}
        chunk = None if pull else self.chunk
        learner = nbsnn.BPTT(net, nbsnn.losses.step_mse, compact=compact, regularizers=pull, chunk=chunk)
        target = np.random.default_rng(self.seed).normal(size=(self.steps, self.batch, *net.shape))
        value, grads = learner.gradients(self.x, target)
        found = {"value": np.array(value), **grads, **net.all_buffers()}
        found = {name: np.array(array) for name, array in found.items()}
        for name, array in net.all_buffers().items():
            array[...] = before[name]
        self.parts = len(getattr(learner.net, "parts", []))
        return found

    def __repr__(self) -> str:
        how = f"{self.steps} steps of {self.batch}, chunk={self.chunk}, {self.constant=}, {self.every=}, {self.lanes=}"
        return f"{self.net}\n{how}"


def trial(seed: int, counts: Counter[str], compiled: bool, device: str = "cpu") -> None:
    """Gradients of the layers number ``seed``, both ways."""
    nbsnn.set_threads(1)
    one, before = Drawing(seed), (convolution.EVERY, normalized.LANES)
    convolution.EVERY, normalized.LANES = one.every, one.lanes
    try:
        found, wanted = one.gradients(True), one.gradients(False)
    finally:
        convolution.EVERY, normalized.LANES = before
    counts["layers as one"] += one.parts < len(one.net.children)
    for name, array in wanted.items():
        if not np.allclose(found[name], array, rtol=1e-8, atol=1e-9 * (1.0 + np.abs(array).max(initial=0.0))):
            raise Mismatch(f"{name}: {np.abs(found[name] - array).max()} of {np.abs(array).max()}\n{one}")
