"""Figures of the course of a training, and of weights with a slider."""

from __future__ import annotations

import html

import numpy as np

from .content import Course, Weights
from .style import BLUES, RED_BLUE, Model, color, figure, hovering, legend

BINS = 60


def course_figures(course: Course) -> dict[str, Model]:
    """A panel for each kind of curve."""
    from bokeh.models import ColumnDataSource, FixedTicker, Range1d, SingleIntervalTicker

    pad = 0.03 * max(1.0, float(np.ptp(course.x)))
    x_range = Range1d(start=float(course.x[0]) - pad, end=float(course.x[-1]) + pad)
    parts = {}
    for k, panel in enumerate(course.panels):
        made = figure(260, course.label, panel.axis, x_range=x_range, y_axis_type="log" if panel.log else "linear")
        made.min_border_left = 70
        if course.label == "epoch":
            made.xaxis.ticker = SingleIntervalTicker(interval=max(1, round(len(course.x) / 6)))
        if panel.log:
            made.yaxis.ticker = FixedTicker(ticks=[k * 10.0**e for e in range(-12, 12) for k in (1, 2, 5)])
        if panel.axis.startswith("spikes"):
            made.y_range.start = 0
        items = []
        for j, (name, values) in enumerate(panel.lines.items()):
            source = ColumnDataSource({"x": course.x, "y": values})
            line = made.line("x", "y", source=source, color=color(j), line_width=2)
            dots = made.scatter("x", "y", source=source, color=color(j), size=5)
            hovering(made, [(html.escape(name), "@y{0.[0000]}"), (course.label, "@x{0}")], [dots], mode="vline")
            items.append((name, [line, dots]))
        if len(items) > 1 or panel.axis.startswith(("spikes", "accuracy")):
            legend(made, items)
        parts[f"course{k}"] = made
    return parts


def weight_figures(k: int, weights: Weights) -> dict[str, Model]:
    """A matrix and its histogram, and a slider over time if there is more than one time."""
    from bokeh.models import (
        BasicTicker,
        BoxZoomTool,
        ColorBar,
        ColumnDataSource,
        CustomJS,
        Div,
        LinearColorMapper,
        ResetTool,
        Slider,
    )

    rows, columns = weights.shape
    finite = [v[np.isfinite(v)] for v in weights.values]
    low = min(float(v.min(initial=0.0)) for v in finite)
    high = max(float(v.max(initial=0.0)) for v in finite)
    shown = max(float(np.nanmax(np.abs(p), initial=0.0)) for p in weights.pictures) or 1.0
    colors, least = (RED_BLUE, -shown) if low < 0.0 else (BLUES, 0.0)
    mapper = LinearColorMapper(palette=_smooth(colors), low=least, high=shown, nan_color="white")
    made = figure(
        360, "target unit", "source unit", tools="", x_range=(-0.5, columns - 0.5), y_range=(rows - 0.5, -0.5)
    )
    box = BoxZoomTool()
    made.add_tools(box, ResetTool())
    made.toolbar.active_drag, made.toolbar_location = box, "above"
    made.js_on_event("doubletap", CustomJS(args={"made": made}, code="made.reset.emit()"))
    made.grid.grid_line_color = None
    made.axis.ticker = BasicTicker(min_interval=1)
    images = []
    for j, picture in enumerate(weights.pictures):
        image = made.image(
            image=[picture], x=-0.5, y=-0.5, dw=columns, dh=rows, color_mapper=mapper,
            visible=j == len(weights.pictures) - 1, origin="bottom_left",
        )  # fmt: skip
        hovering(made, [("from, to", "$y{0}, $x{0}"), ("weight", "@image")], [image], visible=False)
        images.append(image)
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
    if len(weights.labels) > 1:
        slider = Slider(
            start=0, end=len(images) - 1, step=1, value=len(images) - 1, title=None, show_value=False,
            sizing_mode="stretch_width", name=f"slider{k}",
        )  # fmt: skip
        given = {"images": images, "source": source, "counts": counts.tolist(), "line": line, "words": words}
        code = """
            const k = this.value
            for (const [j, image] of images.entries()) image.visible = j == k
            source.data = {...source.data, top: counts[k]}
            line.text = words[k]
        """
        slider.js_on_change("value", CustomJS(args=given, code=code))
        parts["slider"] = slider
    return {f"{name}{k}": part for name, part in parts.items()}


def _smooth(colors: tuple[str, ...], n: int = 255) -> list[str]:
    """``n`` colours through those given."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors], np.float64)
    places = np.linspace(0, len(colors) - 1, n)
    mixed = np.stack([np.interp(places, np.arange(len(colors)), channel) for channel in rgb.T], axis=1)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed.round().astype(int).tolist()]
