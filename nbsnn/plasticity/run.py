"""A rule's ``run``: what it is given, and the function that advances it on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..device.threads import resolve
from ..layers.state import checked_state
from .check import check_numbers, check_spikes

Array = np.ndarray


def check_run(
    rule: Any, weights: Array, pre: ArrayLike, post: ArrayLike, state: Any, device: str
) -> tuple[Array, Array, dict[str, Any]]:
    """Spikes and starting state that fit each other and the weights."""
    resolve(device)
    check_numbers(rule, weights.dtype)
    pre = check_spikes("pre", pre, weights.shape[0], weights.dtype)
    post = check_spikes("post", post, weights.shape[1], weights.dtype)
    if pre.shape[:2] != post.shape[:2]:
        raise ValueError(
            f"pre and post must agree in steps and samples, not [T, B] = {[*pre.shape[:2]]}, {[*post.shape[:2]]}"
        )
    model = rule.initial(pre.shape[1], weights)
    state = model if state is None else checked_state(state, model, "state", pre.shape[1])
    return pre, post, state
