"""``nbsnn info``: versions, threads, CUDA, cache."""

from __future__ import annotations

import argparse
import importlib.util
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .. import compile as compiler
from ..device import threads
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
    rows["cuda"] = cuda()
    rows["kernel cache"] = compiler.cache_report()
    for name, value in rows.items():
        print(f"{name:14}{value}")
    return 0


def cuda() -> str:
    """Whether a GPU can be used, and if not, what is missing."""
    if importlib.util.find_spec("numba_cuda") is None and importlib.util.find_spec("numba.cuda") is None:
        return 'none: numba-cuda is not installed (pip install "nbsnn[cuda]")'
    from numba import config
    from numba import cuda as driver

    if config.ENABLE_CUDASIM:
        return "simulated on the CPU (NUMBA_ENABLE_CUDASIM)"
    try:
        device: Any = driver.get_current_device()
        name = device.name.decode() if isinstance(device.name, bytes) else device.name
        return f"{name}, compute capability {'.'.join(map(str, device.compute_capability))}"
    except Exception as error:  # whatever the driver's absence raises, its first line says what is missing
        return f"no GPU found: {(str(error).strip() or type(error).__name__).splitlines()[0]}"
