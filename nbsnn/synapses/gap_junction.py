"""Gap junctions: a conductance w from cell to cell, I = w (v_pre - v).

The membrane of the other cell is that at the beginning of a step; a neuron's own one is solved together with its leak
where the neuron takes conductances, or is linear, so that strong junctions are stable.
"""

from __future__ import annotations

from .custom import CustomSynapse, Gate


def membrane(spike, v):
    """What a source puts out: its membrane, and 1, of which the targets take the weighted sums."""
    return v, 1.0


def passed(current, conductance):
    """What targets get: the current at v = 0, and the conductance."""
    return current, conductance


def GapJunction() -> CustomSynapse:
    """An electrical synapse: current flows from the source's membrane to the target's, in proportion to the difference.

    A junction of two cells is two synapses, one for each direction. Weights are conductances. It acts without delay,
    unless one is given.

    Returns
    -------
    CustomSynapse

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> cells = net.population(nbsnn.neurons.ConductanceLIF(), 2, v=[-60.0, -55.0])
    >>> _ = net.connect(cells, cells, nbsnn.AllToAll(autapses=False), weight=100.0, synapse=GapJunction())
    >>> run = net.run(5.0)
    >>> float(abs(cells["v"][1] - cells["v"][0])) < 0.05
    True
    """
    return CustomSynapse(
        passed, output=("current", "conductance"), gate=Gate(membrane, reads="v", outputs=2), name="GapJunction"
    ).said()
