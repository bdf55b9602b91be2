"""Modules of this folder as programs of their own, on ranks or without MPI."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).parents[2]
# The launcher of an environment lies beside its Python.
MPIEXEC = which("mpiexec", path=str(Path(sys.executable).parent)) or which("mpiexec")
needs_mpi = pytest.mark.skipif(
    not (find_spec("mpi4py") and MPIEXEC), reason="needs mpi4py and mpiexec: pip install mpi4py mpich"
)


def python(ranks, *arguments, **options):
    """The end of Python with such arguments, on so many ranks, or for 0 without MPI."""
    launcher = [str(MPIEXEC), "-n", str(ranks)] if ranks else []
    command = [*launcher, sys.executable, *map(str, arguments), *["--mpi"] * bool(ranks)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **{"timeout": 600, **options})


def printed(ranks, module, *arguments, **options):
    """What a module of ``tests.mpi`` prints."""
    done = python(ranks, "-m", f"tests.mpi.{module}", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
