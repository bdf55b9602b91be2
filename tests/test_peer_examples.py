"""Examples of Brian 2 and NEST find here what they find there, in no more lines."""

import inspect
import runpy
from pathlib import Path

import pytest

STUDIES = Path(__file__).parent.parent / "examples" / "studies"
PEERS = {name: runpy.run_path(str(STUDIES / name)) for name in ("20_brian_examples.py", "21_nest_examples.py")}
PAGE = (STUDIES.parent / "docs" / "coming_from.md").read_text()
IMPORTS = 3
SLOW = {
    "synapses/STDP", "frompapers/Vogels_et_al_2011", "frompapers/Brunel_Hakim_1999", "frompapers/Diesmann_et_al_1999",
    "CUBA", "frompapers/Izhikevich_2003", "balancedneuron",
    "IF_curve_LIF", "phase_locking", "sinusoidal_poisson_generator",
}  # fmt: skip


def lines_of(function):
    """How many lines of code a function has, and what it needs of others."""
    source = [line.strip() for line in inspect.getsource(function).splitlines()]
    source = source[next(k for k, line in enumerate(source) if line.startswith("def ")) :]
    return sum(bool(line) and not line.startswith("#") for line in source) + IMPORTS


@pytest.mark.parametrize(
    ("file", "name"),
    [
        pytest.param(file, name, marks=pytest.mark.long if name in SLOW else (), id=name)
        for file, found in PEERS.items()
        for name in found["EXAMPLES"]
    ],
)
def test_an_example_agrees_in_no_more_lines(file, name):
    function, lines, theirs = PEERS[file]["EXAMPLES"][name]
    ours = function()
    assert ours.keys() == theirs.keys()
    off = {key: (ours[key], value) for key, (value, far) in theirs.items() if not abs(ours[key] - value) <= far}
    assert not off, "ours, theirs"
    assert lines is None or lines_of(function) <= lines
    assert f"`{name.rpartition('/')[2]}`" in PAGE
