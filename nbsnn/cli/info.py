"""``nbsnn info``: versions, threads, CUDA, cache."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import break_even
from .. import compile as compiler
from ..device import cuda_report, threads
from ..version import __version__

EXTRAS = {"matplotlib": "plot", "numba-cuda": "cuda"}


def add_to(commands: Any) -> None:
    """Add ``info`` to the command line."""
    command = commands.add_parser("info", help="versions, threads, CUDA and cache", allow_abbrev=False)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what this installation consists of."""
    rows = {"nbsnn": __version__, "python": platform.python_version(), "platform": platform.platform()}
    rows |= {name: version(name) for name in ("numpy", "numba", "scipy")}
    for name, extra in EXTRAS.items():
        try:
            rows[name] = version(name)
        except PackageNotFoundError:
            rows[name] = f'not installed (pip install "nbsnn[{extra}]")'
    rows["threads"] = f"{threads()} for kernels (NBSNN_THREADS or nbsnn.set_threads)"
    rows["break-even"] = break_even.report()
    rows["cuda"] = cuda_report()
    rows["kernel cache"] = compiler.cache_report()
    for name, value in rows.items():
        print(f"{name:14}{value}")
    return 0
