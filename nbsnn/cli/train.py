"""``nbsnn train``: a spiking network learns real data, with progress, checkpoint, history and figure."""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from .. import encode, losses, optim
from ..compile import log as compiler
from ..data import shift
from ..device.gpu import get
from ..device.profile import profile
from ..device.threads import set_threads, threads
from ..layers import Dense, Dropout, Sequential
from ..learning import BPTT
from ..learning.fit import fit
from ..neurons import LI, LIF
from ..pages.snapshots import Snapshots
from ..validate import count
from . import diehl_cook, timed
from .manners import add_ranks, add_results, digest, find_folder, manual, progress, ranks_of
from .results import FILES, KEPT, add_page, check_page, ended, finish
from .tasks import TASKS, Task

ENCODERS = {"constant": encode.constant, "poisson": encode.poisson, "latency": encode.latency}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``train`` and its tasks to the command line."""
    command = commands.add_parser(
        "train",
        help="train a spiking network on a data set",
        **manual(
            "Train a spiking network on a data set. It shows a line for each epoch and ends with the test accuracy; "
            "after every epoch a checkpoint is written. Ctrl-C ends it and prints the command that resumes.",
            "nbsnn train digits",
            "nbsnn train mnist --data DIR --epochs 5",
            "nbsnn train digits --help",
        ),
    )
    tasks = command.add_subparsers(dest="task", required=True, metavar="TASK", title="tasks")
    for name, task in TASKS.items():
        add_task(tasks, name, task)
    timed.add_to(tasks)
    diehl_cook.add_to(tasks)


def add_task(tasks: argparse._SubParsersAction[argparse.ArgumentParser], name: str, task: Task) -> None:
    """Add one task with its options."""
    data = " --data DIR" if task.needs_data else ""
    p = tasks.add_parser(
        name,
        help=task.summary,
        **manual(
            f"Train a network of spiking neurons, input-hidden-10, on {task.summary}.",
            f"nbsnn train {name}{data}",
            f"nbsnn train {name}{data} --epochs 3 --encoder poisson --steps 20",
            f"nbsnn train {name}{data} --seed 1 --out runs/other --json",
            files=FILES,
        ),
    )
    if task.needs_data:
        p.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the four idx files")
    g = p.add_argument_group("network")
    g.add_argument("--hidden", type=int, default=task.hidden, help="hidden spiking neurons")
    g.add_argument("--steps", type=int, default=task.steps, help="time steps per sample")
    g.add_argument("--encoder", choices=list(ENCODERS), default="constant", help="how pixels become input over time")
    g.add_argument("--tau", type=float, default=2.0, help="membrane time constant in steps")
    g = p.add_argument_group("training")
    g.add_argument("--epochs", type=int, default=task.epochs, help="how often every sample is seen")
    g.add_argument("--batch-size", type=int, default=task.batch_size, help="samples at a time")
    g.add_argument("--lr", type=float, default=task.lr, help="peak learning rate of Adam, with a cosine schedule")
    g.add_argument("--dropout", type=float, default=task.dropout, help="share of hidden units silenced in training")
    g.add_argument("--dropout-input", type=float, default=task.dropout_input, help="share of pixels silenced")
    g.add_argument(
        "--shift", type=int, default=task.shift, help="shift training images at random by up to this many pixels"
    )
    g.add_argument("--seed", type=int, default=0, help="seed of weights, order and encoding")
    g.add_argument("--samples", type=int, default=None, help="use only this many training and test samples")
    g = p.add_argument_group("machine")
    g.add_argument("--threads", type=int, default=None, help="threads of the kernels, all processors by default")
    g.add_argument("--device", default="cpu", choices=["cpu", "cuda", "auto"], help="where kernels run")
    g.add_argument(
        "--max-bytes", type=int, default=None, help="bytes kept for the backward pass; the rest is recomputed"
    )
    g.add_argument("--profile", action="store_true", help="say at the end where the time of training went")
    add_ranks(g, "the parameters")
    g.add_argument("--micro", type=int, default=None, help="pieces of a batch, which processes share: 8 with --mpi")
    add_page(add_results(p, name, "resume a training that was interrupted from its checkpoint"))
    p.set_defaults(run=partial(run, task))


def network(inputs: int, arguments: argparse.Namespace) -> Sequential:
    """The network of the command line: a hidden layer that spikes, and a readout that integrates."""
    layers: dict[str, Any] = {}
    if arguments.dropout_input:
        layers["dropout_input"] = Dropout(arguments.dropout_input)
    layers |= {"w1": Dense(inputs, arguments.hidden), "hidden": LIF(tau=arguments.tau)}
    if arguments.dropout:
        layers["dropout"] = Dropout(arguments.dropout)
    layers |= {"w2": Dense(arguments.hidden, 10), "readout": LI(tau=arguments.tau)}
    return Sequential(input_shape=inputs, seed=arguments.seed, device=arguments.device, **layers)


def run(task: Task, arguments: argparse.Namespace) -> int:
    """Train, and leave ``checkpoint.npz``, ``history.csv``, ``history.json`` and ``training.png`` in ``--out``."""
    for name in ("epochs", "batch_size", "hidden", "steps"):
        count(f"--{name.replace('_', '-')}", getattr(arguments, name))
    if arguments.samples is not None:
        count("--samples", arguments.samples)
    if arguments.threads is not None:
        set_threads(arguments.threads)
    check_page(arguments)
    ranks = ranks_of(arguments)
    show = progress(arguments, first := ranks.rank == 0)
    ranks.first(lambda: find_folder(arguments, KEPT, show))
    arguments.out = ranks.every(arguments.out)[0]
    dataset = task.load(getattr(arguments, "data", None), True)
    few = slice(arguments.samples)
    train, test = (dataset.x_train[few], dataset.y_train[few]), (dataset.x_test[few], dataset.y_test[few])
    net = network(train[0].shape[1], arguments)
    iterations = arguments.epochs * -(-len(train[0]) // arguments.batch_size)
    rate = optim.Cosine(arguments.lr, iterations)
    schedule = optim.Warmup(rate, min(50, max(1, iterations // 10)))
    learner = BPTT(
        net, losses.rate_cross_entropy, optim.Adam(schedule), seed=arguments.seed, max_bytes=arguments.max_bytes
    )
    encoder = ENCODERS[arguments.encoder](T=arguments.steps)
    sizes = f"{train[0].shape[1]}-{arguments.hidden}-10"
    show.line(
        f"{arguments.task}: {len(train[0])} training and {len(test[0])} test samples, {arguments.steps} steps each"
    )
    show.line(f"network {sizes}, {net['hidden']!r}, {threads()} threads")
    plans = learner.plan(arguments.steps, min(arguments.batch_size, len(train[0])))
    if plans:
        need = sum(plan.bytes for plan in plans.values()) / 2**20
        stacks = ", ".join("-".join(names) for names in plans)
        show.line(f"memory for the backward pass: at most {need:.1f} MiB in {stacks}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    snapshots = None if arguments.page is None else Snapshots(net)
    start = time.perf_counter()
    augment: Any = (
        partial(shift, pixels=arguments.shift, side=round(train[0].shape[1] ** 0.5)) if arguments.shift else None
    )
    with profile() if arguments.profile else nullcontext() as where:
        history = fit(
            net, train, test, encoder=encoder, learner=learner, epochs=arguments.epochs, augment=augment,
            batch_size=arguments.batch_size, seed=arguments.seed, checkpoint=arguments.out / "checkpoint.npz",
            resume=arguments.resume, progress=show if first else False, callback=snapshots,
            comm=ranks if arguments.mpi else None, micro=arguments.micro,
        )  # fmt: skip
    if not first:
        return 0
    if arguments.digest:
        print(f"digest: {digest(map(get, net.parameters().values()))}", flush=True)
    if where is not None:
        show.line(str(where))
    written = finish(net, test, encoder, history, arguments.out, show, learner, snapshots, arguments.page)
    seconds = time.perf_counter() - start
    show.line(f"trained in {seconds:.1f} s; {compiler.summary()}")
    ended(arguments, history, seconds, written, show)
    return 0
