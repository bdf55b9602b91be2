"""The spike function alone, without any memory: s[t] = spike(x[t] - v_threshold).

A binary neuron: what remains of an integrate-and-fire neuron whose membrane forgets at every step. From rnnbuilder
(Quickblink, 2021).
"""

from __future__ import annotations

from ..neuron import Neuron
from ..surrogates import Surrogate, atan, dspike, spike


def step(x, v_threshold):
    return (spike(x - v_threshold),)


def vjp(x, v_threshold, gs):
    g = gs * dspike(x - v_threshold)
    return g, -g


def Discontinuous(
    v_threshold: float = 1.0,
    *,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Neuron without memory: it spikes where its input reaches the threshold.

    Parameters
    ----------
    v_threshold : float or array
        Input at which the neuron spikes.
    compare, surrogate
        As in ``LIF``.
    learn : tuple of str
        May name "v_threshold".

    Returns
    -------
    Neuron
        Without a state.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import Discontinuous
    >>> nbsnn.Population(Discontinuous(), 1).run(np.float32([0.5, 1.0, 2.0]).reshape(3, 1, 1))["spikes"].ravel()
    array([0., 1., 1.], dtype=float32)
    """
    surrogate = atan() if surrogate is None else surrogate
    return Neuron(
        step,
        vjp,
        params={"v_threshold": v_threshold},
        learn=learn,  # type: ignore[arg-type]
        surrogate=surrogate,
        compare=compare,
        membrane="input",
        kind="Discontinuous",
        options={"v_threshold": v_threshold, "compare": compare, "surrogate": surrogate, "learn": learn},
    )
