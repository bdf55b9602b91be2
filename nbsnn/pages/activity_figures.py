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

MARKS = {
    "silent": {"marker": "circle", "fill_color": "white", "line_color": SILENT},
    "saturated": {"marker": "square", "fill_color": SATURATED, "line_color": SATURATED},
}

TICK = """
const [digits, power] = tick.toExponential(2).split("e").map(Number)
const text = tick && Math.abs(power) > 3 ? `${digits}e${power}` : String(Number(tick.toPrecision(5)))
return text.replaceAll("-", "\\u2212")
"""
"""The label of a tick: 0.25, 60, 1.5e-6, with a proper minus sign."""


def _js(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


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
    rows = _rows(activity, bases)
    parts: dict[str, Model] = {"raster": raster, "rates": _rates(rows, "Hz" if ms else "per step", y_range)}
    if any(p.course is not None for p in activity.populations):
        parts["course"] = _courses(activity, label, x_range)
    ready = []
    if len(activity.unit):
        picked, show, found = _unit(activity, rows, label, x_range, raster, sources)
        parts |= found
        ready.append(show)
        for name in ("raster", "rates"):
            given = {"rows": rows, "picked": picked, "sources": sources * (name == "raster"), "made": parts[name]}
            parts[name].js_on_event("tap", CustomJS(args=given, code=_js("near.js")))
    cursor = Span(dimension="height", line_color=PALE, line_dash="dotted", line_width=1)
    for name in ("raster", "course", "membrane", "input", "error"):
        if name in parts:
            made, across = parts[name], "both" if name == "raster" else "width"
            box, wheel = BoxZoomTool(dimensions=across), WheelZoomTool(dimensions="width", modifiers="ctrl")
            made.add_tools(box, PanTool(dimensions=across), wheel, ResetTool(), CrosshairTool(overlay=cursor))
            made.toolbar.active_drag, made.toolbar.active_scroll = box, wheel
            made.js_on_event("doubletap", CustomJS(args={"made": raster}, code="made.reset.emit()"))
    raster.toolbar_location = "above"
    return parts, ready


def _rows(activity: Activity, bases: Array) -> Model:
    """What lies in each row of the raster: population, unit, its traces (-1 if there are none), state and rate."""
    from bokeh.models import ColumnDataSource

    populations = activity.populations
    trace = np.full(int(bases[-1]), -1, np.int32)
    for k, (p, unit) in enumerate(zip(activity.owner, activity.unit, strict=True)):
        trace[bases[p] + np.searchsorted(populations[p].drawn, unit)] = k
    rates, sizes = np.concatenate([p.rates for p in populations]), np.diff(bases)
    return ColumnDataSource(
        {
            "row": np.arange(len(trace), dtype=np.int32),
            "population": np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
            "unit": np.concatenate([p.drawn for p in populations]).astype(np.int32),
            "trace": trace,
            "silent": (rates == 0.0).astype(np.uint8),
            "saturated": ((rates > 0.5) & (activity.clock == "step")).astype(np.uint8),
            "rate": rates,
            "name": np.repeat([html.escape(p.name) for p in populations], sizes).tolist(),
            "color": np.repeat([color(k) for k in range(len(sizes))], sizes).tolist(),
        }
    )


def _raster(activity: Activity, bases: Array, label: str, x_range: Model, y_range: Model) -> tuple[Model, list[Model]]:
    from bokeh.models import ColumnDataSource, FixedTicker, Span

    made = figure(RASTER, label, "unit, by population", x_range=x_range, y_range=y_range)
    made.min_border_top = ABOVE
    sources, total = [], sum(len(p.times) for p in activity.populations)
    size = 4 if total > 4000 else min(9.0, max(4.0, RASTER / float(bases[-1])))
    clock = "@time{0.[000]} ms" if activity.clock == "ms" else "step @time{0}"
    for k, (p, base) in enumerate(zip(activity.populations, bases, strict=False)):
        row = base + np.searchsorted(p.drawn, p.units)
        source = ColumnDataSource({"time": p.times, "row": row, "unit": p.units.astype(np.int32)})
        dots = made.scatter("time", "row", source=source, size=size, color=color(k), line_color=None, alpha=0.85)
        hovering(made, [(html.escape(p.name), "unit @unit"), ("at", clock)], [dots], point_policy="snap_to_data")
        sources.append(source)
        if k:
            made.add_layout(Span(location=float(base) - 0.5, dimension="width", line_color=GRID, line_width=2))
    if not total:
        middle = [0.5 * (activity.start + activity.stop)], [0.5 * float(bases[-1])]
        made.text(*middle, text=["no spike"], text_align="center", text_color=PALE, text_font={"value": FONT})
    middles = [float(a + b - 1) / 2 for a, b in pairwise(bases)]
    names = [p.name if len(p.name) <= 12 else f"{p.name[:11]}…" for p in activity.populations]
    made.yaxis.ticker, made.ygrid.grid_line_color = FixedTicker(ticks=middles), None
    made.yaxis.major_label_overrides = dict(zip(middles, names, strict=True))
    return made, sources


def _rates(rows: Model, unit: str, y_range: Model) -> Model:
    from bokeh.models import BasicTicker, BooleanFilter, CDSView

    rates = rows.data["rate"]
    top = float(rates.max(initial=0.0, where=np.isfinite(rates))) or 1.0
    made = figure(RASTER, f"rate ({unit})", "", x_range=(-0.06 * top, 1.1 * top), y_range=y_range)
    made.min_border_left, made.min_border_top, made.yaxis.visible, made.ygrid.grid_line_color = 12, ABOVE, False, None
    made.xaxis.ticker = BasicTicker(desired_num_ticks=3)
    bars = made.hbar(y="row", right="rate", height=0.8, source=rows, color="color", alpha=0.75, line_color=None)
    marks = {}
    for kind, look in MARKS.items():
        if rows.data[kind].any():
            view = CDSView(filter=BooleanFilter(rows.data[kind].astype(bool).tolist()))
            marks[kind] = made.scatter("rate", "row", source=rows, view=view, size=6 if len(rates) < 150 else 4, **look)
            hovering(made, [("@name", f"unit @unit is {kind}")], [marks[kind]])
    hovering(made, [("@name", "unit @unit"), ("rate", f"@rate{{0.[000]}} {unit}")], [bars])
    if marks:
        legend(made, [(kind, [dots]) for kind, dots in marks.items()])
    return made


def _courses(activity: Activity, label: str, x_range: Model) -> Model:
    from bokeh.models import ColumnDataSource

    made, items = figure(LOW, label, "rate (Hz)", x_range=x_range), []
    for k, p in enumerate(activity.populations):
        if p.course is not None:
            source = ColumnDataSource({"time": p.course[0], "rate": p.course[1]})
            items.append((p.name, [made.line("time", "rate", source=source, color=color(k), line_width=1.5)]))
    made.y_range.start = 0
    legend(made, items)
    return made


def _unit(
    activity: Activity, rows: Model, label: str, x_range: Model, raster: Model, sources: list[Model]
) -> tuple[Model, Model, dict[str, Model]]:
    """Which unit is picked, what fills its panels, and these."""
    from bokeh.models import BoxAnnotation, ColumnDataSource, CustomJS, CustomJSTickFormatter, Div, Select

    populations, lines, steps = activity.populations, activity.lines, len(activity.times)
    store = ColumnDataSource({name: line.ravel() for name, line in lines.items()})
    bands = [f"{side}{j}" for j in range(len(SHARES)) for side in ("low", "high")]
    shown = ColumnDataSource({"time": activity.times, **dict.fromkeys([*lines, *bands], np.zeros(steps))})
    strokes = ColumnDataSource({"time": np.zeros(0)})
    picked = ColumnDataSource({"row": [_first_row(activity, rows)]}, name="picked")
    look = {"fill_color": INK, "fill_alpha": 0.12, "line_color": INK, "line_alpha": 0.5}
    mark = BoxAnnotation(top=0, bottom=0, level="underlay", **look)
    raster.add_layout(mark)
    parts: dict[str, Model] = {}
    last = "error" if "error" in lines else "input" if "input0" in lines else "membrane"

    def panel(name: str, height: int, axis: str) -> Model:
        made = parts[name] = figure(height, label if name == last else "", axis, x_range=x_range)
        made.min_border_bottom = 44 if name == last else 20
        made.yaxis.formatter = CustomJSTickFormatter(code=TICK)
        values = [np.abs(line) for column, line in lines.items() if column.startswith(name)]
        largest = max(float(v.max(initial=0.0, where=np.isfinite(v))) for v in values)
        made.y_range.min_interval = 1e-3 * largest or None  # no zoom into rounding errors
        return made

    def curve(made: Model, column: str, name: str, color: str, **how: Model) -> tuple[str, list[Model]]:
        drawn = [made.line("time", column, source=shown, line_color=color, **{"line_width": 1.7, **how})]
        if steps <= 100 and column != "threshold":
            drawn.append(made.scatter("time", column, source=shown, size=4, color=color))
        hovering(made, [(name, f"@{column}{{0.[0000]}}"), ("at", "@time{0.[000]}")], drawn[:1], mode="vline")
        return name, drawn

    made = panel("membrane", TRACE, f"membrane{' (mV)' * (activity.clock == 'ms')}")
    widths: list[Model] = []
    for j, share in reversed(list(enumerate(SHARES)) if any(p.window for p in populations) else []):  # the widest first
        area = made.varea("time", f"low{j}", f"high{j}", source=shown, color=WINDOW[j], level="underlay")
        widths.insert(0, (f"{'surrogate ' * (j == 0)}≥ {share:.0%}", [area]))
    spikes = made.vspan(x="time", source=strokes, color=INK, line_width=1, alpha=0.45)
    threshold = curve(made, "threshold", "threshold", SATURATED, line_dash="dashed")
    membrane = curve(made, "membrane", "membrane", SILENT)
    made.y_range.renderers, made.y_range.range_padding = [*membrane[1], *threshold[1]], 0.12
    spiked = legend(made, [membrane, threshold, ("spike", [spikes]), *widths]).items[2]
    items: list[Model] = []
    if inputs := [name for name in lines if name.startswith("input")]:
        made = panel("input", LOW, "input")
        items = list(legend(made, [curve(made, n, n, color(2 + k)) for k, n in enumerate(inputs)]).items)
    if "error" in lines:
        made = panel("error", LOW, "error (gradient)")
        arrives = curve(made, "error", "arrives at the spikes, ∂L/∂s", PALE)
        legend(made, [arrives, curve(made, "passed", "passes to the input, ∂L/∂x", color(3))])
    info = Div(text="", sizing_mode="stretch_width", styles={"font-family": FONT, "font-size": "14px", "color": INK})
    states = [(kind, rows.data[kind]) for kind in MARKS]
    options: Model = [
        (str(r), f"{populations[rows.data['population'][r]].name} {rows.data['unit'][r]}{_said(states, r)}")
        for r in np.flatnonzero(rows.data["trace"] >= 0).tolist()
    ]
    choose = Select(title="unit", options=options, width=200, value=str(picked.data["row"][0]))
    choose.js_on_change("value", CustomJS(args={"picked": picked}, code="picked.data = {row: [Number(this.value)]}"))
    given = {
        "rows": rows, "store": store, "shown": shown, "strokes": strokes, "picked": picked, "sources": sources,
        "mark": mark, "info": info, "choose": choose, "legends": items, "spiked": spiked, "steps": steps,
        "names": [html.escape(p.name) for p in populations], "models": [html.escape(p.model) for p in populations],
        "windows": [[list(pair) for pair in p.window] for p in populations],
        "inputs": [list(p.inputs) for p in populations], "clock": activity.clock,
    }  # fmt: skip
    show = CustomJS(args=given, code=_js("show.js"))
    picked.js_on_change("data", show)
    return picked, show, {**parts, "choose": choose, "info": info}


def _said(states: list[tuple[str, Array]], row: int) -> str:
    return "".join(f" · {kind}" for kind, which in states if which[row])


def _first_row(activity: Activity, rows: Model) -> int:
    """The row shown first: of ordinary activity, or after training of a population that is mostly silent or full."""
    data, spikes = rows.data, []
    for row in np.flatnonzero(data["trace"] >= 0).tolist():
        p = activity.populations[data["population"][row]]
        spikes.append((int(np.sum(p.units == data["unit"][row])), row))
    ill = [bool(np.mean(p.rates == 0.0) > 0.5 or np.mean(p.rates > 0.5) > 0.5) for p in activity.populations]
    if activity.clock == "step" and any(ill):
        spikes = [(n, row) for n, row in spikes if ill[data["population"][row]]]
    else:
        spikes = [(n, row) for n, row in spikes if n] or spikes
    return sorted(spikes)[len(spikes) // 2][1]
