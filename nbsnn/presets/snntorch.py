"""snnTorch (release 1.0.0): its neurons and surrogates under their names, with its parameters, defaults and resets.

Neurons are functions that return a ``Neuron``:

>>> from nbsnn.presets.snntorch import Leaky
>>> import nbsnn
>>> net = nbsnn.Sequential(nbsnn.Dense(4, 3), Leaky(beta=0.9), seed=0)

====================================  =============================================================================
snnTorch                              here
====================================  =============================================================================
``Leaky(beta=0.9, ...)``              ``Leaky(beta=0.9, ...)``; state "mem"
``RLeaky(all_to_all=True, ...)``      ``Recurrent(RLeaky(...), Dense(n, n))``
``spike_grad=surrogate.atan()``       ``spike_grad=SURROGATES["atan"]()``
``learn_beta``, ``learn_threshold``   ``learn=("beta", "threshold")``
``reset_mechanism``, ``reset_delay``  the same; "subtract" and True are the defaults
``init_hidden``, ``utils.reset``      nothing: runs start at 0 unless given a state
``inhibition=True``                   no: a neuron does not see its neighbours
====================================  =============================================================================

A membrane spikes only above its threshold. With ``reset_delay=True``, the default, the reset comes in the step after
the spike: it follows from the stored membrane, and no gradient flows through it. "zero" then removes the old membrane
alone in ``Leaky``, and the input too in the others, as there. A beta or alpha beyond [0, 1] counts as its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..neuron import Neuron, Value
from ..neurons import snntorch as of
from ..neurons.snntorch import OF_ALPHA, OWN, RESETS, zeroed
from ..surrogates import (
    Surrogate,
    atan,
    heaviside,
    sfs,
    sigmoid,
    spike_rate_escape,
    straight_through,
    superspike,
    triangular,
)  # fmt: skip
from ..validate import choice, filled, instance, switch

SURROGATES: Mapping[str, Callable[..., Surrogate]] = {
    "atan": lambda alpha=2.0: atan(alpha),
    "fast_sigmoid": lambda slope=25.0: superspike(slope),
    "sigmoid": lambda slope=25.0: sigmoid(slope),
    "straight_through_estimator": lambda: straight_through(),
    "triangular": lambda threshold=1.0: triangular(threshold),
    "heaviside": lambda: heaviside(),
    "spike_rate_escape": lambda beta=1.0, slope=25.0: spike_rate_escape(beta, slope),
    "SFS": lambda slope=25.0, B=1.0: sfs(slope, B),
}
"""snnTorch's name of a surrogate -> a function of its arguments."""


def holes_of(reset_mechanism: str, reset_delay: bool) -> dict[str, Callable]:
    """What fills the holes of a reset."""
    choice("reset_mechanism", reset_mechanism, tuple(RESETS))
    return {**RESETS[reset_mechanism], **({} if switch("reset_delay", reset_delay) else OWN[reset_mechanism])}


def neuron(
    step: Callable, vjp: Callable, state: tuple[str, ...], params: dict[str, Any], holes: dict[str, Callable],
    spike_grad: Surrogate | None, learn: tuple[str, ...] | str,
) -> Neuron:  # fmt: skip
    """A neuron that starts at 0 and spikes above its threshold."""
    surrogate = atan(2.0) if spike_grad is None else instance("spike_grad", spike_grad, Surrogate, "a surrogate")
    return Neuron(
        step, vjp, state=dict.fromkeys(state, 0.0), params=params, learn=learn, surrogate=surrogate, compare=">",  # type: ignore[arg-type]
        holes=holes,
    )  # fmt: skip


