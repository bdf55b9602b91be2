"""The README is true: every block in it runs."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from nbsnn.cli import main

from .idx_files import tiny_mnist

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]
TABLE = re.findall(r"`((?:nbsnn|python) [^`]*)`", TEXT)


def test_python_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    for number, block in enumerate(blocks("python")):
        # A neuron's functions must come from a file, for inspection and debuggers alike; so do the blocks here.
        file = tmp_path / f"block{number}.py"
        file.write_text(block)
        exec(compile(block, str(file), "exec"), scope)
    assert "lif1" in capsys.readouterr().out
    assert (tmp_path / "digits.npz").exists()


def test_the_first_blocks_are_the_two_commands():
    first, second = blocks("bash")[:2]
    assert first.splitlines() == ["pip install .", "nbsnn train digits"]
    assert second.splitlines() == ['pip install -e ".[dev]"', "pytest -n auto --dist loadfile"]


def defined(file: Path) -> set[str]:
    """Functions, classes and methods of a file: ``f``, ``A``, ``A.f``."""
    nodes = [node for node in ast.parse(file.read_text()).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    inner = [f"{n.name}.{m.name}" for n in nodes for m in ast.walk(n) if isinstance(m, ast.FunctionDef) and m is not n]
    return {node.name for node in nodes} | set(inner)


def test_files_and_functions_of_how_it_works_exist():
    section = re.search(r"^## How it works\n(.*?)^## ", TEXT, flags=re.DOTALL | re.MULTILINE)
    assert section and len(section[1].strip().splitlines()) <= 30
    named = re.findall(r"`([\w/]+\.py)(?::([\w.]+))?`", section[1])
    assert len(named) > 20
    for file, name in named:
        path = ROOT / "nbsnn" / file
        assert path.exists(), file
        assert not name or name in defined(path), f"{file} has no {name}"


def test_install_commands_name_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"pip install [^\n`]*?\[(\w+)\]", TEXT))
    assert named <= set(extras)
    assert "dev" in named


def slow(command: str) -> bool:
    """Whether a command compiles for long what another like it compiles too."""
    return command.startswith(("nbsnn simulate co", "nbsnn simulate brunel", "nbsnn train diehl-cook"))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, marks=pytest.mark.long if slow(c) else ())
        for c in sorted({c for c in COMMANDS + TABLE if c.startswith("nbsnn")})
    ],
)
def test_commands_of_nbsnn_run(command, tmp_path, monkeypatch, capsys):
    arguments = shlex.split(command)[1:]
    if "--data" in arguments:
        arguments[arguments.index("--data") + 1] = str(tiny_mnist(tmp_path))
    if arguments[0] == "simulate":
        arguments += ["--scale", "0.02", "--duration", "5", "--settle", "0"]
    elif arguments[0] == "warmup":
        arguments += ["--here", "digits"]
    elif arguments[:2] == ["train", "diehl-cook"]:
        arguments += ["--images", "20", "--epochs", "1", "--steps", "20"]
    elif arguments[0] == "train":
        arguments += ["--samples", "40", "--epochs", "1", "--hidden", "8", "--steps", "2"]
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0


@pytest.mark.parametrize("command", sorted({c for c in COMMANDS + TABLE if c.startswith("python")}))
def test_commands_of_examples_are_right(command):
    # Toy runs of the examples themselves are in test_examples.py; here, that the command's options exist.
    _, script, *options = shlex.split(command)
    if script == "-m":
        module, *options = options
        text, script = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(), f"-m {module}"
    else:
        text = (ROOT / script).read_text()
    assert f"python {script}" in text
    for option in options:
        if option.startswith("--"):
            assert f'"{option}"' in text


def test_every_study_is_in_the_readme():
    assert all(f"examples/studies/{p.name}" in TEXT for p in (ROOT / "examples" / "studies").glob("*.py"))
