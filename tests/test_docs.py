"""The documentation is true: every block of Python in it runs, page by page, and every lesson says what it shows."""

import ast
import inspect
import json
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


COMPILES = (  # for a long time
    "changes.md", "coming_from.md", "command_line.md", "conventions.md", "conversion.md", "sklearn.md", "tour.md",
)  # fmt: skip
NEEDS = {"getting_started.md": "matplotlib", "nir.md": "pyfive", "pages.md": "bokeh", "sklearn.md": "sklearn"}


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.long if page.name in COMPILES else ()) for page in PAGES],
    ids=lambda page: page.name,
)  # fmt: skip
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


def test_a_lesson_page_holds_what_it_prints_and_draws(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES / "docs")
    import lessons

    script = tmp_path / "01_small.py"
    script.write_text(
        "# %% [markdown]\n# # Small\n# %%\nx = [\n  7,\n]  # fmt: skip\nprint('seven is', *x)\n"
        "# %%\nimport numpy as np\nimport nbsnn\n"
        "nbsnn.plot.save(nbsnn.plot.rate_histogram(np.array([1.0, 2.0])), '01_small.png')\n"
    )
    monkeypatch.setattr(lessons, "EXECUTE", True)
    lessons.write_lessons(tmp_path, tmp_path / "pages")
    page = (tmp_path / "pages" / "01_small.md").read_text()
    assert page.startswith("# Small\n") and "seven is 7\n```" in page and "fmt: skip" not in page
    assert "```{image} figures/01_small.png" in page and (tmp_path / "pages" / "figures" / "01_small.png").exists()
    script.write_text(script.read_text() + "1 / 0\n")
    with pytest.raises(RuntimeError, match=r"01_small.py fails(.|\n)*ZeroDivisionError"):
        lessons.write_lessons(tmp_path, tmp_path / "pages")


@pytest.mark.long
def test_the_pages_are_built_without_a_warning(tmp_path):
    pytest.importorskip("sphinx")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(EXAMPLES / "docs")]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "NUMBA_DISABLE_JIT": "0"}
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    for lesson in LESSONS:
        page = (tmp_path / "lessons" / f"{lesson.stem}.html").read_text()
        assert 'class="output' in page and f"{lesson.stem}.png" in page, lesson.name
        assert (tmp_path / "_images" / f"{lesson.stem}.png").stat().st_size > 5000, lesson.name
        seconds = json.loads((EXAMPLES / "docs" / "lessons" / "figures" / f"{lesson.stem}.json").read_text())["seconds"]
        assert seconds < 120.0, lesson.name  # of a processor that others share; alone, half of it
    math = (tmp_path / "how_it_works.html").read_text()
    assert not re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="https?:', math)  # also read offline
    assert "mathjax" in math.lower()


def lines_of_ours():
    """The calls in the last columns of the tables of "coming from", with where they stand."""
    page = (EXAMPLES / "docs" / "coming_from.md").read_text()
    for title, section in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE):
        for row in re.findall(r"^\|[^\n]*\|$", section, flags=re.MULTILINE):
            for code in re.findall(r"`([^`]+\))`", row.split(" | ")[-1]):
                yield pytest.param(title, code, id=f"{title}: {code}")


@pytest.mark.parametrize(("title", "code"), list(lines_of_ours()))
def test_our_line_for_theirs_is_a_call_that_is_understood(title, code):
    simulates = title in ("Brian 2", "NEST") or title.startswith("Moving")
    net = nbsnn.Network() if simulates else nbsnn.Sequential(nbsnn.Dense(1, 1))
    scope = {**vars(nbsnn.neurons), "nbsnn": nbsnn, "net": net, "run": nbsnn.Network().run}
    scope |= {name: getattr(nbsnn, name) for name in ("presets", "surrogates", "synapses", "plasticity", "Parallel")}
    scope |= {"Identity": nbsnn.Identity, "Delay": nbsnn.Delay, "LIFCell": nbsnn.presets.norse.LIFCell}
    scope |= {"first": nbsnn.network.Recording, "grid": nbsnn.sparse.grid}
    if simulates:
        cells = net.population(nbsnn.neurons.LIF(), 4)
        scope["connection"] = net.connect(cells, cells, nbsnn.AllToAll())
    scope["learner"] = nbsnn.BPTT(nbsnn.Sequential(nbsnn.Dense(1, 1)), nbsnn.losses.rate_cross_entropy)
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Call) or any(isinstance(arg, ast.Starred) for arg in call.args):
            continue
        function = eval(ast.unparse(call.func), scope)
        if "..." in ast.unparse(call):
            names = [keyword.arg for keyword in call.keywords]
        else:
            inspect.signature(function).bind(*call.args, **{k.arg: k.value for k in call.keywords})
            continue
        known = inspect.signature(function).parameters
        assert all(name in known for name in names) or any(p.kind is p.VAR_KEYWORD for p in known.values()), names
