"""Networks for tests of NIR files: of every primitive, and those whose files other libraries have read."""

import numpy as np

import nbsnn
from nbsnn import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    Delay,
    Dense,
    Flatten,
    Identity,
    Parallel,
    Recurrent,
    Residual,
    Scale,
    Sequential,
    SumPool2d,
)
from nbsnn.neurons import (
    IF,
    LI,
    LIF,
    PLIF,
    CubaLI,
    CubaLIF,
    Discontinuous,
    Integrator,
    LateReset,
    MultiSpike,
    NoReset,
)

WEIGHT = nbsnn.init.uniform(-0.3, 0.9)


def dense(n_pre, n_post, **options):
    return Dense(n_pre, n_post, weight=WEIGHT, **options)


NETS = {
    "lif": lambda: [dense(3, 6), LIF(3.0, 0.5), dense(6, 4, bias=False), LIF(4.0, 0.4, decay_input=True), LI(5.0)],
    "euler": lambda: [dense(3, 6), LIF(3.0, 0.5, 0.1, decay="euler", compare=">"), dense(6, 2), LI(4.0, decay="euler")],
    "cuba": lambda: [dense(3, 6), CubaLIF(3.0, 2.0, 0.5), dense(6, 4), CubaLI(4.0, 2.0, decay_input=True)],
    "sums": lambda: [dense(3, 6), IF(0.5), Scale(0.7), IF(0.4, 0.1), Delay(2), dense(6, 2), Discontinuous(0.4),
                     Integrator()],
    "trained": lambda: [dense(3, 4), PLIF(3.0, 0.5),
                        LIF(np.array([2.0, 3.0, 4.0, 5.0]), 0.4, v_rest=0.0, learn=("tau", "v_threshold"))],
    "conv": lambda: [Conv2d(1, 4, 3, padding=1, weight=WEIGHT), LIF(2.0, 0.4), SumPool2d(2),
                     Conv2d(4, 4, (2, 1), groups=2, padding="same", bias=False), IF(0.5), AvgPool2d(2, 1, 1),
                     Flatten(1), Conv1d(4, 2, 3, stride=2, dilation=2), Flatten(), LI(3.0)],
    "branches": lambda: [dense(3, 4), Parallel(Sequential(dense(4, 5), LIF(2.0, 0.3)), dense(4, 5), join="sum"),
                         LIF(3.0, 0.5), Residual(dense(5, 5), LIF(2.0, 0.4)), dense(5, 2)],
    "loops": lambda: [dense(3, 4), Recurrent(LIF(2.0, 0.5)), dense(4, 4), Recurrent(LIF(2.0, 0.5), Dense(4, 4)),
                      Recurrent(Sequential(dense(4, 3), LIF(2.0, 0.3)), Sequential(dense(3, 2), IF(0.4), dense(2, 4)),
                                waits="feedback"),
                      Recurrent(LIF(3.0, 0.6), Dense(3, 3), waits="feedback")],
    "self": lambda: [dense(3, 4), Recurrent(LIF(2.0, 0.5), Identity()),
                     Parallel(LIF(2.0, 0.5), LI(), join="sum"),
                     Parallel(dense(4, 2), dense(4, 2, bias=False), join="sum")],
}  # fmt: skip
"""What NIR says in full."""

NOTED = {
    "soft": lambda: [dense(3, 6), LIF(3.0, 0.5, None), dense(6, 6), IF(0.5, None)],
    "none": lambda: [dense(3, 6), NoReset(3.0, 0.3), dense(6, 6), CubaLIF(reset="none")],
    "late": lambda: [dense(3, 6), LateReset(3.0, 0.4), dense(6, 4), LateReset(3.0, 0.4, tau_syn=2.0, decay="euler")],
    "counts": lambda: [dense(3, 6), MultiSpike(3.0, 0.1), dense(6, 2), MultiSpike(None, 0.2)],
    "starts": lambda: [dense(3, 6), LIF(3.0, 0.5, v_rest=0.2), dense(6, 6), LI(4.0, v_start=0.3),
                       LIF(3.0, learn="initial_v", v_start=0.1)],
}  # fmt: skip
"""What only the metadata say in full."""

