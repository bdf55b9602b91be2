"""A page for each lesson, generated before Sphinx runs: its words, its code, what it prints, and its figure."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import nbsnn

EXECUTE = os.environ.get("NBSNN_DOCS_EXECUTE", "1") != "0"
"""Whether lessons are executed; without, their pages show neither what they print nor figures."""


def cells(script: str) -> list[tuple[str, int, str]]:
    """The cells of a percent-format script: ("markdown" or "code", number of the first line, text)."""
    found: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(script.splitlines(), 1):
        if line.startswith("# %%"):
            found.append(("markdown" if "[markdown]" in line else "code", number + 1, []))
        elif found:
            kind, _, lines = found[-1]
            lines.append((line[2:] if line.startswith("# ") else line[1:]) if kind == "markdown" else line)
    return [(kind, first, "\n".join(lines).rstrip()) for kind, first, lines in found]


def execute(script: Path) -> list[dict[str, object]]:
    """Run the code cells in one namespace, here and now: what each printed, and the pictures that it left."""
    scope: dict[str, object] = {"__name__": "__main__", "__file__": str(script)}
    results: list[dict[str, object]] = []
    for kind, first, text in cells(script.read_text()):
        if kind == "code":
            before, said = set(Path().glob("*.png")), io.StringIO()
            with contextlib.redirect_stdout(said):
                # Functions keep file and line: that is where a neuron's source is read from.
                exec(compile("\n" * (first - 1) + text, str(script), "exec"), scope)
            figures = sorted(path.name for path in set(Path().glob("*.png")) - before)
            results.append({"said": said.getvalue(), "figures": figures})
    return results


def executed(script: Path, folder: Path) -> list[dict[str, object]]:
    """What ``execute`` returns, of a process of its own in ``folder``; kept there until lesson or library change."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = [script, Path(__file__), *sorted(Path(nbsnn.__file__).parent.rglob("*.py"))]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    kept = folder / f"{script.stem}.json"
    if kept.exists() and (found := json.loads(kept.read_text()))["key"] == key:
        return found["results"]
    for figure in folder.glob(f"{script.stem}*.png"):
        figure.unlink()
    began = sum(os.times()[2:4])  # of children; their processor time does not depend on what else runs
    done = subprocess.run(
        [sys.executable, __file__, str(script.resolve())], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(Path(nbsnn.__file__).parents[1])},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the lesson {script.name} fails:\n{done.stderr}")
    results = json.loads(done.stdout)
    kept.write_text(json.dumps({"key": key, "seconds": sum(os.times()[2:4]) - began, "results": results}))
    return results


def width(figure: Path) -> int:
    """Pixels on the page, 90 an inch, whatever those of the file: so words in all figures have one size."""
    return round(int.from_bytes(figure.read_bytes()[16:20], "big") * 90 / 120)  # the header of PNG; nbsnn's dpi


def page(script: Path, results: list[dict[str, object]], folder: Path) -> str:
    """The lesson in Markdown, for a file in ``folder``; pictures are in ``figures`` there."""
    parts, left = [], list(results)
    for kind, _, text in cells(script.read_text()):
        if kind == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text.replace('  # fmt: skip', '')}\n```")
        result = left.pop(0) if left else {"said": "", "figures": []}
        if said := str(result["said"]).rstrip():
            parts.append(f"```{{code-block}} text\n:class: output\n\n{said}\n```")
        for name in result["figures"]:  # type: ignore[attr-defined]
            options = f":alt: The figure of this lesson\n:width: {width(folder / 'figures' / name)}px"
            parts.append(f"```{{image}} figures/{name}\n{options}\n```")
    parts.append(f"The lesson is [`examples/{script.name}`](../../{script.name}), a script that opens as a notebook.")
    return "\n\n".join(parts) + "\n"


def write_lessons(examples: Path, folder: Path) -> None:
    """A page for each lesson, and one that lists them."""
    from reference import write

    scripts = sorted(examples.glob("[0-9]*.py"))
    for script in scripts:
        results = executed(script, folder / "figures") if EXECUTE else []
        write(folder / f"{script.stem}.md", page(script, results, folder))
    listed = "\n".join(script.stem for script in scripts)
    write(folder / "index.md", f"# Lessons\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n")


if __name__ == "__main__":
    json.dump(execute(Path(sys.argv[1])), sys.stdout)
