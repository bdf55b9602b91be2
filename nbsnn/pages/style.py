"""Figures of one style: Bokeh or a message, colours, axes, tools."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..plot.canvas import color as color

Model = Any
"""An object of Bokeh, whose attributes type checkers do not know."""

INK, PALE, GRID = "#222222", "#8a8f98", "#e8eaee"
SILENT, SATURATED = "#0072B2", "#D55E00"
RED_BLUE = (
    "#053061", "#134b87", "#327cb7", "#6fafd2", "#aed3e6", "#dcebf2", "#f9f9f9", "#fbe0d0", "#f9bfa3", "#e98b6e",
    "#cf5246", "#ab162a", "#67001f",
)  # fmt: skip
"""From negative to positive, through white (ColorBrewer's RdBu, reversed)."""

BLUES = "#f4f6f8", "#0072B2", "#00233a"
"""From zero to positive."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def bokeh() -> ModuleType:
    """Bokeh, or a clear message if it is missing."""
    try:
        import bokeh
    except ImportError:
        raise ImportError('a page needs Bokeh, which is not installed: pip install "nbsnn[page]"') from None
    return bokeh


def figure(height: int, x: str, y: str, **more: Model) -> Model:
    """An empty figure as wide as its place, which is told apart from its neighbours by grid lines alone."""
    from bokeh.plotting import figure as new

    given: dict[str, Any] = {"toolbar_location": None, "tools": "", "sizing_mode": "stretch_width", **more}
    made = new(height=height, x_axis_label=x, y_axis_label=y, **given)
    made.toolbar.logo = None
    made.outline_line_color = None
    made.min_border_left, made.min_border_right, made.min_border_top, made.min_border_bottom = 92, 12, 6, 44
    for axis in made.axis:
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_style, axis.axis_label_text_font_size = "normal", "13px"
        axis.axis_label_text_color = axis.major_label_text_color = INK
        axis.major_label_text_font_size, axis.minor_tick_line_color = "12px", None
        axis.axis_line_color = axis.major_tick_line_color = PALE
        axis.axis_label_standoff = 8
    made.grid.grid_line_color = GRID
    return made


def legend(made: Model, items: list[tuple[str, list[Model]]]) -> Model:
    """A legend above a figure, in one line, of names and what is drawn."""
    from bokeh.models import Legend

    look = {
        "border_line_color": None, "background_fill_alpha": 0.0, "padding": 0, "spacing": 14, "margin": 2,
        "label_text_font": FONT, "label_text_font_size": "12px", "label_text_color": INK, "label_standoff": 4,
        "glyph_width": 18, "glyph_height": 14,
    }  # fmt: skip
    found = Legend(items=items, orientation="horizontal", **look)
    made.add_layout(found, "above")
    return found


def hovering(made: Model, tooltips: list[tuple[str, str]], renderers: list[Model], **more: Model) -> None:
    """Say what lies under the pointer."""
    from bokeh.models import HoverTool

    made.add_tools(HoverTool(tooltips=tooltips, renderers=renderers, **more))
