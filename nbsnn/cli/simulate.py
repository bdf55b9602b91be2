"""``nbsnn simulate``: run a published network, and say how it fires and how long that took."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .. import models
from ..compile import fill as compiler
from ..device.threads import set_threads, threads
from ..files.spikes import SpikeFile
from ..network import Network
from ..network.group import Group, Section
from ..network.membrane import membrane_of
from ..network.run import whole
from ..pages.budget import spread
from ..pages.page import page
from ..progress.bar import Progress
from ..validate import number
from . import activity
from .results import add_page, check_page


@dataclass(frozen=True)
class Model:
    """A network that can be simulated; ``scale`` is the default, and ``scaling`` says what it does."""

    make: Callable[..., Network]
    summary: str
    scaling: str
    scale: float = 1.0


MEMBRANES, TIMES = 24, 2000
"""For a page: of about how many units membranes are recorded, at about how many times."""

CELLS = "times as many neurons, each with as many synapses as at 1"
MODELS = {
    "cuba": Model(models.cuba, "4000 neurons, currents (Vogels and Abbott 2005)", CELLS),
    "coba": Model(models.coba, "4000 neurons, conductances (Vogels and Abbott 2005)", CELLS),
    "cobahh": Model(models.cobahh, "4000 Hodgkin-Huxley neurons, conductances (Brette et al. 2007)", CELLS),
    "brunel": Model(models.brunel, "12,500 neurons, 15.6 million delta synapses (Brunel 2000)", CELLS),
    "microcircuit": Model(
        models.microcircuit,
        "four cortical layers, 77,169 neurons at scale 1 (Potjans and Diesmann 2014)",
        "share of the neurons, and of the inputs of each, up to 1; weights and a current make up for the others",
        scale=0.1,
    ),
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``simulate`` and its models to the command line."""
    command = commands.add_parser("simulate", help="run a published network", allow_abbrev=False)
    names = command.add_subparsers(dest="model", required=True, metavar="MODEL")
    for name, model in MODELS.items():
        p = names.add_parser(
            name,
            help=model.summary,
            description=f"Simulate the network {name}: {model.summary}. Says at the end how it fires and how long that "
            "took, and writes spikes, rates and a figure.",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            allow_abbrev=False,
        )
        p.add_argument("--duration", type=float, default=1000.0, metavar="MS", help="time to record, ms")
        p.add_argument("--settle", type=float, default=200.0, metavar="MS", help="time before that, not recorded, ms")
        p.add_argument("--scale", type=float, default=model.scale, help=model.scaling)
        p.add_argument("--dt", type=float, default=0.1, metavar="MS", help="time step, ms")
        p.add_argument("--float64", action="store_true", help="double precision")
        p.add_argument("--seed", type=int, default=0, help="of synapses, initial values and noise")
        p.add_argument("--device", default="cpu", choices=["cpu", "cuda", "auto"], help="where the network runs")
        p.add_argument("--threads", type=int, default=None, help="threads of the kernels, all processors by default")
        p.add_argument("--out", type=Path, default=Path("runs") / name, metavar="DIR", help="folder for all results")
        add_page(p)
        p.set_defaults(run=partial(run, model))


def run(model: Model, a: argparse.Namespace) -> int:
    """Simulate; leaves ``run.spikes``, ``activity.npz``, ``summary.json`` and ``activity.png`` in ``--out``."""
    dt = number("--dt", a.dt, above=0.0)
    whole(a.duration, dt, "--duration")
    whole(a.settle, dt, "--settle", least=0)
    check_page(a)
    if a.threads is not None:
        set_threads(a.threads)
    show = Progress()
    dtype = np.float64 if a.float64 else np.float32
    net = model.make(seed=a.seed, dt=a.dt, dtype=dtype, scale=a.scale, device=a.device)
    start = time.perf_counter()
    show.line(
        f"{a.model}: {net.units:,} neurons, {net.dtype}, steps of {dt:g} ms, seed {a.seed}; building about "
        f"{sum(c.estimate() for c in net.connections):,} synapses"
    )
    if (a.out / "summary.json").exists():
        show.line(f"{a.out} holds the results of an earlier run, which those of this one will replace")
    net.build()
    built, compiled = time.perf_counter() - start, _compiled()
    synapses = sum(map(len, net.connections))
    a.out.mkdir(parents=True, exist_ok=True)
    path, part = a.out / "run.spikes", a.out / "run.spikes.part"
    part.unlink(missing_ok=True)  # of a run that was interrupted
    try:
        if a.settle:
            net.run(a.settle, record={})
        record, every = (None, None) if a.page is None else recorded(net, a.duration)
        recording = net.run(a.duration, record=record, every=every, to=part, progress=True)
    except KeyboardInterrupt:
        kept = f"spikes until then are in {part}" if part.exists() else "before spikes were recorded"
        print(f"\nnbsnn: interrupted at {net.time:g} ms; {kept}", file=sys.stderr)
        return 130
    part.replace(path)
    records = SpikeFile(path).records
    # Steps are counted from the end of settling; a spike belongs to its step, at whose end it has its time.
    times = (records["step"] - 1 - whole(a.settle, dt, "--settle", least=0)) * dt
    found = activity.measure(net, times, np.array(records["unit"]), a.duration)
    show.line(activity.table(found))
    cost = {
        "build_s": built - compiled, "compile_s": _compiled(), "run_s": recording.seconds,
        "real_time_factor": 1000.0 * recording.seconds / a.duration, "threads": net.backend.threads(net.loop()),
        "network_bytes": net.nbytes, "peak_bytes": activity.peak_bytes(),
    }  # fmt: skip
    show.line(activity.costs(cost, a.duration, threads()))
    settings = {
        "model": a.model, "scale": a.scale, "seed": a.seed, "dt": a.dt, "dtype": str(net.dtype), "device": a.device,
        "settle": a.settle, "duration": a.duration, "neurons": net.units, "synapses": synapses,
    }  # fmt: skip
    written = ["run.spikes", *activity.write(a.out, found, {**settings, **cost}, show)]
    show.line(f"wrote {', '.join(written)} to {a.out}")
    if a.page is not None:
        page(recording, a.page, title=f"{a.model}, {a.duration:g} ms")
        show.line(f"wrote {a.page}")
    return 0


def recorded(net: Network, duration: float) -> tuple[dict[Group, dict[str, list[int] | None]], float]:
    """What is recorded for a page: all spikes, membrane and input of a few units, and every how many ms."""
    record: dict[Group, dict[str, list[int] | None]] = {}
    few = max(2, MEMBRANES // max(1, len(net.sections) or len(net.groups)))
    for group in net.groups:
        record[group] = {"spikes": None}
        parts = [s for s in net.sections.values() if s.group is group] or [Section(group)]
        units = [part.lo + int(k) for part in parts for k in spread(part.n, few)]
        names = [membrane_of(group.neuron)] if group.neuron and membrane_of(group.neuron) in group.neuron.state else []
        names += [
            port.label(name)
            for port in group.ports
            for name, share in zip(port.synapse.variables, port.synapse.output, strict=True)
            if share
        ]
        record[group] |= dict.fromkeys(names, units)
    return record, net.dt * max(1, round(duration / net.dt / TIMES))


def _compiled() -> float:
    """Seconds that this process has spent on compiling kernels, or on loading them, so far."""
    return sum(entry.seconds for entry in compiler.log)
