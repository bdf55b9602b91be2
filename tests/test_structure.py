"""The shape of the package: who imports whom, what an import costs, how long files are, and that all is documented."""

import ast
import importlib
import inspect
import pkgutil
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

import nbsnn

ROOT = Path(nbsnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A module or package may import what stands in a line above its own, and within a package anything.
ORDER = """
version hole validate spell append
exponential logarithm random compile per_step device profile
surrogates init barrier prefetch
neuron kernels
neurons events break_even
data encode losses optim voting layers sparse statistics spikes_file variables_file
history
plot
plasticity
learning describe target_rate check
progress save report synapses
network
models
tempotron
presets
fit unsupervised
cli
__init__ __main__
"""
PLACE = {name: k for k, line in enumerate(ORDER.split("\n")) for name in line.split()}

LEAVES = {"losses", "optim", "encode"}  # know nothing of neurons and layers
FOR_LEAVES = {"hole", "compile", "spell", "device", "validate", "random", "kernels"}

MAY_IMPORT_NUMBA = {"barrier.py", "compile.py", "device.py", "prefetch.py"}  # and kernels/cuda


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> list[str]:
    """What a file imports, anywhere in it, as absolute names."""
    package = ("nbsnn", *file.relative_to(ROOT).parts[:-1])
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            found += [f"{module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_imports_point_one_way(file):
    own = file.relative_to(ROOT).with_suffix("").parts[0]
    assert own in PLACE, f"{own} is new: give it a line in ORDER"
    for name in imports(file):
        parts = name.split(".")
        if parts[0] == "numba":
            assert name_of(file) in MAY_IMPORT_NUMBA or "kernels/cuda/" in name_of(file), f"{name} in {file}"
        if parts[0] != "nbsnn" or len(parts) == 1 or parts[1] == own:
            continue
        target = parts[1]
        assert PLACE.get(target, 99) < PLACE[own], f"{own} must not import {name}"
        if own in LEAVES:
            assert target in FOR_LEAVES, f"{own} must not import {name}"


def test_every_line_of_the_order_exists():
    known = {file.relative_to(ROOT).with_suffix("").parts[0] for file in FILES}
    assert set(PLACE) - known == set()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_files_fit_in_a_head(file):
    text = file.read_text()
    assert len(text.splitlines()) <= 300
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "no docstring that says what the file is about"


def test_import_is_quick_and_loads_no_compiler():
    code = (
        "import sys, nbsnn; "
        "print([m for m in ('matplotlib', 'numba', 'numba.cuda', 'scipy.stats', 'sklearn') if m in sys.modules])"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Time on the processor, not on the clock: other programs on the machine do not count.
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stdout.strip() == "[]"
    assert statistics.median(seconds) < 0.7


def modules() -> list[str]:
    """All modules that can be imported without extras and without side effects."""
    found = [m.name for m in pkgutil.walk_packages(nbsnn.__path__, "nbsnn.")]
    return [name for name in found if name != "nbsnn.__main__"]


# In these, one docstring at the top of the file gives the equations of all functions in it.
EQUATIONS = ("nbsnn.neurons.", "nbsnn.kernels.")


@pytest.mark.parametrize("name", modules())
def test_public_functions_and_classes_have_docstrings(name):
    module = importlib.import_module(name)
    bare = []
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if not (name.startswith(EQUATIONS) and key.islower()) and not inspect.getdoc(value):
            bare.append(key)
        if inspect.isclass(value):
            methods = [k for k, m in vars(value).items() if inspect.isfunction(m) and not k.startswith("_")]
            bare += [f"{key}.{k}" for k in methods if not inspect.getdoc(getattr(value, k))]
    assert not bare, f"no docstring: {bare}"
