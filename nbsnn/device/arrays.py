"""Where arrays lie: the one place where the device is asked for its array operations."""

from __future__ import annotations

from .host import Host


def operations(device: str) -> Host:
    """The array operations of a device: a ``Host``, or its kind for a GPU."""
    if device == "cuda":
        from .gpu_arrays import Gpu

        return Gpu()
    return Host(device)
