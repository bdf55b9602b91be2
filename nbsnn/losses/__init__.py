"""Losses: ``value, gradient = loss(y, target)`` for outputs ``y`` of shape ``[T, B, C]``.

A loss with options is made by its class, ``RateCrossEntropy(scale=10.0)``; the same name in lower case is the one with
default options, ready to use. Penalties on hidden activity take no target: ``value, gradient = penalty(spikes)``.
"""

from .checks import Weighted as Weighted
from .cross_entropy import CrossEntropy as CrossEntropy
from .cross_entropy import LastCrossEntropy as LastCrossEntropy
from .cross_entropy import MaxCrossEntropy as MaxCrossEntropy
from .cross_entropy import RateCrossEntropy as RateCrossEntropy
from .cross_entropy import StepCrossEntropy as StepCrossEntropy
from .cross_entropy import SumCrossEntropy as SumCrossEntropy
from .cross_entropy import last_cross_entropy as last_cross_entropy
from .cross_entropy import max_cross_entropy as max_cross_entropy
from .cross_entropy import rate_cross_entropy as rate_cross_entropy
from .cross_entropy import softmax_cross_entropy as softmax_cross_entropy
from .cross_entropy import step_cross_entropy as step_cross_entropy
from .cross_entropy import sum_cross_entropy as sum_cross_entropy
from .decode import accuracy as accuracy
from .decode import predict as predict
from .first_spike import FirstSpikeCrossEntropy as FirstSpikeCrossEntropy
from .first_spike import FirstSpikeMSE as FirstSpikeMSE
from .first_spike import first_spike_cross_entropy as first_spike_cross_entropy
from .first_spike import first_spike_mse as first_spike_mse
from .first_spike import first_spike_time as first_spike_time
from .mse import RateMSE as RateMSE
from .mse import StepMSE as StepMSE
from .mse import rate_mse as rate_mse
from .mse import step_mse as step_mse
from .regularizers import Rate as Rate
from .regularizers import SpikeCount as SpikeCount
from .spike_distance import VanRossum as VanRossum
from .spike_distance import van_rossum as van_rossum
