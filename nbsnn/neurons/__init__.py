"""Neuron models, one per file: scalar ``step`` and ``vjp``, and a function that puts them together with options."""

from .adaptive import Adaptive as Adaptive
from .alif import ALIF as ALIF
from .clif import CLIF as CLIF
from .conductance_lif import ConductanceLIF as ConductanceLIF
from .cooldown import Cooldown as Cooldown
from .cuba_lif import CubaLIF as CubaLIF
from .diehl_cook import DiehlCook as DiehlCook
from .discontinuous import Discontinuous as Discontinuous
from .hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from .integrate_and_fire import IF as IF
from .li import LI as LI
from .lif import LIF as LIF
from .no_reset import NoReset as NoReset
from .plif import PLIF as PLIF
