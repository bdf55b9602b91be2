"""Arguments of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..device.cuda_setup import NoGPU
from ..validate import UNITS, count, number
from ..version import __version__
from . import info, simulate, train, warmup


def parser() -> argparse.ArgumentParser:
    """The parser of ``nbsnn`` and its subcommands."""
    top = argparse.ArgumentParser(
        prog="nbsnn", description="Spiking neural networks on plain NumPy arrays.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"nbsnn {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
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
    arguments = parser().parse_args(argv)
    try:
        check_numbers(arguments)
        return arguments.run(arguments)
    except (ValueError, TypeError, OSError, ImportError, MemoryError, NotImplementedError, NoGPU) as error:
        print(f"nbsnn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nnbsnn: interrupted; --resume continues from the last checkpoint", file=sys.stderr)
        return 130
