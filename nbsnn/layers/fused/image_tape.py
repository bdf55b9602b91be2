"""What a run of a convolution with its population leaves for the backward pass."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...kernels.population.fused_conv import Image
from ...spikes.packed import PackedSpikes
from ...spikes.spike_input import SpikeInput
from ..layer import Array, Nested


@dataclass
class ImageTape:
    """What a run of a ``FusedConvolution`` leaves.

    Attributes
    ----------
    plain : dict
        The tapes of its layers where they ran by themselves.
    spikes : PackedSpikes or None
        The input of the last run; None if the layers ran by themselves.
    x : array [T, B, C, H, W], SpikeInput or PackedSpikes
        The same as it was given.
    arrays : dict
        Memory: states at checkpoints "S" [B marks, .], output spikes "bits" [B T, .] and what else is used again.
    P, Z : array
        Parameters that all units share, and lines with those of each.
    image : Image
        The convolution as the loops take it.
    state : dict
        State and outputs before the first step.
    records : dict
        The population's own tape, as far as somebody has asked for its records.
    """

    plain: Nested = field(default_factory=Nested)
    spikes: PackedSpikes | None = None
    x: Array | SpikeInput | PackedSpikes = field(default_factory=lambda: np.empty(0))
    arrays: Nested = field(default_factory=Nested)
    P: Array = field(default_factory=lambda: np.empty(0))
    Z: Array = field(default_factory=lambda: np.empty(0))
    image: Image | None = None
    state: Nested = field(default_factory=Nested)
    records: Nested = field(default_factory=Nested)

    @property
    def ran(self) -> PackedSpikes:
        """The input of the last run, which was one."""
        assert self.spikes is not None
        return self.spikes
