"""Leaky integrate-and-fire neuron that a spike does not reset: it spikes as long as its membrane stays above threshold.

    v[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t]
    s[t] = spike(v[t] - v_threshold)

Without a reset the gradient through time is decay^k, whatever the spikes do: the neuron remembers for ``tau``. From
rnnbuilder (Quickblink, 2021).
"""

from __future__ import annotations

from ..neuron import Neuron, Value
from ..surrogates import Surrogate, atan
from .lif import LIF


def NoReset(
    tau: float = 20.0,
    v_threshold: float = 1.0,
    *,
    v_rest: float = 0.0,
    decay: str = "exp",
    decay_input: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    first: Value | str = 0.0,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron without reset.

    Parameters
    ----------
    tau : float or array
        Membrane time constant, in the unit of ``dt``: how long the neuron remembers.
    v_threshold, v_rest, decay, decay_input, compare, surrogate, first
        As in ``LIF``.
    learn : tuple of str
        Which of "tau", "v_threshold", "v_rest", "initial_v" are trained.

    Returns
    -------
    Neuron
        With the state "v".

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import NoReset
    >>> run = nbsnn.Population(NoReset(tau=4.0), 1).run(np.float32([2, 0, 0, 0]).reshape(4, 1, 1))
    >>> run["spikes"].ravel()
    array([1., 1., 1., 0.], dtype=float32)
    """
    surrogate = atan() if surrogate is None else surrogate
    options = {
        "tau": tau, "v_threshold": v_threshold, "v_rest": v_rest, "decay": decay, "decay_input": decay_input,
        "compare": compare, "surrogate": surrogate, "first": first, "learn": learn,
    }  # fmt: skip
    return LIF(reset="none", **options).replace(kind="NoReset", options=options)
