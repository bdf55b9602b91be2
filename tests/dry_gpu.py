"""A GPU that compiles and computes nothing: what would run on a real one becomes machine code here, with real types.

The simulator runs kernels but checks no types; this does the opposite. ``install`` puts a driver of our own into
Numba's CUDA module: arrays live in NumPy, keep what is copied to them, and offer what Numba's arrays on a device offer
and no more; a launch types its arguments as Numba does, compiles the kernel for compute capability 9.0 or the one that
DRY_CAPABILITY names, once for each set of types, and fails where a block has no room. No driver, no device is asked:
``compile_ptx`` takes the capability as an argument, and the one call that does ask, for the functions that a kernel
calls, is answered here.

NVVM and nvJitLink come with ``pip install "nbsnn[cuda]"``; NUMBA_ENABLE_CUDASIM must be 0.
"""

from __future__ import annotations

import os
import re
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

CAPABILITY = tuple(map(int, os.environ.get("DRY_CAPABILITY", "9.0").split(".")))

REGISTERS, SHARED = 65_536, 48 * 1024
"""Registers and bytes of shared memory that a block has on every GPU."""

found: dict[str, dict[str, Any]] = {}
"""Kernel and types -> its ``template``, and an ``error`` or what it is like: instructions that are ``double`` (0 where
an array is) or name ``local`` memory, ``calls`` left, ``registers`` of a thread, bytes of its ``stack``, bytes that are
``spilled``, bytes that a block has ``shared`` (without those that a launch adds), and threads of the largest ``block``
launched.
"""

reads = 0
"""How often something was copied back to the host."""

LIMIT = 300
"""Launches between two calls of ``begin``: a program that waits for a result would go on for ever."""

launches = 0


class Enough(Exception):
    """The program has launched ``LIMIT`` kernels."""


def begin() -> None:
    """Count launches and reads from here on."""
    global launches, reads
    launches = reads = 0


class Array:
    """What Numba's array on a device offers, and no more."""

    def __init__(self, host: np.ndarray):
        self._host = host
        self.dtype, self.shape, self.ndim, self.size = host.dtype, host.shape, host.ndim, host.size
        self.strides, self.nbytes = host.strides, host.nbytes

    def __len__(self) -> int:
        return len(self._host)

    def is_c_contiguous(self) -> bool:
        return self._host.flags.c_contiguous

    def reshape(self, *shape: Any) -> Array:
        if not self.is_c_contiguous():
            raise NotImplementedError("only contiguous arrays on a device have another shape")
        return Array(self._host.reshape(*shape))

    def ravel(self) -> Array:
        return self.reshape(-1)

    def view(self, dtype: Any) -> Array:
        return Array(self._host.view(dtype))

    def __getitem__(self, item: Any) -> Any:
        part = self._host[item]
        if not isinstance(part, np.ndarray):
            raise TypeError("a single element of an array on a device is copied to the host: slice it, or read it all")
        if part.size and not np.shares_memory(part, self._host):
            raise NotImplementedError("arrays on a device have no fancy indices")
        return Array(part)

    def copy_to_host(self, host: np.ndarray | None = None) -> np.ndarray:
        global reads
        reads += 1
        if host is None:
            return self._host.copy()
        host[...] = self._host
        return host

    def copy_to_device(self, source: Any) -> None:
        source = source._host if isinstance(source, Array) else np.asarray(source)
        if source.dtype != self.dtype or source.shape != self.shape:
            raise ValueError(f"{source.dtype} {source.shape} is copied to {self.dtype} {self.shape}")
        self._host[...] = source


class Kernel:
    """A kernel that is compiled where it would be launched."""

    def __init__(self, function: Any, **options: Any):
        self.function, self.options = function, options

    def __getitem__(self, configuration: Any) -> Any:
        for extent in configuration[:2]:
            if not all(isinstance(n, int) and n > 0 for n in np.atleast_1d(extent).tolist()):
                raise ValueError(f"blocks and threads are positive integers, not {configuration}")
        return lambda *arguments: self.launch(int(np.prod(configuration[1])), sum(configuration[3:4]), *arguments)

    def launch(self, block: int, shared: int, *arguments: Any) -> None:
        """Compile, and compute nothing."""
        global launches
        launches += 1
        if launches > LIMIT:
            raise Enough(f"{LIMIT} launches")
        made = self.compile(tuple(map(type_of, arguments)))
        if "error" not in made.found:
            made.found["block"] = max(block, made.found.get("block", 0))
            if block > made.max_threads_per_block or shared + made.found["shared"] > SHARED:
                raise RuntimeError(f"too many resources requested for launch: {block} threads, {shared} bytes, {made}")

    def typeof_pyval(self, value: Any) -> Any:
        return type_of(value)

    def compile(self, types: tuple) -> Any:
        """Compile for these types, unless that has been done; returns what knows how many blocks can meet."""
        name = f"{self.function.__qualname__}({', '.join(map(short, types))})"
        if name not in found:
            template = f"{self.function.__module__}.{self.function.__name__}"
            found[name] = {"template": template, **examine(self.function, types, **self.options)}
        said = found[name]
        warps = REGISTERS // (32 * 8 * -(-said.get("registers", 32) // 8))  # registers are given out by eight
        return SimpleNamespace(
            max_cooperative_grid_blocks=lambda block, memory=0: 132,
            max_threads_per_block=min(1024, 32 * warps),
            local_mem_per_thread=said.get("stack", 0) + said.get("spilled", 0),
            found=said,
        )


