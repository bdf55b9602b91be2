"""Detection of CUDA on this machine, with messages on what is missing and how to get it.

Four things are needed: the package numba-cuda, NVIDIA's driver, a GPU, and the compiler of the CUDA toolkit. Nothing
here is imported, and nothing is asked, before somebody wants a GPU.
"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

INSTALL = 'pip install "nbsnn[cuda]"'

CAPABILITY = (8, 0)
"""For what a kernel is compiled to see whether that works; every toolkit in use knows it."""


class NoGPU(RuntimeError):
    """A GPU was asked for, and none can be used; the message says what is missing."""


@dataclass(frozen=True)
class Cuda:
    """What was found.

    Attributes
    ----------
    package : str
        Version of numba-cuda; empty, as the others, if there is none.
    driver : str
        Newest version of CUDA that the driver supports.
    devices : tuple of str
        Name and compute capability of each GPU.
    toolkit : str
        Version of the compiler.
    missing : tuple of str
        What keeps a GPU from being used, each with what to do about it.
    simulated : bool
        Whether Numba's simulator stands in for all of them.
    """

    package: str = ""
    driver: str = ""
    devices: tuple[str, ...] = ()
    toolkit: str = ""
    missing: tuple[str, ...] = ()
    simulated: bool = False

    def __str__(self) -> str:
        if self.simulated:
            return "simulated on the CPU (NUMBA_ENABLE_CUDASIM)"
        return f"cannot be used: {'; '.join(self.missing)}" if self.missing else ", ".join(self.devices)


@functools.cache
def find() -> Cuda:
    """Look once for all that is needed."""
    if _simulated():
        return Cuda(simulated=True)
    if _from_parent:
        return Cuda(
            missing=(
                "the process that this one was forked from has set up CUDA, which no child can take over: start "
                'processes by multiprocessing.get_context("spawn")',
            )
        )
    package = _package()
    if not package:
        return Cuda(missing=(f"numba-cuda is not installed ({INSTALL})",))
    missing = []
    driver, problem = _try(_driver)
    if not driver:
        missing.append(
            f"no NVIDIA driver answers ({problem}): install one, until nvidia-smi lists the GPU, and in a container "
            "pass the GPU on (--gpus all)"
        )
    devices, problem = _try(_devices) if driver else ((), "")
    if driver and not devices:
        missing.append(f"the driver sees no GPU{f' ({problem})' if problem else ''}: is CUDA_VISIBLE_DEVICES set?")
    toolkit, problem = _try(_toolkit)
    if not toolkit:
        missing.append(f"the CUDA compiler does not run ({problem}): {INSTALL}")
    elif driver and _major(driver) < _major(toolkit):
        missing.append(
            f'the driver supports CUDA {driver}, but the compiler is of {toolkit}: pip install "nbsnn[cuda12]", or a '
            "newer driver"
        )
    elif problem := _try(_compile)[1]:
        missing.append(
            f"numba-cuda {package} compiles no kernel with NumPy {np.__version__} ({problem}): {INSTALL} brings "
            "versions that go together"
        )
    return Cuda(package, driver or "", tuple(devices or ()), toolkit or "", tuple(missing))


_from_parent = False


def _forked() -> None:
    """Look again in a forked child, in which CUDA does not work if the parent has asked for GPUs."""
    global _from_parent
    _from_parent = _from_parent or bool(find.cache_info().currsize and find().devices)
    find.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def usable() -> bool:
    """True if there is a real GPU that kernels can run on."""
    found = find()
    return not found.missing and not found.simulated


def require() -> None:
    """Raise ``NoGPU`` unless kernels for a GPU can run, on one or in the simulator."""
    found = find()
    if found.missing:
        raise NoGPU(f'device="cuda" {found}. device="cpu" runs without, and device="auto" takes a GPU where one is')


def memory() -> list[str]:
    """Free and total memory of each GPU; the driver sets up each of them for that. Empty if it cannot."""
    return _try(_memory)[0] or []


def _simulated() -> bool:
    """True if Numba was told to simulate; its package asks nothing of CUDA for that."""
    from numba import config

    return bool(getattr(config, "ENABLE_CUDASIM", False))


def _package() -> str:
    """Numba's own CUDA support has been frozen; only the package that has taken its place is good for all kernels."""
    from importlib.metadata import PackageNotFoundError, version

    if importlib.util.find_spec("numba_cuda") is None:
        return ""
    try:
        return version("numba-cuda")
    except PackageNotFoundError:
        return "of unknown version"


def _driver() -> str:
    from numba.cuda.cudadrv.driver import driver

    return ".".join(map(str, driver.get_version()))


def _devices() -> list[str]:
    from numba import cuda

    found = []
    for gpu in cuda.gpus:
        name = gpu.name.decode() if isinstance(gpu.name, bytes) else gpu.name
        found.append(f"{name}, compute capability {'.'.join(map(str, gpu.compute_capability))}")
    return found


def _memory() -> list[str]:
    from numba import cuda

    lines = []
    for gpu in cuda.gpus:
        with gpu:
            info = cuda.current_context().get_memory_info()
        lines.append(f"{info.free / 2**30:.1f} of {info.total / 2**30:.1f} GiB free")
    return lines


def _toolkit() -> str:
    from numba import cuda
    from numba.cuda.cudadrv.nvvm import NVVM

    NVVM()  # the compiler; and what comes now asks the library beside it for its version
    return ".".join(map(str, cuda.runtime.get_version()))


def _compile() -> None:
    """Compile an empty kernel: all packages may be there, and their versions not go together."""
    from numba import cuda

    cuda.compile_ptx(lambda: None, (), cc=CAPABILITY)  # pyright: ignore[reportPrivateImportUsage]


def _try(probe: Callable[[], Any]) -> tuple[Any, str]:
    """Result of ``probe``, or None and the first telling line of its error."""
    try:
        return probe(), ""
    except Exception as error:  # whatever an absent library raises, one of its lines says what is missing
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        telling = [line for line in lines if not line.endswith(":")]
        return None, (telling or lines or [type(error).__name__])[0].rstrip(".")


def _major(version: str) -> int:
    return int(version.split(".")[0])
