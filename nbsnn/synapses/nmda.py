"""NMDA receptors: a gate that saturates, and a conductance that magnesium blocks.

    dx/dt = -x / tau_rise,                      x <- x + 1 at a spike of the source
    ds/dt = -s / tau_decay + alpha x (1 - s)
    g = w s / (1 + mg exp(-0.062 v) / 3.57)

Jahr and Stevens 1990 (the block); Wang 1999 and 2002, doi:10.1016/S0896-6273(02)01092-9 (the gate). s is advanced by

    s <- A / y + (s - A / y) exp(-y),     A = alpha times the integral of x over the step,  y = A + dt / tau_decay

with the mean of s over a step, and the block of the membrane in the middle of it, to which v goes on as it went in the
step before, unless that was a jump: all of second order in dt.
"""

from __future__ import annotations

from ..scalar.exponential import exp
from ..validate import number, scale, switch
from .custom import CustomSynapse, Gate

JUMP = 0.5  # mV in half a step, beyond which a membrane has been reset or kicked


def opened(x, s, alpha, tau_rise, loss, leak, saturation):
    """x and s at the end of a step, and the mean of s over it."""
    charge = alpha * tau_rise * loss * x
    y = leak + saturation * charge
    top = charge / y
    after = top + (s - top) * exp(-y)
    return 0.5 * (s + after), x - loss * x, after


def gate_step(spike, x, s, alpha, tau_rise, loss, leak, saturation):
    """One step of the gate of a source."""
    return opened(x + spike, s, alpha, tau_rise, loss, leak, saturation)


def blocked(a, v, last, mg):
    """A conductance under magnesium's block, and the membrane for the next step."""
    ahead = 0.5 * (v - last)
    middle = v + (ahead if abs(ahead) < JUMP else 0.0)
    return a / (1.0 + mg * exp(-0.062 * middle) / 3.57), v


def linear_step(a, v, last, x, s, mg, alpha, tau_rise, loss, leak, saturation):
    """One step of a target whose gates add up."""
    mean, x, s = opened(x + a, s, alpha, tau_rise, loss, leak, saturation)
    g, last = blocked(mean, v, last, mg)
    return g, last, x, s


def NMDA(
    tau_decay: float = 100.0, tau_rise: float = 2.0, alpha: float = 0.5, *, mg: float = 1.0, reversal: float = 0.0,
    saturating: bool = True,
) -> CustomSynapse:  # fmt: skip
    """A conductance of NMDA receptors: slow, blocked by magnesium, and saturated by frequent spikes of one source.

    Parameters
    ----------
    tau_decay, tau_rise : float, ms
        Time constants of the gate s and of what opens it.
    alpha : float, 1/ms
        How fast that opens it.
    mg : float, mM
        Magnesium outside; 0: no block.
    reversal : float, mV
    saturating : bool
        False: the gates of a target add up in one variable, s without the factor 1 - s, and cost no more than any
        synapse that works at spikes. By default each source has a gate "nmda.s" (and "nmda.x") of its own, which is
        summed in every step: over all synapses, or, where ``AllToAll`` has one weight and one delay, once for all
        targets.

    Returns
    -------
    CustomSynapse

    Raises
    ------
    ValueError, TypeError
        If a time constant or rate is not above 0, or ``mg`` is negative.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> source = net.spikes([1.0, 2.0], [0, 0], 1)
    >>> cell = net.population(nbsnn.neurons.ConductanceLIF(), 1)
    >>> _ = net.connect(source, cell, nbsnn.AllToAll(), weight=10.0, delay=0.5, synapse=nbsnn.synapses.NMDA())
    >>> run = net.run(10.0)
    >>> round(float(source["nmda.s"][0]), 3)
    0.813
    """
    tau_decay = scale("tau_decay of NMDA", tau_decay)
    tau_rise = scale("tau_rise of NMDA", tau_rise)
    alpha, mg = number("alpha of NMDA", alpha, above=0.0), number("mg of NMDA", mg, least=0.0)
    reversal = number("reversal of NMDA", reversal)
    many = switch("saturating of NMDA", saturating)
    kinetics = {
        "alpha": alpha, "tau_rise": tau_rise, "loss": tau_rise, "leak": 1.0 / tau_decay, "saturation": float(many),
    }  # fmt: skip
    state, ways = {"x": 0.0, "s": 0.0}, {"loss": "loss", "leak": "dt"}
    gate = Gate(gate_step, state=state, params=kinetics, per_step=ways) if many else None
    made = CustomSynapse(
        blocked if many else linear_step, state={"last": 0.0, **({} if many else state)},
        params={"mg": mg, **({} if many else kinetics)}, per_step={} if many else ways,
        reads="v", output="conductance", reversal=reversal, gate=gate, name="NMDA",
    )  # fmt: skip
    return made.said(
        tau_decay=tau_decay, tau_rise=tau_rise, alpha=alpha, mg=mg, reversal=reversal, saturating=saturating
    )
