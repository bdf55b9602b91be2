"""Compiled CPU kernels: Numba's functions, kept on disk, which tell the log what compiling them has cost."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any

from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import ForceLiteralArg, NumbaError
from numba.core.registry import CPUDispatcher

from . import cache
from .collector import uncollected
from .log import Compiled, at_work, log
from .part import KernelCompiler, LeanCompiler
from .sealed_cache import SealedCache


class Kernel(CPUDispatcher):
    """A kernel: a call finds the machine code for its arguments' types, and compiles or loads it where need be."""

    def __init__(self, function: FunctionType, options: Mapping[str, Any], whole: bool = False):
        options = {"nopython": True, "boundscheck": None, **options}
        super().__init__(function, targetoptions=options, pipeline_class=KernelCompiler if whole else LeanCompiler)
        with suppress(RuntimeError):  # Numba finds no folder that it may write to: compile anew in every process
            self._cache = SealedCache(function)

    @property
    def ready(self) -> bool:
        """True if there is machine code for some types."""
        return bool(self.overloads)

    def compile(self, sig: Any) -> Any:
        """As Numba's, which one thread at a time does; the others wait, and find what it has made."""
        name = self.py_func.__qualname__
        at_work.append(name)
        try:
            with global_compiler_lock, uncollected():
                known, start, hits = len(self.overloads), time.perf_counter(), sum(self.stats.cache_hits.values())
                try:
                    made = super().compile(sig)
                except ForceLiteralArg:
                    raise
                except NumbaError as error:
                    raise TypeError(_why(error)) from error
                if len(self.overloads) == known:  # another thread has made it meanwhile
                    return made
        finally:
            at_work.remove(name)
        had = sum(self.stats.cache_hits.values()) > hits
        log.append(Compiled(name, time.perf_counter() - start, had))
        if self.stats.cache_path:
            cache.tend(Path(self.stats.cache_path), name, had)
        return made


def _why(error: NumbaError) -> str:
    """What of an equation cannot be compiled, and where: Numba begins with the innermost function."""
    lines = [line.strip() for line in str(error).splitlines()]
    cause = next((line for line in lines if line and not line.startswith("Failed in ")), type(error).__name__)
    place = re.search(r'File "(.+?)", line (\d+)', str(error))
    where = f"{place[1]}, line {place[2]}," if place else "an equation"
    return (
        f"{where} cannot be compiled: {cause}. Kernels are made of numbers, operators and functions of math; "
        'device="python" runs equations as they stand'
    )
