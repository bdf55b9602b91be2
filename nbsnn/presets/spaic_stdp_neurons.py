"""SPAIC (release 0.6.3): the neurons that go with its STDP learners. They simulate only.

What SPAIC does and its names do not say, reproduced here:

* ``lifstdp_ex`` compares with the threshold of the step before, which starts a run at 0, and its membrane starts at
  -65 whatever ``v_rest`` is.
* ``diehlAndCook`` computes in 32-bit integers; a population of it stands in a ``Plastic`` layer with ``PostPreInt``.
* ``init_refrac`` and ``delta`` of ``diehlAndCook`` have no effect.
* Its threshold rises with the spikes of all samples, but only a batch of one works. Here each sample has its own.
* Both carry variables from run to run, "theta" and "thresh" with "refrac_count". Here a run starts from its stated
  initial state: pass the state of the run before.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..neurons.reset import hard, reset
from ..plasticity.integer import wrap
from ..surrogates import spike


def _lifstdp_ex(x, v, theta, threshold, decay_v, decay_th, v_rest, v_reset, v_th, th_inc):
    u = decay_v * (v - v_rest) + v_rest + x
    raised = decay_th * theta
    s = spike(u - threshold)
    return s, reset(u, s, threshold, v_reset), raised + th_inc * s, v_th + raised


def lifstdp_ex(
    decay_v: float = 0.99, decay_th: float = 0.9999, v_rest: float = -65.0, v_reset: float = -60.0,
    v_th: float = -52.0, th_inc: float = 0.05,
) -> Neuron:  # fmt: skip
    """SPAIC's ``lifstdp_ex``: LIF whose spikes raise the threshold, which is used one step late. Simulates only.

    Parameters
    ----------
    decay_v, decay_th : float
        Factors of membrane and raised threshold per step.
    v_rest, v_reset, v_th : float
        Resting membrane, membrane after a spike, threshold without spikes.
    th_inc : float
        What a spike adds to the threshold.

    Returns
    -------
    Neuron
        With the state "v", "theta" (what spikes have added) and "threshold" (with which the next step compares).
        SPAIC carries "theta" from run to run: pass it in the state.

    Raises
    ------
    ValueError
        If an argument is not finite.

    Examples
    --------
    >>> from nbsnn.presets.spaic_stdp_neurons import lifstdp_ex
    >>> dict(lifstdp_ex().state)
    {'v': -65.0, 'theta': 0.0, 'threshold': 0.0}
    """
    params = {
        "decay_v": decay_v, "decay_th": decay_th, "v_rest": v_rest, "v_reset": v_reset, "v_th": v_th, "th_inc": th_inc,
    }  # fmt: skip
    state = {"v": -65.0, "theta": 0.0, "threshold": 0.0}
    return Neuron(
        _lifstdp_ex,
        state=state,
        params=params,
        compare=">",
        holes={"reset": hard},
        kind="lifstdp_ex",
        options=params,
    )


def _diehl_cook(
    x, v, thresh, refrac, rest, v_reset, decay, shift_v, low, high, gain, shift_gain, plus, most, refractory, lbound
):
    x = min(max(int(x), int(low)), int(high))
    thresh = int(thresh) >> 1 if thresh > most else int(thresh)
    v = (wrap(int(decay) * (int(v) - int(rest))) >> int(shift_v)) + int(rest)
    if refrac <= 0:
        v = wrap(v + (wrap(x * int(gain)) >> int(shift_gain)))
    refrac = int(refrac) - 1
    s = 1 if v > thresh else 0
    if s:
        refrac = int(refractory)
        v = int(v_reset)
    return s, max(v, int(lbound)), wrap(thresh + int(plus) * s), refrac


def diehlAndCook(
    *, Vrest: int, Vreset: int, decay: int, shift_voltage: int, weight_sum_min: int, weight_sum_max: int,
    weight_sum_coef: int, shift_weight_sum_coef: int, thresh_plus: int, max_threshold: int, reset_refrac: int,
    lbound: int, init_refrac: int = 0, delta: int = 1, V: int = 0, thresh: int = 0, refrac_count: int = 0,
) -> Neuron:  # fmt: skip
    """SPAIC's ``diehlAndCook``: LIF with a threshold that spikes raise, in 32-bit integers.

    Parameters
    ----------
    Vrest, Vreset : int
        Resting membrane, membrane after a spike.
    decay, shift_voltage : int
        The distance to ``Vrest`` decays by decay / 2^shift_voltage per step.
    weight_sum_min, weight_sum_max : int
        What the input is clipped to.
    weight_sum_coef, shift_weight_sum_coef : int
        The input counts weight_sum_coef / 2^shift_weight_sum_coef.
    thresh_plus, max_threshold : int
        What a spike adds to the threshold, and beyond what it is halved.
    reset_refrac : int
        Steps after a spike in which input is lost, counted from the spike.
    lbound : int
        Lowest membrane.
    init_refrac, delta : int
        Ignored, as in the original.
    V, thresh, refrac_count : int
        Initial state.

    Returns
    -------
    Neuron
        With the state "v", "thresh", "refrac_count".

    Raises
    ------
    ValueError
        If an argument is not finite.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.plasticity import Plastic, PostPreInt
    >>> from nbsnn.presets.spaic_stdp_neurons import diehlAndCook
    >>> neuron = diehlAndCook(Vrest=0, Vreset=0, decay=1013, shift_voltage=10, weight_sum_min=-32767,
    ...     weight_sum_max=32767, weight_sum_coef=1024, shift_weight_sum_coef=10, thresh_plus=9, max_threshold=4915,
    ...     reset_refrac=2, lbound=-32767, thresh=20)
    >>> connection = nbsnn.Dense(2, 1, bias=False, weight=lambda shape, **_: np.full(shape, 8, np.int32))
    >>> Plastic(connection, neuron, PostPreInt()).run(np.ones((4, 1, 2), np.int32))["neurons"]["v"].ravel()
    array([16,  0,  0,  0], dtype=int32)
    """
    params = {
        "rest": Vrest, "v_reset": Vreset, "decay": decay, "shift_v": shift_voltage, "low": weight_sum_min,
        "high": weight_sum_max, "gain": weight_sum_coef, "shift_gain": shift_weight_sum_coef, "plus": thresh_plus,
        "most": max_threshold, "refractory": reset_refrac, "lbound": lbound,
    }  # fmt: skip
    state = {"v": V, "thresh": thresh, "refrac_count": refrac_count}
    return Neuron(_diehl_cook, state=state, params=params, kind="diehlAndCook", options=params)
