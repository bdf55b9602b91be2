"""SpikingJelly's Tempotron (release 0.0.0.0.14), on a grid of steps, and the encoder that its example uses.

====================================  =============================================================================
SpikingJelly                          here
====================================  =============================================================================
``fc.weight``                         ``params["weight"]``, its transpose
``forward(in_spikes, ret_type)``      ``forward(in_spikes, ret_type) -> (output, record)``
autograd                              ``backward(record, g) -> (grads, g_in_spikes)``
a negative time                       no spike, as here
====================================  =============================================================================

What it does that ``nbsnn.Tempotron`` does not:

* The membrane is looked at in the steps 0 ... T - 1 only, so its maximum is missed by up to half a step.
* ``"v_max"`` drops all axes of length one.
* ``"spikes"`` returns the step of the maximum with a minus sign for a silent neuron, so step 0 does not tell whether
  it fired.
* With one output and several samples, ``"spikes"`` is [B, B]: entry [b, c] has the time of sample b, the sign of c.
* The derivative of ``"spikes"`` is that of a soft time, with the sign held.
* exp(-(t - t_i) / tau_s) is multiplied by 0 before the spike, not left out, so where it overflows the membrane is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .. import tempotron
from ..tempotron import ThresholdMSE, normaliser, soft_time
from ..validate import UNITS, choice, count, finite, float_dtype, number, numbers, real, shaped


@dataclass(frozen=True, eq=False)
class Record:
    """Results of ``Tempotron.forward`` that ``Tempotron.backward`` needs; ``weight`` is float64 as its other arrays."""

    ret_type: str
    model: tempotron.Tempotron
    events: tempotron.Events
    v: np.ndarray
    sign: np.ndarray


class Tempotron:
    """SpikingJelly's ``Tempotron``, quirks included; see the top of this file.

    Parameters
    ----------
    in_features, out_features : int
        Inputs, and neurons.
    T : int
        Number of steps.
    tau, tau_s : float, steps, default 15.0 and 3.75
        Time constants of membrane and synapse, ``tau > tau_s``.
    v_threshold : float, default 1.0
        Threshold, above 0.
    weight : initialiser or array [in_features, out_features], optional
        First weights; uniform within 1/sqrt(in_features) by default.
    seed : int, default 0
    dtype : dtype, default float32
        Of weights and outputs; sums run in float64.

    Attributes
    ----------
    params : dict
        ``{"weight": array [in_features, out_features]}``.

    Raises
    ------
    TypeError, ValueError
        As ``nbsnn.Tempotron``.

    Examples
    --------
    >>> import numpy as np
    >>> t = Tempotron(2, 1, T=20, weight=np.ones((2, 1)))
    >>> t.forward(np.array([[1.0, -1.0], [1.0, 2.0]]), "v_max")[0].round(3)
    array([1.   , 1.991], dtype=float32)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        T: int,
        tau: float = 15.0,
        tau_s: float = 15.0 / 4.0,
        v_threshold: float = 1.0,
        *,
        weight: Callable[..., np.ndarray] | np.ndarray | None = None,
        seed: int = 0,
        dtype: DTypeLike = np.float32,
    ):
        self.T, self.dtype = count("T", T), float_dtype(dtype)
        count("in_features", in_features, most=UNITS)
        count("out_features", out_features, most=UNITS)
        self.options: dict[str, Any] = {"tau": tau, "tau_s": tau_s, "v_threshold": v_threshold, "T": float(T)}
        first = tempotron.Tempotron(
            in_features, out_features, **self.options, weight=weight, seed=seed, dtype=self.dtype
        )
        self.params = first.params
        self.v0, self.v_threshold = normaliser(tau, tau_s, v_threshold), v_threshold

    def forward(self, in_spikes: ArrayLike, ret_type: str) -> tuple[np.ndarray, Record]:
        """The output for spike times [B, in_features], negative for none, and what ``backward`` needs.

        ``ret_type`` is "v" (membranes [B, out_features, T]), "v_max" or "spikes".
        """
        choice("ret_type", ret_type, ("v", "v_max", "spikes"))
        weight = self.params["weight"]
        model = tempotron.Tempotron(*weight.shape, **self.options, weight=weight, dtype=np.float64)
        in_spikes = shaped("in_spikes", real("in_spikes", in_spikes), (None, len(weight)))
        events = model.events(np.where(in_spikes > self.T, -1.0, in_spikes))  # later ones reach no step
        v = model.v(events)
        v[self._overflown(in_spikes)] = np.nan
        highest = v.max(axis=0)
        sign = np.where(highest.squeeze() >= self.v_threshold, 1.0, -1.0)
        record = Record(ret_type, model, events, v, sign)
        output = {"v": v.transpose(1, 2, 0), "v_max": highest.squeeze(), "spikes": sign * v.argmax(axis=0)}[ret_type]
        return output.astype(self.dtype), record

    def backward(self, record: Record, g: ArrayLike) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Gradient of ``sum(g * output)`` with respect to parameters and spike times [B, in_features]."""
        v, g = record.v, np.asarray(g, np.float64)
        if record.ret_type == "v":
            g_v = g.transpose(2, 0, 1)
        elif record.ret_type == "v_max":
            g_v = np.zeros_like(v)
            np.put_along_axis(g_v, v.argmax(axis=0)[None], g.reshape(1, *v.shape[1:]), axis=0)
        else:
            signed = g * record.sign
            if signed.shape != v.shape[1:]:
                signed = signed.sum(axis=1, keepdims=True)  # one output: the axis that broadcasting has added
            g_v = soft_time(v, np.arange(float(self.T)), float(self.T))[1] * signed
        grads, g_times = record.model.v_vjp(record.events, g_v, times=True)
        return {"weight": grads["weight"].astype(self.dtype)}, g_times.astype(self.dtype)

    def _overflown(self, in_spikes: np.ndarray) -> np.ndarray:
        """Mask of where the original's exponential overflows, bool [T, B]: far before a sample's last spike."""
        last = np.where(in_spikes >= 0.0, in_spikes, -1.0).max(axis=1)
        reach = min(self.options["tau"], self.options["tau_s"]) * float(np.log(np.finfo(self.dtype).max))
        return np.arange(self.T)[:, None] < last - reach


def mse_loss(v_max: np.ndarray, v_threshold: float, label: ArrayLike) -> tuple[float, np.ndarray]:
    """SpikingJelly's ``Tempotron.mse_loss``: ``ThresholdMSE`` with one neuron per class.

    Parameters
    ----------
    v_max : array [B, C]
    v_threshold : float
    label : integer array [B]
        Class numbers.

    Returns
    -------
    value, gradient : float, array [B, C]

    Examples
    --------
    >>> mse_loss(np.array([[0.5, 0.5]]), 1.0, np.array([0]))
    (0.25, array([[-1.,  0.]]))
    """
    number("v_threshold", v_threshold)
    v_max = shaped("v_max", numbers("v_max", v_max), (None, None))
    label = shaped("label", numbers("label", label), (len(v_max),))
    return ThresholdMSE()(v_max, label[:, None] == np.arange(v_max.shape[1]), v_threshold)


@dataclass(frozen=True, eq=False)
class GaussianTuning:
    """SpikingJelly's ``GaussianTuning``: m neurons with Gaussian receptive fields for each of n features.

        mu_j = x_min + (2 j - 3) / 2 (x_max - x_min) / (m - 2),     j = 1 ... m
        y = exp(-(x - mu)^2 / (2 sigma2)),      sigma2 = ((x_max - x_min) / (1.5 (m - 2)))^2

    Parameters
    ----------
    n, m : int
        Features, and neurons for each; m at least 3.
    x_min, x_max : array [n]
        Range of each feature.

    Raises
    ------
    TypeError, ValueError
        Wrong shapes, or a range that is empty.

    Examples
    --------
    >>> GaussianTuning(1, 5, [0.0], [1.0]).encode(np.array([[[0.5]]]), 50).ravel()
    array([49., 34.,  0., 34., 49.])
    """

    n: int
    m: int
    x_min: Any
    x_max: Any

    def __post_init__(self) -> None:
        count("n", self.n)
        count("m", self.m, least=3, most=1 << 24)
        low, high = (shaped(f"x_{k}", numbers(f"x_{k}", x), (self.n,))
                     for k, x in (("min", self.x_min), ("max", self.x_max)))  # fmt: skip
        if not (np.isfinite(low).all() and np.isfinite(high).all() and (high > low).all()):
            raise ValueError(f"x_min must be below x_max, and both finite, not {low} and {high}")
        object.__setattr__(self, "x_min", low)
        object.__setattr__(self, "x_max", high)

    @property
    def mu(self) -> np.ndarray:
        """Centres [n, m]."""
        j = np.arange(1, self.m + 1)
        return self.x_min[:, None] + (2 * j - 3) / 2 * ((self.x_max - self.x_min) / (self.m - 2))[:, None]

    @property
    def sigma2(self) -> np.ndarray:
        """Squared widths [n, m]."""
        return np.repeat(((self.x_max - self.x_min) / (1.5 * (self.m - 2)))[:, None] ** 2, self.m, axis=1)

    def encode(self, x: ArrayLike, max_spike_time: int = 50) -> np.ndarray:
        """Spike times [B, n, k, m] of features x [B, n, k]: ``round(max_spike_time (1 - y))``, halves to even.

        Times from ``max_spike_time`` on become -1, no spike.
        """
        x = finite("x", shaped("x", real("x", x).astype(np.float64), (None, self.n, None)))
        y = np.exp(-((x[..., None] - self.mu[:, None]) ** 2) / (2.0 * self.sigma2[:, None]))
        times = np.rint(count("max_spike_time", max_spike_time) * (1.0 - y))
        return np.where(times >= max_spike_time, -1.0, times)
