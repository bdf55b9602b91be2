"""Arguments of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..cuda_setup import NoGPU
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
    warmup.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, TypeError, OSError, ImportError, MemoryError, NotImplementedError, NoGPU) as error:
        print(f"nbsnn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nnbsnn: interrupted; --resume goes on from the last checkpoint", file=sys.stderr)
        return 130
