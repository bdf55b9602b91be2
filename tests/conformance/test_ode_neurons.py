"""Nonlinear neurons against their differential equations, whose events are exact: ``ode_neurons.npz``.

Keys are MODEL/PATTERN/CASE/quantity. Spike times within a step are read from ``left`` where the neuron places them
there; so that it is not used up in the same step, substeps are steps here, under the current of a whole one.
Intervals must be within 0.5 % + 0.02 ms, and a step more for a neuron that resets at the end of its step.

Not compared, by a rule and not by name: intervals after a spike that 0.01 % more current moves by 5 % of the median
interval, and intervals that it changes by more than a quarter of their tolerance (bursts near a bifurcation, of
"irregular spiking" and "delayed regular bursting" above all); from there on, the number of spikes alone.
"""

import functools
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import neurons

from .golden import DEFAULT_FOLDER

DT = 0.1
SUBSTEPS = {"AdEx": 4, "Izhikevich": 2}  # the defaults; that of HodgkinHuxley is read from "left" all the same
FILE = "ode_neurons.npz"


@functools.cache
def contents(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / FILE, allow_pickle=False) as stored:
        return dict(stored)


def folder_of(config: pytest.Config) -> Path:
    return config.getoption("--golden-dir") or DEFAULT_FOLDER


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "model" in metafunc.fixturenames:
        folder = folder_of(metafunc.config)
        models = sorted({key.split("/")[0] for key in contents(folder)}) if (folder / FILE).is_file() else []
        skipped = [pytest.param("", marks=pytest.mark.skip(reason=f"no golden file {folder / FILE}"))]
        metafunc.parametrize("model", models or skipped)


