"""SPAIC (release 0.6.3): its neuron names, argument names and defaults, in terms of this package.

``NEURONS`` maps the name that SPAIC's ``NeuronGroup(model=...)`` takes to a function with that model's arguments:

>>> from nbsnn.presets.spaic import NEURONS
>>> NEURONS["if"](v_th=0.5, ConstantDecay=0.05).params
{'v_threshold': 0.5, 'v_reset': 0.0, 'drain': 0.05}

====================  ==================================================================================
SPAIC                 here
====================  ==================================================================================
dt of the backend     ``dt`` of the network, ``Sequential(..., dt=0.1)``, in the unit of the time constants
full connection       ``Dense(n_pre, n_post, bias=False)``; ``weight`` is SPAIC's matrix transposed
delay of one step     ``Delay(1)`` before each ``Dense``: a network built with the default strategy has it
STBP(alpha=...)       ``alpha`` of the functions here, and the learner ``nbsnn.STBP``
STDP learners         see ``nbsnn.presets.spaic_stdp``; their neurons: ``nbsnn.presets.spaic_stdp_neurons``
V, O                  "v", "spikes"; of clif: M, S, E are "m", "q", "e"
====================  ==================================================================================

What SPAIC does and its names or its papers do not say, reproduced here:

* A membrane that equals its threshold does not spike (``compare=">"``).
* ``lif`` resets to 0: its argument ``v_reset`` is never used.
* The reset of ``lif`` and ``if`` carries no gradient to the spike (``detach_reset=True``).
* ``ifsoftreset`` resets to 0 like ``if``, nothing is subtracted; what differs is that its reset carries gradient.
* STBP's slope lacks a square root, exp(-u^2 / (2 alpha)) / (2 pi alpha), so its integral is not 1.
* The gain V0 of ``clif`` is trained, and clamped to [0, 1] where a run starts. The value that follows from the time
  constants is always above 1, so a run starts with 1. It does here too; keeping it in [0, 1] in training is the user's.
* ``clif`` names the time constants by their kernels: tau_m is that of the reset trace, not of the membrane.
"""

from __future__ import annotations

from collections.abc import Callable

from ..neuron import Neuron
from ..neurons import CLIF, IF, LIF
from ..surrogates import stbp_gaussian
from ..validate import filled
from .spaic_stdp import AS_LEARNER as AS_LEARNER
from .spaic_stdp import full_online_stdp as full_online_stdp
from .spaic_stdp import meta_nearest_online_stdp as meta_nearest_online_stdp
from .spaic_stdp import nearest_online_stdp as nearest_online_stdp
from .spaic_stdp import postpreintstdp as postpreintstdp
from .spaic_stdp_neurons import diehlAndCook as diehlAndCook
from .spaic_stdp_neurons import lifstdp_ex as lifstdp_ex


def lif(v_th: float = 1.0, tau_m: float = 8.0, v_reset: float = 0.0, *, alpha: float = 0.5) -> Neuron:
    """SPAIC's ``lif``: V = exp(-dt/tau_m) V + Isyn, reset to 0.

    Parameters
    ----------
    v_th : float, membrane unit, default 1.0
        Threshold.
    tau_m : float, unit of ``dt``, default 8.0
        Membrane time constant.
    v_reset : float, default 0.0
        Ignored, as in the original.
    alpha : float, default 0.5
        STBP's ``alpha``, see ``surrogates.stbp_gaussian``.

    Returns
    -------
    Neuron
        ``LIF`` with the state "v".

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0, or another argument is not finite.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.presets.spaic import lif
    >>> run = nbsnn.Population(lif(v_th=1.0), 1, dt=0.1).run(np.full((4, 1, 1), 0.4, np.float32))
    >>> run["spikes"].ravel()
    array([0., 0., 1., 0.], dtype=float32)
    """
    for name, value in (("v_th", v_th), ("tau_m", tau_m), ("v_reset", v_reset)):
        filled(name, value)
    return LIF(tau_m, v_th, 0.0, decay="exp", detach_reset=True, compare=">", surrogate=stbp_gaussian(alpha))


