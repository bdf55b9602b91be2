"""The setting of a layer that computes in 32-bit integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..device import resolve
from ..layers.layer import Setting
from ..validate import number


@dataclass(frozen=True)
class IntegerSetting(Setting):
    """The setting of a network that computes in 32-bit integers."""

    dtype: Any = np.int32

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt", number("dt", self.dt, above=0.0))
        object.__setattr__(self, "device", resolve(self.device))