def Leaky(
    beta: Value = 0.9,
    threshold: Value = 1.0,
    *,
    spike_grad: Surrogate | None = None,
    reset_mechanism: str = "subtract",
    reset_delay: bool = True,
    graded_spikes_factor: Value = 1.0,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron.

    Parameters
    ----------
    beta, threshold : float or array
        Factor of the membrane per step, and the membrane above which it spikes.
    spike_grad : Surrogate, optional
        From ``SURROGATES``; atan with alpha 2 by default.
    reset_mechanism : {"subtract", "zero", "none"}
    reset_delay : bool, default True
        Whether the reset comes in the next step.
    graded_spikes_factor : float or array, default 1
        Size of a spike.
    learn : tuple of str
        Which of "beta", "threshold", "graded_spikes_factor" are trained.

    Returns
    -------
    Neuron
        With the state "mem".

    Raises
    ------
    ValueError, TypeError
        If an argument is none of these.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.presets.snntorch import Leaky
    >>> nbsnn.Population(Leaky(beta=0.5), 1).run(np.full((4, 1, 1), 0.75, np.float32))["mem"].ravel()
    array([0.75   , 1.125  , 0.3125 , 0.90625], dtype=float32)
    """
    holes = holes_of(reset_mechanism, reset_delay)
    if reset_mechanism == "zero":  # of the membrane alone: the step's input stays
        holes |= {"old": zeroed, **RESETS["none"]}
    params = {"beta": beta, "threshold": threshold, "graded_spikes_factor": graded_spikes_factor}
    return neuron(of.leaky, of.leaky_vjp, ("mem",), params, holes, spike_grad, learn)


def RLeaky(
    beta: Value = 0.9,
    threshold: Value = 1.0,
    *,
    spike_grad: Surrogate | None = None,
    reset_mechanism: str = "subtract",
    reset_delay: bool = True,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """The neuron of ``RLeaky``, to be put into a ``Recurrent``: ``Leaky`` whose delayed "zero" takes the input too.

    Parameters
    ----------
    beta, threshold, spike_grad, reset_mechanism, reset_delay, learn
        As in ``Leaky``.

    Returns
    -------
    Neuron
        With the state "mem".

    Examples
    --------
    >>> import nbsnn
    >>> from nbsnn.presets.snntorch import RLeaky
    >>> layer = nbsnn.Recurrent(RLeaky(beta=0.9), nbsnn.Dense(3, 3))
    """
    params = {"beta": beta, "threshold": threshold, "graded_spikes_factor": 1.0}
    return neuron(
        of.leaky,
        of.leaky_vjp,
        ("mem",),
        params,
        holes_of(reset_mechanism, reset_delay),
        spike_grad,
        learn,
    )


def Synaptic(
    alpha: Value = 0.9,
    beta: Value = 0.8,
    threshold: Value = 1.0,
    *,
    spike_grad: Surrogate | None = None,
    reset_mechanism: str = "subtract",
    reset_delay: bool = True,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron with a synaptic current, for ``Synaptic`` and, in a ``Recurrent``, ``RSynaptic``.

    Parameters
    ----------
    alpha : float or array
        Factor of the current per step.
    beta, threshold, spike_grad, reset_mechanism, reset_delay, learn
        As in ``Leaky``.

    Returns
    -------
    Neuron
        With the states "syn" and "mem".

    Examples
    --------
    >>> from nbsnn.presets.snntorch import Synaptic
    >>> list(Synaptic().state)
    ['syn', 'mem']
    """
    params = {"alpha": alpha, "beta": beta, "threshold": threshold}
    holes = holes_of(reset_mechanism, reset_delay)
    return neuron(of.synaptic, of.synaptic_vjp, ("syn", "mem"), params, holes, spike_grad, learn)


def Alpha(
    alpha: Value = 0.9,
    beta: Value = 0.8,
    threshold: Value = 1.0,
    *,
    spike_grad: Surrogate | None = None,
    reset_mechanism: str = "subtract",
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Spike response model whose kernel is the difference of two exponentials.

    Parameters
    ----------
    alpha, beta : float or array
        Factors of the excitatory and of the inhibitory current per step; alpha must be the larger.
    threshold, spike_grad, reset_mechanism, learn
        As in ``Leaky``. "subtract" takes the threshold off the excitatory current and clears the inhibitory one.

    Returns
    -------
    Neuron
        With the states "syn_exc", "syn_inh" and "mem".

    Raises
    ------
    ValueError
        If beta is not below alpha and above 0.

    Examples
    --------
    >>> from nbsnn.presets.snntorch import Alpha
    >>> list(Alpha().state)
    ['syn_exc', 'syn_inh', 'mem']
    """
    fast, slow = filled("alpha", alpha), filled("beta", beta)
    if not ((slow > 0.0).all() and (fast > slow).all()):
        raise ValueError(f"alpha must be greater than beta, and beta greater than 0, not {alpha!r} and {beta!r}")
    params = {"alpha": alpha, "beta": beta, "threshold": threshold}
    holes = OF_ALPHA[choice("reset_mechanism", reset_mechanism, tuple(OF_ALPHA))]
    return neuron(of.alpha_step, of.alpha_vjp, ("syn_exc", "syn_inh", "mem"), params, {**holes}, spike_grad, learn)


def Lapicque(
    beta: Value | None = None,
    R: Value | None = None,
    C: Value | None = None,
    time_step: float = 1.0,
    threshold: Value = 1.0,
    *,
    spike_grad: Surrogate | None = None,
    reset_mechanism: str = "subtract",
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Resistor and capacitor, integrated by Euler: the membrane's factor per step is 1 - time_step / (R C).

    Parameters
    ----------
    beta, R, C : float or array, optional
        R and C, in which case beta is not used; or beta, from which what is missing follows by
        R C = time_step / ln(1 / beta), with R = 1 where beta stands alone.
    time_step : float, default 1
        In the unit of R C.
    threshold, spike_grad, reset_mechanism, learn
        As in ``Leaky``; "beta" can be learned where C is not given.

    Returns
    -------
    Neuron
        With the state "mem".

    Raises
    ------
    ValueError
        If neither beta nor both of R and C are given, or beta is not between 0 and 1.

    Examples
    --------
    >>> from nbsnn.presets.snntorch import Lapicque
    >>> list(Lapicque(beta=0.9).params), list(Lapicque(R=5.0, C=2.0).params)
    (['beta', 'R', 'threshold'], ['R', 'C', 'threshold', 'time_step'])
    """
    holes = holes_of(reset_mechanism, True)
    if R is None or C is None:
        if beta is None or not ((filled("beta", beta) > 0.0) & (filled("beta", beta) < 1.0)).all():
            raise ValueError(f"beta must lie between 0 and 1 where R or C is not given, not {beta!r}")
        if C is None:
            params = {"beta": beta, "R": 1.0 if R is None else R, "threshold": threshold}
            return neuron(of.lapicque_beta, of.lapicque_beta_vjp, ("mem",), params, holes, spike_grad, learn)
        R = -time_step / (filled("C", C) * np.log(filled("beta", beta)))
    params = {"R": R, "C": C, "threshold": threshold, "time_step": time_step}
    return neuron(of.lapicque, of.lapicque_vjp, ("mem",), params, holes, spike_grad, learn)
