"""``nbsnn warmup``: compile what the commands need, several at a time, so that their first run does not wait."""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from functools import partial
from pathlib import Path

import numpy as np

from .. import models
from ..compile import log as compiler
from ..device.threads import threads
from ..network import Network
from ..validate import count
from .manners import add_json, manual, progress, tell

Main = Callable[[list[str]], int]
"""The command line: arguments -> exit status."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: Main) -> None:
    """Add ``warmup`` to the command line ``run``."""
    p = commands.add_parser(
        "warmup",
        help="compile what the commands need",
        **manual(
            "Compile the kernels of the commands into the cache on disk, each command in a process of its own, so that "
            "their first run does not wait.",
            "nbsnn warmup",
            "nbsnn warmup digits cuba --jobs 2",
            "nbsnn warmup digits --json",
        ),
    )
    p.add_argument("names", nargs="*", metavar="NAME", help=f"commands: {', '.join(COMMANDS)}; all by default")
    p.add_argument("--jobs", type=int, default=None, help="processes at a time; as many as threads by default")
    p.add_argument("--here", action="store_true", help="in this process, one after the other")
    add_json(p)
    p.set_defaults(run=partial(warm_up, main=run))


def warm_up(arguments: argparse.Namespace, main: Main) -> int:
    """Compile for each name; the exit status says whether all went well."""
    names = arguments.names or list(COMMANDS)
    for name in names:
        if name not in COMMANDS:
            raise ValueError(f"warmup knows {', '.join(COMMANDS)}, not {name!r}")
    if arguments.here:
        for name in names:
            with redirect_stdout(sys.stderr) if arguments.json else nullcontext():
                COMMANDS[name](main)
        fresh = sum(not entry.cached for entry in compiler.log)
        tell(arguments, {"command": "warmup", "names": names, "compiled": fresh})
        progress(arguments).line(compiler.summary())
        return 0
    jobs = count("--jobs", arguments.jobs) if arguments.jobs is not None else threads()
    return _processes(names, jobs, arguments)


def _processes(names: list[str], jobs: int, arguments: argparse.Namespace) -> int:
    """One process for each name, ``jobs`` at a time."""
    show, seconds = progress(arguments), {}
    waiting, running, failed = list(names), {}, []
    while waiting or running:
        while waiting and len(running) < jobs:
            name = waiting.pop(0)
            command = [sys.executable, "-m", "nbsnn", "warmup", "--here", name]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            running[name] = process, time.perf_counter()
        for name, (process, start) in list(running.items()):
            if process.poll() is None:
                continue
            said = (process.communicate()[0] or "").strip().splitlines()
            seconds[name] = time.perf_counter() - start
            failed += [name] if process.returncode else []
            show.line(f"{name:<14} {seconds[name]:6.1f} s  {said[-1] if said else 'no word'}")
            del running[name]
        show.bar("compiling", len(seconds), len(names), f"now {', '.join(running)}")
        time.sleep(0.05)
    tell(arguments, {"command": "warmup", "names": names, "seconds": seconds, "failed": failed})
    return 1 if failed else 0


def _train(main: Main, task: str) -> None:
    """One epoch of a training command on a few images that mean nothing."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--samples", "64", "--epochs", "1", "--out", f"{folder}/run"]
        if task != "digits":
            _images(Path(folder))
            options += ["--data", folder]
        _check(main(["train", task, *options]), task)


def _diehl_cook(main: Main) -> None:
    """A few images of the unsupervised network."""
    with tempfile.TemporaryDirectory() as folder:
        _images(Path(folder))
        few = ["--images", "32", "--epochs", "1", "--out", f"{folder}/run"]
        _check(main(["train", "diehl-cook", "--data", folder, "--neurons", "100", *few]), "diehl-cook")


def _check(status: int, name: str) -> None:
    if status:
        raise ValueError(f"the command {name} ended with status {status}")


def _images(folder: Path) -> None:
    """Four idx files of 128 images with a random blot each."""
    rng = np.random.default_rng(0)
    for part in ("train", "t10k"):
        images = (rng.random((128, 28, 28)) < 0.2).astype(np.uint8) * 200
        for kind, array in (("images-idx3", images), ("labels-idx1", np.arange(128, dtype=np.uint8) % 10)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            with gzip.open(folder / f"{part}-{kind}-ubyte.gz", "wb", compresslevel=1) as file:
                file.write(head + array.tobytes())


def _simulate(make: Callable[..., Network], scale: float) -> None:
    """A few steps of a small network."""
    make(scale=scale).run(0.5)


COMMANDS: dict[str, Callable[[Main], None]] = {
    "digits": lambda main: _train(main, "digits"),
    "mnist": lambda main: _train(main, "mnist"),
    "diehl-cook": _diehl_cook,
    "cuba": lambda _: _simulate(models.cuba, 0.05),
    "coba": lambda _: _simulate(models.coba, 0.05),
    "cobahh": lambda _: _simulate(models.cobahh, 0.05),
    "brunel": lambda _: _simulate(models.brunel, 0.02),
    "microcircuit": lambda _: _simulate(models.microcircuit, 0.01),
    "wang": lambda _: _simulate(models.wang, 0.02),
}
"""What each name stands for."""
