"""Neuron models, one per file: scalar ``step`` and ``vjp``, and a function that puts them together with options."""

from .alif import ALIF as ALIF
from .clif import CLIF as CLIF
from .cuba_lif import CubaLIF as CubaLIF
from .integrate_and_fire import IF as IF
from .li import LI as LI
from .lif import LIF as LIF
from .plif import PLIF as PLIF
