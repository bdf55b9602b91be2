"""Kernels as a GPU would get them: they type, and hold no double precision and no local memory that they should not.

Another process compiles them (``ptx_report``), as the simulator is on in this one. Needs no GPU, but the compiler:
skipped without ``pip install "nbsnn[cuda]"``, failed where that is installed and compiles nothing.
"""

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nbsnn

from . import ptx_report

QUICK = ("arrays", "encoders", "neuron LIF")
CONTROL = ("control",)
WIDE = ("wide",)
CAPABILITIES = ("7.5", "8.0", "8.6", "8.9", "9.0", "12.0")
FAMILIES = ("neuron", "BPTT", "loss", "optimiser", "online", "layers", "network", "plastic", "tempotron")
KERNELS = Path(nbsnn.__file__).parent / "kernels"
NEVER_LAUNCHED: dict[str, str] = {}
"""Kernel -> why no program of ``ptx_report`` launches it."""

reports: dict[str, dict] = {}


def report_of(*words: str, capability: str = "9.0", part: str = "0/1") -> dict:
    """What became of these programs, or of every n-th of them; each process runs once."""
    if importlib.util.find_spec("numba_cuda") is None:
        pytest.skip('numba-cuda is not installed (pip install "nbsnn[cuda]")')
    key = " ".join((*words, capability, part))
    if key not in reports:
        environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "0", "DRY_CAPABILITY": capability, "DRY_PART": part}
        command = [sys.executable, "-m", "tests.ptx_report", *words]
        root = Path(__file__).parents[1]
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        reports[key] = json.loads(done.stdout.splitlines()[-1])
    assert "missing" not in reports[key], f"numba-cuda is installed, but compiles nothing: {reports[key]['missing']}"
    return reports[key]


def check(report: dict) -> None:
    """Every program ran or said that there is no such thing on a GPU; every kernel is fit for one."""
    assert report
    for name, found in report.items():
        absent = found["error"].startswith("NotImplementedError") or "runs on the CPU: device must be" in found["error"]
        numbers = "NaN" in found["error"]  # nothing is computed, so they mean nothing
        assert not found["error"] or absent or numbers, f"{name}: {found['error']}"
        for kernel, said in found["kernels"].items():
            assert "error" not in said, f"{name}: {said['template']}: {said['error']}"
            if "block" not in said:  # asked whether a block of it fits, and never launched
                continue
            # The library reduces large arguments of sine and cosine in double precision and a frame of 40 bytes.
            waves = "fourier" in name
            assert said["double"] <= 4 * waves, f"{name}: double precision in {said['template']}, {kernel}"
            # A call of the library in which all blocks meet has a frame of its own.
            frame = 40 if waves else 16 if said["calls"] else 0
            assert said["spilled"] == 0 and said["stack"] <= frame, f"{name}: {said['template']} uses local memory"
            if said["template"].startswith("nbsnn.kernels.population.loops_cuda.") and not waves:
                assert said["local"] == said["calls"] == 0, f"{name}: {kernel} uses local memory or calls functions"


def test_what_is_wrong_is_found():
    report = report_of("control")
    said = {name.split()[1]: next(iter(found["kernels"].values()), found) for name, found in report.items()}
    assert min(said[flaw]["double"] for flaw in ("double", "scalar", "quotient")) > 0
    assert said["local"]["local"] > 0 and said["local"]["stack"] == 256 and said["local"]["double"] == 0
    assert said["shared"]["shared"] >= 4 * 16 * 65 and said["shared"]["stack"] == 0
    assert "missing" in said["type"]["error"]
    assert "would travel" in said["travel"]["error"] and "single element" in said["element"]["error"]


def test_kernels_compile():
    check(report_of(*QUICK))


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_all_kernels_compile(family):
    check(report_of(family))


@pytest.mark.long
@pytest.mark.parametrize("place", range(len(CAPABILITIES)), ids=CAPABILITIES)
def test_a_block_has_the_registers_of_all_its_threads(place):
    """Of all neurons, surrogates and precisions; each goes to one capability, PTX_ALL=1 takes all to all."""
    part = "0/1" if os.environ.get("PTX_ALL") else f"{place}/{len(CAPABILITIES)}"
    report = report_of(*WIDE, capability=CAPABILITIES[place], part=part)
    check(report)
    large = [said for found in report.values() for said in found["kernels"].values() if said.get("block", 0) > 256]
    assert large
    for said in large:
        assert -(-said["registers"] // 8) * 8 * said["block"] <= 65_536, said


@pytest.mark.long
def test_a_population_that_needs_more_registers_than_a_block_has_goes_step_by_step():
    report = report_of("wide own")
    check(report)
    blocks = {name: [said.get("block") for said in found["kernels"].values() if ".recurrent_cuda." in said["template"]]
              for name, found in report.items()}  # fmt: skip
    assert blocks["wide own 3 float32"] == [1024, 1024]
    assert None in blocks["wide own 20 float32"] and set(blocks["wide own 20 float64"]) == {None}


@pytest.mark.long
def test_every_kernel_is_compiled_by_some_program():
    reached = {
        said["template"].removeprefix("nbsnn.kernels.")
        for words in (QUICK, *((family,) for family in FAMILIES))
        for found in report_of(*words).values()
        for said in found["kernels"].values()
    }
    kernels = {name for file in KERNELS.rglob("*_cuda.py") for name in kernels_in(file)}
    assert {"arrays.fill_cuda.copy", "population.loops_cuda.forward"} <= kernels
    assert kernels - reached == set(NEVER_LAUNCHED)


def kernels_in(file: Path) -> list[str]:
    """The functions that are launched: they share a range, or a block's number, among threads."""
    found = []
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            names = {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
            if names & {"grid", "blockIdx"}:
                found.append(f"{file.parent.name}.{file.stem}.{node.name}")
    return found


def test_every_program_belongs_to_a_family():
    assert all(name.startswith((*FAMILIES, *QUICK, *CONTROL, *WIDE)) for name in ptx_report.PROGRAMS)
