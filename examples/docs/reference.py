"""The reference, generated before Sphinx runs: a page for each public module, each object once."""

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
