"""Gap junctions: a conductance w from cell to cell, I = w (v_pre - v).

The membrane of the other cell is its mean over the step, if it goes on as it went in the steps before (the formula of
Adams and Bashforth, of third order in dt). Where it has jumped, been reset, or swings from step to step, it is that at
the beginning of the step. A neuron's own membrane is solved together with its leak where the neuron takes conductances,
or is linear, so that strong junctions are stable.
"""

from __future__ import annotations

from .custom import CustomSynapse, Gate

JUMP = 20.0  # times the greater of two moves before, beyond which a membrane has jumped


def membrane(spike, v, last, move, reach, known):
    """What a source puts out: its mean membrane, and 1, of which the targets take the weighted sums."""
    now = v - last
    swings = now * move < 0.0
    smooth = abs(now) <= JUMP * reach and not (spike > 0.5 and now < 0.0) and (known > 1.5 or not swings)
    known = min(known + 1.0, 2.0) if smooth else 0.0  # of the last two moves those that can go on
    mean = v + (0.5 * now if known > 0.5 else 0.0) + (5.0 / 12.0 * (now - move) if known > 1.5 else 0.0)
    return mean, 1.0, v, now, max(abs(now), abs(move)), min(known, 1.0) if swings else known


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
    gate = Gate(membrane, state=dict.fromkeys(("last", "move", "reach", "known"), 0.0), reads="v", outputs=2)
    return CustomSynapse(passed, output=("current", "conductance"), gate=gate, name="GapJunction").said()
