"""rnnbuilder (release 0.1.1): its class names, argument names and defaults, in terms of this package.

``LIF``, ``NoReset``, ``Cooldown``, ``Adaptive`` and ``Discontinuous`` are functions that return a ``Neuron``,
``SpikeLinear`` is a surrogate:

>>> from nbsnn.presets.rnnbuilder import LIF, SpikeLinear
>>> LIF(tau=3.0, spike_function=SpikeLinear(0.5))
LIF(tau=3.0, v_threshold=1.0, v_reset=None, ..., compare='>', surrogate=spike_linear(gamma=0.5), first='spike', ...)

====================================  =============================================================================
rnnbuilder                            here
====================================  =============================================================================
initial_mem                           the learned parameter "initial_v", one per unit, zeros at first
mem, rel_thresh                       "v", "b"
Sequential(a, b)                      ``Sequential(a, b)``
Placeholder: a layer's last output    ``Recurrent(inner, feedback)``, with a ``Sequential`` inside for several layers
input.stack(p), Stack(a, b)           ``join="concatenate"`` of ``Recurrent``, ``Parallel(a, b)``
input.sum(p), Sum(a, b)               ``join="sum"`` of ``Recurrent``, ``Parallel(a, b, join="sum")``
TempConvPlus2d                        ``Parallel(Identity(), Delay(1), ...)``, then ``Conv2d``; flat: ``TemporalConv``
Linear(m)                             ``Dense(n, m)``; ``weight`` is the matrix transposed
====================================  =============================================================================

What rnnbuilder does and its names do not say, reproduced here:

* A membrane that equals its threshold does not spike (``compare=">"``).
* The surrogate's window is one unit of its argument on each side, whatever the threshold.
* The reset is a subtraction that carries gradient to the spike.
* The membrane at which a run starts is always trained, one for each unit.
* What is fed back at the first step is a spike where the initial membrane is above 1, and carries gradient to it.
* ``Cooldown`` and ``Adaptive`` spike by the membrane before the step, so the last input has no effect on the output.
* ``Cooldown`` feeds back at the first step whether the sign is -1, even if its trained initial membrane is above 1.
* A placeholder's initial value function raises an error in the original; nothing here stands for it.
"""

from __future__ import annotations

from .. import neurons
from ..neuron import Neuron
from ..neurons.units_and_refractory import need
from ..surrogates import Surrogate, spike_linear
from ..surrogates.surrogate import positive
from ..validate import filled, instance


def SpikeLinear(gradient_factor: float = 0.3) -> Surrogate:
    """rnnbuilder's ``SpikeLinear``: the slope is ``gradient_factor max(0, 1 - |u|)``.

    Parameters
    ----------
    gradient_factor : float, default 0.3
        Height of the triangle, above 0.

    Returns
    -------
    Surrogate
        ``surrogates.spike_linear``.

    Raises
    ------
    ValueError, TypeError
        If ``gradient_factor`` is not a finite number above 0.

    Examples
    --------
    >>> from nbsnn.presets.rnnbuilder import SpikeLinear
    >>> SpikeLinear().slope(0.5)
    0.15
    """
    return spike_linear(positive("gradient_factor", gradient_factor))


def LIF(tau: float = 5, spike_function: Surrogate | None = None) -> Neuron:
    """rnnbuilder's ``LIF``: mem = exp(-1/tau) mem + x, a spike above 1, which takes 1 from it.

    Parameters
    ----------
    tau : float, steps, default 5
        Time constant of the membrane.
    spike_function : Surrogate, default SpikeLinear()
        Derivative of the spike in learning.

    Returns
    -------
    Neuron
        ``LIF`` with the state "v" and the learned parameter "initial_v".

    Raises
    ------
    ValueError
        If ``tau`` is not greater than 0, when the network is built.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.presets.rnnbuilder import LIF
    >>> nbsnn.Population(LIF(), 1).run(np.full((4, 1, 1), 0.6, np.float32))["spikes"].ravel()
    array([0., 1., 0., 1.], dtype=float32)
    """
    return neurons.LIF(
        tau, 1.0, None, compare=">", surrogate=_surrogate(spike_function), first="spike", learn="initial_v"
    )


