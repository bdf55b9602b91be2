"""How far a reader travels: the files that one call enters, and how often the road changes from file to file.

    python tests/tools/journey.py [--list]

Counted is the third call, when kernels are compiled and parameters exist, and the host's side alone: a function that
a kernel calls is the kernel's. Kernels are compiled here, so they count as the file whose host function calls them.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import nbsnn
from nbsnn.compile.collector import uncollected
from nbsnn.neurons import LI, LIF

ROOT = Path(nbsnn.__file__).parent


@dataclass
class Journey:
    """The files entered, in the order of their calls."""

    road: list[str] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """Every file once."""
        return sorted(set(self.road))

    @property
    def changes(self) -> int:
        """How often a call enters another file than the call before."""
        return sum(a != b for a, b in zip(self.road, self.road[1:], strict=False))


def travel(call: Callable[[], Any]) -> Journey:
    """Note the file of every function of nbsnn that ``call`` enters on the host's side."""
    journey, in_kernels = Journey(), 0

    def look(frame: Any, event: str, _: Any) -> None:
        nonlocal in_kernels
        if event not in ("call", "return") or not frame.f_code.co_filename.startswith(f"{ROOT}/"):
            return
        name = Path(frame.f_code.co_filename).relative_to(ROOT).as_posix()
        if event == "return":
            in_kernels -= name.startswith("kernels/")
            return
        if not in_kernels:
            journey.road.append(name)
        in_kernels += name.startswith("kernels/")

    with uncollected():  # what others have left may call functions when it goes
        sys.setprofile(look)
        try:
            call()
        finally:
            sys.setprofile(None)
    return journey


def bptt() -> Callable[[], Any]:
    """A step of BPTT on Dense-LIF-Dense-LI with spikes as input."""
    learner = nbsnn.BPTT(_net(), nbsnn.losses.rate_cross_entropy)
    return lambda: learner.step(*_batch())


def ottt() -> Callable[[], Any]:
    """A step of OTTT on the same."""
    learner = nbsnn.OTTT(_net())
    return lambda: learner.step(*_batch())


def simulation() -> Callable[[], Any]:
    """A run of a network of Poisson and LIF units."""
    net = nbsnn.Network(dt=0.1, seed=1)
    inputs, cells = net.poisson(50, rate=100.0), net.population(LIF(tau=20.0), 100)
    net.connect(inputs, cells, nbsnn.Sparse(probability=0.2), weight=1.0)
    return lambda: net.run(10.0)


def _net() -> nbsnn.Sequential:
    return nbsnn.Sequential(nbsnn.Dense(30, 20), LIF(), nbsnn.Dense(20, 3), LI(), seed=0)


def _batch() -> tuple[np.ndarray, np.ndarray]:
    return (np.random.default_rng(0).random((10, 4, 30)) < 0.1).astype(np.float32), np.arange(4) % 3


ROADS = {"BPTT.step": bptt, "OTTT.step": ottt, "Network.run": simulation}


def main() -> None:
    """Print files and changes of file of each road, with ``--list`` their names, too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the files")
    wanted = parser.parse_args()
    for name, prepare in ROADS.items():
        call = prepare()
        for _ in range(2):  # the second may find a kernel that is not compiled yet
            call()
        journey = travel(call)
        print(f"{name}: {len(journey.files)} files, {journey.changes} changes of file")
        if wanted.list:
            print("  " + "\n  ".join(journey.files))


if __name__ == "__main__":
    main()
