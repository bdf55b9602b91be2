"""``nbsnn simulate``, as a user meets it."""

import json
import shlex
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
    with np.load(tmp_path / "spikes.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["inh/times"], times[units >= 320])
        np.testing.assert_array_equal(arrays["inh/units"], units[units >= 320] - 320)
    assert f'np.load("{tmp_path}/spikes.npz")["exc/times"] in ms' in text
    simulate(tmp_path, "--seed", "4", "--force")  # in the place of the other
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
@pytest.mark.parametrize("model", ["coba", "cobahh", "brunel", "microcircuit", "wang"])
def test_every_model_runs_in_both_precisions(model, tmp_path, capsys):
    for more in ([], ["--float64", "--force"]):
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
    assert "holds the state of 0 ms" in capsys.readouterr().err


def test_results_of_an_earlier_run_stay_until_there_are_new_ones(tmp_path, capsys, monkeypatch):
    assert simulate(tmp_path) == 0
    before = (tmp_path / "run.spikes").read_bytes()
    assert simulate(tmp_path, "--seed", "5") == 2
    assert "--force replaces them" in capsys.readouterr().err
    interrupted_at(300, monkeypatch)
    assert simulate(tmp_path, "--seed", "5", "--force") == 130
    assert (tmp_path / "run.spikes").read_bytes() == before
    assert len(SpikeFile(tmp_path / "run.spikes.part")) > 0
    monkeypatch.undo()
    assert simulate(tmp_path, "--seed", "5", "--force") == 0
    assert not (tmp_path / "run.spikes.part").exists() and (tmp_path / "run.spikes").read_bytes() != before


def interrupted_at(step, monkeypatch):
    real = loops.Loop.advance

    def stop(self, t1, *arguments):
        real(self, min(t1, step), *arguments)
        if self.layout.network.step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(loops.Loop, "advance", stop)


@pytest.mark.parametrize("step", [40, 100, 300])
def test_an_interrupted_run_says_the_command_that_goes_on_bit_for_bit(step, tmp_path, capsys, monkeypatch):
    interrupted_at(step, monkeypatch)
    assert simulate(tmp_path / "cut", "--threads", "2") == 130
    shown = capsys.readouterr().err
    assert f"cut holds the state of {0.1 * step:g} ms" in shown
    monkeypatch.undo()
    assert main(shlex.split(shown.splitlines()[-1])[1:]) == 0
    assert f"resuming at {0.1 * step:g} of 70 ms" in capsys.readouterr().out
    assert simulate(tmp_path / "whole") == 0
    assert (tmp_path / "cut" / "run.spikes").read_bytes() == (tmp_path / "whole" / "run.spikes").read_bytes()
    assert {p.name for p in (tmp_path / "cut").iterdir()} == {p.name for p in (tmp_path / "whole").iterdir()}
    assert simulate(tmp_path / "cut", "--resume") == 0
    assert "was not interrupted" in capsys.readouterr().out


def test_json_and_settings_of_a_published_network(tmp_path, capsys):
    assert simulate(tmp_path / "a", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["populations"] == json.loads((tmp_path / "a" / "summary.json").read_text())["populations"]
    assert simulate(tmp_path / "b", "--json", "--set", "weight=0", "--set", "inhibition=-20") == 0
    other = json.loads(capsys.readouterr().out)
    assert other["set"] == {"weight": 0, "inhibition": -20} and result["set"] == {}
    assert other["populations"]["all"]["rate_hz"] < result["populations"]["all"]["rate_hz"]


OWN = """
import nbsnn

def network(weight=2.0, seed=3):
    net = nbsnn.Network(dt=0.5, seed=seed)
    cells = net.population(nbsnn.neurons.LIF(tau=20.0), 10, name="cells")
    net.connect(net.poisson(5, rate=50.0, name="inputs"), cells, nbsnn.AllToAll(), weight=weight)
    return net

def other():
    return 3

def broken(n=1):
    return nbsnn.Network().population(nbsnn.neurons.LIF(tau=-20.0), n)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    return ["simulate", "mine.py", "--duration", "100"]


def test_a_network_of_the_users_own_from_a_file(own, tmp_path, capsys):
    assert main([*own, "--set", "weight=1.5", "--seed", "4", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["model"], result["seed"], result["dt"], result["set"]) == ("mine", 4, 0.5, {"weight": 1.5})
    assert result["out"] == "runs/mine"
    scope = {}
    exec(OWN, scope)
    net = scope["network"](1.5, seed=4)
    times, units = net.run(100.0).spikes("cells")
    with np.load(tmp_path / "runs" / "mine" / "spikes.npz") as found:
        np.testing.assert_allclose(found["cells/times"], times)
        np.testing.assert_array_equal(found["cells/units"], units)
    assert len(times)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--set", "wieght=1"], "--set wieght: mine.py has no such setting; it has weight = 2.0"),
        (["--set", "weight"], "--set must be NAME=VALUE"),
        (["--set", "seed=3"], "--set seed: that has an option of its own, --seed"),
        (["--set", "weight=1", "--set", "weight=2"], "--set weight is given twice"),
        (["--scale", "2"], "mine.py takes no scale"),
        (["--set", "weight=many"], "mine.py, line 7: TypeError: weight"),
        (["--duration", "0.25"], "--duration must be a whole number of steps"),
    ],
)
def test_bad_settings_of_an_own_network_are_one_line(more, message, own, capsys):
    assert main([*own, *more]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nothing.py", "there is no file nothing.py"),
        ("mine.py:another", "mine.py has no function another() that returns an nbsnn.Network; there are network"),
        ("mine.py:other", "mine.py:other must return an nbsnn.Network, not int"),
        ("mine.py:broken", "mine.py, line 14: ValueError: tau"),
        ("typo.py", "typo.py, line 1: SyntaxError"),
    ],
)
def test_bad_files_of_an_own_network_are_one_line(place, message, own, tmp_path, capsys):
    (tmp_path / "typo.py").write_text("def network(:\n")
    assert main(["simulate", place]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_help_names_the_models(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["simulate", "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("cuba", "coba", "cobahh", "brunel", "microcircuit", "wang"))
