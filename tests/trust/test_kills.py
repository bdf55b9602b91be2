"""What is killed at any moment goes on as if nothing had happened: results are equal in bits, and nothing is left."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.files.spikes import SpikeFile
from nbsnn.files.variables import VariableFile
from nbsnn.network import State

from ..idx_files import tiny_mnist
from .killed import WORK

ROOT = Path(__file__).parents[2]
RESULTS = {
    "fit": ["checkpoint.npz", "best.npz", "log.csv"],
    "digits": ["checkpoint.npz"], "diehl-cook": ["checkpoint.npz"], "cuba": ["run.spikes"],
    "state": ["state.npz", "run.spikes", "run.variables"],
}  # fmt: skip


class Killer:
    """A process whose children do some work, in a folder, and are killed."""

    def __init__(self, name, data):
        env = {
            **os.environ,
            "NUMBA_DISABLE_JIT": "1",
            "NBSNN_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
        }
        command = [sys.executable, "-m", "tests.trust.killed", name, str(data)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env={**env, "PYTHONPATH": str(ROOT)}, cwd=ROOT, **pipes)

    def run(self, folder, seconds=None):
        self.process.stdin.write(json.dumps([str(folder), seconds]) + "\n")
        self.process.stdin.flush()
        status, took = json.loads(self.process.stdout.readline())
        assert status in (0, -9), Path(f"{folder}.log").read_text()[-2000:]
        return status, took

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Twelve images as MNIST has them."""
    return tiny_mnist(tmp_path_factory.mktemp("data"), train=12, test=12)


def content(path):
    """What must be equal: arrays, and a history without its seconds."""
    if path.suffix == ".csv":
        return [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    if path.suffix != ".npz":
        return path.read_bytes()
    with np.load(path) as file:
        found = {name: file[name].tolist() for name in file.files}
    if "history" in found:
        rows = json.loads(found["history"])
        found["history"] = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
    return repr(found)


def looked_at(folder, whole):
    """Whatever a kill has left can be read: a whole checkpoint or state, the beginning of spikes and rows."""
    for path in folder.glob("*") if folder.exists() else []:
        if path.name == "checkpoint.npz":
            with np.load(path) as file:
                assert "history" in file.files
            nbsnn.load(path) if "diehl" not in str(folder) else None
        elif path.name == "state.npz":
            State.load(path)
        elif path.name == "run.spikes":
            steps, units = SpikeFile(path).checked(0, len(SpikeFile(path)))
            there = SpikeFile(whole / path.name).records[: len(steps)]
            assert np.array_equal(steps, there["step"]) and np.array_equal(units, there["unit"])
        elif path.name == "run.variables":
            rows = VariableFile(path).rows
            assert np.array_equal(rows, VariableFile(whole / path.name).rows[: len(rows)])


@pytest.mark.trust(share=0.7)
@pytest.mark.parametrize("name", WORK)
def test_killed_work_goes_on_bit_for_bit(name, trials, data, tmp_path):
    killer, whole, folder = Killer(name, data), tmp_path / "whole", tmp_path / f"{name}-killed"
    _, took = killer.run(whole)
    draws, kills = np.random.default_rng([len(name), trials.first]), 0
    for _ in trials(f"killed runs of {name}", least=5, hour=25):
        status, _ = killer.run(folder, float(draws.uniform(0.0, 0.9 * took)))
        kills += status == -9
        looked_at(folder, whole)
        if status == 0 or draws.random() < 0.1:
            finished(name, killer, folder, whole)
    finished(name, killer, folder, whole)
    killer.close()
    trials.tell(f"of them killed before they had ended ({name})", kills, 0.0)
    assert kills > 0


def finished(name, killer, folder, whole):
    """Go on to the end, and compare."""
    assert killer.run(folder)[0] == 0
    for result in RESULTS[name]:
        assert content(folder / result) == content(whole / result), result
    left = sorted(path.name for path in folder.iterdir())
    assert left == sorted(path.name for path in whole.iterdir()), left
    shutil.rmtree(folder)