def type_of(value: Any) -> Any:
    """The type that Numba gives an argument of a launch."""
    from numba import cuda, types
    from numba.core.errors import NumbaError
    from numba.cuda.np.numpy_support import from_dtype

    if isinstance(value, Array):
        layout = "C" if value.is_c_contiguous() else "A"
        return types.Array(from_dtype(value.dtype), value.ndim, layout)
    if isinstance(value, np.ndarray):
        raise TypeError(f"a NumPy array {value.dtype} {list(value.shape)} would travel to the device at this launch")
    if isinstance(value, tuple):
        items = [type_of(item) for item in value]
        return types.NamedTuple(items, type(value)) if hasattr(value, "_fields") else types.Tuple(items)
    try:
        return cuda.dispatcher.typeof(value, cuda.dispatcher.Purpose.argument)
    except (NumbaError, ValueError) as error:
        raise TypeError(f"a kernel takes no {type(value).__name__}") from error


def short(kind: Any) -> str:
    """A type in a word: float32[:, :], int64."""
    if hasattr(kind, "types"):
        return f"({', '.join(map(short, kind.types))})"
    if not hasattr(kind, "ndim"):
        return str(kind)
    return f"{kind.dtype}[{', '.join(':' * kind.ndim)}]{'' if kind.layout == 'C' else ' ' + kind.layout}"


def examine(function: Any, types: tuple, **options: Any) -> dict[str, Any]:
    """Compile to PTX and on to machine code; what was found, or the last line of the error."""
    from numba import cuda

    try:
        text, _ = cuda.compile_ptx(function, types, cc=CAPABILITY, **options)
        said = assemble(text)
    except Exception as error:  # of Numba, NVVM or the assembler: all that is wrong with a kernel shows here
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return {"error": f"{type(error).__name__}: {' | '.join(lines[:12])}"}
    single = "float64[" not in " ".join(map(short, types))
    return {
        "double": len(re.findall(r"\.f64\b", text)) if single else 0,
        "local": len(re.findall(r"\.local\b|__local_depot", text)),
        "calls": len(re.findall(r"^\s*call", text, re.M)),
        **said,
    }


def assemble(text: str) -> dict[str, int]:
    """Machine code of PTX, by nvJitLink: registers of a thread, bytes that spill, bytes that a block shares."""
    from cuda.bindings import nvjitlink
    from numba.cuda.cudadrv.libs import get_cudalib

    architecture = f"-arch=sm_{CAPABILITY[0]}{CAPABILITY[1]}"
    link = nvjitlink.create(3, [architecture, "-verbose", "-Xptxas=-v"])
    try:
        code = text.encode()
        nvjitlink.add_data(link, nvjitlink.InputType.PTX, code, len(code), "kernel")
        if "cudaCG" in text:  # all blocks meet
            nvjitlink.add_file(link, nvjitlink.InputType.LIBRARY, get_cudalib("cudadevrt", static=True))
        try:
            nvjitlink.complete(link)
        except nvjitlink.nvJitLinkError as error:
            raise RuntimeError(_log(link, nvjitlink.get_error_log_size, nvjitlink.get_error_log)) from error
        log = _log(link, nvjitlink.get_info_log_size, nvjitlink.get_info_log)
    finally:
        nvjitlink.destroy(link)
    entry = re.search(r"\.entry (\w+)\(", text)
    pattern = r"properties for '%s'.*?used (\d+) registers.*?(\d+) stack, (\d+) bytes smem"
    used = entry and re.search(pattern % entry[1], log, re.S)
    spilled = re.findall(r"(\d+) bytes spill", log)
    if not used or not spilled:
        raise RuntimeError(f"nvJitLink says nothing of the kernel's resources: {log}")
    registers, stack, shared = map(int, used.groups())
    return {"registers": registers, "stack": stack, "shared": shared, "spilled": sum(map(int, spilled))}


def _log(link: Any, size: Any, read: Any) -> str:
    text = bytearray(size(link))
    if text:
        read(link, text)
    return text.decode(errors="replace")


def missing() -> str:
    """What is not installed; empty if nothing is."""
    try:
        from cuda.bindings import nvjitlink
        from numba import config, cuda

        if config.ENABLE_CUDASIM:
            return "the simulator is on in this process"
        cuda.compile_ptx(lambda x: None, (type_of(1),), cc=CAPABILITY)
        nvjitlink.version()
    except Exception as error:  # libraries that are absent raise many kinds
        return f'{type(error).__name__}: {error}; pip install "nbsnn[cuda]"'
    return ""


def install() -> None:
    """Put this device into Numba's CUDA module, for this process."""
    from numba import cuda

    from nbsnn.device import cuda_setup

    cuda_setup.find = lambda: cuda_setup.Cuda(devices=("a GPU that only compiles",))  # type: ignore[assignment]
    real = cuda.jit
    device = SimpleNamespace(name="none", compute_capability=CAPABILITY)

    def jit(function: Any = None, **options: Any) -> Any:
        if options.get("device"):
            return real(function, **options)
        return Kernel(function, **options) if function is not None else partial(Kernel, **options)

    cuda.jit = jit
    cuda.get_current_device = cuda.dispatcher.get_current_device = lambda: device
    cuda.to_device = lambda host, *_: Array(np.array(host, order="C"))
    cuda.device_array = lambda shape, dtype=np.float64, **_: Array(np.zeros(shape, dtype))
    cuda.synchronize = lambda: None
