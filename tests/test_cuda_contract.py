"""Twins of kernels: ``x.py`` for CPUs and ``x_cuda.py`` for GPUs have the same functions under the same names.

A function may have the range that its threads share, (lo, hi), before the arguments of its counterpart. Any other
difference has its reason below; a module for GPUs alone says at its top what CPUs do instead.
"""

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import nbsnn

KERNELS = Path(nbsnn.__file__).parent / "kernels"
CUDA = sorted(f"{f.parent.name}.{f.stem}" for f in KERNELS.rglob("*_cuda.py"))
PAIRS = [name for name in CUDA if (KERNELS / f"{name.removesuffix('_cuda').replace('.', '/')}.py").exists()]

DIFFERENT: dict[str, tuple[str, str]] = {
    "network": (
        "a thread has a unit or a synapse, where the CPU has a loop over a block of them",
        "connection release sample simulate update collect inject listed poisson",
    ),
    "plasticity": (
        "threads share the synapses of a row, where the CPU has a loop over them; a layer's loop lists what spiked",
        "apply_homeostasis follow_source follow_target steer update_synapses update_traces",
    ),
    "products": (
        "a thread has a window or a row, where the CPU has a loop over planes; sizes are constants of the kernel",
        "gather largest largest_reverse total total_reverse",
    ),
}
"""Subject -> why its loops are not those of the CPU, and the functions that therefore take other arguments."""


def pair(name: str) -> tuple[ModuleType, ModuleType]:
    cpu, cuda = (importlib.import_module(f"nbsnn.kernels.{name}") for name in (name.removesuffix("_cuda"), name))
    return cpu, cuda


@pytest.mark.parametrize("name", sorted(set(CUDA) - set(PAIRS)))
def test_a_module_for_gpus_alone_says_what_cpus_do_instead(name):
    said = importlib.import_module(f"nbsnn.kernels.{name}").__doc__
    assert said and "CPU" in said


@pytest.mark.parametrize("name", PAIRS)
def test_twins_have_the_same_functions(name):
    _, excused = DIFFERENT.get(name.split(".")[0], ("", ""))
    found = differences(*pair(name))
    assert not found.keys() - set(excused.split()), found


def test_every_excuse_is_needed():
    found = {subject: set() for subject in DIFFERENT}
    for name in PAIRS:
        found.setdefault(name.split(".")[0], set()).update(differences(*pair(name)))
    assert {subject: set(names.split()) for subject, (_, names) in DIFFERENT.items()} == {
        subject: names for subject, names in found.items() if names
    }


def differences(cpu: ModuleType, cuda: ModuleType) -> dict[str, str]:
    """Where twins differ though names are the same, in words."""
    ours, theirs = functions(cpu, cpu, cuda), functions(cuda, cpu, cuda)
    found = {}
    for name in ours.keys() & theirs.keys():
        (here, hole), (there, other) = ours[name], theirs[name]
        if hole != other:
            found[name] = "a hole on one side only"
        elif there not in (here, ["lo", "hi", *here]):
            found[name] = f"({', '.join(here)}) on the CPU, ({', '.join(there)}) on the GPU"
    numbers, others = constants(cpu), constants(cuda)
    changed = {name for name in numbers.keys() & others.keys() if numbers[name] != others[name]}
    return found | {name: f"{numbers[name]} on the CPU, {others[name]} on the GPU" for name in changed}


def functions(module: ModuleType, *own: ModuleType) -> dict[str, tuple[list[str], bool]]:
    """Name -> arguments and whether it is a hole, of all functions of a module, its own or its twin's."""
    return {
        name: ([str(p).split(":")[0] for p in inspect.signature(f).parameters.values()], getattr(f, "hole", False))
        for name, f in inspect.getmembers(module, inspect.isfunction)
        if f.__module__ in {each.__name__ for each in own}
    }


def constants(module: ModuleType) -> dict[str, object]:
    return {name: value for name, value in vars(module).items() if name.isupper()}


def test_differences_are_seen():
    here, there = ModuleType("here"), ModuleType("there")
    exec("A, B = 1, 2\ndef f(x): 0\ndef g(x): 0\ndef h(x): 0\ndef i(lo, hi, x): 0", vars(here))
    exec("A, B, C = 3, 2, 4\ndef f(lo, hi, x): 0\ndef g(x): 0\ndef i(x): 0\ng.hole = True", vars(there))
    assert differences(here, there) == {
        "g": "a hole on one side only", "i": "(lo, hi, x) on the CPU, (x) on the GPU",
        "A": "1 on the CPU, 3 on the GPU",
    }  # fmt: skip
    assert not differences(here, here)
