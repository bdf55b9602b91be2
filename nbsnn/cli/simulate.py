"""``nbsnn simulate``: run a published network, and say how it fires and how long that took."""

from __future__ import annotations

import argparse
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .. import models
from ..compile import log as compiler
from ..device.threads import set_threads, threads
from ..files.spikes import SpikeFile, SpikeWriter
from ..network import Network
from ..network.group import Group, Section
from ..network.membrane import membrane_of
from ..network.recording import Recording
from ..network.run import whole
from ..network.state import State
from ..pages.budget import spread
from ..pages.page import page
from ..progress.bar import Progress
from ..progress.compiling import compiling
from ..ranks import Alone
from ..validate import number
from . import activity, own
from .manners import add_ranks, add_results, digest, find_folder, manual, progress, ranks_of, tell
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
    "wang": Model(
        models.wang, "2000 neurons that decide and remember, NMDA (Wang 2002)", "times as many neurons, weaker synapses"
    ),
}


OWN = "FILE.py"
"""How the command of a network of one's own is called, in help."""

KEPT = "summary.json", "run.spikes", "run.spikes.part"
FILES = """
spikes.npz      np.load("DIR/spikes.npz")["NAME/times"], ms, and "NAME/units",
                of each population NAME; times count settling too
run.spikes      the same: nbsnn.files.SpikeFile("DIR/run.spikes").spikes()
activity.npz    rate and CV of each neuron, rates of populations over time
summary.json    settings, rates, times and memory
activity.png    raster and rates
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``simulate`` and its models to the command line."""
    command = commands.add_parser(
        "simulate",
        help="run a published network, or one of your own",
        **manual(
            "Run a published network, or one of your own: FILE.py is a Python file with a function network() that "
            "returns an nbsnn.Network. It says at the end how the network fires and how long that took, and writes "
            "spikes, rates and a figure. Ctrl-C keeps the state and prints the command that resumes.",
            "nbsnn simulate cuba",
            "nbsnn simulate brunel --set g=4.5 --set eta=0.9 --duration 500",
            "nbsnn simulate cuba --help",
        ),
    )
    names = command.add_subparsers(dest="model", required=True, metavar="MODEL", title="models")
    for name, model in MODELS.items():
        settings = [n for n in inspect.signature(model.make).parameters if n not in own.OURS]
        p = names.add_parser(
            name,
            help=model.summary,
            **manual(
                f"Simulate the network {name}: {model.summary}.",
                f"nbsnn simulate {name}",
                f"nbsnn simulate {name} --scale 0.1 --duration 500 --seed 3",
                *(f"nbsnn simulate {name} --set {s}={inspect.signature(model.make).parameters[s].default}"
                  for s in settings[:1]),
                f"nbsnn simulate {name} --out runs/{name}-json --json",
                files=FILES,
            ),
        )  # fmt: skip
        add_options(p, name, model, f"one of {', '.join(settings)}" if settings else "this network has none")
        p.set_defaults(run=partial(run, model))
    p = names.add_parser(
        OWN,
        help="your own: a file with a function network() that returns an nbsnn.Network",
        **manual(
            "Simulate a network of your own: a Python file with a function network() that returns an nbsnn.Network. "
            "FILE.py:NAME takes another function. Arguments of the function are set with --set; seed, dt, dtype, scale "
            "and device, where it has them, with the options of these names.",
            "nbsnn simulate my_network.py",
            "nbsnn simulate my_network.py --set weight=2.5 --duration 500 --seed 3",
            files=FILES,
        ),
    )
    p.add_argument("file", metavar="FILE.py", help="the file, or FILE.py:FUNCTION")
    add_options(p, "NAME", None, "an argument of the function")
    p.set_defaults(run=partial(run, None), name=None)


def add_options(p: argparse.ArgumentParser, name: str, model: Model | None, settings: str) -> None:
    """Add the options of a simulation; those of a function of the user's have no defaults."""
    d = (lambda value: value) if model else (lambda value: None)
    g = p.add_argument_group("network")
    g.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=f"a setting: {settings}")
    g.add_argument("--scale", type=float, default=d(model and model.scale), help=model.scaling if model else "its size")
    g.add_argument("--dt", type=float, default=d(0.1), metavar="MS", help="time step, ms")
    g.add_argument("--float64", action="store_true", help="double precision")
    g.add_argument("--seed", type=int, default=d(0), help="of synapses, initial values and noise")
    g = p.add_argument_group("run")
    g.add_argument("--duration", type=float, default=1000.0, metavar="MS", help="time to record, ms")
    g.add_argument(
        "--settle", type=float, default=200.0 if model else 0.0, metavar="MS", help="time before it, not recorded"
    )
    g = p.add_argument_group("machine")
    g.add_argument("--device", default=d("cpu"), choices=["cpu", "cuda", "auto"], help="where the network runs")
    g.add_argument("--threads", type=int, default=None, help="threads of the kernels, all processors by default")
    add_ranks(g, "spikes, variables and weights")
    add_page(add_results(p, name, "resume a run that was interrupted"))


def with_file(argv: list[str]) -> list[str]:
    """Arguments in which a file of the user's is not taken for the name of a model."""
    own_file = len(argv) > 1 and argv[0] == "simulate" and (argv[1].endswith(".py") or ".py:" in argv[1])
    return [argv[0], OWN, *argv[1:]] if own_file and argv[1] != OWN else argv


