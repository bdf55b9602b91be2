"""What a network is made of where it runs: in the computer's memory, or on a GPU."""

from __future__ import annotations

from ..kernels.plasticity import mean_weight
from ..plasticity import PostPreInt, Rule
from . import off_grid
from .arrays import GpuMemory, Memory
from .kernel import GpuNetworkKernel, NetworkKernel, RankNetworkKernel
from .loop import Loop
from .loop_cuda import GpuLoop
from .loop_off_grid import OffGridKernel, OffGridLoop
from .loop_ranks import RankLoop
from .rules import check_on_gpu
from .shares import RankShares, Shares
from .weights import kind_of


class OnHost:
    """What a network in the computer's memory is made of."""

    kernel: type[NetworkKernel] = NetworkKernel
    memory: type[Memory] = Memory
    loop: type[Loop] = Loop
    shares: type[Shares] = Shares
    gates = delays = True  # whether gates of sources run there, and synapses learn that have delays of their own

    @staticmethod
    def check(rule: Rule | PostPreInt) -> None:
        """Raise unless a rule runs there, as all do."""

    @staticmethod
    def threads(loop: Loop) -> int | None:
        """How many threads run the loop."""
        return loop.threads


class OffGrid(OnHost):
    """The same where spikes have times inside their steps."""

    kernel, loop = OffGridKernel, OffGridLoop

    @staticmethod
    def check(rule: Rule | PostPreInt) -> None:
        """``ValueError``: there is no rule that runs there."""
        off_grid.refuse(f"plasticity, {rule!r}", "its synapses keep their weights")


class OnRanks(OnHost):
    """The same on several processes, each of which has a share of all units."""

    kernel, loop, shares = RankNetworkKernel, RankLoop, RankShares

    @staticmethod
    def check(rule: Rule | PostPreInt) -> None:
        """``ValueError`` if a rule needs what other processes have."""
        if rule.loop == "membrane":
            raise ValueError(
                "rules of the membrane, such as Clopath, read neurons between spikes: they do not run on ranks"
            )
        if kind_of(rule).loops is mean_weight:
            raise ValueError("MetaNearestSTDP needs the traces of all targets in every step: it does not run on ranks")


class OnGpu(OnHost):
    """The same on a GPU."""

    kernel, memory, loop, gates = GpuNetworkKernel, GpuMemory, GpuLoop, False
    delays = False
    check = staticmethod(check_on_gpu)

    @staticmethod
    def threads(loop: Loop) -> None:
        """Those of the GPU, whose number says nothing."""
