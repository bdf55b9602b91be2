"""Arguments of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..device.cuda_setup import NoGPU
from ..validate import UNITS, count, number
from ..version import __version__
from . import info, simulate, train, warmup
from .manners import interrupted, manual


def parser() -> argparse.ArgumentParser:
    """The parser of ``nbsnn`` and its subcommands."""
    top = argparse.ArgumentParser(
        prog="nbsnn",
        **manual(
            "Spiking neural networks on plain NumPy arrays: train them on data, simulate published ones or your own. "
            "Every command has a manual page: nbsnn COMMAND --help, nbsnn train TASK --help.",
            "nbsnn train digits       # a network that learns, in half a minute",
            "nbsnn simulate cuba      # a network that fires, with a figure of its spikes",
            "nbsnn info               # versions, threads, GPU",
        ),
    )
    top.add_argument("--version", action="version", version=f"nbsnn {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    train.add_to(commands)
    simulate.add_to(commands)
    info.add_to(commands)
    warmup.add_to(commands, run=main)
    return top


def check_numbers(arguments: argparse.Namespace) -> None:
    """Raise unless all numbers are finite, and whole ones, apart from seeds, at least 0."""
    for name, value in vars(arguments).items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, float):
            number(option, value)
        elif isinstance(value, int) and not isinstance(value, bool) and name != "seed":
            count(option, value, least=0, most=UNITS if name != "max_bytes" else 2**63 - 1)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    a = parser().parse_args(simulate.with_file(argv))
    try:
        check_numbers(a)
        return a.run(a)
    except (ValueError, TypeError, OSError, ImportError, MemoryError, NotImplementedError, NoGPU) as error:
        print(f"nbsnn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nnbsnn: {interrupted(a, argv)}", file=sys.stderr)
        return 130