def built(model: Model | None, a: argparse.Namespace, ranks: Alone) -> Network:
    """The network; its name is in ``a`` then."""
    comm = ranks if a.mpi else None
    options = {"seed": a.seed, "dt": a.dt, "scale": a.scale, "device": a.device, "comm": comm}
    if model or a.float64:
        options["dtype"] = np.float64 if a.float64 else np.float32
    if model:
        return own.make(model.make, a.model, own.parsed(a.set), options)
    a.model = a.name = Path(a.file.partition(":")[0]).stem
    return own.make(own.function(a.file), a.file, own.parsed(a.set), options)


def run(model: Model | None, a: argparse.Namespace) -> int:
    """Simulate; leaves spikes, ``activity.npz``, ``summary.json`` and ``activity.png`` in ``--out``."""
    if a.dt is not None:
        number("--dt", a.dt, above=0.0)
    check_page(a)
    if a.page is not None and a.resume:
        raise ValueError("--page shows a run from its beginning: with --resume there is none")
    if a.threads is not None:
        set_threads(a.threads)
    ranks = ranks_of(a)
    first = ranks.rank == 0
    show = progress(a, first)
    net = built(model, a, ranks)
    dt, start = net.dt, time.perf_counter()
    settle, steps = whole(a.settle, dt, "--settle", least=0), whole(a.duration, dt, "--duration")
    if net.step:
        raise ValueError(f"{a.model}: the function must return a network that has not run; this is at {net.time:g} ms")
    ranks.first(lambda: find_folder(a, KEPT, show))
    show.line(
        f"{a.model}: {net.units:,} neurons, {net.dtype}, steps of {dt:g} ms, seed {net.seed}; building about "
        f"{sum(c.estimate() for c in net.connections):,} synapses"
    )
    net.build()
    spent, compiled = time.perf_counter() - start, _compiled()
    synapses = sum(map(net.layout.shares.count, net.connections))
    if first:
        a.out.mkdir(parents=True, exist_ok=True)
    else:  # whose files nobody writes
        a.out = Path(f"rank-{ranks.rank}")
    recording = simulated(net, a, settle, steps, show)
    told = digest(everything(net, recording)) if a.digest else ""
    if not first:
        return 0
    if a.digest:
        print(f"digest: {told}", flush=True)
    path = a.out / "run.spikes"
    records = SpikeFile(path).records
    # Steps are counted from the end of settling; a spike belongs to its step, at whose end it has its time.
    times, units = (records["step"] - 1 - settle) * dt, np.array(records["unit"])
    found = activity.measure(net, times, units, a.duration)
    show.line(activity.table(found))
    seconds, ran = (recording.seconds, recording.duration) if recording else (0.0, 0.0)
    cost = {
        "build_s": spent - compiled, "compile_s": _compiled(), "run_s": seconds,
        "real_time_factor": 1000.0 * seconds / ran if ran else None,
        "threads": net.backend.threads(net.loop()), "network_bytes": net.nbytes, "peak_bytes": activity.peak_bytes(),
    }  # fmt: skip
    if ran:
        show.line(activity.costs(cost, ran, threads()))
    settings = {
        "model": a.model, "scale": a.scale, "seed": net.seed, "dt": dt, "dtype": str(net.dtype), "device": a.device,
        "set": own.parsed(a.set), "settle": a.settle, "duration": a.duration,
        "neurons": net.units, "synapses": synapses,
    }  # fmt: skip
    written = ["run.spikes", *activity.write(a.out, found, {**settings, **cost}, show)]
    show.line(f"wrote {', '.join(written)} to {a.out}")
    one = next(iter(found))
    show.line(f'read them: np.load("{a.out / "spikes.npz"}")["{one}/times"] in ms, and ["{one}/units"]')
    if a.page is not None and recording:
        page(recording, a.page, title=f"{a.model}, {a.duration:g} ms")
        show.line(f"wrote {a.page}")
    populations = {name: x.numbers() for name, x in found.items()}
    tell(a, {"command": "simulate", **settings, **cost, "populations": populations, "out": a.out, "files": written})
    return 0


def everything(net: Network, recording: Recording | None) -> Iterator[np.ndarray]:
    """Spikes, variables and weights of a network; of the synapses of other ranks the first has one block at a time."""
    if recording is None:
        raise ValueError("--digest is of a run from its beginning")
    yield from recording.spikes()
    for group in net.groups:
        yield from (group[label] for _, label, _ in net._variables(group))
    for c in net.connections:
        yield from net.layout.shares.listed(c)


def simulated(net: Network, a: argparse.Namespace, settle: int, steps: int, show: Progress) -> Recording | None:
    """Run, or resume a run that was interrupted: ``run.spikes`` then is whole. None if nothing was left to do."""
    path, part, state = a.out / "run.spikes", a.out / "run.spikes.part", a.out / "run.state.npz"
    if a.resume and state.exists():
        net.restore(State.load(state))
        show.line(f"resuming at {net.time:g} of {net.dt * (settle + steps):g} ms")
    elif a.resume and path.exists():
        show.line(f"nothing to resume: the run in {a.out} was not interrupted")
        return None
    else:
        if a.resume and part.exists():
            show.line("the run was killed and left no state: it starts again from the beginning")
        for file in (part, state):
            file.unlink(missing_ok=True)
    try:
        if net.step < settle:
            with compiling(show):
                net.run((settle - net.step) * net.dt, record={}, progress=show)
        record, every = (None, None) if a.page is None else recorded(net, a.duration)
        left = (settle + steps - net.step) * net.dt
        with SpikeWriter.resume(part, net.step + 1) if part.exists() else nullcontext(part) as to, compiling(show):
            recording = net.run(left, record=record, every=every, to=to, progress=show)
    except KeyboardInterrupt:
        net.state().save(state)
        a.kept = f"the state of {net.time:g} ms"
        raise
    if part.exists():
        part.replace(path)
    state.unlink(missing_ok=True)
    return recording


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
