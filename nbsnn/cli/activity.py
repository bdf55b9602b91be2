"""Activity of a simulated network's populations, as a table, as arrays, and as a figure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import statistics
from ..checkpoint.save import write_npz
from ..files.whole import beside
from ..network import Network
from ..progress.bar import Progress

Array = np.ndarray

BIN = 5.0  # ms


class Activity:
    """Spikes of ``n`` units in ``duration`` ms, and what they amount to."""

    def __init__(self, times: Array, units: Array, n: int, duration: float):
        self.times, self.units, self.n, self.duration = times, units, n, duration
        self.rate = statistics.mean_rate(times, units, n, duration)
        self.cvs = statistics.cv_per_unit(times, units, n)
        known = self.cvs[~np.isnan(self.cvs)]
        self.cv = float(known.mean()) if len(known) else math.nan
        self.synchrony = statistics.synchrony(times, units, n, duration, width=min(BIN, duration))

    def numbers(self) -> dict[str, Any]:
        """JSON-ready values; None where unknown."""
        numbers = {"rate_hz": self.rate, "cv": self.cv, "synchrony": self.synchrony}
        return {"neurons": self.n, **{name: None if math.isnan(x) else round(x, 4) for name, x in numbers.items()}}


def measure(net: Network, times: Array, units: Array, duration: float) -> dict[str, Activity]:
    """Activity of each population or named section; where there are several, also of all units together."""
    places = {name: (net.first(s.group) + s.lo, s.n) for name, s in net.sections.items()}
    places = places or {group.name: (net.first(group), group.n) for group in net.groups}
    found = {}
    for name, (first, n) in places.items():
        mine = (units >= first) & (units < first + n)
        found[name] = Activity(times[mine], units[mine] - first, n, duration)
    return {**found, "all": Activity(times, units, net.units, duration)} if len(found) > 1 else found


def table(found: Mapping[str, Activity]) -> str:
    """One line for each population."""
    lines = [f"{'population':12}{'neurons':>9}{'rate (Hz)':>11}{'CV':>8}{'synchrony':>11}"]
    for name, x in found.items():
        cells = [f"{x.n:>9}", f"{x.rate:>11.2f}", _cell(x.cv, 8), _cell(x.synchrony, 11)]
        lines.append(f"{name:12}{''.join(cells)}")
    return "\n".join(lines)


def _cell(value: float, width: int) -> str:
    return f"{'-' if math.isnan(value) else format(value, '.3f'):>{width}}"


def costs(cost: Mapping[str, Any], duration: float, threads: int) -> str:
    """Time and memory, in words."""
    used = cost["threads"]
    if used is None:
        many = "a GPU"
    else:
        many = f"{used} thread{'s' if used > 1 else ''}" + (f" of {threads}: it is small" if used < threads else "")
    peak = f", {cost['peak_bytes'] / 1e6:.0f} MB the whole process at its peak" if cost["peak_bytes"] else ""
    return (
        f"{duration:g} ms in {cost['run_s']:.3g} s on {many}: real-time factor {cost['real_time_factor']:.3g}\n"
        f"building took {cost['build_s']:.2f} s, compiling or loading kernels {cost['compile_s']:.2f} s\n"
        f"memory: {cost['network_bytes'] / 1e6:.1f} MB the network{peak}"
    )


def write(out: Path, found: Mapping[str, Activity], summary: Mapping[str, Any], show: Progress) -> list[str]:
    """Write spikes, rates and figures into ``out``; returns the names of the files."""
    arrays, spikes, dt = {}, {}, summary["dt"]
    before = round(summary["settle"] / dt) + 1  # steps; times in files are ends of steps since the network was made
    for name, x in found.items():
        if name != "all":
            spikes |= {f"{name}/times": (np.rint(x.times / dt) + before) * dt, f"{name}/units": x.units}
            arrays[f"{name}/rate"] = statistics.rates(x.times, x.units, x.n, x.duration)
            arrays[f"{name}/cv"] = x.cvs
        width = min(BIN, x.duration)
        arrays["time"], arrays[f"{name}/population_rate"] = statistics.population_rate(
            x.times, x.units, x.n, x.duration, width=width
        )
    write_npz(out / "spikes.npz", spikes)
    write_npz(out / "activity.npz", arrays)
    text = json.dumps({**summary, "populations": {name: x.numbers() for name, x in found.items()}}, indent=1)
    with beside(out / "summary.json") as part:
        part.write_text(text + "\n")
    written = ["spikes.npz", "activity.npz", "summary.json"]
    try:
        from .. import plot

        shown = {name: (x.times, x.units, x.n) for name, x in found.items() if name != "all" or len(found) == 1}
        title = f"{summary['model']}, {summary['neurons']:,} neurons"
        stop, width = float(summary["duration"]), min(BIN, float(summary["duration"]))
        plot.save(plot.activity(shown, stop, width=width, title=title), out / "activity.png")
        written.append("activity.png")
    except ImportError as error:
        show.line(f"no figure: {error}")
    return written


def peak_bytes() -> int | None:
    """The most memory this process has held so far, or None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    import sys

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
