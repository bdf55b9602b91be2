"""What all commands have in common: manual pages, folders of results, words for people and for scripts."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shlex
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..progress.bar import Progress
from ..ranks import Alone, world


class Manual(argparse.ArgumentDefaultsHelpFormatter):
    """Help whose paragraphs wrap and whose indented lines stay; defaults are said where there are some."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = text.strip("\n").split("\n\n")
        return "\n\n".join(part if "\n  " in part else textwrap.fill(part, width) for part in parts)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        quiet = action.default is None or action.default is False or action.default in (argparse.SUPPRESS, [])
        return action.help if quiet else super()._get_help_string(action)


def manual(what: str, *examples: str, files: str = "") -> dict[str, Any]:
    """Arguments of a parser: its description, what it writes, and examples that run as they stand."""
    parts = [f"what it writes:\n{textwrap.indent(textwrap.dedent(files).strip(), '  ')}"] if files else []
    parts += ["\n".join(["examples:", *(f"  {example}" for example in examples)])]
    return {"description": what, "epilog": "\n\n".join(parts), "formatter_class": Manual, "allow_abbrev": False}


def add_json(p: argparse._ActionsContainer) -> None:
    """Add the option for scripts."""
    p.add_argument(
        "--json", action="store_true", help="print one JSON object with the results; all else goes to standard error"
    )


def add_results(p: argparse.ArgumentParser, name: str, resume: str) -> argparse._ActionsContainer:
    """Add the options of where results go, and of how they are printed; returns their group."""
    group = p.add_argument_group("results")
    group.add_argument(
        "--out", type=Path, metavar="DIR",
        help=f"folder for all results; by default runs/{name}, or runs/{name}-2 and so on while that holds some",
    )  # fmt: skip
    group.add_argument("--resume", action="store_true", help=resume)
    group.add_argument("--force", action="store_true", help="replace the results that the folder holds")
    add_json(group)
    p.set_defaults(name=name)
    return group


def find_folder(a: argparse.Namespace, kept: Sequence[str], show: Progress) -> Path:
    """The folder of this run, now also ``a.out``; results of an earlier one, files ``kept``, are not overwritten.

    Raises
    ------
    FileExistsError
        If the folder asked for holds results, and it is neither ``--resume`` nor ``--force``.
    """

    def holds(folder: Path) -> bool:
        return any((folder / name).exists() for name in kept)

    if a.resume and a.force:
        raise ValueError("--resume continues a run and --force replaces it: give one of the two")
    if a.out is None:
        first = Path("runs") / a.name
        a.out, number, last = first, 1, None
        while holds(a.out) and not a.force:
            last, number = a.out, number + 1
            a.out = first.with_name(f"{a.name}-{number}")
        if a.resume and last is not None:
            a.out = last
        elif last is not None:
            show.line(f"{last} holds the results of an earlier run; those of this one go to {a.out}")
    elif holds(a.out) and not (a.resume or a.force):
        raise FileExistsError(
            f"{a.out} holds the results of an earlier run: --force replaces them, --resume continues it if it was "
            "interrupted, and another --out keeps both"
        )
    if a.resume and not holds(a.out):
        show.line(f"nothing to resume in {a.out}: this run starts from the beginning")
    return a.out


def add_ranks(g: argparse._ArgumentGroup, of: str) -> None:
    """Add the options about processes that share the work."""
    g.add_argument("--mpi", action="store_true", help="share the work with all that mpiexec has started")
    g.add_argument("--digest", action="store_true", help=f"print a number made of {of}, and progress elsewhere")


def ranks_of(a: argparse.Namespace) -> Alone:
    """The processes that share the work."""
    if not getattr(a, "mpi", False):
        return Alone()
    if a.resume or a.page is not None:
        raise ValueError("--mpi takes neither --resume nor --page yet")
    return world()


def digest(arrays: Iterable[np.ndarray]) -> str:
    """A number that tells arrays from others, as text."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def progress(a: argparse.Namespace, first: bool = True) -> Progress:
    """Progress for people; away from standard output where a script reads that."""
    if not first:
        return Progress.of(False)
    return Progress(stream=sys.stderr if a.json or getattr(a, "digest", False) else sys.stdout)


def tell(a: argparse.Namespace, result: dict[str, Any]) -> None:
    """Print the result as one JSON object, if that was asked for."""
    if a.json:
        print(json.dumps(_plain(result), indent=1))


def _plain(value: object) -> object:
    """The value as JSON knows it: paths are strings, and numbers that are not finite null."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value) if isinstance(value, Path) else value


def again(a: argparse.Namespace, argv: Sequence[str]) -> str:
    """The command that resumes this run."""
    words = [word for word in argv if word not in ("--force", "--resume")]
    if not any(word == "--out" or word.startswith("--out=") for word in words):
        words += ["--out", str(a.out)]
    return shlex.join(["nbsnn", *words, "--resume"])


def interrupted(a: argparse.Namespace, argv: Sequence[str]) -> str:
    """What is said after Ctrl-C."""
    if not isinstance(getattr(a, "out", None), Path):
        return "interrupted"
    kept = getattr(a, "kept", None) or ("the last checkpoint" if (a.out / "checkpoint.npz").exists() else "")
    state = f"{a.out} holds {kept}" if kept else "there is no checkpoint yet"
    return f"interrupted; {state}. To resume:\n  {again(a, argv)}"
