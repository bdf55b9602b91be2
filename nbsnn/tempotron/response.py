"""The answer of a Tempotron to a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .events import Events


@dataclass(frozen=True, eq=False)
class Response:
    """What a Tempotron answers to a batch.

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
    upto, slope : arrays [B, O]
        For the derivative: the events before the maximum, and the membrane's slope at a kink, divided by v0.
    """

    v_max: np.ndarray
    t_max: np.ndarray
    spikes: np.ndarray
    spike_time: np.ndarray
    events: Events
    upto: np.ndarray
    slope: np.ndarray


def decide(answer: Response) -> np.ndarray:
    """Classes int64 [B]: 0 or 1 for one output, else the output with the largest ``v_max``."""
    return answer.spikes[:, 0].astype(np.int64) if answer.v_max.shape[1] == 1 else answer.v_max.argmax(axis=1)
