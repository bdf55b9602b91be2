"""The program that asks whether the tests notice a change: tests/tools/mutate.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from .tools.mutants import ROOT, all_mutants

TEST = """
from nbsnn.surrogates import spike_linear

def test_inside_and_outside():
    assert [spike_linear(gamma=0.5).slope(u) for u in (-0.5, 1.5)] == [0.25, 0.0]
"""


def test_a_wrong_comparison_is_caught_and_an_equivalent_one_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "test_slope.py").write_text(TEST)
    options = ["--only", "compact.py: slope: abs(u) < 1.0 ->", "--tests", str(tmp_path / "test_slope.py")]
    command = [sys.executable, "-m", "tests.tools.mutate", *options, "--notes", str(tmp_path), "--verbose"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-> (abs(u) >= 1.0)\n    by " in done.stdout
    assert "surrogates    1 of 1 caught, 100.0%; 1 more compute the same" in done.stdout


def test_what_no_test_notices_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_slope.py").write_text(TEST.replace("(-0.5, 1.5)", "(-0.5,)").replace(", 0.0]", "]"))
    options = ["--only", "compact.py: slope: 0.0 -> (1.0)", "--tests", str(tmp_path / "test_slope.py")]
    command = [sys.executable, "-m", "tests.tools.mutate", *options, "--notes", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "survives: nbsnn/surrogates/compact.py" in done.stdout


@pytest.mark.parametrize("folder", ["neurons", "surrogates", "synapses", "plasticity", "kernels/cpu", "kernels/cuda"])
def test_every_mutant_is_other_code(folder: str) -> None:
    mutants = [mutant for mutant in all_mutants() if mutant.folder == folder]
    assert len({(m.file, m.begin, m.end, m.text) for m in mutants}) == len(mutants) > 30
    for mutant in mutants[:: len(mutants) // 10]:
        assert mutant.codes()
