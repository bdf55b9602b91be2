"""Synapses of the event simulator: what arrives at a neuron when a spike does."""

from .alpha import Alpha as Alpha
from .custom import CustomSynapse as CustomSynapse
from .custom import Gate as Gate
from .delta import Delta as Delta
from .double_exponential import DoubleExponential as DoubleExponential
from .exponential import Exponential as Exponential
from .gap_junction import GapJunction as GapJunction
from .graded import Graded as Graded
from .nmda import NMDA as NMDA
from .short_term import TsodyksMarkram as TsodyksMarkram
from .synapse import Membrane as Membrane
from .synapse import Synapse as Synapse
