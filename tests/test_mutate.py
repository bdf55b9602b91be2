"""The program that asks whether the tests notice a change: tests/tools/mutate.py."""

import re
import subprocess
import sys
from pathlib import Path

from .tools.mutants import FOLDERS, ROOT, all_mutants
from .tools.mutate import equivalent

TEST = """
from nbsnn.surrogates import piecewise_leaky_relu, rect, spike_linear

def test_inside_and_outside():
    assert [spike_linear(gamma=0.5).slope(u) for u in (-0.5, 1.5)] == [0.25, 0.0]

def test_too_little():
    assert rect().slope(0.1) >= 0.0

def test_that_fails():
    assert piecewise_leaky_relu().slope(0.1) < 0.0
"""


def test_what_is_wrong_is_caught_survivors_are_told_apart_and_what_computes_the_same_is_not_counted(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_slope.py").write_text(TEST)
    options = ["--only", "slope: abs(u) < ", "--tests", str(tmp_path / "test_slope.py")]
    command = [sys.executable, "-m", "tests.tools.mutate", *options, "--notes", str(tmp_path), "--verbose"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "spike_linear.slope: abs(u) < 1.0 -> (abs(u) >= 1.0)\n    by " in done.stdout
    assert "rect.slope: abs(u) < width -> (abs(u) >= width)\n    by " not in done.stdout
    for found in (
        "survives: nbsnn/surrogates/compact.py: rect.slope: abs(u) < width -> (abs(u) >= width)",
        "out of reach: nbsnn/surrogates/unbounded.py: piecewise_leaky_relu.slope: abs(u) < w -> (abs(u) >= w)",
        "not reached: nbsnn/surrogates/compact.py: piecewise_quadratic.slope: abs(u) < width -> (abs(u) >= width)",
        "surrogates          1 of 6 caught, 16.7%; 2 survives; 2 out of reach; 1 not reached; 2 same",
    ):
        assert found in re.sub(r":\d+:", ":", done.stdout)


def test_every_folder_has_mutants_and_they_compile() -> None:
    mutants = all_mutants()
    assert {mutant.folder for mutant in mutants} == set(FOLDERS)
    for mutant in mutants[:: len(mutants) // 10]:
        assert mutant.codes()


def test_what_computes_the_same_is_still_there() -> None:
    known = {mutant.key for mutant in all_mutants()}
    assert not equivalent() - known
