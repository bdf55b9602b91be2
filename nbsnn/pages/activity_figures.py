"""Figures of activity: rows of spikes with rates beside them, and the traces of the unit that is clicked."""

from __future__ import annotations

import html
from itertools import pairwise
from pathlib import Path

import numpy as np

from .content import SHARES, Activity, Array
from .style import FONT, GRID, INK, PALE, SATURATED, SILENT, Model, color, figure, hovering, legend

RASTER, TRACE, LOW, ABOVE = 420, 230, 170, 36
"""Heights in pixels; the last of what stands above spikes and rates, which share rows."""

WINDOW = ("#f3c566", "#fbead0")
"""Colours of a surrogate's window, for each of ``SHARES``."""

TICK = """
const [digits, power] = tick.toExponential(2).split("e").map(Number)
const text = tick && Math.abs(power) > 3 ? `${digits}e${power}` : String(Number(tick.toPrecision(5)))
return text.replaceAll("-", "\u2212")
"""
"""The label of a tick: 0.25, 60, 1.5e-6, with a proper minus sign."""

HERE = Path(__file__).parent


def activity_figures(activity: Activity) -> tuple[dict[str, Model], list[Model]]:
    """Parts of a page by name, and callbacks for when it is ready."""
    from bokeh.models import BoxZoomTool, CrosshairTool, CustomJS, PanTool, Range1d, ResetTool, Span, WheelZoomTool

    ms = activity.clock == "ms"
    label = "time (ms)" if ms else "time (step)"
    margin = 0.01 * (activity.stop - activity.start) if ms else 0.0
    x_range = Range1d(start=activity.start - margin, end=activity.stop + margin)
    bases = np.concatenate([[0], np.cumsum([len(p.drawn) for p in activity.populations])])
    y_range = Range1d(start=float(bases[-1]) - 0.5, end=-0.5)
    raster, sources = _raster(activity, bases, label, x_range, y_range)
    side = _rates(activity, bases, y_range)
    parts: dict[str, Model] = {"raster": raster, "rates": side}
    if any(p.course is not None for p in activity.populations):
        parts["course"] = _courses(activity, label, x_range)
    ready = []
    if len(activity.traces):
        found, show, picked, rows = _unit(activity, bases, label, x_range, raster, sources)
        parts |= found
        ready.append(show)
        near = (HERE / "near.js").read_text()
        for made in (raster, side):
            given = {"rows": rows, "picked": picked, "sources": sources if made is raster else [], "made": made}
            made.js_on_event("tap", CustomJS(args=given, code=near))
    cursor = Span(dimension="height", line_color=PALE, line_dash="dotted", line_width=1)
    for name in ("raster", "course", "membrane", "input", "error"):
        if name in parts:
            made = parts[name]
            box = BoxZoomTool(dimensions="both" if name == "raster" else "width")
            wheel = WheelZoomTool(dimensions="width", modifiers="ctrl")
            made.add_tools(box, PanTool(dimensions="both" if name == "raster" else "width"), wheel, ResetTool())
            made.add_tools(CrosshairTool(overlay=cursor))
            made.toolbar.active_drag, made.toolbar.active_scroll = box, wheel
            made.js_on_event("doubletap", CustomJS(args={"made": raster}, code="made.reset.emit()"))
    raster.toolbar_location = "above"
    return parts, ready


