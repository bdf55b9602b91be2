"""Encoders: what makes spikes or currents over time [T, B, N...] of samples [B, N...].

>>> import numpy as np
>>> from nbsnn import encode
>>> encode.latency(T=25)
latency(T=25, form='log', tau=20.0, threshold=0.2)
"""

from .coded import ByValue as ByValue
from .constant import constant as constant
from .delta import delta as delta
from .encoder import Encoder as Encoder
from .latency import latency as latency
from .phase import phase as phase
from .poisson import poisson as poisson
from .population import population as population
from .series import series as series
from .stored_codes import Stored as Stored
