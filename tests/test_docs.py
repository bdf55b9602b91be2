"""The documentation is true: every block of Python in it runs, page by page, and every lesson says what it shows."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nbsnn

EXAMPLES = Path(__file__).parent.parent / "examples"
PAGES = sorted((EXAMPLES / "docs").glob("*.md"))
LESSONS = sorted(EXAMPLES.glob("[0-9]*.py"))


NEEDS = {"getting_started.md": "matplotlib", "nir.md": "pyfive", "pages.md": "bokeh", "sklearn.md": "sklearn"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_of_a_page_run_in_order(page, tmp_path, monkeypatch):
    if page.name in NEEDS:
        pytest.importorskip(NEEDS[page.name])
    monkeypatch.chdir(tmp_path)
    scope: dict = {}
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    ):
        file = tmp_path / f"block{number}.py"  # a neuron's functions must come from a file
        file.write_text(block)
        exec(compile(block, str(file), "exec"), scope)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_a_page_exist(page):
    named = re.findall(
        r"(?:nbsnn\.|(?<![\w.])(?=(?:presets|synapses|surrogates)\.))([a-zA-Z_][\w.]*\w)", page.read_text()
    )
    for name in named:
        found = nbsnn
        for part in name.removesuffix(".md").split("."):
            found = getattr(found, part)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_lesson_is_short_and_has_one_figure(lesson):
    text = lesson.read_text()
    assert len(text.splitlines()) < 80 and text.startswith("# %% [markdown]\n# # ")
    assert text.count("**See**") == text.count("**Try**") == 1
    assert len(re.findall(rf'"{lesson.stem}\.png"', text)) == 1


@pytest.mark.long
def test_the_pages_are_built_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(EXAMPLES / "docs"),
        str(tmp_path),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "lessons" / "01_one_neuron.html").exists()