def _raster(activity: Activity, bases: Array, label: str, x_range: Model, y_range: Model) -> tuple[Model, list[Model]]:
    from bokeh.models import ColumnDataSource, FixedTicker, Span

    made = figure(RASTER, label, "unit, by population", x_range=x_range, y_range=y_range)
    made.min_border_top = ABOVE
    sources, total = [], sum(len(p.times) for p in activity.populations)
    size = 4 if total > 4000 else min(9.0, max(4.0, RASTER / float(bases[-1])))
    for k, (p, base) in enumerate(zip(activity.populations, bases, strict=False)):
        source = ColumnDataSource(
            {"time": p.times, "row": base + np.searchsorted(p.drawn, p.units), "unit": p.units.astype(np.int32)}
        )
        dots = made.scatter(
            "time", "row", source=source, marker="circle", size=size, color=color(k), line_color=None, alpha=0.85
        )
        clock = "@time{0.[000]} ms" if activity.clock == "ms" else "step @time{0}"
        hovering(made, [(html.escape(p.name), "unit @unit"), ("at", clock)], [dots], point_policy="snap_to_data")
        sources.append(source)
        if k:
            made.add_layout(Span(location=float(base) - 0.5, dimension="width", line_color=GRID, line_width=2))
    if not total:
        middle = 0.5 * (activity.start + activity.stop), 0.5 * float(bases[-1])
        look = {"text_align": "center", "text_color": PALE, "text_font": {"value": FONT}}
        made.text(*([value] for value in middle), text=["no spike"], **look)
    middles = [float(a + b - 1) / 2 for a, b in pairwise(bases)]
    made.yaxis.ticker = FixedTicker(ticks=middles)
    names = [p.name if len(p.name) <= 12 else f"{p.name[:11]}…" for p in activity.populations]
    made.yaxis.major_label_overrides = dict(zip(middles, names, strict=True))
    made.ygrid.grid_line_color = None
    return made, sources


def _rates(activity: Activity, bases: Array, y_range: Model) -> Model:
    from bokeh.models import ColumnDataSource

    unit = "Hz" if activity.clock == "ms" else "per step"
    known = [p.rates[np.isfinite(p.rates)] for p in activity.populations]
    top = max([float(r.max()) for r in known if len(r)], default=0.0) or 1.0
    made = figure(RASTER, f"rate ({unit})", "", x_range=(-0.06 * top, 1.1 * top), y_range=y_range)
    made.min_border_left, made.min_border_top, made.yaxis.visible, made.ygrid.grid_line_color = 12, ABOVE, False, None
    columns = "row", "rate", "unit", "name"
    marks = {kind: {column: list[object]() for column in columns} for kind in ("silent", "saturated")}
    for k, (p, base) in enumerate(zip(activity.populations, bases, strict=False)):
        source = ColumnDataSource(
            {"row": base + np.arange(len(p.drawn)), "rate": p.rates, "unit": p.drawn.astype(np.int32)}
        )
        bars = made.hbar(y="row", right="rate", height=0.8, source=source, color=color(k), alpha=0.75, line_color=None)
        hovering(made, [(html.escape(p.name), "unit @unit"), ("rate", f"@rate{{0.[000]}} {unit}")], [bars])
        for kind, which in (("silent", p.silent), ("saturated", p.saturated)):
            for j in np.flatnonzero(which).tolist():
                marks[kind]["row"].append(float(base + j))
                marks[kind]["rate"].append(float(p.rates[j]))
                marks[kind]["unit"].append(int(p.drawn[j]))
                marks[kind]["name"].append(html.escape(p.name))
    styles = {
        "silent": {"marker": "circle", "fill_color": "white", "line_color": SILENT},
        "saturated": {"marker": "square", "fill_color": SATURATED, "line_color": SATURATED},
    }
    items = []
    size = 6 if bases[-1] < 150 else 4
    for kind, found in marks.items():
        if found["row"]:
            dots = made.scatter("rate", "row", source=ColumnDataSource(found), size=size, **styles[kind])
            hovering(made, [("@name", f"unit @unit is {kind}")], [dots])
            items.append((kind, [dots]))
    if items:
        legend(made, items)
    return made


def _courses(activity: Activity, label: str, x_range: Model) -> Model:
    from bokeh.models import ColumnDataSource

    made = figure(LOW, label, "rate (Hz)", x_range=x_range)
    items = []
    for k, p in enumerate(activity.populations):
        if p.course is not None:
            source = ColumnDataSource({"time": p.course[0], "rate": p.course[1]})
            line = made.line("time", "rate", source=source, color=color(k), line_width=1.5)
            items.append((p.name, [line]))
    made.y_range.start = 0
    legend(made, items)
    return made


