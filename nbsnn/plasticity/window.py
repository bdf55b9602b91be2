"""The learning window of a rule: how one pair of spikes changes a weight, against the time between them.

dw(delta_t) = w after - w before,   delta_t = t_post - t_pre in steps
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..plot import pyplot
from ..plot.canvas import check_axes
from ..validate import arguments, check_options, count, instance, number, real, scale
from .integer import I32, PostPreInt
from .rule import Array, Rule


def window(
    rule: Rule | PostPreInt,
    delta_t: ArrayLike | None = None,
    *,
    w: float | None = None,
    dt: float = 1.0,
    samples: int = 400,
) -> tuple[Array, Array]:
    """The change of a weight by one presynaptic and one postsynaptic spike.

    Normalisation and homeostasis, which join synapses, are left out. A rewarded rule gets a reward of 1 at all steps.

    Parameters
    ----------
    rule : Rule or PostPreInt
    delta_t : array of int, optional
        t_post - t_pre in steps; from -50 to 50 by default.
    w : float, optional
        Weight before; midway between the bounds by default.
    dt : float
        Time step, in the unit of the rule's time constants.
    samples : int
        How many runs are averaged for ``PostPreInt``, whose rounding is random.

    Returns
    -------
    delta_t, dw : array [K]

    Raises
    ------
    ValueError, TypeError
        If ``delta_t`` is not a list of integers, or ``samples`` not a positive integer.

    Examples
    --------
    >>> from nbsnn.plasticity import PairSTDP, window
    >>> window(PairSTDP(0.1, 0.1), [-1, 0, 1])[1].round(4)
    array([-0.0951,  0.    ,  0.0951])
    """
    instance("rule", rule, (Rule, PostPreInt), "a plasticity rule")
    scale("dt", dt)
    if w is not None:
        number("w", w)
    count("samples", samples, most=1 << 20)
    steps = np.arange(-50, 51) if delta_t is None else real("delta_t", delta_t)
    if steps.ndim != 1 or not steps.size or steps.dtype.kind not in "iu":
        raise ValueError(f"delta_t must be a list of integers, not {steps.dtype} of shape {list(steps.shape)}")
    if max(abs(int(steps.min())), abs(int(steps.max()))) > 1 << 20:
        raise ValueError(f"delta_t must be at most {1 << 20} steps, but spans {steps.min()} to {steps.max()}")
    alone, dtype, signals = rule.single_pair()
    runs = samples if dtype is I32 else 1
    middle = 0.5 * (rule.w_min + rule.w_max) if w is None else w
    # Synapse k joins a presynaptic unit of its own to the postsynaptic ones, which spike together.
    before = np.full((len(steps), runs), middle, dtype)
    at = max(0, int(steps.max()))
    pre = np.zeros((at + 2 + max(0, -int(steps.min())), 1, len(steps)))
    pre[at - steps, 0, np.arange(len(steps))] = 1.0
    post = np.zeros((len(pre), 1, runs))
    post[at] = 1.0
    after = alone.run(before, pre, post, dt=dt, device="python", in_place=False, **signals).weights
    return steps, (after.astype(np.float64) - before).mean(1)


def figure(rule: Rule | PostPreInt, ax: Any = None, title: str = "", **options: Any) -> Any:
    """Draw the window of a rule: the change of a weight against the time between the two spikes.

    Parameters
    ----------
    rule : Rule or PostPreInt
    ax : matplotlib axes, optional
        Where to draw; a new figure by default.
    title : str
    **options
        As ``window``.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.

    Examples
    --------
    >>> import nbsnn
    >>> axes = nbsnn.plasticity.figure(nbsnn.plasticity.PairSTDP(), title="pair STDP")
    >>> axes.get_title()
    'pair STDP'
    """
    check_options("figure", options, arguments(window, "rule"))
    steps, dw = window(rule, **options)
    check_axes(ax, title)
    if ax is None:
        _, ax = pyplot().subplots()
    order = np.argsort(steps)
    steps, dw = steps[order], dw[order]
    for part in (steps < 0, steps > 0):  # not joined: a window jumps at zero
        ax.plot(steps[part], dw[part], color="black")
    ax.plot(steps[steps == 0], dw[steps == 0], "k.")
    ax.axhline(0.0, color="gray", linewidth=0.5)
    ax.axvline(0.0, color="gray", linewidth=0.5)
    ax.set(xlabel="t_post - t_pre (steps)", ylabel="change of weight", title=title)
    return ax
