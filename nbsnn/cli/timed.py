"""``nbsnn train nmnist``, ``braille``, ``speech``: samples that lie in time already, events, pressure or sound."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import data, encode, events, init, losses, optim
from ..compile import log as compiler
from ..device.threads import set_threads, threads
from ..encode import Encoder
from ..layers import Dense, Dropout, Recurrent, Sequential
from ..learning import BPTT
from ..learning.fit import fit
from ..neurons import LI, LIF
from ..pages.snapshots import Snapshots
from ..random import Draws
from ..validate import count
from .manners import add_results, find_folder, manual, progress
from .results import FILES, KEPT, add_page, check_page, ended, finish


@dataclass(frozen=True)
class Timed:
    """A data set and the defaults of its options.

    ``load`` takes the folder, ``encoder`` the step's length in ms. ``code`` is the number of neurons, if any, that
    make spikes of currents before the hidden ones; weights that take currents are drawn within ``weight``.
    """

    load: Callable[[Path], Any]
    encoder: Callable[[float], Encoder]
    summary: str
    files: str
    epochs: int
    batch_size: int
    hidden: int
    code: int = 0
    weight: float = 0.0
    recurrent: bool = True
    tau: float = 8.0
    lr: float = 5e-3
    dropout: float = 0.0
    step: float | None = None
    """Length of a step in ms, where it can be chosen."""


class _Arrays:
    """An encoder of events that makes arrays."""

    def __init__(self, encoder: events.binned):
        self.encoder = encoder

    def __call__(self, x: events.Recordings, draws: Draws | None = None) -> np.ndarray:
        spikes = self.encoder(x, draws)
        return np.asarray(spikes).reshape(*spikes.shape[:2], -1)

    def __repr__(self) -> str:
        return f"arrays of {self.encoder!r}"


def _steps(duration: float, dt: float) -> int:
    return max(1, round(duration / dt))


TIMED = {
    "nmnist": Timed(
        load=events.nmnist,
        encoder=lambda dt: events.binned(T=_steps(320.0, dt), dt=dt),
        summary="N-MNIST: handwritten digits as events of a moving camera",
        files="folder with the parts Train and Test, folders or zip archives",
        epochs=10, batch_size=50, hidden=200, recurrent=False, tau=10.0, lr=2e-3, dropout=0.3, step=3.0,
    ),
    "braille": Timed(
        load=lambda folder: data.braille(folder).standardized(),
        encoder=lambda dt: encode.series(T=76),
        summary="Braille letters: pressure on four sensors that slide over them",
        files="folder with braille_letters.npz",
        epochs=10, batch_size=64, hidden=200, code=64, weight=2.0,
    ),
    "speech": Timed(
        load=lambda folder: events.spoken_digits(folder, T=40, dt=20.0),
        encoder=lambda dt: encode.series(T=40),
        summary="spoken digits: levels of sound in 32 bands of frequencies, 40 steps of 20 ms",
        files="folder with recordings.zip of the Free Spoken Digit Dataset",
        epochs=15, batch_size=64, hidden=200, weight=0.4, lr=3e-3, dropout=0.2,
    ),
}  # fmt: skip


def add_to(tasks: Any) -> None:
    """Add the tasks with their options."""
    for name, task in TIMED.items():
        p = tasks.add_parser(
            name,
            help=task.summary,
            **manual(
                f"Train a network of spiking neurons on {task.summary}.",
                f"nbsnn train {name} --data DIR",
                f"nbsnn train {name} --data DIR --epochs 5 --hidden 100 --seed 1",
                f"nbsnn train {name} --data DIR --out runs/{name}-json --json",
                files=FILES,
            ),
        )
        p.add_argument("--data", type=Path, required=True, metavar="DIR", help=task.files)
        g = p.add_argument_group("network")
        g.add_argument("--hidden", type=int, default=task.hidden, help="hidden spiking neurons")
        g.add_argument("--tau", type=float, default=task.tau, help="membrane time constant of hidden neurons in steps")
        if task.step is not None:
            g.add_argument("--step", type=float, default=task.step, help="length of a time step in ms")
            g.add_argument("--dense", action="store_true", help="make an array of each batch, to compare with")
        g = p.add_argument_group("training")
        g.add_argument("--epochs", type=int, default=task.epochs, help="how often every sample is seen")
        g.add_argument("--batch-size", type=int, default=task.batch_size, help="samples at a time")
        g.add_argument("--lr", type=float, default=task.lr, help="peak learning rate of Adam, with a cosine schedule")
        g.add_argument("--dropout", type=float, default=task.dropout, help="share of hidden units silenced in training")
        g.add_argument("--seed", type=int, default=0, help="seed of weights and order")
        g.add_argument("--samples", type=int, default=None, help="use only this many training and test samples")
        g = p.add_argument_group("machine")
        g.add_argument("--threads", type=int, default=None, help="threads of the kernels, all processors by default")
        g.add_argument("--device", default="cpu", choices=["cpu", "cuda", "auto"], help="where kernels run")
        add_page(add_results(p, name, "resume a training that was interrupted from its checkpoint"))
        p.set_defaults(run=partial(run, task))


def network(task: Timed, inputs: int, classes: int, arguments: argparse.Namespace) -> Sequential:
    """Neurons that make spikes of currents, where there are such; hidden neurons; a readout that integrates."""
    layers: dict[str, Any] = {}
    weight = init.uniform(-task.weight, task.weight) if task.weight else None
    if task.code:
        layers |= {"w_code": Dense(inputs, task.code, weight=weight), "code": LIF(tau=5.0)}
        inputs, weight = task.code, None
    hidden: Any = LIF(tau=arguments.tau)
    layers |= {
        "w1": Dense(inputs, arguments.hidden, weight=weight),
        "hidden": Recurrent(hidden) if task.recurrent else hidden,
    }
    if arguments.dropout:
        layers["dropout"] = Dropout(arguments.dropout)
    layers |= {"w2": Dense(arguments.hidden, classes), "readout": LI(tau=20.0)}
    return Sequential(seed=arguments.seed, device=arguments.device, **layers)


def run(task: Timed, arguments: argparse.Namespace) -> int:
    """Train, and leave ``checkpoint.npz``, ``history.csv``, ``history.json`` and ``training.png`` in ``--out``."""
    for name in ("epochs", "batch_size", "hidden"):
        count(f"--{name.replace('_', '-')}", getattr(arguments, name))
    if arguments.samples is not None:
        count("--samples", arguments.samples)
    if arguments.threads is not None:
        set_threads(arguments.threads)
    check_page(arguments)
    show = progress(arguments)
    find_folder(arguments, KEPT, show)
    dataset, few = task.load(arguments.data), slice(arguments.samples)
    train, test = (dataset.x_train[few], dataset.y_train[few]), (dataset.x_test[few], dataset.y_test[few])
    encoder: Any = task.encoder(getattr(arguments, "step", 1.0))
    if getattr(arguments, "dense", False):
        encoder = _Arrays(encoder)
    given: Any = encoder(test[0][:1])
    classes = int(max(dataset.y_train.max(), dataset.y_test.max())) + 1
    net = network(task, math.prod(given.shape[2:]), classes, arguments)
    iterations = arguments.epochs * -(-len(train[1]) // arguments.batch_size)
    learner = BPTT(
        net, losses.RateCrossEntropy(scale=4.0), optim.Adam(optim.Cosine(arguments.lr, iterations)), seed=arguments.seed
    )
    show.line(f"{arguments.task}: {len(train[1])} training and {len(test[1])} test samples, {encoder!r}")
    if cut := getattr(dataset, "cut", 0):
        show.line(f"{cut} recordings are longer than the steps and lose their end")
    show.line(f"network {net.in_shape[0]}-{arguments.hidden}-{classes}, {threads()} threads")
    arguments.out.mkdir(parents=True, exist_ok=True)
    snapshots = None if arguments.page is None else Snapshots(net)
    start = time.perf_counter()
    history = fit(
        net, train, test, encoder=encoder, learner=learner, epochs=arguments.epochs, batch_size=arguments.batch_size,
        seed=arguments.seed, checkpoint=arguments.out / "checkpoint.npz", resume=arguments.resume, progress=show,
        callback=snapshots,
    )  # fmt: skip
    written = finish(net, test, encoder, history, arguments.out, show, learner, snapshots, arguments.page)
    seconds = time.perf_counter() - start
    show.line(f"trained in {seconds:.1f} s; {compiler.summary()}")
    ended(arguments, history, seconds, written, show)
    return 0
