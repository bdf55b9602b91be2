"""The README is true, and so are the pages that it leads to: every block runs, every command and link exists."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from nbsnn.cli import main

from .toy_commands import slow, toy

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "examples" / "docs"
README = (ROOT / "README.md").read_text()
TEXT = "\n".join([README, *(page.read_text() for page in sorted(DOCS.glob("*.md")))])


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


COMMANDS = [
    line.split(" # ")[0].strip() for block in blocks("bash", TEXT) for line in block.splitlines() if line.strip()
]
TABLE = re.findall(r"`((?:nbsnn|python) [^`]*)`", TEXT)


def test_the_readme_is_short():
    assert len(README.splitlines()) < 150
    assert all(len(block.splitlines()) <= 12 for block in blocks("python"))


def test_python_blocks_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    for number, block in enumerate(blocks("python")):
        file = tmp_path / f"block{number}.py"
        file.write_text(block)
        exec(compile(block, str(file), "exec"), scope)
    printed = capsys.readouterr().out
    assert "(8, 360, 128)" in printed and "spikes" in printed


def test_the_first_blocks_are_the_two_commands():
    first, second = blocks("bash")[:2]
    assert first.splitlines() == ["pip install .", "nbsnn train digits"]
    assert second.splitlines() == ['pip install -e ".[dev]"', "pytest -n auto --dist loadfile"]


@pytest.mark.parametrize("file", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda file: file.name)
def test_links_lead_to_files(file):
    for target in re.findall(r"\]\((?!https?://)([^)#\s]+)", file.read_text()):
        assert (file.parent / target).exists(), target


@pytest.mark.parametrize(
    "line", [line for line in README.splitlines() if re.match(r"\| .*\d", line)], ids=lambda line: line[2:40]
)
def test_figures_of_the_readme_are_those_of_the_pages(line):
    name = line.split("|")[1].strip()
    page = (DOCS / ("results.md" if "`" in line else "speed.md")).read_text()
    figures = re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?= (?:%|ms|s|MB)\b| \|)", line.split("|", 2)[2])
    assert figures
    assert any(all(figure in row for figure in figures) for row in page.splitlines() if row.startswith("|")), name


def defined(file: Path) -> set[str]:
    """Functions, classes and methods of a file: ``f``, ``A``, ``A.f``."""
    nodes = [node for node in ast.parse(file.read_text()).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    inner = [f"{n.name}.{m.name}" for n in nodes for m in ast.walk(n) if isinstance(m, ast.FunctionDef) and m is not n]
    return {node.name for node in nodes} | set(inner)


@pytest.mark.parametrize(
    ("file", "title", "least"),
    [
        (ROOT / "README.md", "How it works", 6),
        (DOCS / "how_it_works.md", "The way through the code", 20),
        (DOCS / "contributing.md", "Adding one", 12),
    ],
    ids=["README", "page", "contributing"],
)
def test_files_and_functions_of_how_it_works_exist(file, title, least):
    section = re.search(rf"^## {title}\n(.*?)(?:^## |\Z)", file.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert section and len(section[1].strip().splitlines()) <= 30
    named = re.findall(r"`([\w/]+\.py)(?::([\w.]+))?`", section[1])
    assert len(named) > least
    for name, function in named:
        path = ROOT / "nbsnn" / name
        assert path.exists(), name
        assert not function or function in defined(path), f"{name} has no {function}"


@pytest.mark.parametrize("title", ["How it works", "How it is tested", "Contributing", "Results", "Speed"])
def test_a_section_leads_to_its_page(title):
    section = re.search(rf"^## {title}\n(.*?)(?:^## |\Z)", README, flags=re.DOTALL | re.MULTILINE)
    assert section and "](examples/docs/" in section[1]


def test_how_it_is_tested_says_what_and_how():
    rows = [row for row in (DOCS / "tested.md").read_text().splitlines() if row.startswith("| ") and "---" not in row]
    assert len(rows) > 6 and all("`" in row.split("|")[2] for row in rows[1:])


def test_install_commands_name_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"pip install [^\n`]*?\[(\w+)\]", TEXT))
    assert named <= set(extras)
    assert "dev" in named


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, marks=pytest.mark.long if slow(c) else ())
        for c in sorted({c for c in COMMANDS + TABLE if c.startswith("nbsnn")})
    ],
)
def test_commands_of_nbsnn_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if "--page" in command:
        pytest.importorskip("bokeh")
    if "--mpi" in command:
        pytest.importorskip("mpi4py")
    if command.endswith("--help"):
        with pytest.raises(SystemExit, match="0"):
            main(shlex.split(command)[1:])
    else:
        assert main(toy(command, tmp_path)) == 0


@pytest.mark.parametrize("command", sorted({c for c in COMMANDS + TABLE if c.startswith("python")}))
def test_commands_of_examples_are_right(command):
    # Toy runs of the examples themselves are in test_examples.py; here, that the command's options exist.
    _, script, *options = shlex.split(command)
    if script == "-m":
        module, *options = options
        if not module.startswith("tests"):
            assert module in ("sphinx",)
            return
        text, script = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(), f"-m {module}"
    else:
        text = (ROOT / script).read_text()
    assert f"python {script}" in text
    for option in options:
        if option.startswith("--"):
            assert f'"{option}"' in text


def test_every_study_is_in_the_documentation():
    assert all(f"examples/studies/{p.name}" in TEXT for p in (ROOT / "examples" / "studies").glob("*.py"))
