"""Functions that only kernels call: parts of kernels, of which no machine code is made.

Numba makes machine code of every function, as if somebody were to call it, and again where it is inlined. A part ends
as optimised code in LLVM's language, for the kernels that link it: a sixth less processor time until a first training
step, and slightly faster kernels, since making machine code also rewrites what is inlined later. To leave optimisation
to the kernels too saves as much again, but some then run slower: training steps by a tenth, and Hodgkin-Huxley cells
by a quarter, unless the kernel is optimised once and not twice, as Numba does for kernels that count references. So
this is for kernels that ask for it, such as the loop of a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import TYPE_CHECKING

from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import cgutils, config, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import DumpParforDiagnostics, IRLegalization, NativeLowering, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes, InlineInlinables, LiteralUnroll, MakeFunctionToJitFunction

if TYPE_CHECKING:
    from llvmlite.binding import ModuleRef
    from llvmlite.ir import AllocaInstr, Type, Value
    from numba.core.compiler import CompileResult, StateDict
    from numba.core.compiler_machinery import PassManager


class PartLibrary(JITCodeLibrary):
    """The code of a part, and of what it calls: finished without machine code."""

    def _finalize_final_module(self) -> None:
        """Numba's gives the module to LLVM's engine, which makes machine code of it."""
        self._finalized = True


class KernelLibrary(JITCodeLibrary):
    """The code of a kernel that is optimised as a whole, and once."""

    def _optimize_functions(self, ll_module: ModuleRef) -> None:
        """Numba's optimises functions before they are linked."""
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """Numba's does so twice, and at level 3, which unrolls more: a tenth longer until a first run, no faster."""
        level = min(2, int(config.OPT))  # type: ignore[attr-defined]
        passes = self._codegen._module_pass_manager(opt=level)
        manager, *builder = passes if isinstance(passes, tuple) else (passes,)  # Numba 0.61 gives no builder
        manager.run(self._final_module, *builder)

    def finalize(self) -> None:
        """Numba's links what the kernel calls; its parts have linked nothing, so what they call is linked as well."""
        for library in self._linking_libraries:  # which grow meanwhile
            if isinstance(library, RawPartLibrary):
                more = [called for called in library._linking_libraries if called not in self._linking_libraries]
                self._linking_libraries += more
        super().finalize()


class RawPartLibrary(KernelLibrary):
    """The code of one of its parts: what it calls stays apart, so that the kernel links all of it once."""

    def finalize(self) -> None:
        """Numba's links and optimises, and makes machine code."""
        self._finalized = True


FOR_ARRAYS = (
    InlineClosureLikes, MakeFunctionToJitFunction, InlineInlinables, LiteralUnroll, NopythonRewrites, IRLegalization,
    DumpParforDiagnostics,
)  # fmt: skip
"""Passes for comprehensions, closures, functions that are copied into others, lists, expressions of arrays, the ends of
variables' lives and loops in parallel, see ``references``."""


class LeanLower(Lower):
    """From typed code to LLVM's."""

    @property
    def _plain(self) -> bool:
        """True if nobody counts references to what variables hold, or looks at them in a debugger."""
        return not (self.context.enable_nrt or self.context.enable_debuginfo or self._disable_sroa_like_opt)

    def storevar(self, value: Value, name: str, argidx: int | None = None) -> None:
        """As Numba's, which reads the old value and asks LLVM for the new one's size."""
        if not self._plain or name in self._singly_assigned_vars:
            return super().storevar(value, name, argidx)
        self._alloca_var(name, self.typeof(name))
        self.builder.store(value, self.getvar(name))

    def alloca_lltype(self, name: str, lltype: Type, datamodel: object = None) -> AllocaInstr:
        """As Numba's, which does so too."""
        if not self._plain:
            return super().alloca_lltype(name, lltype, datamodel)
        return cgutils.alloca_once(self.builder, lltype, name=name)


@register_pass(mutates_CFG=True, analysis_only=False)
class LeanLowering(NativeLowering):
    """Numba's pass, for kernels."""

    _name = "nbsnn_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        return LeanLower


@register_pass(mutates_CFG=True, analysis_only=False)
class PartLowering(LeanLowering):
    """From typed code to LLVM's; an entry that nobody calls tells one part from another."""

    _name = "nbsnn_part_lowering"

    def run_pass(self, state: StateDict) -> bool:
        """As Numba's, which with an address would have told the compiler of the function."""
        super().run_pass(state)
        made, library = state["cr"], state.library
        library.finalize()
        module, name = made.fndesc.lookup_module(), made.fndesc.qualname
        entry = _dynfunc.make_function(module, name, "part of a kernel", 0, made.env, (library,))
        state.targetctx.insert_user_function(entry, made.fndesc, [library])
        state["cr"] = made._replace(cfunc=entry)
        return True


class Part(CPUDispatcher):
    """A function that only kernels call, compiled for its arguments' types alone and not anew for every constant."""

    def get_call_template(self, args: Sequence[types.Type], kws: dict[str, types.Type]) -> tuple:
        """As Numba's, which tells apart the numbers that stand in calls."""
        return super().get_call_template([*map(types.unliteral, args)], kws)


class LeanCompiler(Compiler):
    """Compiler that leaves out what Numba does for functions that make arrays, if this one makes none."""

    lowering = LeanLowering

    def define_pipelines(self) -> list[PassManager]:
        """Numba's, with fewer passes."""
        managers = super().define_pipelines()
        dropped = () if self.state.flags.nrt else FOR_ARRAYS
        for manager in managers:
            kept = [(one, why) for one, why in manager.passes if one not in dropped]
            manager.passes = [(self.lowering if one is NativeLowering else one, why) for one, why in kept]
        return managers


class KernelCompiler(LeanCompiler):
    """Compiler of kernels that are optimised as a whole."""

    def compile_extra(self, func: FunctionType) -> CompileResult:
        """As Numba's, with a library of another kind."""
        self.state.library = KernelLibrary(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(func)


class PartCompiler(LeanCompiler):
    """Compiler of functions that only kernels call."""

    library, lowering = PartLibrary, PartLowering

    def compile_extra(self, func: FunctionType) -> CompileResult:
        """As Numba's, with a library of another kind."""
        self.state.flags.no_compile = True
        self.state.library = self.library(self.state.targetctx.codegen(), func.__qualname__)
        return super().compile_extra(func)


class RawPartCompiler(PartCompiler):
    """The same for kernels that are optimised as a whole."""

    library = RawPartLibrary
