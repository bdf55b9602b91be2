"""Setting of a network, the same for all of its layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..device.arrays import operations
from ..device.host import Host
from ..device.threads import resolve
from ..validate import float_dtype, scale


@dataclass(frozen=True)
class Setting:
    """Setting of a network, the same for all of its layers.

    Parameters
    ----------
    dt : float, default 1.0
        Time step, in the unit of the neurons' time constants.
    dtype : dtype, default float32
        Precision: float32 or float64.
    device : {"cpu", "cuda", "auto", "python"}, default "cpu"
        Where kernels run; "auto" becomes "cuda" if there is a GPU that can be used, else "cpu".
    smooth : bool, default False
        Whether spikes are smooth, for gradient checks.

    Attributes
    ----------
    arrays : Host
        Array operations where the device is.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.Sequential(nbsnn.Dense(3, 2), dt=0.5).setting.dt
    0.5
    """

    dt: float = 1.0
    dtype: Any = np.float32
    device: str = "cpu"
    smooth: bool = False
    arrays: Host = field(default_factory=Host, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", scale("dt", self.dt))
        object.__setattr__(self, "dtype", float_dtype(self.dtype))
        object.__setattr__(self, "device", resolve(self.device))
        object.__setattr__(self, "arrays", operations(self.device))
