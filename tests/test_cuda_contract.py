"""CPU and GPU have the same loops: modules, functions, signatures, holes and constants, but for what is listed here.

A module of ``kernels/cuda`` mirrors the one of ``kernels/cpu`` with its name. A function may have the range that its
threads share, (lo, hi), before the arguments of its counterpart. Any other difference has its reason below.
"""

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import nbsnn

KERNELS = Path(nbsnn.__file__).parent / "kernels"

CPU_ONLY = {
    "bits": "spikes are packed to fit a budget of bytes and caches, and a GPU keeps its record as it is",
    "checks": "sums.unfinite: a flag on the GPU that is read with the loss",
    "connect": "synapses are drawn once, when a network is built, on the CPU",
    "distance": "as connect",
    "eligible": "weights that wait for a reward are brought up to date on the CPU, when somebody looks at them",
    "events": "counting the spikes would mean to wait for the GPU: kernels find them as they go",
    "products": "few rows in the middle: the tiles of a GPU do without a case of their own",
    "rows": "as events",
    "spike_times": "spikes are sorted once, when they are handed over, on the CPU",
    "stack": "a connection and its population in one pass saves the CPU's cache; a GPU makes two launches",
    "tables": "the columns of tables: the GPU's loops read this very file",
    "tempotron_classic": "patterns one after another: nothing that threads could share",
    "values": "as connect",
}
"""Modules without a counterpart for GPUs."""

NOT_YET = {
    "adapt", "deliver", "eligibility", "homeostasis", "low_pass", "network", "optim", "patches", "plastic",
    "plasticity", "pool", "settle", "short_term", "sparse_plasticity", "tempotron", "units",
}  # fmt: skip
"""Modules whose counterpart is still to be written: take out a name when its module is there."""

CUDA_ONLY = {
    "fill": "what NumPy does on the CPU",
    "arrays": "what NumPy does on the CPU",
    "sums": "what NumPy does on the CPU",
    "losses": "what NumPy does on the CPU",
    "record": "what NumPy does on the CPU",
}
"""Modules that only GPUs need."""

DIFFERENT: dict[str, dict[str, str]] = {
    "encode": {
        "PIECE": "steps of one thread",
        "first_spikes": "NumPy on the CPU",
        "digits": "NumPy on the CPU",
        "rows": "NumPy on the CPU",
        "choose": "NumPy on the CPU",
    },
}
"""Module -> function or constant that is elsewhere, or takes other arguments -> why."""


def modules(device: str) -> set[str]:
    return {file.stem for file in (KERNELS / device).glob("*.py")} - {"__init__"}


def test_every_module_has_a_counterpart_or_a_reason():
    cpu, cuda = modules("cpu"), modules("cuda")
    assert cpu - cuda <= set(CPU_ONLY) | NOT_YET, "no counterpart for GPUs, and no reason why"
    assert cuda - cpu <= set(CUDA_ONLY), "a module without a counterpart for CPUs, and no reason why"
    assert not set(CPU_ONLY) & NOT_YET
    assert set(CPU_ONLY) | NOT_YET <= cpu, "a reason for a module that does not exist"


@pytest.mark.parametrize("name", sorted(modules("cpu") & modules("cuda")))
def test_counterparts_have_the_same_functions(name):
    cpu, cuda = (importlib.import_module(f"nbsnn.kernels.{device}.{name}") for device in ("cpu", "cuda"))
    unlisted = differences(cpu, cuda).keys() - DIFFERENT.get(name, {}).keys()
    assert not unlisted, {key: differences(cpu, cuda)[key] for key in unlisted}


def differences(cpu, cuda) -> dict[str, str]:
    """What two modules do not have in common, in words."""
    ours, theirs = functions(cpu), functions(cuda)
    found = {name: "on the CPU only" for name in ours.keys() - theirs.keys()}
    found |= {name: "on the GPU only" for name in theirs.keys() - ours.keys()}
    for name in ours.keys() & theirs.keys():
        (here, hole), (there, other) = ours[name], theirs[name]
        if hole != other:
            found[name] = "a hole on one side only"
        elif there not in (here, ["lo", "hi", *here]):
            found[name] = f"({', '.join(here)}) on the CPU, ({', '.join(there)}) on the GPU"
    numbers, others = constants(cpu), constants(cuda)
    changed = {name for name in numbers.keys() | others.keys() if numbers.get(name) != others.get(name)}
    return found | {name: f"{numbers.get(name)} on the CPU, {others.get(name)} on the GPU" for name in changed}


def functions(module) -> dict[str, tuple[list[str], bool]]:
    """Name -> arguments and whether it is a hole, of all functions that a module defines."""
    return {
        name: ([str(p).split(":")[0] for p in inspect.signature(f).parameters.values()], getattr(f, "hole", False))
        for name, f in inspect.getmembers(module, inspect.isfunction)
        if f.__module__ == module.__name__
    }


def constants(module) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name.isupper()}


def test_differences_are_seen():
    here, there = ModuleType("here"), ModuleType("there")
    exec("A, B = 1, 2\ndef f(x): 0\ndef g(x): 0\ndef h(x): 0\ndef i(lo, hi, x): 0", vars(here))
    exec("A, C = 3, 4\ndef f(lo, hi, x): 0\ndef g(x): 0\ndef i(x): 0\ng.hole = True", vars(there))
    assert differences(here, there) == {
        "h": "on the CPU only", "g": "a hole on one side only", "i": "(lo, hi, x) on the CPU, (x) on the GPU",
        "A": "1 on the CPU, 3 on the GPU", "B": "2 on the CPU, None on the GPU", "C": "None on the CPU, 4 on the GPU",
    }  # fmt: skip
    assert not differences(here, here)
