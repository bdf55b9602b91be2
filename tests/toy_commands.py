"""Commands of ``nbsnn`` as they stand in README, documentation and help, made so small that a test can run them."""

import shlex
from pathlib import Path

from .idx_files import tiny_mnist
from .test_event_files import write_braille, write_nmnist, write_speech

TIMED = {"nmnist": write_nmnist, "braille": write_braille, "speech": write_speech}

OWN = """
import nbsnn

def network(weight=2.0, seed=0):
    net = nbsnn.Network(dt=0.1, seed=seed)
    cells = net.population(nbsnn.neurons.LIF(tau=20.0), 10, name="cells")
    net.connect(net.poisson(5, rate=50.0, name="inputs"), cells, nbsnn.AllToAll(), weight=weight)
    return net
"""
"""A network of the user's own."""


def slow(command: str) -> bool:
    """Whether a command compiles for long what another like it compiles too."""
    long = (
        "nbsnn simulate co",
        "nbsnn simulate brunel",
        "nbsnn simulate micro",
        "nbsnn simulate wang",
        "nbsnn train diehl-cook",
    )
    return command.startswith((*long, *(f"nbsnn train {task}" for task in TIMED)))


def toy(command: str, folder: Path) -> list[str]:
    """The arguments of ``command`` for ``nbsnn.cli.main``, on data of its kind in ``folder`` and at a small size."""
    arguments = shlex.split(command, comments=True)[1:]
    what, task = arguments[0], arguments[1] if len(arguments) > 1 else ""
    if "--data" in arguments:
        if task in TIMED:
            TIMED[task](folder)
        else:
            tiny_mnist(folder)
        arguments[arguments.index("--data") + 1] = str(folder)
    if what == "simulate":
        arguments += ["--duration", "5", "--settle", "0"]
        if task.endswith(".py"):
            (folder / task).write_text(OWN)
        else:
            arguments += ["--scale", "0.02"]
    elif what == "warmup":
        arguments = ["warmup", "--here", "digits", *(word for word in arguments if word == "--json")]
    elif task == "diehl-cook":
        arguments += ["--images", "20", "--epochs", "1", "--steps", "20"]
    elif what == "train":
        arguments += ["--samples", "40", "--epochs", "1", "--hidden", "8"]
        arguments += ["--steps", "2"] if task not in TIMED else []
    return arguments
