"""Playgrounds: what their cells compute is right, for the sliders as they stand and when one is moved."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nbsnn

pytest.importorskip("marimo", reason="playgrounds need marimo")
pytest.importorskip("matplotlib")

FOLDER = Path(__file__).parent.parent / "examples" / "play"


def play(name, **moved):
    """All names of a playground's cells, with some sliders moved."""
    app = runpy.run_path(str(FOLDER / f"{name}.py"))["app"]
    _, names = app.run()
    if not moved:
        return names
    controls = {key: value for key, value in names.items() if type(value).__module__.startswith("marimo._plugins")}
    assert set(moved) <= set(controls)
    _, names = app.run(defs={**controls, **{key: SimpleNamespace(value=value) for key, value in moved.items()}})
    return names


def test_a_neuron_spikes_when_its_equation_says():
    names = play("neuron")
    v, expected, held = 0.0, [], 0
    for _ in range(2000):  # 2 ms of refractory period are 20 steps
        u = v + (1.0 - np.exp(-0.1 / 20.0)) * (1.5 - v)
        spike = held == 0 and u >= 1.0
        expected.append(float(spike))
        v, held = (0.0, 20) if spike else (0.0, held - 1) if held else (u, 0)
    np.testing.assert_array_equal(names["spikes"], expected)
    assert len(names["rates"]) == len(names["levels"]) + 1
    assert not names["rates"][:-1][names["levels"] < 1.0].any() and (np.diff(names["rates"][:-1]) >= 0.0).all()


def test_a_current_below_the_threshold_needs_noise():
    assert not play("neuron", current=0.9)["spikes"].any()
    assert play("neuron", current=0.9, noise=4.0)["spikes"].any()


def test_the_window_of_stdp_is_two_exponentials_and_the_weight_follows_the_pairs():
    names = play("stdp", rate=1)
    lags, change = names["lags"], names["change"]
    expected = np.where(lags > 0, 0.010 * np.exp(-lags / 20.0), -0.011 * np.exp(lags / 20.0))
    np.testing.assert_allclose(change[lags != 0], expected[lags != 0], rtol=1e-4)
    assert names["weight"][-1] - 0.5 == pytest.approx(len(names["at"]) * 0.010 * np.exp(-8.0 / 20.0), rel=1e-4)


@pytest.mark.parametrize("pairing", ["all pairs", "nearest"])
def test_at_fifty_pairs_a_second_all_of_them_count_or_the_nearest(pairing):
    names = play("stdp", rate=50, pairing=pairing)
    pre = names["at"]
    lags = (pre[None, :] + 8) - pre[:, None]  # of each post spike from each pre spike
    change = np.where(lags > 0, 0.010 * np.exp(-lags / 20.0), -0.011 * np.exp(lags / 20.0))
    if pairing == "nearest":
        change[(lags != 8) & (lags != -12)] = 0.0
    assert names["weight"][-1] - 0.5 == pytest.approx(change.sum(), rel=1e-3)


@pytest.mark.parametrize("current", [0.3, 0.05])
def test_the_gradient_of_each_input_is_that_by_hand(current):
    names = play("surrogate", current=current)
    d, slope, v, us = np.exp(-1.0 / 4.0), nbsnn.surrogates.atan(2.0).slope, 0.0, []
    for _ in range(30):
        u = d * v + current
        us.append(u)
        v = u - float(u >= 1.0)
    gv, expected = 0.0, []
    for u in reversed(us):
        gu = gv + (1.0 - gv) * slope(u - 1.0)
        expected.append(gu)
        gv = gu * d
    np.testing.assert_allclose(names["membrane"], us, rtol=1e-9)
    np.testing.assert_allclose(names["gradient"], expected[::-1], rtol=1e-9)
    assert names["spikes"].sum() == sum(u >= 1.0 for u in us)


def test_outside_a_narrow_window_nothing_passes():
    assert not play("surrogate", current=0.05, kind="rect")["gradient"].any()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_a_playground_says_how_it_is_opened(path):
    assert f"marimo run examples/play/{path.name}" in path.read_text()
    assert f"`{path.name}`" in (FOLDER.parent / "docs" / "playgrounds.md").read_text()