def current(kind: str, given: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The current at the middle of each step."""
    if kind.startswith("step"):
        base, level, on, off = given
        return np.where((t >= on) & (t < off), level, base)
    if kind.startswith("sine"):
        mean, amplitude, frequency, phase = given
        return mean + amplitude * np.sin(2.0 * np.pi * frequency * t / 1000.0 + phase)
    return np.full(len(t), given[0])


def simulate(model: str, cases: list[tuple[dict, np.ndarray, dict | None]], steps: int, dt: float, **options):
    """Spike times of each unit and its membrane [steps, units]; a case is (parameters, currents, jumps by step)."""
    names = {name for params, _, _ in cases for name in params}
    params = {name: np.array([params[name] for params, _, _ in cases]) for name in sorted(names)}
    small = len(cases) * steps < 100_000
    if model in SUBSTEPS:
        parts = SUBSTEPS[model]
        assert getattr(neurons, model)().options["substeps"] == parts
        dt, steps, options = dt / parts, steps * parts, {"substeps": 1, **options}
    else:
        parts = 1
    net = nbsnn.Network(dt=dt, dtype=np.float64, device="python" if small else "cpu")
    cells = net.population(getattr(neurons, model)(**params, **options), len(cases))
    net.inject(cells, np.stack([given for _, given, _ in cases], axis=1), every=parts * dt)
    jumps = [(step, unit, w) for unit, (_, _, given) in enumerate(cases) for step, w in (given or {}).items()]
    if jumps:
        at, targets, weights = map(np.array, zip(*jumps, strict=True))
        source = net.spikes((at * parts - 1) * dt, np.arange(len(at)), len(at))
        net.connect(source, cells, nbsnn.Explicit(np.arange(len(at)), targets), weight=weights, delay=dt)
    inside = "left" in cells.neuron.state and cells.neuron.per_step.get("refractory") != "steps"
    run = net.run(steps * dt, record={cells: ["spikes", "v", *(["left"] if inside else [])]})
    times, units = run.spikes(cells)
    if inside:
        rest = params.get("refractory", np.zeros(len(cases))) / dt
        times = times - (rest[units] - run[cells, "left"][np.rint(times / dt).astype(int) - 1, units]) * dt
    return [times[units == k] for k in range(len(cases))], run[cells, "v"][parts - 1 :: parts], inside


def test_spikes_and_membrane_follow_the_equations(model: str, pytestconfig: pytest.Config) -> None:
    stored = contents(folder_of(pytestconfig))
    names = sorted({key.rsplit("/", 1)[0] for key in stored if key.startswith(f"{model}/") and key.endswith("/spikes")})
    steps = 2 + round(max(float(stored[f"{name}/t_end"]) for name in names) / DT)
    middle, cases = (np.arange(steps) + 0.5) * DT, []
    for name in names:
        pattern, kind = name.rsplit("/", 1)
        params = {k.split("/")[-1]: float(v) for k, v in stored.items() if k.startswith(f"{pattern}/params/")}
        params |= {"v_start": params["c"]} if model == "Izhikevich" else {}
        jumps = None
        if f"{name}/jump_times" in stored:
            jumps = {}
            for t, w in zip(stored[f"{name}/jump_times"], stored[f"{name}/jump_weights"], strict=True):
                jumps[round(t / DT)] = jumps.get(round(t / DT), 0.0) + w
        cases.append((params, current(kind, stored[f"{name}/I"], middle), jumps))
    spikes, v, inside = simulate(model, cases, steps, DT)
    wrong = []
    for k, name in enumerate(names):
        end, expected, shift = (stored[f"{name}/{what}"] for what in ("t_end", "spikes", "shift"))
        end = min(end, expected[-1]) if len(expected) == 20 else end  # only as many were looked for
        found = spikes[k][spikes[k] <= end + 0.02]
        grid = 0.0 if inside else 2.0 * DT if "/sine" in name else DT  # a late reset meets another phase
        interval, moved = np.diff(expected, prepend=0.0), np.diff(shift, prepend=0.0)
        allowed = 0.005 * interval + 0.02 + grid
        with np.errstate(invalid="ignore"):
            sound = (np.abs(shift) < 0.05 * np.median(interval)) & (np.abs(moved) < 0.25 * allowed)
        first = len(sound) if sound.all() else int(np.argmin(sound))
        if abs(len(found) - len(expected)) > (2 if first < len(sound) else 1):
            wrong.append(f"{name}: {len(found)} spikes, not {len(expected)}")
        both = min(first, len(found))
        off = np.abs(np.diff(found, prepend=0.0)[:both] - interval[:both]) / allowed[:both]
        if (off > 1.0).any():
            wrong.append(f"{name}: interval {int(np.argmax(off))} is off by {off.max():.2f} times what is allowed")
        at = np.rint(stored[f"{name}/t_v"] / DT).astype(int) - 1
        t = stored[f"{name}/t_v"]
        until = expected[first] if first < len(expected) else np.inf
        after = t[:, None] - np.concatenate([expected, found])
        held = 3.0 + (0.0 if inside else cases[k][0]["refractory"])
        near = ((after > -3.0) & (after < held)).any(axis=1)
        far = ~near & (t < until) & (at < steps) & (at > 0)
        slope = np.abs(v[at[far], k] - v[at[far] - 1, k]) / DT
        late = np.array([allowed[expected <= now].sum() for now in t[far]])
        gap = np.abs(v[at[far], k] - stored[f"{name}/v"][far]) - 0.1 - slope * (0.02 + late)
        if (gap > 0.0).any():
            wrong.append(f"{name}: v is {gap.max():.3f} mV further off than allowed")
    assert not wrong, "\n".join(wrong)


def test_rheobase(model: str, pytestconfig: pytest.Config) -> None:
    stored = contents(folder_of(pytestconfig))
    patterns = sorted(key.removesuffix("/rheobase") for key in stored if key.endswith("/rheobase"))
    patterns = [name for name in patterns if name.startswith(f"{model}/")]
    cases, steps = [], round(500.0 / DT)
    for pattern in patterns:
        params = {k.split("/")[-1]: float(v) for k, v in stored.items() if k.startswith(f"{pattern}/params/")}
        params |= {"v_start": params["c"]} if model == "Izhikevich" else {}
        least = float(stored[f"{pattern}/rheobase"])
        margin = max(0.001 * abs(least), 0.005 if model == "Izhikevich" else 0.05)
        cases += [(params, np.full(steps, least + d), None) for d in (-margin, margin)]
    if not cases:
        pytest.skip("no rheobase")
    spikes, _, _ = simulate(model, cases, steps, DT)
    for k, pattern in enumerate(patterns):
        below, above = len(spikes[2 * k]), len(spikes[2 * k + 1])
        # A start that is an equilibrium, or that fires by itself, has no rheobase to speak of.
        if float(stored[f"{pattern}/rheobase"]) > 0.01:
            assert below == 0, pattern
        assert above > 0, pattern
