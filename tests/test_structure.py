"""The shape of the package: who imports whom, what an import costs, how long files are, and that all is documented."""

import ast
import functools
import importlib
import inspect
import itertools
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nbsnn

ROOT = Path(nbsnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# A module or package may import what stands in a line above its own, and within a package anything.
ORDER = """
version validate
random scalar voting
compile files init statistics
data kernels progress surrogates synapses
device neuron ranks
encode losses neurons optim sparse spikes
events layers
augment diagnosis gradcheck plot tempotron
plasticity
checkpoint presets
conversion quantization
learning network nir unsupervised
models pages sklearn
cli
__init__ __main__
"""
PLACE = {name: k for k, line in enumerate(ORDER.split("\n")) for name in line.split()}

LEAVES = {"losses", "optim", "encode"}  # know nothing of neurons and layers
FOR_LEAVES = {"compile", "device", "files", "kernels", "random", "scalar", "validate"}

MAY_IMPORT_NUMBA = {"compile", "device"}  # and kernels for a GPU


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@functools.cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def imports(file: Path) -> list[str]:
    """What a file imports, anywhere in it, as absolute names."""
    package = ("nbsnn", *file.relative_to(ROOT).parts[:-1])
    found = []
    for node in ast.walk(tree_of(file)):
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
            assert own in MAY_IMPORT_NUMBA or (own == "kernels" and file.stem.endswith("_cuda")), f"{name} in {file}"
        if parts[0] != "nbsnn" or len(parts) == 1 or parts[1] == own:
            continue
        target = parts[1]
        assert PLACE.get(target, 99) < PLACE[own], f"{own} must not import {name}"
        if own in LEAVES:
            assert target in FOR_LEAVES, f"{own} must not import {name}"


def in_circles() -> list[str]:
    """Files that lead back to themselves by imports, also those in functions and for type checkers.

    A package's ``__init__``, which hands names on, stands in none.
    """
    names = {".".join(("nbsnn", *f.relative_to(ROOT).with_suffix("").parts)): f for f in FILES if f.stem != "__init__"}
    reach = {}
    for name, file in names.items():
        found = {target for full in imports(file) for target in (full, full.rpartition(".")[0])}
        reach[name] = found & names.keys() - {name}
    for via in names:  # Warshall's closure
        for targets in reach.values():
            if via in targets:
                targets |= reach[via]
    return [name for name in names if name in reach[name]]


def test_no_file_imports_one_that_imports_it():
    assert not in_circles()


def wide_kernels() -> list[str]:
    """Functions of ``nbsnn.kernels`` with more than 12 positional arguments."""
    found = []
    for file in (ROOT / "kernels").rglob("*.py"):
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.FunctionDef) and len(node.args.posonlyargs + node.args.args) > 12:
                found.append(f"{name_of(file)}: {node.name}")
    return found


def occurrences(*texts: str, devices: bool = True) -> list[str]:
    """Files that hold one of some texts, once for each time; without what is about devices, if not ``devices``."""
    files = [f for f in FILES if devices or ("device" not in f.parts and "cuda" not in name_of(f))]
    return [name_of(f) for f in files for text in texts for _ in range(f.read_text().count(text))]


def test_few_modules_lie_at_the_root():
    assert len(list(ROOT.glob("*.py"))) <= 10


def test_kernels_take_few_arguments():
    assert not wide_kernels()


def test_code_does_not_ask_for_the_device():
    assert not occurrences('== "cuda"', "== 'cuda'", devices=False)


def test_types_are_known():
    assert len(occurrences(": Any")) <= 294  # may only shrink


BORDERS = {
    "checkpoint/describe.py": "a network becomes a file",
    "conversion/folding.py": "a network becomes another one",
    "conversion/spiking.py": "a network becomes another one",
    "conversion/torch.py": "parameters of PyTorch become those of a network",
    "gradcheck/check.py": "neurons, layers and surrogates are taken",
    "layers/container.py": "neurons and layers are taken",
    "layers/population.py": "a neuron is taken",
    "layers/recurrent.py": "a neuron or layers are taken; of two loops the one for them runs",
    "learning/eprop.py": "networks of one form are taken",
    "network/group.py": "a synapse is taken",
    "network/network.py": "neurons, synapses and rules are taken",
    "network/stimulation.py": "a synapse is taken",
    "nir/own.py": "a population becomes a node of a file",
    "nir/write.py": "a network becomes a file",
    "plasticity/plastic.py": "connections and a rule are taken",
    "quantization/simulate.py": "a network becomes another one",
    "synapses/synapse.py": "synapses are compared",
}
"""Files that may ask for the type of a neuron, layer, learner, rule or synapse, and why; others ask the object."""


