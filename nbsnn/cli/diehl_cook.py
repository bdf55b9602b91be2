"""``nbsnn train diehl-cook``: MNIST without labels, after Diehl and Cook 2015."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from .. import data, encode, unsupervised
from ..compile import log as compiler
from ..pages.page import page
from ..plasticity import Plastic
from ..progress.bar import Progress
from ..progress.compiling import compiling
from ..progress.history import History
from ..random import Draws
from ..validate import count
from .manners import add_results, find_folder, manual, progress, tell
from .results import KEPT, add_page, check_page

NAME = "diehl-cook"

FILES = """
checkpoint.npz     weights and thresholds, from which --resume continues
history.csv        a row for each interval; also history.json
fields.png         the weights of each neuron
"""


def add_to(tasks: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the task with its options."""
    p = tasks.add_parser(
        NAME,
        help="MNIST without labels: spike-timing-dependent plasticity and competition",
        **manual(
            "Show MNIST to neurons that compete and learn by spike-timing-dependent plasticity, without labels; then "
            "name each by the digits to which it responds most. After P. U. Diehl and M. Cook 2015, "
            "doi:10.3389/fncom.2015.00099.",
            f"nbsnn train {NAME} --data DIR --neurons 400",
            f"nbsnn train {NAME} --data DIR --neurons 100 --images 5000 --json",
            files=FILES,
        ),
    )
    p.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with the four idx files")
    p.add_argument("--neurons", type=int, default=400, help="neurons; published are results of 100, 400, 1600, 6400")
    p.add_argument("--epochs", type=int, default=1, help="how often every training image is shown")
    p.add_argument("--images", type=int, default=None, help="use only this many training images")
    p.add_argument("--labelled", type=int, default=10000, help="training images whose labels name the neurons")
    p.add_argument("--held-out", type=int, default=0, help="test on this many of the last training images instead")
    p.add_argument("--steps", type=int, default=250, help="ms per image, in steps of 1 ms")
    p.add_argument("--rate", type=float, default=128.0, help="spikes per second of a white pixel")
    p.add_argument(
        "--theta-plus", type=float, metavar="MV",
        help="by how much a spike raises its neuron's threshold; 0.05 neurons / 400 if not given",
    )  # fmt: skip
    p.add_argument("--inhibition", type=float, default=120.0, help="mV that a spike takes from all other neurons")
    p.add_argument("--norm", type=float, default=78.4, help="sum of the weights onto a neuron")
    p.add_argument("--lr-pre", type=float, default=1e-4, help="depression at a presynaptic spike")
    p.add_argument("--lr-post", type=float, default=1e-2, help="potentiation at a postsynaptic spike")
    p.add_argument("--seed", type=int, default=0, help="seed of weights, order and spikes")
    p.add_argument("--every", type=int, default=2000, help="images per line of progress and per checkpoint")
    p.add_argument("--device", default="cpu", choices=["cpu", "cuda", "auto"], help="where the network runs")
    add_page(add_results(p, NAME, "resume a course that was interrupted from its checkpoint"))
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Learn, and leave ``checkpoint.npz``, ``history.csv``, ``history.json`` and ``fields.png`` in ``--out``."""
    for name in ("neurons", "epochs", "labelled", "steps", "every"):
        count(f"--{name}", getattr(arguments, name))
    if arguments.images is not None:
        count("--images", arguments.images)
    check_page(arguments)
    show = progress(arguments)
    find_folder(arguments, KEPT, show)
    dataset = data.mnist(arguments.data, flat=True)
    x, labels, test, answers = dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test
    if arguments.held_out:
        held = count("--held-out", arguments.held_out)
        if held >= len(x):
            raise ValueError(f"--held-out must be below the number of training images, {len(x)}, not {held}")
        x, labels, test, answers = x[:-held], labels[:-held], x[-held:], labels[-held:]
    x, labels = x[: arguments.images], labels[: arguments.images]
    net = unsupervised.diehl_cook(
        x.shape[1], arguments.neurons, theta_plus=arguments.theta_plus, nu=(arguments.lr_pre, arguments.lr_post),
        norm=arguments.norm, inhibition=arguments.inhibition, seed=arguments.seed,
        device=arguments.device,
    )  # fmt: skip
    encoder = encode.poisson(T=arguments.steps, gain=1e-3 * arguments.rate)
    show.line(f"{NAME}: {len(x)} training and {len(test)} test images, {arguments.steps} ms each")
    show.line(f"network {x.shape[1]}-{arguments.neurons}, {net.neurons!r}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    start, history = time.perf_counter(), History()
    with compiling(show):
        state = unsupervised.learn(
            net, x, encoder, epochs=arguments.epochs, seed=arguments.seed, labels=labels, every=arguments.every,
            checkpoint=arguments.out / "checkpoint.npz", resume=arguments.resume, progress=show, history=history,
        )  # fmt: skip
    learned = time.perf_counter()
    shown = arguments.epochs * len(x)
    last = unsupervised.shown_order(Draws(arguments.seed), len(x), max(0, shown - arguments.labelled), shown)
    how: dict[str, Any] = {"seed": arguments.seed, "progress": show}
    found = unsupervised.name_units(net, x[last], labels[last], encoder, state, **how)
    counts = unsupervised.respond(net, test, encoder, state, stream="test", **how)
    written = finish(net, history, arguments.out, show)
    if arguments.page is not None:
        page(history, arguments.page, net=net, title=NAME)
        show.line(f"wrote {arguments.page}")
    seconds = time.perf_counter() - start
    show.line(f"learned in {learned - start:.1f} s, {seconds:.1f} s in all; {compiler.summary()}")
    right = unsupervised.accuracies(found, counts, answers)
    tell(arguments, {
        "command": "train", "task": NAME, "seed": arguments.seed, "epochs": arguments.epochs,
        "neurons": arguments.neurons,
        "held_out": bool(arguments.held_out), "test_accuracy": float(right["all"]),
        "test_accuracy_proportional": float(right["proportional"]), "seconds": seconds, "out": arguments.out,
        "files": written,
    })  # fmt: skip
    what = "held-out accuracy" if arguments.held_out else "test accuracy"
    show.line(
        f"{what}: {100.0 * right['all']:.2f} % (all activity), {100.0 * right['proportional']:.2f} % (proportional)"
    )
    return 0


def finish(net: Plastic, history: History, out: Path, show: Progress) -> list[str]:
    """Write history and figure, and say where everything is; returns the names of the files."""
    history.save(out / "history.csv")
    history.save(out / "history.json")
    written = ["checkpoint.npz", "history.csv", "history.json"]
    try:
        from .. import plot

        side = round(len(net.weights) ** 0.5)
        plot.save(plot.receptive_fields(net.weights, (side, side)), out / "fields.png")
        written.append("fields.png")
    except ImportError as error:
        show.line(f"no figure: {error}")
    show.line(f"wrote {', '.join(written)} to {out}")
    return written
