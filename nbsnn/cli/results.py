"""What a training leaves in its folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..layers import Sequential
from ..learning.learner import Learner
from ..pages.page import check_path, page
from ..pages.snapshots import Snapshots
from ..pages.style import bokeh
from ..progress.bar import Progress
from ..progress.history import History
from ..random import Draws
from .manners import tell

BATCH = 64
"""Samples of the test set of which a page shows one, and rates of all."""


KEPT = "checkpoint.npz", "history.csv"
"""Files that tell a folder with a training in it."""

FILES = """
checkpoint.npz     the network: nbsnn.load("DIR/checkpoint.npz")
history.csv        a row for each epoch; also history.json
training.png       the course of the training and one sample's spikes
"""


def add_page(p: argparse._ActionsContainer) -> None:
    """Add the option of a page."""
    p.add_argument(
        "--page", type=Path, metavar="FILE", help="write an HTML page to zoom and to click, run.html say (needs Bokeh)"
    )


def check_page(arguments: argparse.Namespace) -> None:
    """Raise now if a page cannot be written at the end."""
    if arguments.page is not None:
        check_path("--page", arguments.page)
        if arguments.page.exists() and not (arguments.force or arguments.resume):
            raise FileExistsError(f"--page: {arguments.page} exists; --force replaces it")
        bokeh()
        if not arguments.page.absolute().parent.is_dir():
            raise FileNotFoundError(f"--page: there is no folder {arguments.page.parent}")


def finish(
    net: Sequential, test: Any, encoder: Any, history: History, out: Path, show: Progress, learner: Learner,
    snapshots: Snapshots | None, path: Path | None,
) -> list[str]:  # fmt: skip
    """Write history, figure and page, and say where everything is; returns the names of the files."""
    history.save(out / "history.csv")
    history.save(out / "history.json")
    written = ["checkpoint.npz", "history.csv", "history.json"]
    try:
        from ..plot import training

        training(history, net.run(encoder(test[0][:1], Draws(0, "figure"))), out / "training.png")
        written.append("training.png")
    except ImportError as error:
        show.line(f"no figure: {error}")
    show.line(f"wrote {', '.join(written)} to {out}")
    show.line(f'read it: net = nbsnn.load("{out / "checkpoint.npz"}"); net.run(x).output')
    if path is not None:
        few = slice(BATCH)
        x = encoder(test[0][few], Draws(0, "page"))
        page(history, path, net=net, x=x, target=test[1][few], loss=learner.loss, snapshots=snapshots)
        show.line(f"wrote {path}")
    return written


def ended(a: argparse.Namespace, history: History, seconds: float, written: list[str], show: Progress) -> None:
    """Say how it ended: for people the test accuracy in the last line, for scripts an object."""
    last = history.rows[-1]
    tell(a, {
        "command": "train", "task": a.task, "seed": a.seed, "epochs": last["epoch"], "loss": last["loss"],
        "train_accuracy": last["train_accuracy"], "test_accuracy": last["test_accuracy"], "seconds": seconds,
        "out": a.out, "files": written,
    })  # fmt: skip
    show.line(f"test accuracy: {100.0 * last['test_accuracy']:.1f} %")
