"""Neuron that an input heats at once and that cools down slowly: its input drives the membrane through an exponential.

    u[t] = decay v[t-1] + (1 - decay) exp(x[t])
    s[t] = spike(sign (m - v_threshold)),  m = u[t], or v[t-1] with delayed
    v[t] = u[t]

Nothing resets it. Ordinary inputs hardly move a membrane with a long time constant, a strong one moves it far above
the threshold, from where it takes many steps to cool down. Units with ``sign`` 1 spike while they are hot, those with
``sign`` -1 while they are cool, so that there is activity, and a gradient, in either state. From rnnbuilder
(Quickblink, 2021).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron
from ..scalar.exponential import exp
from ..surrogates import Surrogate, atan, dspike, spike
from ..validate import real
from .compare_before import delayed_holes, seen, seen_after, seen_before


def step(x, v, decay, v_threshold, sign):
    u = decay * v + (1.0 - decay) * exp(x)
    return spike(sign * (seen(v, u) - v_threshold)), u


def vjp(x, v, decay, v_threshold, sign, gs, gv):
    heat = exp(x)
    margin = seen(v, decay * v + (1.0 - decay) * heat) - v_threshold
    g_argument = gs * dspike(sign * margin)
    gm = g_argument * sign
    gu = gv + seen_after(gm)
    g_before = gu * decay + seen_before(gm)
    return gu * (1.0 - decay) * heat, g_before, gu * (v - heat), -gm, g_argument * margin


def halves(shape):
    """Signs of 1 for the first half of the units (rounded down), of -1 for the others."""
    signs = np.ones(math.prod(shape))
    signs[len(signs) // 2 :] = -1.0
    return signs.reshape(shape)


def cool_halves(shape):
    """The first output of ``halves``."""
    return (halves(shape) < 0.0).astype(float)


def Cooldown(
    tau: float = 20.0,
    v_threshold: float = 1.0,
    *,
    sign: ArrayLike = "halves",
    delayed: bool = False,
    decay: str = "exp",
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Neuron with exponential input and slow cooling, for long memory.

    Parameters
    ----------
    tau : float or array
        Time constant of cooling, in the unit of ``dt``: how long the neuron remembers.
    v_threshold : float or array
        Membrane that separates hot from cool.
    sign : "halves", or 1 or -1, or array of them
        1 where a unit spikes above the threshold, -1 where below; by default 1 for the first half of the units.
    delayed : bool
        Whether the spike is decided by the membrane before the step; the input then acts one step later.
    decay, compare, surrogate
        As in ``LIF``.
    learn : tuple of str
        Which of "tau", "v_threshold", "initial_v" are trained.

    Returns
    -------
    Neuron
        With the state "v", 0 at the start. Its output before the first step, which feedback sees, is 1 where ``sign``
        is -1, also if a trained initial membrane is above the threshold.

    Raises
    ------
    ValueError
        If ``sign`` is neither "halves" nor made of 1 and -1.

    Notes
    -----
    In float32 the exponential of an input above 88 is infinite: keep inputs near the logarithm of the threshold.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import Cooldown
    >>> x = np.float32([-9, 3, -9, -9, -9, -9]).reshape(6, 1, 1) * np.ones(2, np.float32)
    >>> nbsnn.Population(Cooldown(tau=5.0), 2).run(x)["spikes"][:, 0].T
    array([[0., 1., 1., 1., 1., 1.],
           [1., 0., 0., 0., 0., 0.]], dtype=float32)
    """
    surrogate = atan() if surrogate is None else surrogate
    options = {
        "tau": tau, "v_threshold": v_threshold, "sign": sign, "delayed": delayed, "decay": decay, "compare": compare,
        "surrogate": surrogate, "learn": learn,
    }  # fmt: skip
    if isinstance(sign, str) and sign == "halves":
        signs, first = halves, cool_halves
    elif isinstance(sign, str) or not np.all(np.abs(real("sign", sign)) == 1.0):
        raise ValueError(f'sign must be "halves" or made of 1 and -1, not {sign!r}')
    else:
        signs, first = sign, (np.asarray(sign) < 0.0).astype(float)
    return Neuron(
        step,
        vjp,
        state={"v": 0.0},
        params={"tau": tau, "v_threshold": v_threshold, "sign": signs},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay},
        surrogate=surrogate,
        compare=compare,
        first=first,
        leak="tau",
        holes=delayed_holes(delayed),
        membrane="input",
        kind="Cooldown",
        options=options,
    )
