"""The firing patterns of the adaptive exponential neuron.

R. Naud, N. Marcille, C. Clopath and W. Gerstner 2008, Firing patterns in the adaptive exponential integrate-and-fire
model, doi:10.1007/s00422-008-0264-7, table 1 and figure 4: a step of current from rest. Spikes end at 0 mV.
"""

from __future__ import annotations

from ..validate import scale
from .adex import AdEx
from .firing_pattern import Pattern, steps

# capacitance, g_leak, v_rest, v_threshold, sharpness, a, tau_w, b, v_reset; current in pA.
TABLE = {
    "tonic spiking": ((200, 10, -70, -50, 2, 2, 30, 0, -58), 500),
    "adaptation": ((200, 12, -70, -50, 2, 2, 300, 60, -58), 500),
    "initial burst": ((130, 18, -58, -50, 2, 4, 150, 120, -50), 400),
    "regular bursting": ((200, 10, -58, -50, 2, 2, 120, 100, -46), 210),
    "delayed accelerating": ((200, 12, -70, -50, 2, -10, 300, 0, -58), 300),
    "delayed regular bursting": ((100, 10, -65, -50, 2, -10, 90, 30, -47), 110),
    "transient spiking": ((100, 10, -65, -50, 2, 10, 90, 100, -47), 180),
    "irregular spiking": ((100, 12, -60, -50, 2, -11, 130, 30, -48), 160),
}


def adex_patterns(dt: float = 0.1, substeps: int = 10) -> dict[str, Pattern]:
    """The published patterns: name -> neuron, current, duration and step.

    Parameters
    ----------
    dt : float, ms
        Step of the simulation.
    substeps : int
        Parts of a step.

    Returns
    -------
    dict
        Eight patterns of 500 ms; the current begins at 20 ms.

    Examples
    --------
    >>> import nbsnn
    >>> patterns = nbsnn.neurons.adex_patterns()
    >>> list(patterns)[:3]
    ['tonic spiking', 'adaptation', 'initial burst']
    """
    dt = scale("dt", dt)
    patterns = {}
    for name, (values, level) in TABLE.items():
        capacitance, g_leak, v_rest, v_threshold, sharpness, a, tau_w, b, v_reset = map(float, values)
        neuron = AdEx(
            capacitance, g_leak, v_rest, v_threshold, sharpness,
            a=a, b=b, tau_w=tau_w, v_peak=0.0, v_reset=v_reset, substeps=substeps,
        )  # fmt: skip
        patterns[name] = Pattern(neuron, steps((20.0, 1e9, level)), 500.0, dt)
    return patterns
