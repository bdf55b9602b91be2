"""Input and output of learning: a Tempotron's response, the target, and the interface of a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

from ..layers.parameters import Parameters
from ..validate import real, shaped, shown
from .spike_times import Events


@dataclass(frozen=True, eq=False)
class Response:
    """Response of a Tempotron to a batch.

    Attributes
    ----------
    v_max : array [B, O]
        The largest membrane in [0, T], at least 0, where it starts.
    t_max : array [B, O]
        When it is first reached.
    spikes : array [B, O]
        1 where ``v_max`` is at least the threshold, else 0.
    spike_time : array [B, O]
        When the membrane first reaches the threshold; infinite where it does not. Empty without ``spike_times``.
    events : Events
        What was answered.
    n_before, left_slope : arrays [B, O]
        For the derivative: the events before the maximum, and the membrane's slope at a kink, divided by v0.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> tempotron = nbsnn.Tempotron(n_inputs=2, tau=15.0, tau_s=3.75, T=100.0, weight=np.ones((2, 1)))
    >>> response = tempotron.run(np.array([[10.0, 12.0]]))
    >>> response.spikes.tolist(), bool(response.t_max[0, 0] > 12.0)
    ([[1.0]], True)
    """

    v_max: np.ndarray
    t_max: np.ndarray
    spikes: np.ndarray
    spike_time: np.ndarray
    events: Events
    n_before: np.ndarray
    left_slope: np.ndarray


def decide(answer: Response) -> np.ndarray:
    """Classes int64 [B]: 0 or 1 for one output, else the output with the largest ``v_max``."""
    return answer.spikes[:, 0].astype(np.int64) if answer.v_max.shape[1] == 1 else answer.v_max.argmax(axis=1)


def targets(labels: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    """Units that should fire, bool [B, O].

    Parameters
    ----------
    labels : array [B] or [B, O]
        One output: 0 or 1 for each sample. Several: the number of the output that should fire, or 0 or 1 for each.
    shape : (int, int)
        Samples and outputs.

    Raises
    ------
    TypeError
        Labels that are neither integers nor bool.
    ValueError
        Another shape, or a label out of range.

    >>> targets([2, 0], (2, 3)).astype(int).tolist(), targets([1, 0], (2, 1)).ravel().tolist()
    ([[0, 0, 1], [1, 0, 0]], [True, False])
    """
    array = real("labels", labels)
    if array.dtype.kind not in "iub":
        raise TypeError(f"labels must be integers or bool, not {array.dtype}")
    batch, outputs = shape
    if array.ndim == 2:
        shaped("labels", array, shape)
    else:
        shaped("labels", array, (batch,))
    if not batch:
        raise ValueError("there are no samples")
    limit = 2 if array.ndim == 2 or outputs == 1 else outputs
    if array.min() < 0 or array.max() >= limit:
        wrong = array.min() if array.min() < 0 else array.max()
        raise ValueError(f"labels must be 0 .. {limit - 1}, not {wrong}")
    if array.ndim == 2:
        return array.astype(bool)
    return array[:, None] == (np.arange(outputs) if outputs > 1 else 1)


@runtime_checkable
class TempotronLike(Protocol):
    """Attributes of a ``Tempotron`` that sweeps and rules use."""

    n_inputs: int
    n_outputs: int
    tau: float
    tau_s: float
    v_threshold: float
    v0: float
    T: float
    dtype: np.dtype
    params: Parameters
    sweeps: Any
    events: Callable[[Any], Events]
    run: Callable[..., Response]
    vjp: Callable[..., tuple[dict[str, np.ndarray], np.ndarray]]
    v_vjp: Callable[..., tuple[dict[str, np.ndarray], np.ndarray]]

    @property
    def weight(self) -> np.ndarray:
        """The weights [n_inputs, n_outputs]."""
        ...


class Rule(Protocol):
    """Interface of a custom rule for ``Tempotron.step`` and ``Tempotron.fit``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> class Shrink:
    ...     def learn(self, t, events, target):
    ...         t.params["weight"] *= 0.5
    ...         return 1.0, t.run(events).v_max
    >>> tempotron = nbsnn.Tempotron(1, weight=np.ones((1, 1)))
    >>> value = tempotron.step(np.array([[1.0]]), np.array([1]), Shrink())
    >>> tempotron.params["weight"].tolist()
    [[0.5]]
    """

    def learn(self, t: TempotronLike, events: Events, target: np.ndarray) -> tuple[float, np.ndarray]:
        """Change ``t.params`` in place, for samples of which ``target`` [B, O] says who should fire.

        Returns the loss, 0 if there is nothing to learn, and ``v_max`` [B, O] as each sample was met.
        """
        ...


def check_rule(rule: Rule) -> Rule:
    """Raise ``TypeError`` unless ``rule`` is one."""
    if isinstance(rule, type) or not callable(getattr(rule, "learn", None)):
        raise TypeError(f"rule must be one of nbsnn.tempotron, Classic() say, not {shown(rule)}")
    return rule