READ = {
    "lif": ("nir", lambda: [dense(5, 8), LIF(3.0, 1.0), dense(8, 4, bias=False), LIF(4.0, 0.6, decay_input=True)]),
    "exp_euler": ("nir", lambda: [dense(5, 8), PLIF(3.0, 1.0), dense(8, 4), LIF(4.0, 1.0, decay="euler", compare=">")]),
    "cuba": ("nir", lambda: [dense(5, 8), CubaLIF(3.0, 2.0, 1.5), dense(8, 4), CubaLIF(4.0, 3.0, 0.5)]),
    "if": ("nir", lambda: [dense(5, 8), IF(2.0), dense(8, 4), IF(1.5)]),
    "conv": ("nir", lambda: [Conv2d(1, 3, 3, padding=1, weight=WEIGHT), LIF(2.0, 1.0), AvgPool2d(2),
                             Conv2d(3, 2, (2, 1), padding="same", bias=False, weight=WEIGHT), LIF(3.0, 0.8), Flatten(),
                             dense(18, 4), LIF(2.0, 2.0)]),
    "sumpool": ("nir", lambda: [Conv2d(1, 3, 3, stride=2, weight=WEIGHT), LIF(2.0, 1.0), SumPool2d(2), Flatten(),
                                dense(3, 4), LIF(2.0, 1.0)]),
    "conv1d": ("nir", lambda: [Conv1d(2, 3, 3, stride=2, padding=1, weight=WEIGHT), LIF(2.0, 1.0), Flatten(),
                               dense(12, 4), LIF(2.0, 1.0)]),
    "branches": ("nir", lambda: [dense(5, 6), LIF(2.0, 1.0),
                                 Parallel(dense(6, 4), Sequential(dense(6, 5), LIF(3.0, 1.0), dense(5, 4)), join="sum"),
                                 LIF(3.0, 1.5)]),
    "loop": ("nir", lambda: [dense(5, 6), Recurrent(LIF(2.0, 1.0)), dense(6, 4), LIF(3.0, 1.0)]),
    "loop_bias": ("nir", lambda: [dense(5, 6), Recurrent(LIF(2.0, 1.0), Dense(6, 6))]),
    "loop_of_two": ("nir", lambda: [dense(5, 6), Recurrent(
        Sequential(LIF(2.0, 1.0), dense(6, 6, bias=False), LIF(3.0, 1.5)), Dense(6, 6, bias=False))]),
    "norse_lif": ("norse", lambda: [dense(5, 8), LIF(3.0, 1.0), dense(8, 4), LIF(4.0, 0.3, decay_input=True)]),
    "norse_leak": ("norse", lambda: [dense(5, 8), LIF(3.0, 1.0, v_rest=0.2)]),
    "norse_cuba": ("norse", lambda: [dense(5, 8), CubaLIF(3.0, 2.0, 1.5), dense(8, 4),
                                     CubaLIF(4.0, 3.0, 0.5, decay_input=True)]),
    "norse_if": ("norse", lambda: [dense(5, 8), IF(2.0), dense(8, 4), IF(1.5)]),
    "norse_conv": ("norse", lambda: [Conv2d(1, 3, 3, padding=1, weight=WEIGHT), LIF(2.0, 1.0), Flatten(), dense(108, 4),
                                     LIF(2.0, 4.0)]),
    "sinabs_lif": ("sinabs", lambda: [dense(5, 8), LIF(3.0, 1.5, None), dense(8, 4, bias=False),
                                      LIF(4.0, 0.6, None, decay_input=True)]),
    "sinabs_multi": ("sinabs", lambda: [dense(5, 8), MultiSpike(3.0, 0.5), dense(8, 4), MultiSpike(None, 1.0)]),
    "sinabs_if": ("sinabs", lambda: [dense(5, 8, bias=False), IF(4.0, None), dense(8, 4), IF(4.0, None)]),
    "sinabs_li": ("sinabs", lambda: [dense(5, 8), LIF(3.0, 2.0, None), dense(8, 4), LI(4.0)]),
    "sinabs_conv": ("sinabs", lambda: [Conv2d(1, 3, 3, padding=1, weight=nbsnn.init.uniform(0.0, 0.9)), IF(5.0, None),
                                       SumPool2d(2), Flatten(), dense(27, 4), LIF(2.0, 15.0, None)]),
}  # fmt: skip
"""Dialect and layers of the networks in nir/ours.npz, whose files were read and run by other libraries."""

SHAPES = {"conv": (1, 6, 6), "sumpool": (1, 6, 6), "conv1d": (2, 8), "norse_conv": (1, 6, 6), "sinabs_conv": (1, 6, 6)}


def net(layers, name="", **options):
    """A network of these layers."""
    shape = {"input_shape": SHAPES[name]} if name in SHAPES else {}
    return Sequential(*layers(), **{"seed": 3, "device": "python", **shape, **options})
