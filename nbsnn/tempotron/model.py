"""The Tempotron: a neuron that answers a pattern of input spikes by firing or not.

    v(t) = sum_i weight[i] sum_{t_i < t} v0 K(t - t_i)

with K and v0 from ``kernel``. It fires if its largest membrane ``v_max`` in [0, T] reaches the threshold; an output
spike would shunt all later input, so it fires once at most. Between two input spikes the membrane is a difference of
two exponentials, whose maximum has a closed form: ``v_max`` and its time are exact, and cost a few operations per
input spike and output, however fine the times are.

Derivatives are exact, too. Where the membrane is largest its slope is zero, so the time of the maximum may be held:

    d v_max / d weight[i] = sum_{t_i < t_max} v0 K(t_max - t_i),      d v_max / d t_i = -v0 weight[i] K'(t_max - t_i)

unless the maximum is a kink, at the arrival of an inhibitory spike. Then it moves with that spike, whose time gets the
slope of the membrane just before it as well. A membrane that never rises above 0, where it starts, has its maximum at
the start and no derivative: first weights must let outputs rise, and zeros do not learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..device.exclusive import Exclusive, exclusive
from ..device.threads import resolve
from ..init import kaiming_uniform
from ..layers.initial import initial, initializer
from ..layers.parameters import Parameters
from ..progress.history import History
from ..random import Draws
from ..validate import UNITS, arguments, check_options, count, finite, float_dtype, number, real, shaped, switch
from .fit import fit
from .potential import normaliser
from .response import Response, Rule, check_rule, decide, targets
from .spike_times import Events, from_times
from .sweeps import CpuSweeps
from .sweeps_cuda import CudaSweeps

SWEEPS = {"cpu": CpuSweeps, "cuda": CudaSweeps}


class Tempotron:
    """Tempotrons that share their inputs.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Inputs, and neurons.
    tau : float, ms or steps, default 15.0
        Membrane time constant.
    tau_s : float, ms or steps, default 3.75
        Synaptic time constant, below ``tau``.
    v_threshold : float, membrane unit, default 1.0
        Threshold, and peak of the response to one input of weight 1; above 0.
    T : float, ms or steps, default 500.0; length of a pattern, whose spikes come in [0, T]
    seed : int, default 0
        Seed of the first weights.
    weight : initialiser or array [n_inputs, n_outputs], optional; uniform within 1/sqrt(n_inputs) by default
    dtype : dtype, default float32
    device : {"cpu", "cuda"}, where to compute membranes and derivatives; all arrays are NumPy's on both

    Attributes
    ----------
    params : dict
        ``{"weight": array [n_inputs, n_outputs]}``, to be changed in place.
    v0 : float
        Normalisation of K.

    Raises
    ------
    TypeError, ValueError
        A number out of its range, ``tau <= tau_s``, weights of another shape or not finite.

    Notes
    -----
    R. Guetig and H. Sompolinsky, Nature Neuroscience 9 (2006), doi:10.1038/nn1643.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> t = nbsnn.Tempotron(2, 1, T=50.0, weight=np.ones((2, 1)))
    >>> answer = t.run(np.array([[10.0, -1.0], [10.0, 11.0], [-1.0, -1.0]]))   # one input, two, none
    >>> answer.v_max.ravel().round(3), answer.spikes.ravel()
    (array([1.   , 1.996, 0.   ], dtype=float32), array([1., 1., 0.], dtype=float32))
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int = 1,
        *,
        tau: float = 15.0,
        tau_s: float = 3.75,
        v_threshold: float = 1.0,
        T: float = 500.0,
        seed: int = 0,
        weight: Callable[..., np.ndarray] | np.ndarray | None = None,
        dtype: DTypeLike = np.float32,
        device: str = "cpu",
    ):
        self.n_inputs = count("n_inputs", n_inputs, most=UNITS)
        self.n_outputs = count("n_outputs", n_outputs, most=UNITS)
        self.v0 = normaliser(tau, tau_s, v_threshold)
        self.tau, self.tau_s, self.v_threshold = float(tau), float(tau_s), float(v_threshold)
        self.T, self.dtype = number("T", T, above=0.0), float_dtype(dtype)
        self.device = resolve(device, tuple(SWEEPS))
        self.sweeps = SWEEPS[self.device]()
        shape = (self.n_inputs, self.n_outputs)
        draws = Draws(seed, "weight")
        if weight is None or callable(weight):
            how: dict[str, Any] = {"fan_in": n_inputs, "fan_out": n_outputs, "dtype": self.dtype}
            weight = initial("weight", initializer("weight", weight, kaiming_uniform()), shape, draws=draws, **how)
        array = np.array(shaped("weight", real("weight", weight), shape), self.dtype, order="C")
        self.params, self.exclusive = Parameters({"weight": finite("weight", array)}), Exclusive("this Tempotron")

    def __repr__(self) -> str:
        return (
            f"Tempotron({self.n_inputs}, {self.n_outputs}, tau={self.tau:g}, tau_s={self.tau_s:g}, "
            f"v_threshold={self.v_threshold:g}, T={self.T:g}, dtype={self.dtype})"
        )

    @property
    def weight(self) -> np.ndarray:
        """The weights [n_inputs, n_outputs]."""
        return self.params["weight"]

    def events(self, x: Events | ArrayLike) -> Events:
        """``x`` as events that fit this neuron: they are checked, or made of an array of times.

        Parameters
        ----------
        x : Events, or array [B, N] or [B, N, k] of spike times
            Negative or infinite times are no spikes; see the top of ``events.py``.

        Raises
        ------
        TypeError, ValueError
            As ``from_times``; another number of inputs, another dtype, or a longer window.
        """
        if not isinstance(x, Events):
            x = real("times x", x)
            if np.ndim(x) > 1 and np.shape(x)[1] != self.n_inputs:
                raise ValueError(f"times must have {self.n_inputs} inputs in axis 1, not the shape {list(np.shape(x))}")
            x = from_times(x, self.T, self.dtype)
        if x.n_inputs != self.n_inputs:
            raise ValueError(f"the events have {x.n_inputs} inputs, but the Tempotron {self.n_inputs}")
        if x.time.dtype != self.dtype:
            raise TypeError(f"the events are {x.time.dtype}, but the Tempotron is {self.dtype}")
        if x.T > self.T:
            raise ValueError(f"the events may come up to {x.T:g}, but the Tempotron's T is {self.T:g}")
        if not len(x):
            raise ValueError("there are no samples")
        return x

    def run(self, x: Events | ArrayLike, *, spike_times: bool = True) -> Response:
        """The answer to a batch: largest membranes and spikes.

        Parameters
        ----------
        x : Events, or array [B, N] or [B, N, k] of spike times
            As ``events``.
        spike_times : bool, default True
            Whether to find out when thresholds are crossed, which learning does not need.

        Returns
        -------
        Response

        Raises
        ------
        TypeError, ValueError
            As ``events``; weights that are not finite.
        """
        events = self.events(x)
        finite("weight", self.weight)
        v_max, t_max, n_before, left_slope = self.sweeps.forward(self, events)
        v_max *= self.dtype.type(self.v0)
        spikes = (v_max >= self.v_threshold).astype(self.dtype)
        wanted = switch("spike_times", spike_times)
        times = self.sweeps.crossings(self, events, t_max, spikes) if wanted else np.empty((0, 0), self.dtype)
        return Response(v_max, t_max, spikes, times, events, n_before, left_slope)

    @exclusive
    def vjp(self, answer: Response, g: np.ndarray, *, times: bool = False) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Derivative of ``sum(g * v_max)``.

        Parameters
        ----------
        answer : Response
            Of ``run``, with the weights as they still are.
        g : array [B, O]
        times : bool, default False
            Whether to differentiate by the input's times as well.

        Returns
        -------
        grads : dict
            By the parameters: ``{"weight": array [n_inputs, n_outputs]}``.
        g_times : array
            By the times, in the shape in which these were given, 0 where there is no spike; empty without ``times``.
        """
        g = finite("g", shaped("g", np.ascontiguousarray(g, self.dtype), answer.v_max.shape))
        return self._grads(answer.events, self.sweeps.reverse(self, answer, g, times), times)

    def v(self, x: Events | ArrayLike, at: ArrayLike | None = None) -> np.ndarray:
        """The membrane at given times.

        Parameters
        ----------
        x : Events, or array [B, N] or [B, N, k] of spike times
            As ``events``.
        at : array [G], optional
            Times, ascending; by default 0, 1, 2, ... below T.

        Returns
        -------
        array [G, B, O]

        Examples
        --------
        >>> import numpy as np
        >>> t = Tempotron(1, T=30.0, weight=np.ones((1, 1)))
        >>> t.v(np.array([[0.0]]), at=[0.0, 3.0, 6.931472]).ravel().round(3)
        array([0.   , 0.782, 1.   ], dtype=float32)
        """
        return self.sweeps.membrane(self, self.events(x), self._at(at)) * self.dtype.type(self.v0)

    @exclusive
    def v_vjp(
        self, x: Events | ArrayLike, g: np.ndarray, at: ArrayLike | None = None, *, times: bool = False
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Derivative of ``sum(g * v)`` with ``v = self.v(x, at)`` and ``g`` [G, B, O]; the rest as ``vjp``.

        At a time at which an input spike arrives, the membrane has a kink; the slope from the right counts.
        """
        events, at = self.events(x), self._at(at)
        shape = (len(at), len(events), self.n_outputs)
        g = finite("g", shaped("g", np.ascontiguousarray(g, self.dtype), shape))
        return self._grads(events, self.sweeps.membrane_reverse(self, events, at, g, times), times)

    def predict(self, x: Events | ArrayLike) -> np.ndarray:
        """The class of each sample, int64 [B]: whether it fires, or with several outputs the largest ``v_max``.

        >>> Tempotron(2, T=50.0, weight=np.ones((2, 1))).predict(np.array([[10.0, -1.0], [-1.0, -1.0]]))
        array([1, 0])
        """
        return decide(self.run(x, spike_times=False))

    @exclusive
    def step(self, x: Events | ArrayLike, labels: ArrayLike, rule: Rule) -> float:
        """One training step on a batch; returns the loss before it.

        Parameters
        ----------
        x : Events, or array [B, N] or [B, N, k] of spike times
            As ``events``.
        labels : array [B] or [B, O]
            Who should fire. One output: 0 or 1 for each sample. Several: the number of the one that should, or 0 or 1
            for each sample and output.
        rule : Classic or Gradient
            How to learn.

        Raises
        ------
        TypeError, ValueError
            As ``run``; labels of a wrong shape, type or range.

        Examples
        --------
        >>> import numpy as np, nbsnn
        >>> t = nbsnn.Tempotron(2, T=50.0, weight=np.full((2, 1), 0.1))
        >>> rule = nbsnn.tempotron.Classic(lr=0.1)
        >>> round(t.step(np.array([[10.0, 20.0]]), [1], rule), 3), t.weight.ravel().round(3)
        (0.83, array([0.173, 0.197], dtype=float32))
        """
        events = self.events(x)
        check_rule(rule)
        return rule.learn(self, events, targets(labels, (len(events), self.n_outputs)))[0]

    @exclusive
    def fit(
        self, x: Events | ArrayLike, labels: ArrayLike, rule: Rule | None = None, *, epochs: int = 100, **options: Any
    ) -> History:
        """Train, epoch by epoch, until nothing is wrong; see ``nbsnn.tempotron.fit`` for the options.

        Examples
        --------
        >>> import numpy as np, nbsnn
        >>> x = np.random.default_rng(0).uniform(0.0, 100.0, (20, 50))
        >>> labels = np.arange(20) % 2
        >>> t = nbsnn.Tempotron(50, T=100.0)
        >>> history = t.fit(x, labels, epochs=500)
        >>> bool((t.predict(x) == labels).all())
        True
        """
        check_options("fit", options, arguments(fit, "t"))
        return fit(self, x, labels, rule, epochs=epochs, **options)

    def _at(self, at: ArrayLike | None) -> np.ndarray:
        at = np.ascontiguousarray(np.arange(self.T) if at is None else real("at", at), self.dtype)
        if not at.size or (finite("at", shaped("at", at, (None,)))[1:] < at[:-1]).any():
            raise ValueError("at must be ascending times, at least one")
        return at

    def _grads(
        self, events: Events, found: tuple[np.ndarray, np.ndarray], times: bool
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        v0 = self.dtype.type(self.v0)
        g_weight, g_time = found
        return {"weight": g_weight * v0}, events.as_given(g_time * v0) if times else g_time
