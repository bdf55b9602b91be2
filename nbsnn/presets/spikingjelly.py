"""SpikingJelly (release 2.0.0): its class names, argument names and defaults, in terms of this package.

Its nodes (``IFNode``, ``LIFNode``, ``ParametricLIFNode``, ``OTTTLIFNode``, ``SLTTLIFNode``) are functions that return
a ``Neuron``:

>>> from nbsnn.presets.spikingjelly import LIFNode
>>> LIFNode()
LIF(tau=2.0, v_threshold=1.0, v_reset=0.0, ..., decay='euler', decay_input=True, ...)

====================================  =============================================================================
SpikingJelly                          here
====================================  =============================================================================
v_reset=None                          soft reset, v_threshold is subtracted; rest and start are then 0
v_reset=r                             hard reset to r, where the leak also pulls and a run starts
membrane ``v``, ``v_seq``             ``run["lif1"]["v"]``; ``h``, the membrane before its reset, is not recorded
surrogate_function=surrogate.ATan()   ``surrogate_function=SURROGATES["ATan"]()``
step_mode, backend, store_v_seq       no such choice: [T, B, ...] in one call, all variables recorded
functional.reset_net(net)             nothing to do: a run starts from the initial state unless given another one
OTTTSequential, GradwithTrace         the learner ``OTTT``; with ``SLTTLIFNode``, the learner ``SLTT``
layer.Linear(n, m)                    ``Dense(n, m)``; ``weight`` is SpikingJelly's matrix transposed
Tempotron, GaussianTuning             of release 0.0.0.0.14: see ``presets/spikingjelly_tempotron.py``
====================================  =============================================================================

``SURROGATES`` maps the name of a SpikingJelly surrogate class to a function that takes the class's arguments:

>>> from nbsnn.presets.spikingjelly import SURROGATES
>>> SURROGATES["ATan"]()
atan(alpha=2.0)
>>> SURROGATES["PiecewiseLeakyReLU"](w=2.0, c=0.0)
piecewise_leaky_relu(w=2.0, c=0.0)

All of them spike at the threshold (``compare=">="``). Slopes are the original's everywhere, corners included, but for
``FakeNumericalGradient`` at negative zero, where the original's is minus infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import surrogates
from ..neuron import Neuron
from ..neurons import IF, LIF, PLIF
from ..surrogates import Surrogate
from ..validate import filled, instance
from .spikingjelly_tempotron import GaussianTuning as GaussianTuning
from .spikingjelly_tempotron import Tempotron as Tempotron
from .spikingjelly_tempotron import mse_loss as mse_loss


def S2NN(alpha: float = 4.0, beta: float = 1.0) -> surrogates.Surrogate:
    """``surrogates.s2nn`` with the 1e-5 that SpikingJelly adds in its primitive's logarithm.

    Parameters
    ----------
    alpha : float, default 4.0
        Steepness below the threshold, above 0.
    beta : float, default 1.0
        Height at the threshold, seen from above; above 0.

    Returns
    -------
    Surrogate
        Its ``smooth`` has the slope ``beta / (u + 1 + 1e-5)`` above the threshold, its ``slope`` is ``beta / (u + 1)``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not a finite number above 0.

    Examples
    --------
    >>> S2NN()
    s2nn(alpha=4.0, beta=1.0, eps=1e-05)
    """
    return surrogates.s2nn(alpha, beta, eps=1e-5)


SURROGATES: dict[str, Callable[..., surrogates.Surrogate]] = {
    "ATan": surrogates.atan,
    "DeterministicPass": surrogates.straight_through,
    "Erf": surrogates.erf,
    "FakeNumericalGradient": surrogates.fake_numerical_gradient,
    "LeakyKReLU": surrogates.leaky_k_relu,
    "LogTailedReLU": surrogates.log_tailed_relu,
    "NonzeroSignLogAbs": surrogates.nonzero_sign_log_abs,
    "PiecewiseExp": surrogates.piecewise_exp,
    "PiecewiseLeakyReLU": surrogates.piecewise_leaky_relu,
    "PiecewiseQuadratic": surrogates.piecewise_quadratic,
    "QPseudoSpike": surrogates.q_pseudo_spike,
    "Rect": surrogates.rect,
    "S2NN": S2NN,
    "Sigmoid": surrogates.sigmoid,
    "SoftSign": surrogates.soft_sign,
    "SquarewaveFourierSeries": surrogates.squarewave_fourier_series,
    "SuperSpike": surrogates.inverse_square,
}
"""SpikingJelly's surrogate classes -> functions with the same arguments and defaults."""


def IFNode(
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    surrogate_function: Surrogate | None = None,
    detach_reset: bool = False,
) -> Neuron:
    """SpikingJelly's ``IFNode``: h = v + x.

    Parameters
    ----------
    v_threshold : float, membrane unit, default 1.0
        Membrane at which the neuron spikes.
    v_reset : float or None, membrane unit, default 0.0
        Membrane after a spike and at the start; None subtracts the threshold instead, and starts at 0.
    surrogate_function : Surrogate, default sigmoid(alpha=4.0)
        Derivative of the spike in learning, see ``SURROGATES``.
    detach_reset : bool, default False
        Let no gradient flow through the reset.

    Returns
    -------
    Neuron
        ``IF`` with the state "v".

    Raises
    ------
    ValueError, TypeError
        As ``neurons.IF``.

    Examples
    --------
    >>> from nbsnn.presets.spikingjelly import IFNode
    >>> IFNode(v_reset=None).options["surrogate"]
    sigmoid(alpha=4.0)
    """
    return IF(v_threshold, v_reset, v_start=start_of(v_reset), **conventions(surrogate_function, detach_reset))


