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

BATCH = 64
"""Samples of the test set of which a page shows one, and rates of all."""


def add_page(p: argparse.ArgumentParser) -> None:
    """Add the option of a page."""
    p.add_argument(
        "--page", type=Path, metavar="FILE", help="write an HTML page to zoom and to click, run.html say (needs Bokeh)"
    )


def check_page(arguments: argparse.Namespace) -> None:
    """Raise now if a page cannot be written at the end."""
    if arguments.page is not None:
        check_path("--page", arguments.page)
        bokeh()
        if not arguments.page.absolute().parent.is_dir():
            raise FileNotFoundError(f"--page: there is no folder {arguments.page.parent}")


def finish(
    net: Sequential, test: Any, encoder: Any, history: History, out: Path, show: Progress, learner: Learner,
    snapshots: Snapshots | None, path: Path | None,
) -> None:  # fmt: skip
    """Write history, figure and page, and say where everything is."""
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
    if path is not None:
        few = slice(BATCH)
        x = encoder(test[0][few], Draws(0, "page"))
        page(history, path, net=net, x=x, target=test[1][few], loss=learner.loss, snapshots=snapshots)
        show.line(f"wrote {path}")
