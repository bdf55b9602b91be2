"""``nbsnn info``: versions, threads, CUDA, cache."""

from __future__ import annotations

import argparse
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version

from ..compile import cache
from ..device import cuda_setup
from ..device.threads import threads
from ..ranks import library
from ..version import __version__
from .manners import add_json, manual, progress, tell

EXTRAS = {"matplotlib": "plot", "bokeh": "page", "numba-cuda": "cuda", "mpi4py": "mpi"}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``info`` to the command line."""
    command = commands.add_parser(
        "info",
        help="versions, threads, CUDA and cache",
        **manual(
            "Say what this installation consists of: versions, threads, what a GPU needs and what of it is missing, "
            "and the kernels that are kept on disk.",
            "nbsnn info",
            "nbsnn info --json",
        ),
    )
    add_json(command)
    command.set_defaults(run=run)


def cuda_rows(found: cuda_setup.Cuda) -> dict[str, str]:
    """CUDA on this machine: what would run, each part, and what is missing."""
    if found.simulated:
        return {"cuda": str(found)}
    rows = {"cuda": "no GPU can be used" if found.missing else 'ready: device="cuda"'}
    if found.package:
        rows["  driver"] = f"supports CUDA {found.driver}" if found.driver else "not found"
        rows["  toolkit"] = f"compiler of CUDA {found.toolkit}" if found.toolkit else "not found"
    free = [] if found.missing else cuda_setup.memory()
    for k, device in enumerate(found.devices):
        rows[f"  device {k}"] = ", ".join([device, *free[k : k + 1]])
    for k, text in enumerate(found.missing, 1):
        rows["  missing" if len(found.missing) == 1 else f"  missing {k}"] = text
    return rows


def run(arguments: argparse.Namespace) -> int:
    """Print what this installation consists of."""
    rows = {"nbsnn": __version__, "python": platform.python_version(), "platform": platform.platform()}
    rows |= {name: version(name) for name in ("numpy", "numba", "scipy")}
    found = cuda_setup.find()
    mpi = library()
    extras = {name: _version(name) for name in EXTRAS}
    tell(arguments, {
        "command": "info", **rows, **extras, "mpi": mpi, "threads": threads(),
        "cuda": {"ready": not found.missing, **asdict(found)}, "kernels": cache.count(), "cache": cache.folder(),
    })  # fmt: skip
    for name, extra in EXTRAS.items():
        rows[name] = extras[name] or f'not installed (pip install "nbsnn[{extra}]")'
    if mpi:
        rows["  MPI"] = mpi
    rows["threads"] = f"{threads()} for kernels (NBSNN_THREADS or nbsnn.set_threads)"
    rows |= cuda_rows(found)
    rows["kernel cache"] = cache.report()
    show = progress(arguments)
    for name, value in rows.items():
        show.line(f"{name:14}{value}")
    return 0


def _version(package: str) -> str | None:
    """The version of a package, None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