def if_(v_th: float = 1.0, ConstantDecay: float = 0.0, *, alpha: float = 0.5) -> Neuron:
    """SPAIC's ``if``: V = V + Isyn - ConstantDecay, reset to 0.

    Parameters
    ----------
    v_th : float, membrane unit, default 1.0
        Threshold.
    ConstantDecay : float, membrane unit per step, default 0.0
        Taken from the membrane at every step, whatever its sign.
    alpha : float, default 0.5
        STBP's ``alpha``, see ``surrogates.stbp_gaussian``.

    Returns
    -------
    Neuron
        ``IF`` with the state "v".

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0, or another argument is not finite.

    Examples
    --------
    >>> from nbsnn.presets.spaic import if_
    >>> if_(ConstantDecay=0.05).params["drain"]
    0.05
    """
    filled("v_th", v_th)
    filled("ConstantDecay", ConstantDecay)
    return IF(v_th, 0.0, drain=ConstantDecay, detach_reset=True, compare=">", surrogate=stbp_gaussian(alpha))


def ifsoftreset(v_th: float = 1.0, ConstantDecay: float = 0.0, *, alpha: float = 0.5) -> Neuron:
    """SPAIC's ``ifsoftreset``: as ``if``, except that the reset carries gradient. It is a hard reset to 0.

    Parameters
    ----------
    v_th, ConstantDecay, alpha : float
        As in ``if_``.

    Returns
    -------
    Neuron
        ``IF`` with the state "v".

    Raises
    ------
    ValueError, TypeError
        As in ``if_``.

    Examples
    --------
    >>> from nbsnn.presets.spaic import ifsoftreset
    >>> ifsoftreset().options["detach_reset"]
    False
    """
    filled("v_th", v_th)
    filled("ConstantDecay", ConstantDecay)
    return IF(v_th, 0.0, drain=ConstantDecay, detach_reset=False, compare=">", surrogate=stbp_gaussian(alpha))


def clif(
    v_th: float = 1.0, tau_p: float = 12.0, tau_q: float = 8.0, tau_m: float = 20.0, *, alpha: float = 0.5
) -> Neuron:
    """SPAIC's ``clif``: two kernels of the input and one of the reset, with a trained gain.

    With I = V0 Isyn, M = exp(-dt/tau_p) M + I and S = exp(-dt/tau_q) S + I, the membrane is V = M - S - E and
    E = exp(-dt/tau_m) E + v_th O.

    Parameters
    ----------
    v_th : float, membrane unit, default 1.0
        Threshold, and size of the reset.
    tau_p, tau_q : float, unit of ``dt``, default 12.0 and 8.0
        Time constants of M and S; ``tau_p`` > ``tau_q``.
    tau_m : float, unit of ``dt``, default 20.0
        Time constant of E.
    alpha : float, default 0.5
        STBP's ``alpha``, see ``surrogates.stbp_gaussian``.

    Returns
    -------
    Neuron
        ``CLIF`` with the state "m", "q", "e" and the learned parameter "v0" (V0), which starts at 1.

    Raises
    ------
    ValueError, TypeError
        If ``tau_p`` is not above ``tau_q``, ``alpha`` is not a finite number above 0, or another argument not finite.

    Examples
    --------
    >>> from nbsnn.presets.spaic import clif
    >>> clif().learn, clif().params["v0"]
    (('v0',), 1.0)
    """
    filled("v_th", v_th)
    filled("tau_m", tau_m)
    return CLIF(tau_m, tau_p, tau_q, v_th, v0=1.0, decay="exp", compare=">", surrogate=stbp_gaussian(alpha), learn="v0")


NEURONS: dict[str, Callable[..., Neuron]] = {
    "clif": clif,
    "diehlAndCook": diehlAndCook,
    "if": if_,
    "ifsoftreset": ifsoftreset,
    "lif": lif,
    "lifstdp_ex": lifstdp_ex,
}
"""SPAIC's model names -> functions with the same arguments and defaults."""