def _unit(
    activity: Activity, bases: Array, label: str, x_range: Model, raster: Model, sources: list[Model]
) -> tuple[dict[str, Model], Model, Model, Model]:
    """Panels of the unit that was picked, and what fills them."""
    from bokeh.models import BoxAnnotation, ColumnDataSource, CustomJS, CustomJSTickFormatter, Div, Select

    traces, populations = activity.traces, activity.populations
    steps = len(traces.times)
    store = ColumnDataSource({name: line.ravel() for name, line in traces.lines.items()})
    bands = [f"{side}{j}" for j in range(len(SHARES)) for side in ("low", "high")]
    columns = ["membrane", "threshold", *(n for n in traces.lines if n not in ("membrane", "threshold")), *bands]
    shown = ColumnDataSource({"time": traces.times, **dict.fromkeys(columns, np.zeros(steps))})
    strokes = ColumnDataSource({"time": np.zeros(0)})
    picked = ColumnDataSource({"row": [_first_row(activity, bases)]}, name="picked")
    rows = _rows(activity, bases)
    look = {"fill_color": INK, "fill_alpha": 0.12, "line_color": INK, "line_alpha": 0.5}
    mark = BoxAnnotation(top=0, bottom=0, level="underlay", **look)
    raster.add_layout(mark)
    dotted = steps <= 100
    ms = activity.clock == "ms"

    def lines(made: Model, names: list[tuple[str, str, Model]]) -> list[tuple[str, list[Model]]]:
        items = []
        for column, name, how in names:
            drawn = [made.line("time", column, source=shown, **how)]
            if dotted and column != "threshold":
                drawn.append(made.scatter("time", column, source=shown, size=4, color=how["line_color"]))
            hovering(made, [(name, f"@{column}{{0.[0000]}}"), ("at", "@time{0.[000]}")], drawn[:1], mode="vline")
            items.append((name, drawn))
        return items

    inputs = [name for name in traces.lines if name.startswith("input")]
    last = "error" if "error" in traces.lines else "input" if inputs else "membrane"

    def panel(name: str, height: int, axis: str) -> Model:
        made = figure(height, label if name == last else "", axis, x_range=x_range)
        made.min_border_bottom = 44 if name == last else 20
        made.yaxis.formatter = CustomJSTickFormatter(code=TICK)
        values = [np.abs(traces.lines[line]) for line in traces.lines if line.startswith(name)]
        largest = max((float(v.max(initial=0.0, where=np.isfinite(v))) for v in values), default=0.0)
        made.y_range.min_interval = 1e-3 * largest or None  # no zoom into rounding errors
        return made

    parts: dict[str, Model] = {}
    made = parts["membrane"] = panel("membrane", TRACE, f"membrane{' (mV)' * ms}")
    widths: list[Model] = []
    if any(p.window for p in populations):
        for j, share in reversed(list(enumerate(SHARES))):  # the widest first, the others on it
            area = made.varea("time", f"low{j}", f"high{j}", source=shown, color=WINDOW[j], level="underlay")
            widths.insert(0, (f"{'surrogate ' * (j == 0)}≥ {share:.0%}", [area]))
    spikes = made.vspan(x="time", source=strokes, color=INK, line_width=1, alpha=0.45)
    drawn = lines(
        made,
        [
            ("threshold", "threshold", {"line_color": SATURATED, "line_dash": "dashed", "line_width": 1.5}),
            ("membrane", "membrane", {"line_color": SILENT, "line_width": 1.8}),
        ],
    )
    made.y_range.renderers = [d for _, ds in drawn for d in ds]
    made.y_range.range_padding = 0.12
    legend(made, [drawn[1], drawn[0], ("spike", [spikes]), *widths])
    legends = []
    if inputs:
        made = parts["input"] = panel("input", LOW, "input")
        kinds = [(name, name, {"line_color": color(2 + k), "line_width": 1.5}) for k, name in enumerate(inputs)]
        legends = list(legend(made, lines(made, kinds)).items)
    if "error" in traces.lines:
        made = parts["error"] = panel("error", LOW, "error (gradient)")
        kinds = [
            ("error", "arrives at the spikes, ∂L/∂s", {"line_color": PALE, "line_width": 1.5}),
            ("passed", "passes to the input, ∂L/∂x", {"line_color": "#CC79A7", "line_width": 1.8}),
        ]
        legend(made, lines(made, kinds))
    info = Div(text="", sizing_mode="stretch_width", styles={"font-family": FONT, "font-size": "14px", "color": INK})
    options: Model = [
        (str(r), f"{populations[p].name} {u}{' · silent' * bool(s)}{' · saturated' * bool(t)}")
        for r, p, u, k, s, t in zip(*(rows.data[n] for n in rows.data if n != "rate"), strict=True)
        if k >= 0
    ]
    choose = Select(title="unit", options=options, width=200, value=str(picked.data["row"][0]))
    choose.js_on_change("value", CustomJS(args={"picked": picked}, code="picked.data = {row: [Number(this.value)]}"))
    given = {
        "rows": rows, "store": store, "shown": shown, "strokes": strokes, "picked": picked, "sources": sources,
        "mark": mark, "info": info, "choose": choose, "legends": legends, "steps": steps,
        "names": [html.escape(p.name) for p in populations], "models": [html.escape(p.model) for p in populations],
        "windows": [[list(pair) for pair in p.window] for p in populations],
        "inputs": [list(p.inputs) for p in populations], "clock": activity.clock,
    }  # fmt: skip
    show = CustomJS(args=given, code=(HERE / "show.js").read_text())
    picked.js_on_change("data", show)
    return {**parts, "choose": choose, "info": info}, show, picked, rows


