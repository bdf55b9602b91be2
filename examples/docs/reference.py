"""Pages that are generated before Sphinx runs: one for each public module, and one for each lesson."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType

import nbsnn

TITLES = {
    "layers": "Layers", "learning": "Learners", "network": "The simulator", "neurons": "Neurons",
    "surrogates": "Surrogates", "synapses": "Synapses", "plasticity": "Plasticity", "tempotron": "Tempotron",
    "losses": "Losses", "optim": "Optimisers", "encode": "Encoders", "init": "Initialisers", "sparse": "Connections",
    "models": "Published networks", "presets": "Presets", "statistics": "Statistics", "plot": "Plots",
    "data": "Data sets", "augment": "Augmentation", "files": "Files of runs", "random": "Random numbers",
    "unsupervised": "Without labels", "voting": "Votes of labels", "nir": "NIR files", "events": "Events",
    "sklearn": "scikit-learn",
}  # fmt: skip

HELPERS = """
    presets.norse.cell presets.snntorch.holes_of presets.snntorch.neuron presets.spaic_stdp.mixed
    presets.spikingjelly.conventions presets.spikingjelly.start_of presets.spikingjelly_tempotron.Record
    unsupervised.shown_order
"""
"""Functions of modules that are public, but are none of the user's business."""


def public(module: ModuleType) -> list[str]:
    """Functions and classes that a module defines or, of a package, hands on, in alphabetical order."""
    found = []
    for name, value in sorted(vars(module).items()):
        place = getattr(value, "__module__", None) or ""
        ours = place.startswith("nbsnn") if hasattr(module, "__path__") else place == module.__name__
        helper = f"{module.__name__}.{name}".removeprefix("nbsnn.") in HELPERS.split()
        if ours and not helper and not name.startswith("_") and (inspect.isclass(value) or inspect.isfunction(value)):
            found.append(name)
    return found


def everything() -> dict[str, list[str]]:
    """Page -> full names of what stands on it: each public object of nbsnn once."""
    seen: set[int] = set()
    pages: dict[str, list[str]] = {}
    for name in TITLES:
        modules = [module := import_module(f"nbsnn.{name}")]
        if name == "presets":
            modules += [value for _, value in sorted(vars(module).items()) if inspect.ismodule(value)]
        for module in modules:
            for n in public(module):
                if id(getattr(module, n)) not in seen:
                    seen.add(id(getattr(module, n)))
                    pages.setdefault(name, []).append(f"{module.__name__}.{n}")
    rest = [n for n, place in nbsnn.PLACES.items() if place and id(getattr(nbsnn, n)) not in seen]
    return {"nbsnn": [f"nbsnn.{n}" for n in sorted(rest) if callable(getattr(nbsnn, n))], **pages}


def found(full: str) -> object:
    """The object of a full name."""
    module, _, name = full.rpartition(".")
    return getattr(import_module(module), name)


def write(path: Path, text: str) -> None:
    """Write a page, but only if it has changed: Sphinx reads anew what is newer."""
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_reference(folder: Path) -> None:
    """A page for each public module, each object once, and one for what stands in ``nbsnn`` itself."""
    pages = everything()
    for name, objects in pages.items():
        title = TITLES.get(name, "Functions and classes of nbsnn")
        lines = [title, "=" * len(title), ""]
        if name != "nbsnn":
            lines += [f".. automodule:: nbsnn.{name}", "   :no-index:", ""]
        for full in objects:
            kind = "autoclass" if inspect.isclass(found(full)) else "autofunction"
            members = ["   :members:", "   :exclude-members: set_fit_request, set_score_request"]  # scikit-learn's own
            lines += [f".. {kind}:: {full}", *(members if kind == "autoclass" else []), ""]
        write(folder / f"{name}.rst", "\n".join(lines))
    listed = "\n".join(f"   {name}" for name in pages)
    write(folder / "index.rst", f"Reference\n=========\n\n.. toctree::\n   :maxdepth: 1\n\n{listed}\n")


def cells(script: str) -> list[tuple[str, str]]:
    """The cells of a percent-format script: ("markdown" or "code", text)."""
    found: list[tuple[str, list[str]]] = []
    for line in script.splitlines():
        if line.startswith("# %%"):
            found.append(("markdown" if "[markdown]" in line else "code", []))
        elif found:
            kind, lines = found[-1]
            lines.append((line[2:] if line.startswith("# ") else line[1:]) if kind == "markdown" else line)
    return [(kind, "\n".join(lines).strip()) for kind, lines in found]


def write_lessons(examples: Path, folder: Path) -> None:
    """A page for each lesson: its words, its code, and its figure where the folder has one."""
    names = []
    for script in sorted(examples.glob("[0-9]*.py")):
        parts = []
        for kind, text in cells(script.read_text()):
            parts.append(text if kind == "markdown" else f"```python\n{text}\n```")
        if (folder / "figures" / f"{script.stem}.png").exists():
            parts.insert(-1, f"![{script.stem}](figures/{script.stem}.png)")
        write(folder / f"{script.stem}.md", "\n\n".join(parts) + "\n")
        names.append(script.stem)
    listed = "\n".join(names)
    write(folder / "index.md", f"# Lessons\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n")
