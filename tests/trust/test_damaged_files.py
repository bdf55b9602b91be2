"""Every damaged file ends in right data, or in one error that names it: soon, and with little memory.

Mutants of a format are read in a process of its own, which may be killed by one. Data that differ and cannot be seen to
be wrong pass: numbers have no checksum of their own, and an entry that somebody wrote anew has a right one.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from . import damage

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Reader:
    """A process that reads mutants of one format."""

    def __init__(self, name, folder):
        env = {**os.environ, "NUMBA_DISABLE_JIT": "1", "NBSNN_THREADS": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.trust.damage", name, str(folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=env, cwd=ROOT, **pipes)
        assert self.answer() == ["ready", ""]

    def answer(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            return ["hang" if not ready else "killed", f"exit {self.process.wait()}"]
        return json.loads(line)

    def read(self, number):
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


# A mutant of shd is read by a process of its own, one of nir entry by entry: they take longer.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.trust(share={"shd": 1.8, "nir": 0.6}.get(name, 0.3)))
        for name in damage.FORMATS
    ],
)
def test_a_damaged_file_is_named_or_read_rightly(name, trials, tmp_path):
    reader, found, bad = Reader(name, tmp_path), Counter(), []
    for number in trials(f"damaged files of the format {name}", least=100, hour=2000, most=100_000):
        kind, said = reader.read(number)
        found[kind] += 1
        if kind not in ("right", "named", "other"):
            bad.append(f"mutant {number}: {kind}, {said}")
        if kind in ("killed", "hang"):
            reader.close()
            reader = Reader(name, tmp_path)
    reader.close()
    assert not bad, f"{len(bad)} of {found}\n" + "\n".join(bad[:20])
    assert found["named"] > 0.2 * sum(found.values())
