"""Batch normalisation over time: numbers of a channel belong together over samples, space and steps.

    running_mean += f (m - running_mean)
    running_var += f (v n / (n - 1) - running_var)      of the n numbers of a channel

Training normalises with the moments of the batch, evaluation with the running ones. See ``normalization.py``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..compile.fill import kernel
from ..device.threads import run_kernel
from ..kernels.arrays import normalize as loops
from ..random import Draws
from ..validate import affordable, count, number, scale, switch
from .layer import Array, Nested, Setting, buffer
from .normalization import Moments, Normalization


class Steps(NamedTuple):
    """The steps of a run, as rows of what each has for itself, and whether the input is the same at all."""

    rows: slice
    constant: bool


class BatchNorm(Normalization):
    """Normalisation of each channel, the first axis of units, over a batch and its steps.

    Parameters
    ----------
    momentum : float or None, default 0.1
        How far running statistics go towards those of a batch, 0 < momentum <= 1; None makes them the means over all
        batches.
    eps : float, default 1e-5
        Added to variances.
    affine : bool, default True
        Whether each channel has a trained weight and a bias, which starts at 0.
    bias : bool, default True
        Whether there is a bias, if ``affine``.
    gain : float, default 1.0
        Where weights start: threshold-dependent batch normalisation (tdBN) is ``gain=alpha * v_threshold``.
    running : bool, default True
        Whether running statistics are kept; if not, evaluation normalises with the batch's own.
    per_step : int, optional
        Of how many steps each has statistics, weights and biases of its own: batch normalisation through time (BNTT),
        which has ``bias=False``.
    step_scale : int, optional
        Of how many steps each has a trained factor for the output, which starts at 1: temporal effective batch
        normalisation (TEBN).

    Attributes
    ----------
    buffers : dict
        "running_mean" and "running_var" [channels], with ``per_step`` [steps, channels]; "batches", how many they have
        seen, if ``momentum`` is None. Copies, files and checkpoints keep them.

    Notes
    -----
    Statistics belong to all steps at once, so online learners and ``Recurrent`` refuse this layer, unless it is
    ``per_step``; with ``BPTT(chunk=k)`` they are those of k steps. Running statistics move in the backward pass of
    training, so a learner that runs steps forward twice counts them once. With ``per_step`` or ``step_scale``, the
    state "step" says how many steps there have been.

    References
    ----------
    Ioffe and Szegedy 2015 (arXiv:1502.03167); tdBN: Zheng et al. 2021 (arXiv:2011.05280); BNTT: Kim and Panda 2021
    (arXiv:2010.01729); TEBN: Duan et al. 2022 (NeurIPS).

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Conv2d(1, 8, 3), nbsnn.BatchNorm(), nbsnn.neurons.LIF(), input_shape=(1, 8, 8))
    >>> net["batchnorm1"].buffers["running_var"]
    array([1., 1., 1., 1., 1., 1., 1., 1.], dtype=float32)
    """

    kind = "batchnorm"
    usual: ClassVar[dict[str, Any]] = {
        **Normalization.usual, "momentum": 0.1, "gain": 1.0, "running": True, "per_step": None, "step_scale": None,
    }  # fmt: skip

    def __init__(
        self,
        *,
        momentum: float | None = 0.1,
        eps: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
        gain: float = 1.0,
        running: bool = True,
        per_step: int | None = None,
        step_scale: int | None = None,
    ):
        super().__init__(eps, affine, bias)
        self.momentum = momentum if momentum is None else number("momentum", momentum, above=0.0, most=1.0)
        self.gain, self.running = scale("gain", gain), switch("running", running)
        self.per_step = per_step if per_step is None else count("per_step", per_step)
        self.step_scale = step_scale if step_scale is None else count("step_scale", step_scale)
        if per_step is not None and step_scale is not None:
            raise ValueError("per_step and step_scale cannot be combined: weights of each step are factors, too")
        if not affine and gain != 1.0:
            raise ValueError(f"gain is where weights start, of which there are none with affine=False, not {gain!r}")
        if not running and momentum != self.usual["momentum"]:
            raise ValueError(f"momentum moves running statistics, which running=False does not keep, not {momentum!r}")

    def options(self) -> dict[str, Any]:
        more = {"gain": self.gain, "running": self.running, "per_step": self.per_step, "step_scale": self.step_scale}
        return {"momentum": self.momentum, **super().options(), **more}

    @property
    def over_time(self) -> bool:
        """True if what is normalised depends on all steps at once."""
        return self.per_step is None

    @property
    def fuses_as(self) -> str:
        images = type(self) is BatchNorm and self.steps is None and len(self.in_shape) == 3
        return "normalization" if images and self.setting.device == "cpu" else ""

    @property
    def steps(self) -> int | None:
        """The number of steps of which each has something of its own."""
        return self.step_scale if self.per_step is None else self.per_step

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        shape = in_shape[:1] if self.per_step is None else (self.per_step, in_shape[0])
        affordable(f"the parameters of {self!r}", 4 * math.prod(shape) * setting.dtype.itemsize)
        self.in_shape, self.shape = in_shape, in_shape
        self.buffers = {}
        if self.running:
            self.buffers = {
                "running_mean": np.zeros(shape, setting.dtype),
                "running_var": np.ones(shape, setting.dtype),
            }
            if self.momentum is None:
                self.buffers["batches"] = np.zeros((), np.int64)
        self.factors = (in_shape[0], 1)
        self._make(shape, setting, self.gain)
        if self.step_scale is not None:
            affordable(f"the factors of {self!r}", self.step_scale * setting.dtype.itemsize)
            self.params["scale"] = np.ones(self.step_scale, setting.dtype)
        self.settle(setting)

    def initial(self, batch: int) -> Nested:
        return {} if self.steps is None else {"step": np.zeros((), np.int64)}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        first = 0 if self.steps is None else int(state["step"])
        tape["steps"] = Steps(slice(first, first + len(x)), self.arrays.constant(x))
        if self.steps is None:
            return super().forward(x, state, tape, draws)
        if not 0 <= first <= self.steps - len(x):
            raise ValueError(f"{self!r} is run for step {first + len(x)}, but has parameters of {self.steps} steps")
        y = self.apply(np.ascontiguousarray(x), tape, draws)
        return y, {"step": np.array(first + len(x))}

    def backward(
        self,
        gy: Array,
        tape: Nested,
        grads: Nested,
        *,
        after: Nested | None = None,
        inject: Nested | None = None,
        wanted: bool = True,
    ) -> tuple[Array | None, Nested]:
        if self.steps is None:
            return super().backward(gy, tape, grads, after=after, inject=inject, wanted=wanted)
        gx = self.reverse(gy, tape, grads, wanted)
        if gx is not None and tape["steps"].constant:
            gx = self.arrays.over_time(gx, tape)
        return gx, {"step": np.zeros((), self.setting.dtype)}

    def _view(self, x: Array) -> Array:
        """Numbers [S, N, channels, places], of S steps that have statistics of their own, or one for all."""
        return x.reshape(1 if self.per_step is None else len(x), -1, self.in_shape[0], math.prod(self.in_shape[1:]))

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = super().apply(np.require(x, self.setting.dtype, ["C", "W"]), tape, draws)
        if self.step_scale is not None:
            y *= self._scales(x.ndim, tape)
        return y

    def _scales(self, axes: int, tape: Nested) -> Array:
        """The steps' factors, of as many axes."""
        return self.params["scale"][tape["steps"].rows].reshape(-1, *(1,) * (axes - 1))

    def _rows(self, array: Array, tape: Nested) -> Array:
        """What belongs to the steps that are run, beside a view."""
        return (array if self.per_step is None else array[tape["steps"].rows]).reshape(-1, 1, *self.factors)

    def _beside(self, name: str, tape: Nested) -> Array:
        return self._rows(self.params[name], tape)

    def _everywhere(self, x: Array, values: Array | float) -> Array:
        """One number for each channel, for each column of a view: [S, K]."""
        return np.broadcast_to(values, (len(x), 1, *x.shape[2:])).astype(self.setting.dtype).reshape(len(x), -1)

    def _sums(self, g: Array, shift: Array | float, x: Array, m: Array | float) -> Array:
        """Sums of (g - shift) and of (g - shift) (x - m) for each channel, [2, S, 1, channels, 1]."""
        flat = (len(x), x.shape[1], -1)
        total = np.empty((2, len(x), math.prod(x.shape[2:])))
        arrays = g.reshape(flat), self._everywhere(x, shift), x.reshape(flat), self._everywhere(x, m), total
        self._run("sums", total.shape[-1], x.size, *arrays)
        return total.reshape(2, len(x), 1, x.shape[2], -1).sum(axis=-1, keepdims=True)

    def _run(self, name: str, count: int, work: int, *arrays: Array) -> None:
        """A loop of ``kernels.arrays.normalize``."""
        run_kernel(_compiled(name, self.setting.device, self.setting.dtype), count, work, *arrays)

    def _mean(self, x: Array) -> Array:
        return self._sums(x, 0.0, x, 0.0)[0] / (x.shape[1] * x.shape[3])

    def _variance(self, x: Array, m: Array) -> Array:
        return self._sums(x, m, x, m)[1] / (x.shape[1] * x.shape[3])

    def _map(self, x: Array, y: Array, tape: Nested) -> None:
        _, m, r, _, _ = tape["moments"]
        factor = r * self._beside("weight", tape) if self.affine else r
        offset = self._beside("bias", tape) if self.affine and self.bias else 0.0
        flat, each = (len(x), x.shape[1], -1), (self._everywhere(x, a) for a in (m, factor, offset))
        self._run("scaled", x.shape[1], x.size, x.reshape(flat), *each, y.reshape(flat))

    def _moments(self, x: Array, tape: Nested, draws: Draws | None) -> tuple[Array, Array | None]:
        if draws is None and self.running:
            m, v = (self._rows(self.buffers[name], tape) for name in ("running_mean", "running_var"))
            return m.astype(np.float64), v.astype(np.float64)
        if self._numbers(x, tape) < 2:
            raise ValueError(f"{self!r} needs more than one number of each channel for a variance, in a batch")
        return self._mean(x), None

    def _numbers(self, x: Array, tape: Nested) -> int:
        """Of how many numbers of each channel moments are, those of a constant input counted at all its steps."""
        run: Steps = tape["steps"]
        repeated = run.rows.stop if run.constant and self.steps is None else 1
        return repeated * x.shape[1] * x.shape[3]

    def _seen(self, x: Array, m: Array, v: Array, tape: Nested, draws: Draws | None) -> tuple[Array, Array] | None:
        n = self._numbers(x, tape)
        return (m, v * (n / (n - 1))) if draws is not None and self.running else None

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        moments: Moments = tape["moments"]
        x, m, r, own, new = moments
        gy = np.require(gy, self.setting.dtype, ["C", "W"])
        if self.step_scale is not None:
            y = np.empty_like(x)
            self._map(x, y, tape)
            terms = (gy * y.reshape(gy.shape)).reshape(len(gy), -1)
            grads["scale"][tape["steps"].rows] += terms.sum(axis=1, dtype=np.float64)
            gy = gy * self._scales(gy.ndim, tape)
        g, weight = self._view(gy), self._beside("weight", tape) if self.affine else 1.0
        total, along = self._sums(g, 0.0, x, m)
        along *= r
        self._learn("weight", along, tape, grads)
        self._learn("bias", total, tape, grads)
        gx = None
        if wanted:
            gx, n = buffer(tape, "gx", gy.shape, self.setting.dtype), x.shape[1] * x.shape[3]
            share = weight * r / n if own else 0.0  # of moments that depend on x
            first, across, offset = (self._everywhere(x, a) for a in (weight * r, -share * r * along, -share * total))
            flat = (len(x), x.shape[1], -1)
            arrays = g.reshape(flat), first, x.reshape(flat), self._everywhere(x, m), across, offset, gx.reshape(flat)
            self._run("combined", x.shape[1], x.size, *arrays)
        if new is not None:
            self.follow(*new, tape)
            tape["moments"] = moments._replace(new=None)
        return gx

    def _learn(self, name: str, total: Array, tape: Nested, grads: Nested) -> None:
        """Add to the gradient of a parameter, if there is one."""
        if name in self.params:
            rows = slice(None) if self.per_step is None else tape["steps"].rows
            grads[name][rows] += total.reshape(grads[name][rows].shape)

    def follow(self, m: Array, v: Array, tape: Nested) -> None:
        """Move the running statistics towards those of a batch, which must be finite."""
        if not (np.isfinite(m).all() and np.isfinite(v).all()):
            return
        if self.momentum is None:
            self.buffers["batches"] += 1
        f = 1.0 / int(self.buffers["batches"]) if self.momentum is None else self.momentum
        for name, new in (("running_mean", m), ("running_var", v)):
            row = self._rows(self.buffers[name], tape)
            row += f * (new.reshape(row.shape) - row)


@functools.cache
def _compiled(name: str, device: str, dtype: np.dtype) -> Callable[..., None]:
    return kernel(getattr(loops, name), device="python" if device == "python" else "cpu", dtype=dtype)
