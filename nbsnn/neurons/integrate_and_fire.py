"""Integrate-and-fire neuron without leak.

u[t] = v[t-1] + x[t] - drain
s[t] = spike(u[t] - v_threshold)
v[t] = reset(u[t], s[t])
"""

from __future__ import annotations

from ..neuron import Neuron
from ..surrogates import Surrogate, atan
from .reset import fire, fire_vjp, reset_holes
from .units_and_refractory import need


def step(x, v, v_threshold, v_reset, drain):
    return fire(v + x - drain, v_threshold, v_reset)


def vjp(x, v, v_threshold, v_reset, drain, gs, gv):
    gu, g_threshold, g_reset = fire_vjp(v + x - drain, v_threshold, v_reset, gs, gv)
    return gu, gu, g_threshold, g_reset, -gu


def IF(
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    *,
    v_start: float = 0.0,
    drain: float = 0.0,
    reset: str | None = None,
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Integrate-and-fire neuron: sums its input, in floating point, until it spikes.

    Parameters
    ----------
    v_threshold, v_reset
        As in ``LIF``.
    v_start : float
        Membrane at which a run starts.
    drain : float or array
        Constant taken from the membrane at every step.
    reset, detach_reset, compare, surrogate
        As in ``LIF``.
    learn : tuple of str
        Which of "v_threshold", "v_reset", "drain" are trained.

    Returns
    -------
    Neuron

    Examples
    --------
    >>> from nbsnn.neurons import IF
    >>> IF(v_threshold=0.5)
    IF(v_threshold=0.5, v_reset=0.0, ...)
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    need("IF", real={"v_start": v_start})
    value, holes = reset_holes(v_reset, reset, detach_reset)
    return Neuron(
        step,
        vjp,
        state={"v": v_start},
        params={"v_threshold": v_threshold, "v_reset": value, "drain": drain},
        learn=learn,  # type: ignore[arg-type]
        surrogate=surrogate,
        compare=compare,
        holes=holes,
        kind="IF",
        options=options,
    )
