"""What a network is made of where it runs: in the computer's memory, or on a GPU."""

from __future__ import annotations

from ..plasticity import PostPreInt, Rule
from .arrays import GpuMemory, Memory
from .kernel import GpuNetworkKernel, NetworkKernel
from .loop import Loop
from .loop_cuda import GpuLoop
from .rules import check_on_gpu


class OnHost:
    """What a network in the computer's memory is made of."""

    kernel: type[NetworkKernel] = NetworkKernel
    memory: type[Memory] = Memory
    loop: type[Loop] = Loop

    @staticmethod
    def check(rule: Rule | PostPreInt) -> None:
        """Raise unless a rule runs there, as all do."""

    @staticmethod
    def threads(loop: Loop) -> int | None:
        """How many threads run the loop."""
        return loop.parts


class OnGpu(OnHost):
    """The same on a GPU."""

    kernel, memory, loop = GpuNetworkKernel, GpuMemory, GpuLoop
    check = staticmethod(check_on_gpu)

    @staticmethod
    def threads(loop: Loop) -> None:
        """Those of the GPU, whose number says nothing."""
