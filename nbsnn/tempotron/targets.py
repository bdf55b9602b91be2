"""From labels to who should fire."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..validate import real, shaped


def targets(labels: Any, shape: tuple[int, int]) -> np.ndarray:
    """Who should fire, bool [B, O].

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