def asks_for_a_type(file: Path, of: tuple[type, ...]) -> bool:
    """True if a file asks whether an object but ``self`` is of one of these classes, or a class made of them."""
    found = list[ast.expr]()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            found.append(node.args[1])
        elif isinstance(node, ast.Compare) and "type(" in ast.unparse(node) and "type(self)" not in ast.unparse(node):
            found += node.comparators
        elif isinstance(node, ast.MatchClass):
            found.append(node.cls)
    if not found:
        return False
    known = vars(importlib.import_module(".".join(("nbsnn", *file.relative_to(ROOT).with_suffix("").parts))))
    named = [known.get(n.id) for each in found for n in ast.walk(each) if isinstance(n, ast.Name)]
    named += [getattr(known.get(ast.unparse(n.value)), n.attr, None)
              for each in found for n in ast.walk(each) if isinstance(n, ast.Attribute)]  # fmt: skip
    kinds = itertools.chain(*(each if isinstance(each, tuple) else (each,) for each in named))
    return any(isinstance(kind, type) and issubclass(kind, of) for kind in kinds)


def test_objects_are_asked_and_not_their_types():
    of = (nbsnn.Neuron, nbsnn.Layer, nbsnn.learning.Learner, nbsnn.plasticity.Rule, nbsnn.plasticity.PostPreInt)
    of += (nbsnn.synapses.Synapse,)
    assert [name_of(file) for file in FILES if asks_for_a_type(file, of)] == sorted(BORDERS)


def test_every_line_of_the_order_exists():
    known = {file.relative_to(ROOT).with_suffix("").parts[0] for file in FILES}
    assert set(PLACE) - known == set()


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_files_fit_in_a_head(file):
    text = file.read_text()
    assert len(text.splitlines()) <= 350
    assert not text.strip() or ast.get_docstring(tree_of(file)), "no docstring that says what the file is about"


@pytest.mark.long
def test_who_follows_a_call_changes_file_seldom():
    """In a process of its own, where no other test has left anything, and on one thread, which does all itself."""
    most = {"BPTT.step": (27, 94), "OTTT.step": (25, 99), "Network.run": (11, 36)}  # may only shrink
    command, environment = [sys.executable, "-m", "tests.tools.journey"], {**os.environ, "NBSNN_THREADS": "1"}
    here = Path(__file__).parents[1]
    said = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"(\S+): (\d+) files, (\d+) changes", said)
    assert [name for name, *_ in found] == list(most)
    assert all(int(files) <= most[name][0] and int(changes) <= most[name][1] for name, files, changes in found), said


def loaded_by(code: str) -> set[str]:
    """The modules that a new process has loaded after ``code``."""
    code = f"import sys\n{code}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_import_loads_no_compiler_and_only_what_is_used():
    heavy = {"bokeh", "matplotlib", "numba", "numba.cuda", "scipy", "sklearn"}
    assert not loaded_by("import nbsnn") & {*heavy, "numpy", "nbsnn.layers"}
    found = loaded_by("import nbsnn; nbsnn.Sequential(nbsnn.Dense(2, 1), nbsnn.neurons.LIF())")
    assert not found & {*heavy, "nbsnn.network", "nbsnn.plasticity", "nbsnn.tempotron", "nbsnn.plot"}


def test_names_are_there_for_people_and_for_type_checkers():
    tree = ast.parse((ROOT / "__init__.py").read_text())
    listed = {}
    for node in next(n for n in tree.body if isinstance(n, ast.If)).body:
        listed |= {alias.asname: node.module or "" for alias in node.names}
    assert listed == nbsnn.PLACES
    for name in listed:
        assert getattr(nbsnn, name) is not None and name in dir(nbsnn)
    assert all(callable(getattr(nbsnn, name)) for name, module in listed.items() if module and name != "values")
    with pytest.raises(AttributeError, match="no attribute 'Dens'"):
        getattr(nbsnn, "Dens")  # noqa: B009


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
        if inspect.isclass(value) and not getattr(value, "_is_protocol", False):  # documented where it is done
            methods = [k for k, m in vars(value).items() if inspect.isfunction(m) and not k.startswith("_")]
            bare += [f"{key}.{k}" for k in methods if not inspect.getdoc(getattr(value, k))]
    assert not bare, f"no docstring: {bare}"
