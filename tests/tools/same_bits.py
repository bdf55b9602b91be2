"""Train small networks and print a digest of what comes of each: ``python same_bits.py FAMILY [deterministic]``."""

import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np

import nbsnn
from nbsnn.device import threads
from nbsnn.neurons import LI, LIF
from nbsnn.spikes import break_even

threads.SERIAL = 0  # so that small loops are shared by threads too
break_even.SMALLEST = 0

T, BATCH = 5, 20


def dense():
    return nbsnn.Sequential(nbsnn.Dense(100, 70), LIF(), nbsnn.Dense(70, 10), LI(), seed=0)


def recurrent():
    inner = nbsnn.Recurrent(LIF(), nbsnn.Dense(70, 70))
    return nbsnn.Sequential(nbsnn.Dense(100, 70), inner, nbsnn.Dense(70, 10), LI(), seed=0)


def convolutional():
    conv, flat = nbsnn.Conv2d(3, 6, 3, padding=1), nbsnn.Flatten()
    return nbsnn.Sequential(conv, LIF(), flat, nbsnn.Dense(600, 10), LI(), input_shape=(3, 10, 10), seed=0)


def trained(net, learner, rate):
    """The parameters after two steps; with ``rate`` None on an input that is no spikes."""
    rng = np.random.default_rng(1)
    for _ in range(2):
        x = rng.random((T, BATCH, *net.in_shape), np.float32)
        learner.step(x if rate is None else (x < rate).astype(np.float32), rng.integers(0, 10, BATCH))
    return net.parameters()


def fitted(net, fixed):
    """The parameters after two epochs, of which the second is resumed from a file."""
    rng, options = np.random.default_rng(2), {"encoder": nbsnn.encode.poisson(T=T), "progress": False, "seed": 3}
    data = rng.random((32, *net.in_shape), np.float32), rng.integers(0, 10, 32)
    with tempfile.TemporaryDirectory() as folder:
        options |= {"checkpoint": Path(folder) / "half.npz", "resume": True, "deterministic": fixed, "batch_size": 16}
        for epochs in (1, 2):
            nbsnn.fit(net, data, learner=nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy), epochs=epochs, **options)
    return net.parameters()


def digest(arrays):
    together = hashlib.sha256()
    for name in sorted(arrays):
        together.update(np.ascontiguousarray(arrays[name]).tobytes())
    return together.hexdigest()[:16]


def main(family, fixed):
    make = {"dense": dense, "recurrent": recurrent, "convolutional": convolutional}[family]
    with nbsnn.deterministic(fixed):
        for rate in (0.1, 0.7, None):
            net = make()
            print("BPTT", rate, digest(trained(net, nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy), rate)))
        rules = {"dense": (nbsnn.OTTT, nbsnn.SLTT), "recurrent": (nbsnn.EProp,), "convolutional": (nbsnn.OTTT,)}
        for rule in rules[family]:
            net = make()
            print(rule.__name__, digest(trained(net, rule(net), 0.1)))
    print("fit", digest(fitted(make(), fixed)))


if __name__ == "__main__":
    main(sys.argv[1], "deterministic" in sys.argv[2:])
