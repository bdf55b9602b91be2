"""``nbsnn simulate``, as a user meets it."""

import json
import sys

import numpy as np
import pytest

import nbsnn.network.loop as loops
from nbsnn import models
from nbsnn.cli import main
from nbsnn.files.spikes import SpikeFile


def simulate(out, *more, model="cuba"):
    return main(["simulate", model, "--duration", "60", "--settle", "10", "--scale", "0.1", "--out", str(out), *more])


def test_it_writes_everything_and_the_numbers_are_those_of_the_run(tmp_path, capsys):
    assert simulate(tmp_path, "--seed", "3") == 0
    text = capsys.readouterr().out
    for word in ("population", "exc", "inh", "real-time factor", "compiling", "MB the network", "run.spikes"):
        assert word in text
    net = models.cuba(3, scale=0.1)
    net.run(10.0, record={})
    times, units = net.run(60.0).spikes()
    file = SpikeFile(tmp_path / "run.spikes").spikes()
    np.testing.assert_allclose(file[0], times)
    np.testing.assert_array_equal(file[1], units)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["populations"]["inh"]["rate_hz"] == pytest.approx(np.sum(units >= 320) / 80 / 0.06, abs=1e-4)
    assert summary["populations"]["all"]["neurons"] == summary["neurons"] == 400
    assert summary["synapses"] == sum(map(len, net.connections))
    assert summary["network_bytes"] == net.nbytes > 4 * len(units)
    with np.load(tmp_path / "activity.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["exc/rate"] * 0.06, np.bincount(units[units < 320], minlength=320))
        assert arrays["all/population_rate"].mean() == pytest.approx(len(units) / 400 / 0.06)
        assert arrays["inh/cv"].shape == (80,)
    simulate(tmp_path, "--seed", "4")  # in the place of the other
    assert len(SpikeFile(tmp_path / "run.spikes")) != len(times)


def test_a_figure_is_drawn_with_matplotlib(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    simulate(tmp_path)
    assert (tmp_path / "activity.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert simulate(tmp_path / "without") == 0
    assert 'pip install "nbsnn[plot]"' in capsys.readouterr().out
    assert not (tmp_path / "without" / "activity.png").exists()


def test_a_silent_network_is_shown_as_one(tmp_path, capsys):
    assert simulate(tmp_path, "--duration", "0.2", "--scale", "0.02") == 0
    assert "-" in capsys.readouterr().out
    assert json.loads((tmp_path / "summary.json").read_text())["populations"]["all"]["cv"] is None


@pytest.mark.long
@pytest.mark.parametrize("model", ["coba", "cobahh", "brunel", "microcircuit"])
def test_every_model_runs_in_both_precisions(model, tmp_path, capsys):
    for more in ([], ["--float64"]):
        assert simulate(tmp_path, *more, model=model) == 0
        assert "float64" in capsys.readouterr().out or not more


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--duration", "-1"], "--duration must be"),
        (["--settle", "-1"], "--settle must be"),
        (["--duration", "0.25"], "--duration must be a whole number of steps"),
        (["--scale", "0.001"], "scale must be at least 0.02"),
        (["--dt", "0"], "--dt must be"),
        (["--threads", "0"], "threads must be at least 1"),
        (["--scale", "1e5"], "free"),
    ],
)
def test_bad_arguments_are_one_line(more, message, tmp_path, capsys):
    assert simulate(tmp_path / "out", *more) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_interrupted_it_says_how_far_it_came(tmp_path, capsys, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nbsnn.network.loop.Loop.advance", stop)
    assert simulate(tmp_path) == 130
    assert "interrupted at 0 ms" in capsys.readouterr().err


def test_results_of_an_earlier_run_stay_until_there_are_new_ones(tmp_path, capsys, monkeypatch):
    assert simulate(tmp_path) == 0
    assert "earlier run" not in capsys.readouterr().out
    before = (tmp_path / "run.spikes").read_bytes()
    real = loops.Loop.advance

    def stop(self, t1, *arguments):
        real(self, min(t1, 300), *arguments)
        if self.layout.network.step == 300:
            raise KeyboardInterrupt

    monkeypatch.setattr(loops.Loop, "advance", stop)
    assert simulate(tmp_path, "--seed", "5") == 130
    shown = capsys.readouterr()
    assert "earlier run, which those of this one will replace" in shown.out
    assert f"interrupted at 30 ms; spikes until then are in {tmp_path / 'run.spikes.part'}" in shown.err
    assert (tmp_path / "run.spikes").read_bytes() == before
    assert len(SpikeFile(tmp_path / "run.spikes.part")) > 0
    monkeypatch.undo()
    assert simulate(tmp_path, "--seed", "5") == 0
    assert not (tmp_path / "run.spikes.part").exists() and (tmp_path / "run.spikes").read_bytes() != before


def test_help_names_the_models(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("cuba", "coba", "cobahh", "brunel", "microcircuit"))
