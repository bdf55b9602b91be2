"""The command line, as a user meets it."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import nbsnn
from nbsnn.cli import main

from .idx_files import tiny_mnist


@pytest.fixture(autouse=True)
def _without_matplotlib(monkeypatch):
    """Figures take longer than the trainings here; one test draws them."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


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
    assert digits(tmp_path, "--max-bytes", "1000") != 0
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
