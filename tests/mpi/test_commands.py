"""Commands on ranks have the digest of one process; a sweep that was killed repeats no finished point."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from ..idx_files import tiny_mnist
from .launched import MPIEXEC, ROOT, needs_mpi, python


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize(
    "command",
    [
        "simulate cuba --duration 200",
        "simulate brunel --scale 0.1 --duration 100",
        "simulate microcircuit --scale 0.1 --duration 50 --settle 10",
        "train digits --micro 8 --epochs 2",
        "train mnist --micro 8 --epochs 2 --data DIR",
    ],
)
def test_commands_have_one_digest(command, tmp_path):
    command, found = command.replace("DIR", str(tiny_mnist(tmp_path))), {}
    for ranks in range(5):
        done = python(ranks, "-m", "nbsnn", *command.split(), "--digest", "--out", tmp_path / str(ranks))
        assert done.returncode == 0, done.stderr
        found[ranks] = re.search(r"digest: (\w+)", done.stdout)[1]
    assert len(set(found.values())) == 1, found


@needs_mpi
def test_info_names_the_library():
    assert re.search(r"mpi4py +4\.\S+\n +MPI +\w*MPI", python(0, "-m", "nbsnn", "info").stdout)


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("launcher", [(), (str(MPIEXEC), "-n", "3")], ids=["processes", "ranks"])
def test_a_sweep_that_was_killed_repeats_no_finished_point(launcher, tmp_path):
    store, calls = tmp_path / "store", tmp_path / "store.calls"
    futures = ["-m", "mpi4py.futures"] * bool(launcher)
    command = [*launcher, sys.executable, *futures, "-m", "tests.mpi.sweeping", str(store)]
    killed = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 300.0
    while not store.exists() or store.read_bytes().count(b"\n") < 3:
        assert killed.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    time.sleep(2.0)  # in which the launcher's own processes end too
    finished = [json.loads(line)["point"]["a"] for line in store.read_bytes().splitlines(True) if line.endswith(b"\n")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.strip() == str([a * a for a in range(8)]), done.stderr
    called = calls.read_text().split()
    assert 3 <= len(finished) < 8 and all(called.count(str(a)) == 1 for a in finished)
