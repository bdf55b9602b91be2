"""Small networks of every kind, for tests of what runs on a GPU against what the interpreted loops say."""

import numpy as np

from nbsnn import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Delay,
    Dense,
    Dropout,
    Flatten,
    Identity,
    MaxPool2d,
    Parallel,
    Recurrent,
    Residual,
    Scale,
    Sequential,
    SumPool2d,
    TemporalConv,
)
from nbsnn.neurons import ALIF, LI, LIF

IMAGE = (1, 4, 4)
LABELS = np.array([0, 2])

KINDS = {
    "dense": lambda: [Dense(4, 5), LIF(3.0, 0.5), Dense(5, 3), LI(3.0)],
    "events": lambda: [
        Dense(4, 6, path="events"),
        LIF(3.0, 0.5),
        Dense(6, 40, path="events", bias=False),
        LIF(3.0, 0.3),
        Dense(40, 3, path="events"),
    ],
    "learned": lambda: [
        Dense(4, 5),
        ALIF(3.0, 9.0, 0.3, 0.6, learn=("tau", "beta", "initial_v")),
        Dense(5, 3),
        LI(3.0, learn="tau"),
    ],
    "shared by channels": lambda: [
        Conv2d(1, 2, 3),
        LIF(np.array([2.0, 5.0]).reshape(2, 1, 1), 0.4, learn=("tau", "v_threshold")),
        Flatten(),
        Dense(8, 3),
    ],
    "recurrent": lambda: [Dense(4, 6), Recurrent(LIF(3.0, 0.6)), Dense(6, 3), LI(3.0)],
    "recurrent learned": lambda: [
        Dense(4, 6),
        Recurrent(ALIF(3.0, 9.0, 0.3, 0.6, learn=("tau", "initial_v", "v_threshold")), Dense(6, 6)),
        Dense(6, 3),
    ],
    "recurrent numbers": lambda: [Dense(4, 6), Recurrent(LI(3.0)), Dense(6, 3), LI(3.0)],
    "general loop": lambda: [
        Recurrent(Sequential(Dense(4 + 3, 6), LIF(3.0, 0.6), Dense(6, 3), LIF(2.0, 0.4)), join="concatenate"),
        Dense(3, 3),
    ],
    "residual": lambda: [
        Dense(4, 6),
        LIF(3.0, 0.5),
        Residual(Dense(6, 6), LIF(2.0, 0.5)),
        Residual(Dense(6, 3), LIF(2.0, 0.5), shortcut=Dense(6, 3)),
    ],
    "products": lambda: [
        Dense(4, 6),
        LIF(3.0, 0.5),
        Residual(Dense(6, 6), LIF(2.0, 0.4), join="and"),
        Residual(Dense(6, 6), LIF(2.0, 0.4), join="iand"),
        Dense(6, 3),
    ],
    "parallel": lambda: [
        Dense(4, 6),
        Parallel(LIF(3.0, 0.5), LIF(9.0, 0.4)),
        Dense(12, 3),
        Parallel(LI(), Identity(), join="sum"),
    ],
    "temporal": lambda: [TemporalConv(4, 6, 3), LIF(3.0, 0.5), TemporalConv(6, 3, 1, bias=False), LI(3.0)],
    "delay": lambda: [Delay(2), Dense(4, 6), LIF(3.0, 0.5), Delay(1), Dense(6, 3), LI(3.0)],
    "conv": lambda: [Conv2d(1, 2, 3, padding=1), LIF(2.0, 0.3), SumPool2d(2), Flatten(), Dense(8, 3), LI()],
    "conv strided": lambda: [
        Conv2d(1, 2, 2, stride=(2, 1), padding=(1, 0), bias=False),
        LIF(2.0, 0.3),
        Conv2d(2, 3, 2),
        MaxPool2d(2, 1, padding=1),
        AvgPool2d((2, 1)),
        Flatten(),
        Dense(9, 3),
    ],
    "conv dilated": lambda: [
        Conv2d(1, 2, (2, 3), padding="same", dilation=(1, 2)),
        LIF(2.0, 0.3),
        Flatten(1),
        Conv1d(2, 3, 2, stride=3, dilation=2),
        Scale(0.8),
        Flatten(),
        Dense(15, 3),
    ],
    "waiting": lambda: [Dense(4, 6), Recurrent(LIF(3.0, 0.6), Dense(6, 6), waits="feedback"), Dense(6, 3), LI(3.0)],
    "dropout": lambda: [Dropout(0.3), Dense(4, 6), LIF(3.0, 0.5), Dropout(0.5), Dense(6, 3), LI()],
}


def net(kind, device, **options):
    """A network of that kind; the same weights on every device."""
    shape = IMAGE if "conv" in kind or "channels" in kind else 4
    return Sequential(
        *KINDS[kind](), input_shape=shape, **{"seed": 1, "dtype": np.float64, "device": device, **options}
    )


def batch(kind, steps=3):
    """An input for it."""
    shape = IMAGE if "conv" in kind or "channels" in kind else (4,)
    return np.random.default_rng(0).random((steps, 2, *shape)) * 4.0
