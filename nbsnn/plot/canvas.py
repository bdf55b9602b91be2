"""Basics of figures: matplotlib or a message, colours, new figures, and files written atomically."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import validate
from ..files.whole import writing
from ..validate import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = 'figures need matplotlib, which is not installed: pip install "nbsnn[plot]"'

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Eight colours that people who confuse red and green tell apart (Okabe and Ito 2008)."""


def pyplot() -> Any:
    """Import matplotlib's pyplot, drawing to files.

    Returns
    -------
    module
        ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to get it.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.plot.pyplot().__name__
    'matplotlib.pyplot'
    """
    try:
        import matplotlib
    except ImportError:
        raise ImportError(MISSING) from None
    if matplotlib.get_backend().lower() not in ("agg", "module://matplotlib_inline.backend_inline"):
        matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def new_figure(width: float, height: float) -> Any:
    """A figure of this size in inches, unknown to pyplot, which therefore does not keep it."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(MISSING) from None
    return Figure(figsize=(width, height), layout="constrained")


def check_axes(ax: object, title: str, name: str = "ax") -> None:
    """Raise ``TypeError`` unless these are matplotlib axes, or None, and a text."""
    if ax is not None and not callable(getattr(ax, "plot", None)):
        raise TypeError(f"{name} must be matplotlib axes or None, not {ax!r}")
    if not isinstance(title, str):
        raise TypeError(f"title must be a text, not {title!r}")


def axes_or_new(ax: Axes | None, width: float = 5.0, height: float = 3.4) -> Axes:
    """The given axes, or those of a new figure."""
    return new_figure(width, height).subplots() if ax is None else ax


def color(k: int) -> str:
    """The k-th colour, cyclically."""
    return COLORS[k % len(COLORS)]


def save(figure: Figure, path: str | PathLike[str], dpi: float = 120.0) -> None:
    """Write a figure to ``path``, in the format that its suffix names (png without one), in one go.

    Parameters
    ----------
    figure : matplotlib figure
    path : str or path
    dpi : float
        Pixels per inch.

    Raises
    ------
    TypeError, ValueError
        If ``figure`` is no matplotlib figure, or ``dpi`` is not from 10 to 10,000.

    Examples
    --------
    >>> import tempfile, nbsnn
    >>> figure = nbsnn.plot.rate_histogram([1.0, 2.0, 2.5])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nbsnn.plot.save(figure, f"{folder}/rates.png")
    """
    if not callable(getattr(figure, "savefig", None)):
        raise TypeError(f"figure must be a matplotlib figure, not {figure!r}")
    number("dpi", dpi, least=10.0, most=10_000)
    path = Path(validate.path("path", path))
    path = path if path.suffix else path.with_suffix(".png")
    with writing(path) as file:
        figure.savefig(file, dpi=dpi, format=path.suffix[1:])
