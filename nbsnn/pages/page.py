"""``page``: from what is to be shown to one HTML file."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from .. import validate
from ..diagnosis.report import report
from ..files.whole import writing
from ..layers import Layer, Run
from ..losses.named import as_loss
from ..network.recording import Recording
from ..progress.history import History
from ..validate import instance
from .activity_figures import activity_figures
from .budget import Budget
from .content import Content
from .of_network import of_batch, of_run
from .of_recording import of_recording
from .other_figures import course_figures, drawn, weight_figures
from .snapshots import Snapshots
from .style import FONT, INK, Model, bokeh
from .weights import matrices

SAY = "a Recording of nbsnn.Network.run, a Run of net.run(x), or the History of a training"


def page(
    shown: Recording | Run | History,
    path: str | PathLike[str],
    *,
    net: Layer | None = None,
    x: object = None,
    target: object = None,
    loss: Callable[..., Any] | str | None = None,
    snapshots: Snapshots | None = None,
    sample: int | None = None,
    spikes: int = 20_000,
    membranes: int = 300,
    points: int = 60_000,
    title: str = "",
) -> None:
    """Write one HTML file in which a simulation or a training can be zoomed and clicked.

    It holds all it needs, works offline and asks nothing of any server. A click on a spike shows that unit's membrane,
    threshold and input; what the page leaves out stands at its end.

    Parameters
    ----------
    shown : Recording, Run or History
        Of a simulation: its spikes, rates, and what else was recorded; record the membrane of some units, and the
        variables of their synapses, to see them. Of ``net.run(x)``: spikes and membranes of one sample. Of a training:
        its course, and with ``net`` and ``x`` what the trained network does.
    path : str or path
        The file, ``.html``; one that is there is replaced.
    net : Layer, optional
        With a history: the trained network, whose weights are shown.
    x : array [T, B, ...], optional
        With ``net``: a batch like those of training, for spikes, membranes and what ``nbsnn.report`` says of it.
    target, loss : optional
        With ``x``, as ``BPTT`` takes them: the error at every step is shown beside membrane and surrogate.
    snapshots : Snapshots, optional
        Weights over training, which get a slider. Not with a recording, whose own recorded weights are shown.
    sample : int, optional
        Which sample of the batch is drawn, the first by default.
    spikes : int, default 20000
        The most spikes that are written; of more, every second, third, ... unit is left out.
    membranes : int, default 300
        The most units whose membranes are written.
    points : int, default 60000
        The most points of time of all membranes together: where they are too many, first units are left out, then
        steps.
    title : str
        Heading; one that says what it is by default.

    Raises
    ------
    ImportError
        If Bokeh is not installed.
    TypeError, ValueError
        If an argument is of another kind, or has no effect with what is shown.
    OSError
        If the file cannot be written; there is then none, or the one that was there.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(tau=20.0), 3, name="cells")
    >>> current = net.inject(cells, [1.1, 1.2, 1.3])
    >>> recording = net.run(50.0, record={cells: ["spikes", "v"]})
    >>> nbsnn.page(recording, "run.html")  # doctest: +SKIP
    """
    instance("shown", shown, (Recording, Run, History), SAY)
    check_path("path", path)
    instance("title", title, str, "a text")
    given = {"net": net, "x": x, "target": target, "loss": loss, "snapshots": snapshots, "sample": sample}
    _check(shown, {name for name, value in given.items() if value is not None})
    if net is not None:
        instance("net", net, Layer, "a network")
    if loss is not None:
        loss = as_loss(loss)
    if snapshots is not None:
        instance("snapshots", snapshots, Snapshots, "the Snapshots of a training")
    if isinstance(shown, History) and not len(shown):
        raise ValueError("this history has no row yet")
    budget = Budget(spikes, membranes, points)
    bokeh()
    if isinstance(shown, Recording):
        content = of_recording(shown, budget, title)
    else:
        content = _of_training(shown, net, x, target, loss, snapshots, 0 if sample is None else sample, budget, title)
    write(content, path)


def check_path(name: str, path: object) -> None:
    """Raise unless a page can be called so."""
    file = Path(validate.path(name, path))
    if file.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"{name}: a page is saved as .html, not {file.name!r}")


def _check(shown: Recording | Run | History, given: set[str]) -> None:
    """Raise for what has no effect."""
    if isinstance(shown, Recording):
        what, without = "a recording of a simulation", given
    elif isinstance(shown, Run):
        what, without = "a run, which has its network and input", given & {"net", "x", "target", "loss"}
    else:
        what, without = "a history", set()
    if without:
        raise ValueError(f"{', '.join(sorted(without))} cannot be given with {what}")
    for name, needed in (("x", "net"), ("loss", "x"), ("target", "loss")):
        if name in given and needed not in given:
            raise ValueError(f"{name} is given without {needed}")
    if "sample" in given and isinstance(shown, History) and "x" not in given:
        raise ValueError("sample is given without x")


def _of_training(
    shown: Run | History, net: Layer | None, x: object, target: object, loss: Callable | None,
    snapshots: Snapshots | None, sample: int, budget: Budget, title: str,
) -> Content:  # fmt: skip
    said: list[str] = []
    content = Content(title, left_out=said)
    if isinstance(shown, History):
        content.course, n = shown, len(shown)
        if some := dict.fromkeys(name for row in shown.rows for name in row if name not in drawn(shown)):
            said.append(f"Columns of the history that are no numbers, or not in every row: {', '.join(some)}.")
        content.title = title or f"Training, {shown.rows[-1].get('epoch', n)} epoch{'s' * (n > 1)}"
    else:
        net, content.title = shown._layer, title or "One run of a network"
        content.activity = of_run(shown, sample, budget, said)
    if net is not None and x is not None:
        course = shown if isinstance(shown, History) and "loss" in drawn(shown) else None
        content.report = report(net, x, target, loss, history=course)
        content.activity = of_batch(net, x, target, loss, sample, budget, said)
    if content.activity is not None:
        content.subtitle = ", ".join(f"{p.name}: {p.n:,} x {p.model}" for p in content.activity.populations)
    taken = snapshots.taken if snapshots is not None else []
    if not taken and net is not None:
        taken = [("as trained" if isinstance(shown, History) else "as run", net.on_host().parameters())]
    content.weights = matrices(taken, said)
    return content


def write(content: Content, path: str | PathLike[str]) -> None:
    """Draw and write the file, whole or not at all."""
    from bokeh.document import Document
    from bokeh.embed import file_html
    from bokeh.events import DocumentReady
    from bokeh.resources import INLINE

    parts: dict[str, Model] = {}
    ready: list[Model] = []
    course = course_figures(content.course) if content.course else {}
    parts |= course
    if content.activity:
        more, ready = activity_figures(content.activity)
        parts |= more
    for k, weights in enumerate(content.weights):
        parts |= weight_figures(k, weights)
    if not parts:
        raise ValueError("there is nothing to draw: this history has no column of numbers beside its epochs")
    document = Document(title=content.title)
    with document.models.freeze():  # looks for models once, and not for each part
        for name, part in parts.items():
            part.name = name
            document.add_root(part)
    for callback in ready:
        document.js_on_event(DocumentReady, callback)
    text = file_html(
        document,
        INLINE,
        title=content.title,
        template=(Path(__file__).parent / "page.html").read_text(encoding="utf-8"),
        template_variables={
            "content": content, "course": list(course), "roots_there": set(parts), "ink": INK, "font": FONT,
            "traced": content.activity is not None and len(content.activity.unit) > 0,
            "tables": content.report.tables() if content.report else [],
        },
        suppress_callback_warning=True,
    )  # fmt: skip
    with writing(path) as file:
        file.write(text.encode())