def NoReset(tau: float = 5, spike_function: Surrogate | None = None) -> Neuron:
    """rnnbuilder's ``NoReset``: mem = exp(-1/tau) mem + x, a spike while it is above 1.

    Parameters
    ----------
    tau, spike_function
        As in ``LIF``.

    Returns
    -------
    Neuron
        ``NoReset`` with the state "v" and the learned parameter "initial_v".

    Raises
    ------
    ValueError
        As in ``LIF``.

    Examples
    --------
    >>> from nbsnn.presets.rnnbuilder import NoReset
    >>> NoReset().learn
    ('initial_v',)
    """
    return neurons.NoReset(tau, compare=">", surrogate=_surrogate(spike_function), first="spike", learn="initial_v")


def Cooldown(tau: float = 5, spike_function: Surrogate | None = None) -> Neuron:
    """rnnbuilder's ``Cooldown``: mem = exp(-1/tau) mem + (1 - exp(-1/tau)) exp(x), a spike by the old mem.

    Parameters
    ----------
    tau, spike_function
        As in ``LIF``.

    Returns
    -------
    Neuron
        ``Cooldown`` with the state "v" and the learned parameter "initial_v"; the first half of the units spikes
        above 1, the second below.

    Raises
    ------
    ValueError
        As in ``LIF``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.presets.rnnbuilder import Cooldown
    >>> nbsnn.Population(Cooldown(), 2).run(np.full((3, 1, 2), 3.0, np.float32))["spikes"][:, 0]
    array([[0., 1.],
           [1., 0.],
           [1., 0.]], dtype=float32)
    """
    return neurons.Cooldown(tau, delayed=True, compare=">", surrogate=_surrogate(spike_function), learn="initial_v")


def Adaptive(
    tau: float = 5, spike_function: Surrogate | None = None, tau_thr: float = 5, gamma: float = 0.25
) -> Neuron:
    """rnnbuilder's ``Adaptive``: a spike where the old mem exceeds thr = 1 + rel_thresh, which takes thr from mem.

    Parameters
    ----------
    tau, spike_function
        As in ``LIF``.
    tau_thr : float, steps, default 5
        Time constant of the threshold.
    gamma : float, default 0.25
        How much each spike raises the threshold, at least 0.

    Returns
    -------
    Neuron
        ``Adaptive`` with the states "v" and "b" and the learned parameter "initial_v".

    Raises
    ------
    ValueError
        If ``gamma`` is below 0; as in ``LIF``.

    Examples
    --------
    >>> from nbsnn.presets.rnnbuilder import Adaptive
    >>> Adaptive(tau_thr=100.0).params["tau_adapt"]
    100.0
    """
    need("Adaptive", least={"gamma": gamma}, above={"tau_thr": tau_thr})
    return neurons.Adaptive(
        tau, tau_thr, gamma, delayed=True, compare=">", surrogate=_surrogate(spike_function), first="spike",
        learn="initial_v",
    )  # fmt: skip


def Discontinuous(spike_function: Surrogate | None = None, threshold: float = 1) -> Neuron:
    """rnnbuilder's ``Discontinuous``: a spike where the input is above the threshold, and no memory.

    Parameters
    ----------
    spike_function
        As in ``LIF``.
    threshold : float, default 1
        Threshold.

    Returns
    -------
    Neuron
        ``Discontinuous``.

    Raises
    ------
    ValueError
        If ``threshold`` is not finite.

    Examples
    --------
    >>> from nbsnn.presets.rnnbuilder import Discontinuous
    >>> Discontinuous(threshold=0.5).params
    {'v_threshold': 0.5}
    """
    filled("threshold", threshold)
    return neurons.Discontinuous(threshold, compare=">", surrogate=_surrogate(spike_function))


def _surrogate(spike_function: Surrogate | None) -> Surrogate:
    """``SpikeLinear`` by default."""
    if spike_function is None:
        return SpikeLinear()
    return instance("spike_function", spike_function, Surrogate, "a surrogate, SpikeLinear() say")
