"""What a page shows of a training's course: loss, accuracy, rates, and whatever else its history has."""

from __future__ import annotations

import numpy as np

from ..progress.history import History
from .content import Course, Panel

NOT_DRAWN = {"epoch", "samples", "seconds"}

AXES = {
    "spikes": "spikes per sample, all units",
    "theta": "mean raised threshold (mV)",
    "events_merged": "events merged, per epoch",
    "events_dropped": "events dropped, per epoch",
}
"""What further columns are."""


def of_history(history: History) -> Course:
    """Panels of curves, one for each kind of column."""
    if not len(history):
        raise ValueError("this history has no row yet")
    columns = [name for name in history.rows[-1] if all(name in row for row in history.rows)]
    label = next((name for name in ("epoch", "samples") if name in columns), "row")
    x = np.array(history[label] if label in columns else range(1, len(history) + 1), np.float64)
    y = {name: np.array(history[name], np.float64) for name in columns if name not in NOT_DRAWN}
    panels = []
    if "loss" in y:
        loss = y.pop("loss")
        least, most = float(loss.min()), float(loss.max())
        panels.append(Panel("loss", {"training": loss}, log=least > 0.0 and 3.0 * least < most < 1e4 * least))
    accuracies = {name.removesuffix("_accuracy"): 100.0 * y[name] for name in y if name.endswith("_accuracy")}
    rates = {name.removeprefix("rate/"): y[name] for name in y if name.startswith("rate/")}
    if accuracies:
        panels.append(Panel("accuracy (%)", accuracies))
    if rates:
        panels.append(Panel("spikes per unit and step", rates))
    for name, values in y.items():
        if not name.endswith("_accuracy") and not name.startswith("rate/"):
            panels.append(Panel(AXES.get(name, name), {name: values}))
    return Course(label, x, panels)
