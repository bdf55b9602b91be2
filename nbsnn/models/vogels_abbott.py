"""Basics of the three networks of Vogels and Abbott: 4000 cells, four of five excitatory, a pair connected with 2 %.

T. P. Vogels and L. F. Abbott 2005, doi:10.1523/JNEUROSCI.3508-05.2005; as the benchmarks of R. Brette et al. 2007,
doi:10.1007/s10827-007-0038-6.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..network import Group, Network
from ..random import Draws
from ..sparse import Sparse
from ..synapses import Exponential, Synapse
from ..validate import number, number_in

CELLS = 4000
PROBABILITY = 0.02
EXCITATION, INHIBITION = Exponential(5.0, reversal=0.0), Exponential(10.0, reversal=-80.0)
"""Conductances with their reversal potentials in mV."""


def cells_at(scale: float) -> int:
    """Number of cells of a network of this scale."""
    least = PROBABILITY  # fewer cells than each is connected with there cannot be
    return round(CELLS * number("scale", scale, least=least, most=1e5))


def connect(
    net: Network, cells: Group, excitatory: Synapse, inhibitory: Synapse, weight: float, inhibition: float
) -> None:
    """Connect cells at random: the first four fifths excite, the others inhibit.

    The number of synapses that a cell has on average does not depend on the number of cells.
    """
    split, some = cells.n * 4 // 5, Sparse(probability=PROBABILITY * CELLS / cells.n)
    exc, inh = cells[:split].named("exc"), cells[split:].named("inh")
    net.connect(exc, cells, some, weight=number_in(net.dtype, "weight", weight), synapse=excitatory)
    net.connect(inh, cells, some, weight=number_in(net.dtype, "inhibition", inhibition), synapse=inhibitory)


def start_conductances(cells: Group) -> None:
    """Let conductances start at normal numbers around those of the active network, those below 0 at 0; in nS."""
    draws = cells.network.draws.fold("conductances")
    for name, synapse, mean, std in (("excitation", EXCITATION, 40.0, 15.0), ("inhibition", INHIBITION, 200.0, 120.0)):
        stream = draws.fold(name)
        cells.start(synapse, y=partial(_at_least_0, stream, mean, std))


def _at_least_0(stream: Draws, mean: float, std: float, shape: int | tuple[int, ...]) -> Any:
    """Normal numbers, those below 0 put at 0 (not drawn again)."""
    return np.maximum(0.0, stream.normal(shape, mean, std))
