"""Tempotrons: neurons that learn to answer spike patterns, exactly and event by event.

What to read, in this order: ``kernel.py`` (the potential of one spike), ``model.py`` (the neuron), ``classic.py`` (the
rule that it was introduced with), ``gradient.py`` and ``losses.py`` (gradient descent), ``stack.py`` (layers of them).
``events.py`` takes spike times in; the loops are in ``kernels/tempotron/sweeps.py``.
"""

from .classic import Classic as Classic
from .fit import accuracy as accuracy
from .fit import fit as fit
from .gradient import Gradient as Gradient
from .losses import MaxCrossEntropy as MaxCrossEntropy
from .losses import ThresholdHinge as ThresholdHinge
from .losses import ThresholdMSE as ThresholdMSE
from .model import Tempotron as Tempotron
from .potential import dpsp as dpsp
from .potential import normaliser as normaliser
from .potential import peak_time as peak_time
from .potential import psp as psp
from .response import Response as Response
from .response import Rule as Rule
from .shared_directions import shared_directions as shared_directions
from .soft_time import soft_time as soft_time
from .spike_times import Events as Events
from .spike_times import from_events as from_events
from .spike_times import from_spikes as from_spikes
from .spike_times import from_times as from_times
from .stack import Stack as Stack
