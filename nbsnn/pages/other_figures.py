"""Figures of the course of a training, and of weights with a slider."""

from __future__ import annotations

import html

import numpy as np

from ..progress.history import History
from .content import Array, Weights
from .style import BLUES, RED_BLUE, Model, color, figure, hovering, legend

BINS = 60

AXES = {
    "spikes": "spikes per sample, all units",
    "theta": "mean raised threshold (mV)",
    "events_merged": "events merged, per epoch",
    "events_dropped": "events dropped, per epoch",
}
"""What columns of a history are, beside loss, accuracy and rates."""


def drawn(history: History) -> list[str]:
    """The columns that are numbers in every row."""
    rows = history.rows
    return [name for name in rows[-1] if all(isinstance(row.get(name), (int, float)) for row in rows)]


def panels(history: History) -> tuple[str, Array, dict[str, dict[str, Array]]]:
    """Its axis and the numbers along it; then for each panel what it shows and its curves by name."""
    columns = drawn(history)
    label = next((name for name in ("epoch", "samples") if name in columns), "row")
    x = np.array(history[label] if label in columns else range(1, len(history) + 1), np.float64)
    found: dict[str, dict[str, Array]] = {"loss": {}, "accuracy (%)": {}, "spikes per unit and step": {}}
    for name in columns:
        if name in ("epoch", "samples", "seconds"):
            continue
        y = np.array(history[name], np.float64)
        y[np.isinf(y)] = np.nan
        if name == "loss" or name.endswith("_loss"):
            found["loss"][name.removesuffix("loss").strip("_") or "training"] = y
        elif name.endswith("_accuracy"):
            found["accuracy (%)"][name.removesuffix("_accuracy")] = 100.0 * y
        elif name.startswith("rate/"):
            found["spikes per unit and step"][name.removeprefix("rate/")] = y
        else:
            found[AXES.get(name, name)] = {name: y}
    return label, x, {axis: lines for axis, lines in found.items() if lines}


def course_figures(history: History) -> dict[str, Model]:
    """A panel for each kind of curve."""
    from bokeh.models import ColumnDataSource, FixedTicker, Range1d, SingleIntervalTicker

    label, x, found = panels(history)
    pad = 0.03 * max(1.0, float(np.ptp(x)))
    x_range = Range1d(start=float(x[0]) - pad, end=float(x[-1]) + pad)
    parts = {}
    for k, (axis, lines) in enumerate(found.items()):
        values = np.concatenate(list(lines.values()))
        least, most = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=0.0)
        log = axis == "loss" and least > 0.0 and 3.0 * least < most < 1e4 * least
        made = figure(260, label, axis, x_range=x_range, y_axis_type="log" if log else "linear")
        made.min_border_left = 70
        if label == "epoch":
            made.xaxis.ticker = SingleIntervalTicker(interval=max(1, round(len(x) / 6)))
        if log:
            made.yaxis.ticker = FixedTicker(ticks=[m * 10.0**e for e in range(-12, 12) for m in (1, 2, 5)])
        if axis.startswith("spikes"):
            made.y_range.start = 0
        items = []
        for j, (name, values) in enumerate(lines.items()):
            source = ColumnDataSource({"x": x, "y": values})
            line = made.line("x", "y", source=source, color=color(j), line_width=2)
            dots = made.scatter("x", "y", source=source, color=color(j), size=5)
            hovering(made, [(html.escape(name), "@y{0.[0000]}"), (label, "@x{0}")], [dots], mode="vline")
            items.append((name, [line, dots]))
        if len(items) > 1 or axis.startswith(("spikes", "accuracy")):
            legend(made, items)
        parts[f"course{k}"] = made
    return parts


def weight_figures(k: int, weights: Weights) -> dict[str, Model]:
    """A matrix and its histogram, and a slider over time if there is more than one time."""
    from bokeh.models import (
        BoxZoomTool,
        ColorBar,
        ColumnDataSource,
        CustomJS,
        Div,
        LinearColorMapper,
        ResetTool,
        Slider,
    )
    from bokeh.models.tickers import BasicTicker

    (rows, columns), pictures = weights.shape, weights.pictures
    finite = [v[np.isfinite(v)] for v in weights.values]
    low, high = min(v.min(initial=0.0) for v in finite), max(v.max(initial=0.0) for v in finite)
    shown = max(float(np.nanmax(np.abs(p), initial=0.0)) for p in pictures) or 1.0
    colors, least = (RED_BLUE, -shown) if low < 0.0 else (BLUES, 0.0)
    mapper = LinearColorMapper(palette=_smooth(colors), low=least, high=shown, nan_color="white")
    made = figure(360, "target unit", "source unit", x_range=(-0.5, columns - 0.5), y_range=(rows - 0.5, -0.5))
    box = BoxZoomTool()
    made.add_tools(box, ResetTool())
    made.toolbar.active_drag, made.toolbar_location = box, "above"
    made.js_on_event("doubletap", CustomJS(args={"made": made}, code="made.reset.emit()"))
    made.grid.grid_line_color, made.axis.ticker = None, BasicTicker(min_interval=1)
    place = {"x": -0.5, "y": -0.5, "dw": columns, "dh": rows, "origin": "bottom_left", "color_mapper": mapper}
    images = [made.image(image=[p], visible=j == len(pictures) - 1, **place) for j, p in enumerate(pictures)]
    for image in images:
        hovering(made, [("from, to", "$y{0}, $x{0}"), ("weight", "@image")], [image], visible=False)
    bar = ColorBar(color_mapper=mapper, width=12, major_label_text_font_size="12px", border_line_color=None)
    made.add_layout(bar, "right")
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    counts = np.array([np.histogram(v, edges)[0] for v in finite])
    source = ColumnDataSource({"left": edges[:-1], "right": edges[1:], "top": counts[-1]})
    bars = figure(360, "weight", "number of synapses", y_range=(0, 1.05 * float(counts.max()) or 1.0))
    bars.quad(left="left", right="right", top="top", bottom=0, source=source, color=color(0), line_color=None)
    bars.xgrid.grid_line_color = None
    bars.yaxis.ticker, bars.xaxis.ticker = BasicTicker(min_interval=1), BasicTicker(desired_num_ticks=4)
    words = [
        f"<b>{html.escape(label)}</b>: {v.size:,} weights, mean {v.mean():.3g}, standard deviation {v.std():.3g}"
        for label, v in zip(weights.labels, finite, strict=True)
    ]
    line = Div(text=words[-1], sizing_mode="stretch_width", styles={"font-size": "14px"})
    parts: dict[str, Model] = {"matrix": made, "histogram": bars, "words": line}
    if (last := len(images) - 1) > 0:
        look = {"title": None, "show_value": False, "sizing_mode": "stretch_width"}
        parts["slider"] = Slider(start=0, end=last, step=1, value=last, **look)
        given = {"images": images, "source": source, "counts": counts.tolist(), "line": line, "words": words}
        code = """
            for (const [j, image] of images.entries()) image.visible = j == this.value
            source.data = {...source.data, top: counts[this.value]}
            line.text = words[this.value]
        """
        parts["slider"].js_on_change("value", CustomJS(args=given, code=code))
    return {f"{name}{k}": part for name, part in parts.items()}


def _smooth(colors: tuple[str, ...], n: int = 255) -> list[str]:
    """``n`` colours through those given."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors], np.float64)
    places = np.linspace(0, len(colors) - 1, n)
    mixed = np.stack([np.interp(places, np.arange(len(colors)), channel) for channel in rgb.T], axis=1)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed.round().astype(int).tolist()]