def _rows(activity: Activity, bases: Array) -> Model:
    """What lies in each row of the raster: population, unit, its traces (-1 if there are none), state and rate."""
    from bokeh.models import ColumnDataSource

    traces = activity.traces
    place = np.full(int(bases[-1]), -1, np.int32)
    for k, (p, unit) in enumerate(zip(traces.population, traces.unit, strict=True)):
        place[bases[p] + np.searchsorted(activity.populations[p].drawn, unit)] = k
    parts = activity.populations
    return ColumnDataSource(
        {
            "row": np.arange(len(place), dtype=np.int32),
            "population": np.repeat(np.arange(len(parts), dtype=np.int32), [len(p.drawn) for p in parts]),
            "unit": np.concatenate([p.drawn for p in parts]).astype(np.int32),
            "trace": place,
            "silent": np.concatenate([p.silent for p in parts]).astype(np.uint8),
            "saturated": np.concatenate([p.saturated for p in parts]).astype(np.uint8),
            "rate": np.concatenate([p.rates for p in parts]),
        }
    )


def _first_row(activity: Activity, bases: Array) -> int:
    """The row that is shown first: a unit of ordinary activity, where most are silent or saturated one of those."""
    traces, places, scores = activity.traces, [], []
    for p, unit in zip(traces.population.tolist(), traces.unit.tolist(), strict=True):
        population = activity.populations[p]
        row = int(np.searchsorted(population.drawn, unit))
        ill = [which for which in (population.silent, population.saturated) if which.mean() > 0.5]
        bad = activity.clock == "step" and any(which[row] for which in ill)
        places.append(int(bases[p]) + row)
        scores.append(-1 if bad else int(np.sum(population.units == unit)))
    if -1 in scores:
        return places[scores.index(-1)]
    active = sorted(score for score in scores if score) or [0]
    return places[scores.index(active[len(active) // 2])]
