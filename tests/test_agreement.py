"""The published networks fire as those of NEST and Brian 2 do: five seeds of ours against five of each of theirs.

``agreement.json`` holds, for every network and simulator, what five seeds gave in one second: mean rate, mean rate
after 100 ms, coefficient of variation of intervals after 100 ms, rate of excitatory neurons or of each population.
Every value of ours must lie in the span of all of theirs, widened by three standard deviations (of the simulator that
varies more), and so must the mean of ours, with one. COBA dies out in some seeds, in all simulators: survivors are
compared with survivors. Of the microcircuit there are 30 more seeds of NEST: in the first five, one population varies
four times less than in general.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from nbsnn import models, statistics

EXPECTED = json.loads((Path(__file__).parent / "agreement.json").read_text())
SETTLE = {"pd": 200.0}  # ms
ALIVE = 1.0  # Hz
SEEDS = {"coba": range(1, 16)}


def alive(runs):
    """The values of one simulator, by figure, without the seeds that died out."""
    rates = runs["rate_hz"]["values"]
    survivors = [k for k, rate in enumerate(rates) if rate > ALIVE]
    figures = {name: x["values"] for name, x in runs.items() if isinstance(x, dict)}
    return {
        # Of the dead there is no irregularity: these values are of survivors already.
        name: np.array(values if len(values) == len(survivors) else [values[k] for k in survivors])
        for name, values in figures.items()
    }


def span(name, figure, deviations):
    """What is allowed, lowest and highest."""
    values = [alive(runs)[figure] for runs in EXPECTED[name].values()]
    margin = deviations * np.max([v.std(axis=0) for v in values], axis=0)
    joined = np.concatenate(values)
    return joined.min(axis=0) - margin, joined.max(axis=0) + margin


def figures(name, seed):
    """The same figures of ours."""
    net = models.microcircuit(seed, scale=0.1) if name == "pd" else getattr(models, name)(seed)
    if name in SETTLE:
        net.run(SETTLE[name], record={})
    run = net.run(1000.0)
    times, units = run.spikes()
    times = times - run.start
    found = {
        "rate_hz": run.rate(),
        "rate_after_100ms_hz": np.sum(times >= 100.0 - 1e-6) / net.units / 0.9,
        "cv_isi": statistics.cv(times, units, net.units, start=100.0) if run.rate() > ALIVE else np.nan,
    }
    if name == "pd":
        return {**found, "rates_pop_hz": [run.rate(group) for group in net.groups]}
    return {**found, "rate_exc_hz": run.rate("exc")}


@pytest.mark.long
@pytest.mark.parametrize("name", EXPECTED)
def test_five_seeds_agree_with_nest_and_brian(name):
    ours = [figures(name, seed) for seed in SEEDS.get(name, range(1, 6))]
    ours = [found for found in ours if found["rate_hz"] > ALIVE][:5]
    assert len(ours) == 5
    for figure in ours[0]:
        values = np.array([found[figure] for found in ours])
        for value, deviations in ((values, 3.0), (values.mean(axis=0), 1.0)):
            low, high = span(name, figure, deviations)
            assert (value >= low).all() and (value <= high).all(), f"{figure} of {name}: {values}, not {low} to {high}"


@pytest.mark.long
def test_another_precision_gives_the_same_rates():
    """Chaos parts the spikes of float32 and float64 within milliseconds; what they do on average stays."""
    single, double = (models.cuba(1, dtype=dtype).run(1000.0) for dtype in (np.float32, np.float64))
    assert abs(single.rate() - double.rate()) < 0.5
