"""Wang's network of 2002: two groups of cells that compete, and remember; slow NMDA conductances keep them firing.

    C dv/dt = (g_leak + g_GABA) (-70 mV - v) + (g_AMPA + g_NMDA / (1 + exp(-0.062 v) / 3.57)) (0 mV - v)
                                                   threshold -50 mV, reset -55 mV, refractory for 2 ms (exc), 1 ms (inh)
      2 ms dg_AMPA/dt = -g_AMPA,   5 ms dg_GABA/dt = -g_GABA
    100 ms ds/dt      = -s + 50 x (1 - s),   2 ms dx/dt = -x         of each source; g_NMDA is the weighted sum of s

1600 excitatory cells, 15 % of them in each of two groups, and 400 inhibitory ones, all connected with all; all have
external spikes at 2.4 kHz. Inside a group synapses are w+ times as strong, from the other group and the rest onto it
w- = 1 - f (w+ - 1) / (1 - f) times.
"""

from __future__ import annotations

from numpy.typing import DTypeLike

from ..network import Network
from ..neurons import ConductanceLIF
from ..sparse import AllToAll, values
from ..synapses import NMDA, Exponential
from ..validate import number

CELLS, SHARE = 2000, 0.15
"""Cells at scale 1, and the share of the excitatory ones in each group."""

AMPA, GABA, SLOW = Exponential(2.0, reversal=0.0), Exponential(5.0, reversal=-70.0), NMDA()
EXTERNAL = 2400.0  # Hz
CONDUCTANCES = {"exc": (2.1, 0.05, 0.165, 1.3), "inh": (1.62, 0.04, 0.13, 1.0)}
"""nS, onto excitatory and inhibitory cells: external AMPA, recurrent AMPA, NMDA, GABA."""


def wang(
    seed: int = 0, dt: float = 0.1, dtype: DTypeLike | None = None, scale: float = 1.0, device: str = "cpu",
    potentiation: float = 1.7, cue: float = 40.0, coherence: float = 100.0, start: float = 1000.0,
    stop: float = 2000.0,
) -> Network:  # fmt: skip
    """The network of Wang 2002, which decides between two stimuli and remembers the choice.

    Parameters
    ----------
    seed : int
    dt : float, ms
    dtype : {float32, float64}, default float32
    scale : float
        Times as many cells, with synapses weaker by this factor.
    device : {"cpu", "python"}
    potentiation : float
        w+, of synapses inside a group.
    cue : float, Hz
        Mean rate of the spikes that a stimulus adds to each cell of the two groups.
    coherence : float, %
        By how much the first group has more of it and the second less; 100: a cue for the first alone, 0: none for
        either more than for the other.
    start, stop : float, ms
        When the stimulus is there.

    Returns
    -------
    Network
        Populations "exc", with the sections "first", "second" and "others", and "inh".

    Notes
    -----
    Cells fire at 2 to 3 Hz and 8 Hz (inhibitory ones) before the stimulus. After it the chosen group goes on at 11 to
    23 Hz, which falls slowly, and with ``potentiation=1.8`` at 35 to 41 Hz. The stimulus has a steady rate; that of
    the original changes every 50 ms, by 4 Hz.

    References
    ----------
    X.-J. Wang 2002, doi:10.1016/S0896-6273(02)01092-9; N. Brunel and X.-J. Wang 2001, doi:10.1023/A:1011204814320.

    Examples
    --------
    >>> net = wang(seed=1)
    >>> net.units, list(net.sections)
    (2000, ['first', 'second', 'others'])
    """
    cells = max(20, round(CELLS * number("scale", scale, above=0.0, most=100.0)))
    many, few = 4 * cells // 5, cells - 4 * cells // 5
    scale, chosen = cells / CELLS, round(SHARE * 4 * cells / 5)
    potentiation = number("potentiation", potentiation, least=0.0, most=1.0 / SHARE)
    more, stop = number("coherence", coherence, least=-100.0, most=100.0) / 100.0, number("stop", stop)
    depression = 1.0 - SHARE * (potentiation - 1.0) / (1.0 - SHARE)
    net = Network(dt, seed, dtype=dtype, device=device)
    neurons = {
        "exc": ConductanceLIF(500.0, 25.0, -70.0, -50.0, -55.0, refractory=2.0),
        "inh": ConductanceLIF(200.0, 20.0, -70.0, -50.0, -55.0, refractory=1.0),
    }
    exc, inh = (
        net.population(neurons[name], n, name=name, v=values.Uniform(-60.0, -50.0))
        for name, n in (("exc", many), ("inh", few))
    )
    first, second = exc[:chosen].named("first"), exc[chosen : 2 * chosen].named("second")
    others = exc[2 * chosen :].named("others")
    groups = first, second, others
    for target in (*groups, inh):
        _, ampa, nmda, gaba = CONDUCTANCES[target.group.name]
        for source in groups:
            strength = 1.0
            if target in (first, second):
                strength = potentiation if source is target else depression
            for weight, synapse in ((ampa, AMPA), (nmda, SLOW)):
                net.connect(
                    source, target, AllToAll(), weight=strength * weight / scale, delay=0.5, synapse=synapse,
                    name=f"{synapse.kind} {source.name} to {target.name}",
                )  # fmt: skip
        net.connect(inh, target, AllToAll(), weight=gaba / scale, delay=0.5, synapse=GABA)
    for target in (exc, inh):
        net.drive(target, EXTERNAL, CONDUCTANCES[target.name][0], AMPA)
    for group, sign in ((first, 1.0), (second, -1.0)):
        rate = number("cue", cue, least=0.0, most=1e6) * (1.0 + sign * more)
        net.drive(group, rate, CONDUCTANCES["exc"][0], AMPA, start=start, stop=stop)
    return net
