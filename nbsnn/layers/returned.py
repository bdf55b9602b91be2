"""What custom layers return, looked at before anything else reads it."""

from __future__ import annotations

from typing import Any

from ..validate.kinds import is_tuple
from .layer import Array, Layer
from .spike_trace import LowPass, as_array


def output_of(name: str, layer: Layer, made: object, x: Array) -> Any:
    """What ``forward`` returned: an output [T, B, *layer.shape], and the final state."""
    if not is_tuple(made) or len(made) != 2:
        raise TypeError(f"{name}: forward must return a pair, output and final state, not {type(made).__name__}")
    return _fitting(f"{name}: the output of forward", made[0], (len(x),), x.shape[1], layer.shape), made[1]


def gradient_of(name: str, layer: Layer, made: object, gy: Array, wanted: bool) -> Any:
    """What ``backward`` returned: a gradient [T, B, *layer.in_shape], if it is wanted, and that of the state before."""
    if not is_tuple(made) or len(made) != 2:
        raise TypeError(f"{name}: backward must return a pair, gradients of input and state, not {type(made).__name__}")
    return within(name, layer, made[0], gy, wanted, "backward"), made[1]


def within(name: str, layer: Layer, gx: object, gy: Array, wanted: bool, by: str = "backward_within") -> Any:
    """A gradient with respect to the input, if it is wanted; of an input that does not change, one step."""
    return _fitting(f"{name}: the gradient of {by}", gx, (len(gy), 1), gy.shape[1], layer.in_shape) if wanted else gx


def trace_of(name: str, layer: Layer, trace: object, x: Array | LowPass) -> Any:
    """What ``trace`` returned, unless it is a ``LowPass``, which has been checked."""
    if isinstance(trace, LowPass):
        return trace
    x = as_array(x)
    return _fitting(f"{name}: the trace", trace, (len(x),), x.shape[1], layer.shape)


def _fitting(what: str, y: object, steps: tuple[int, ...], batch: int, shape: tuple[int, ...]) -> Any:
    """An array of real numbers [T, B, *shape]."""
    given, dtype = getattr(y, "shape", None), getattr(y, "dtype", None)
    if given is None or dtype is None:
        raise TypeError(f"{what} must be an array, not {type(y).__name__}")
    if dtype.kind not in "fiub":
        raise TypeError(f"{what} must be real numbers, not {dtype}")
    if tuple(given) not in [(count, batch, *shape) for count in steps]:
        raise ValueError(f"{what} must have shape {[steps[0], batch, *shape]}, not {list(given)}")
    return y