def LIFNode(
    tau: float = 2.0,
    decay_input: bool = True,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    surrogate_function: Surrogate | None = None,
    detach_reset: bool = False,
) -> Neuron:
    """SpikingJelly's ``LIFNode``: h = v + (x - (v - r)) / tau, or v - (v - r) / tau + x without ``decay_input``.

    Parameters
    ----------
    tau : float, steps, default 2.0
        Membrane time constant, of at least one step.
    decay_input : bool, default True
        Whether the input is divided by ``tau`` too.
    v_threshold : float, membrane unit, default 1.0
        Membrane at which the neuron spikes.
    v_reset : float or None, membrane unit, default 0.0
        Membrane after a spike, at rest (r) and at the start; None subtracts the threshold instead, and r is 0.
    surrogate_function, detach_reset
        As in ``IFNode``.

    Returns
    -------
    Neuron
        ``LIF`` with the state "v".

    Raises
    ------
    ValueError, TypeError
        As ``neurons.LIF``, some of them when the network is built.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.presets.spikingjelly import LIFNode
    >>> nbsnn.Population(LIFNode(), 1).run(np.ones((3, 1, 1), np.float32))["v"].ravel()
    array([0.5  , 0.75 , 0.875], dtype=float32)
    """
    options = conventions(surrogate_function, detach_reset)
    rest = start_of(v_reset)
    return LIF(tau, v_threshold, v_reset, v_rest=rest, decay="euler", decay_input=decay_input, **options)


def OTTTLIFNode(
    tau: float = 2.0,
    decay_input: bool = False,
    v_threshold: float = 1.0,
    v_reset: float | None = None,
    surrogate_function: Surrogate | None = None,
    detach_reset: bool = True,
) -> Neuron:
    """``LIFNode`` with the defaults of SpikingJelly's ``OTTTLIFNode``, for the learner ``OTTT``, which keeps its trace.

    Parameters
    ----------
    tau, decay_input, v_threshold, v_reset, surrogate_function, detach_reset
        As in ``LIFNode``.

    Returns
    -------
    Neuron

    Raises
    ------
    ValueError, TypeError
        As ``LIFNode``.

    Examples
    --------
    >>> from nbsnn.presets.spikingjelly import OTTTLIFNode
    >>> OTTTLIFNode().options["decay_input"]
    False
    """
    return LIFNode(tau, decay_input, v_threshold, v_reset, surrogate_function, detach_reset)


def SLTTLIFNode(
    tau: float = 2.0,
    decay_input: bool = True,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    surrogate_function: Surrogate | None = None,
    detach_reset: bool = True,
) -> Neuron:
    """``LIFNode`` with the defaults of SpikingJelly's ``SLTTLIFNode``, for the learner ``SLTT``.

    Parameters
    ----------
    tau, decay_input, v_threshold, v_reset, surrogate_function, detach_reset
        As in ``LIFNode``.

    Returns
    -------
    Neuron

    Raises
    ------
    ValueError, TypeError
        As ``LIFNode``.

    Examples
    --------
    >>> from nbsnn.presets.spikingjelly import SLTTLIFNode
    >>> SLTTLIFNode().options["detach_reset"]
    True
    """
    return LIFNode(tau, decay_input, v_threshold, v_reset, surrogate_function, detach_reset)


def ParametricLIFNode(
    init_tau: float = 2.0,
    decay_input: bool = True,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    surrogate_function: Surrogate | None = None,
    detach_reset: bool = False,
) -> Neuron:
    """SpikingJelly's ``ParametricLIFNode``: ``LIFNode`` with sigmoid(w) for 1 / tau, and w learned.

    Parameters
    ----------
    init_tau : float, steps, default 2.0
        Initial time constant, greater than 1: w starts at -ln(init_tau - 1).
    decay_input, v_threshold, v_reset, surrogate_function, detach_reset
        As in ``LIFNode``.

    Returns
    -------
    Neuron
        ``PLIF`` with the state "v" and the learned parameter "w".

    Raises
    ------
    ValueError, TypeError
        If ``init_tau`` is not greater than 1; as ``neurons.LIF``.

    Fang et al., "Incorporating learnable membrane time constant to enhance learning of spiking neural networks",
    ICCV 2021.

    Examples
    --------
    >>> from nbsnn.presets.spikingjelly import ParametricLIFNode
    >>> ParametricLIFNode(init_tau=2.0).learn
    ('w',)
    """
    options = conventions(surrogate_function, detach_reset)
    if not np.all(filled("init_tau", init_tau) > 1.0):
        raise ValueError(f"init_tau must be greater than 1 step, not {init_tau!r}")
    return PLIF(init_tau, v_threshold, v_reset, v_rest=start_of(v_reset), decay_input=decay_input, **options)


def start_of(v_reset: float | None) -> float:
    """Value at which SpikingJelly's membranes start and rest."""
    if v_reset is None:
        return 0.0
    filled("v_reset", v_reset)
    return v_reset


def conventions(surrogate_function: Surrogate | None, detach_reset: bool) -> dict[str, Any]:
    """The options that all nodes share."""
    surrogate = surrogates.sigmoid(alpha=4.0) if surrogate_function is None else surrogate_function
    instance("surrogate_function", surrogate, Surrogate, "a surrogate, nbsnn.surrogates.atan() say")
    return {"compare": ">=", "surrogate": surrogate, "detach_reset": detach_reset}
