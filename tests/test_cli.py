"""The command line, as a user meets it."""

import argparse
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import nbsnn
from nbsnn.cli import main
from nbsnn.cli.main import parser
from nbsnn.progress.bar import Progress
from nbsnn.progress.compiling import compiling

from .idx_files import tiny_mnist
from .toy_commands import toy


@pytest.fixture(autouse=True)
def _without_matplotlib(monkeypatch):
    """Figures take longer than the trainings here; one test draws them."""
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)


def digits(tmp_path, *more):
    small = ["--samples", "60", "--hidden", "16", "--epochs", "1", "--steps", "3"]
    return main(["train", "digits", *small, "--out", str(tmp_path), *more])


def test_train_writes_everything_and_ends_with_the_accuracy(tmp_path, capsys):
    assert digits(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("test accuracy: ")
    assert lines[-1].endswith(" %")
    assert "compiled" in lines[-2]
    assert {p.name for p in tmp_path.iterdir()} >= {"checkpoint.npz", "history.csv", "history.json"}
    with np.load(tmp_path / "checkpoint.npz", allow_pickle=False) as file:
        assert file["param/w1/weight"].shape == (64, 16)
    assert nbsnn.load(tmp_path / "checkpoint.npz")["hidden"].shape == (16,)


def test_memory_is_said_before_and_time_after(tmp_path, capsys):
    assert digits(tmp_path, "--profile", "--max-bytes", "10000000") == 0
    out = capsys.readouterr().out
    assert "memory for the backward pass: at most " in out
    assert [name in out for name in ("readout forward", "readout backward", "optimiser", "together")] == [True] * 4
    assert digits(tmp_path, "--max-bytes", "1000", "--force") != 0
    assert (
        "max_bytes is 1000, but at T = 3 and a batch of 32 the layers that always keep all" in capsys.readouterr().err
    )


def test_a_figure_is_drawn_with_matplotlib(tmp_path, monkeypatch):
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    digits(tmp_path)
    assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_how_to_get_it(tmp_path, capsys):
    assert digits(tmp_path) == 0
    assert 'pip install "nbsnn[plot]"' in capsys.readouterr().out
    assert not (tmp_path / "training.png").exists()


def test_resume(tmp_path, capsys):
    digits(tmp_path / "whole", "--epochs", "3")
    digits(tmp_path / "cut", "--epochs", "3")
    whole = capsys.readouterr().out
    assert whole.count("test accuracy") == 2
    digits(tmp_path / "cut", "--epochs", "3", "--resume")
    a, b = (nbsnn.load(tmp_path / name / "checkpoint.npz") for name in ("whole", "cut"))
    np.testing.assert_array_equal(a["w1"].params["weight"], b["w1"].params["weight"])


def test_a_killed_training_goes_on_bit_for_bit(tmp_path):
    options = ["--hidden", "16", "--steps", "3", "--epochs", "4", "--samples", "600"]
    command = [sys.executable, "-m", "nbsnn", "train", "digits", *options, "--out", str(tmp_path / "cut")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "cut" / "checkpoint.npz"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert main(["train", "digits", *options, "--out", str(tmp_path / "cut"), "--resume"]) == 0
    assert main(["train", "digits", *options, "--out", str(tmp_path / "whole")]) == 0
    with np.load(tmp_path / "whole" / "checkpoint.npz") as whole, np.load(checkpoint) as cut:
        for name in whole.files:
            if name != "history":  # it holds seconds
                np.testing.assert_array_equal(whole[name], cut[name], err_msg=name)


@pytest.mark.parametrize("task", ["mnist", "fashion-mnist"])
def test_idx_files(task, tmp_path, capsys):
    folder = tiny_mnist(tmp_path)
    options = [
        "--epochs",
        "1",
        "--hidden",
        "16",
        "--steps",
        "3",
        "--encoder",
        "poisson",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(["train", task, "--data", str(folder), *options]) == 0
    assert "200 training and 50 test samples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "mnist", "--data", "nowhere"], "nowhere"),
        (["train", "digits", "--epochs", "0"], "--epochs must be at least 1"),
        (["train", "digits", "--tau", "-1"], "tau"),
        (["train", "digits", "--dropout", "1.5"], "p must be below 1"),
        (["train", "digits", "--steps", "0"], "--steps must be at least 1"),
        (["train", "digits", "--hidden", "0"], "--hidden must be at least 1"),
        (["train", "digits", "--samples", "0"], "--samples must be at least 1"),
        (["train", "digits", "--batch-size", "0"], "--batch-size must be at least 1"),
        (["train", "digits", "--lr", "-1"], "lr"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    assert main([*arguments, *out]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["train"], ["train", "mnist"], ["fly"], ["train", "digits", "--sample", "3"]]
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_info(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    for word in ("nbsnn", "numba", "threads", "cuda", "kernel cache"):
        assert word in text


def test_the_command_is_installed():
    done = subprocess.run([sys.executable, "-m", "nbsnn", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"nbsnn {nbsnn.__version__}"


def test_warmup_refuses_names_it_does_not_know(capsys):
    assert main(["warmup", "nothing"]) == 2
    assert "warmup knows digits, mnist" in capsys.readouterr().err


@pytest.mark.long
def test_warmup_compiles_what_a_command_needs(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_ENABLE_CUDASIM": "0"}
    command = [sys.executable, "-m", "nbsnn", "warmup", "--jobs", "2", "digits", "cuba"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    command = [sys.executable, "-m", "nbsnn", "warmup", "--here", "digits", "cuba"]
    again = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert again.stdout.splitlines()[-1].startswith("compiled 0 kernels"), again.stdout


def helps():
    """The parsers of all commands, by their words."""
    found, waiting = {}, [((), parser())]
    while waiting:
        words, p = waiting.pop()
        found[" ".join(words)] = p
        for action in p._actions:
            if isinstance(action, argparse._SubParsersAction):
                waiting += [((*words, name), sub) for name, sub in action.choices.items()]
    return dict(sorted(found.items()))


HELPS = helps()
EXAMPLES = dict.fromkeys(
    line.split("  #")[0].strip()
    for p in HELPS.values()
    for line in (p.epilog or "").splitlines()
    if line.startswith("  nbsnn ")
)


def marks(command):
    quick = command.startswith(("nbsnn info", "nbsnn train digits", "nbsnn simulate cuba", "nbsnn simulate my"))
    return () if quick or command.endswith("--help") else pytest.mark.long


@pytest.mark.parametrize("words", HELPS, ids=lambda words: words or "nbsnn")
def test_help_is_a_manual_page_of_80_columns(words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as stop:
        main([*words.split(), "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0 and max(map(len, text.splitlines())) <= 80
    assert "\nexamples:\n  nbsnn" in text and len(HELPS[words].description) > 60
    for action in HELPS[words]._actions:
        assert action.help or isinstance(action, argparse._SubParsersAction), action
    assert ("--json" in text) == (not any(isinstance(a, argparse._SubParsersAction) for a in HELPS[words]._actions))


@pytest.mark.parametrize("command", [pytest.param(c, marks=marks(c)) for c in EXAMPLES])
def test_examples_of_the_help_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if command.endswith("--help"):
        with pytest.raises(SystemExit):
            main(command.split()[1:])
        return
    assert main(toy(command, tmp_path)) == 0
    out = capsys.readouterr().out
    if "--json" in command:
        assert json.loads(out)["command"] == command.split()[1]


def test_json_is_one_object_and_all_else_goes_to_standard_error(tmp_path, capsys):
    assert digits(tmp_path, "--json") == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert f"test accuracy: {100 * result['test_accuracy']:.1f} %" in shown.err and "epoch" in shown.err
    assert (result["command"], result["task"], result["epochs"]) == ("train", "digits", 1)
    assert result["out"] == str(tmp_path) and all((tmp_path / name).exists() for name in result["files"])
    assert main(["info", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["nbsnn"] == nbsnn.__version__ and found["threads"] >= 1 and found["cuda"]["ready"] in (True, False)
    assert digits(tmp_path, "--json") == 2
    assert capsys.readouterr().out == ""


def test_results_are_not_overwritten_without_force(tmp_path, capsys, monkeypatch):
    assert digits(tmp_path) == 0
    before = (tmp_path / "checkpoint.npz").read_bytes()
    assert digits(tmp_path, "--seed", "1") == 2
    assert "--force replaces them" in capsys.readouterr().err
    assert digits(tmp_path, "--force", "--resume") == 2
    assert "give one of the two" in capsys.readouterr().err
    assert (tmp_path / "checkpoint.npz").read_bytes() == before
    assert digits(tmp_path, "--seed", "1", "--force") == 0
    assert (tmp_path / "checkpoint.npz").read_bytes() != before
    monkeypatch.chdir(tmp_path)
    few = ["train", "digits", "--samples", "60", "--hidden", "16", "--epochs", "1", "--steps", "3"]
    for folder in ("digits", "digits-2", "digits-3"):  # without --out each finds a place of its own
        assert main(few) == 0 and (tmp_path / "runs" / folder / "checkpoint.npz").exists()
    assert "runs/digits-2 holds the results of an earlier run; those of this one go to runs/digits-3" in (
        capsys.readouterr().out
    )
    assert main([*few, "--epochs", "2", "--resume"]) == 0  # of the last one
    for folder, lines in (("digits-2", 2), ("digits-3", 3)):
        assert len((tmp_path / "runs" / folder / "history.csv").read_text().splitlines()) == lines


def interrupt(command, ready, folder):
    """Run a command, send it what Ctrl-C sends when ``ready``, and return what it said."""
    command = [sys.executable, "-m", "nbsnn", *command]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not ready() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130, said
    return shlex.split(said.strip().splitlines()[-1])[1:]


def test_an_interrupted_training_says_the_command_that_goes_on_bit_for_bit(tmp_path, monkeypatch):
    options = ["train", "digits", "--hidden", "16", "--steps", "3", "--epochs", "6"]
    checkpoint = tmp_path / "runs" / "digits" / "checkpoint.npz"
    again = interrupt(options, checkpoint.exists, tmp_path)
    assert again == [*options, "--out", "runs/digits", "--resume"]
    monkeypatch.chdir(tmp_path)
    assert 0 < len(json.loads(str(np.load(checkpoint)["history"]))) < 6
    assert main(again) == 0
    assert main([*options, "--out", "whole"]) == 0
    with np.load("whole/checkpoint.npz") as whole, np.load(checkpoint) as cut:
        for name in whole.files:
            if name != "history":  # it holds seconds
                np.testing.assert_array_equal(whole[name], cut[name], err_msg=name)


def test_compiling_is_said_if_it_takes_long(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("nbsnn.progress.compiling.SILENCE", 0.15)
    monkeypatch.setattr("nbsnn.progress.compiling.at_work", ["forward"])
    for shown in (True, False):
        with compiling(Progress(shown, stream=stream)):
            time.sleep(1.0)
    assert stream.getvalue().count("compiling kernels") == 1


def test_a_bar_says_rate_and_time_left_and_fits_the_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    now = [0.0]
    monkeypatch.setattr("nbsnn.progress.bar.time.perf_counter", lambda: now[0])
    monkeypatch.setenv("COLUMNS", "80")
    for stream in (Terminal(), io.StringIO()):
        show = Progress(stream=stream)
        for k in range(100):
            now[0] += 1.0
            show.bar("epoch 1", 10 * k, 5000, "a note that is long " * 5)
        text = stream.getvalue()
        lines = text.replace("\r", "\n").replace("\x1b[K", "").splitlines()
        if stream.isatty():
            assert "10/s, 6:41 left" in text and max(map(len, lines)) < 80
        else:
            assert len(lines) == 3 and all("10/s, " in line for line in lines)
