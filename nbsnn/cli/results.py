"""What a training leaves in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..layers import Sequential
from ..progress.bar import Progress
from ..progress.history import History


def finish(net: Sequential, test: Any, encoder: Any, history: History, out: Path, show: Progress) -> None:
    """Write history and figure, and say where everything is."""
    history.save(out / "history.csv")
    history.save(out / "history.json")
    written = ["checkpoint.npz", "history.csv", "history.json"]
    try:
        from ..plot import training
        from ..random import Draws

        training(history, net.run(encoder(test[0][:1], Draws(0, "figure"))), out / "training.png")
        written.append("training.png")
    except ImportError as error:
        show.line(f"no figure: {error}")
    show.line(f"wrote {', '.join(written)} to {out}")
