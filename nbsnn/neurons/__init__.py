"""Neuron models, one per file: scalar ``step`` and ``vjp``, and a function that puts them together with options."""

from .adaptive import Adaptive as Adaptive
from .adex import AdEx as AdEx
from .adex_patterns import adex_patterns as adex_patterns
from .alif import ALIF as ALIF
from .clif import CLIF as CLIF
from .conductance_lif import ConductanceLIF as ConductanceLIF
from .cooldown import Cooldown as Cooldown
from .cuba_lif import CubaLIF as CubaLIF
from .diehl_cook import DiehlCook as DiehlCook
from .discontinuous import Discontinuous as Discontinuous
from .escape_lif import EscapeLIF as EscapeLIF
from .exponential_lif import EIF as EIF
from .hodgkin_huxley import HodgkinHuxley as HodgkinHuxley
from .integrate_and_fire import IF as IF
from .izhikevich import Izhikevich as Izhikevich
from .izhikevich_patterns import izhikevich_patterns as izhikevich_patterns
from .li import LI as LI
from .lif import LIF as LIF
from .no_reset import NoReset as NoReset
from .noisy_lif import NoisyLIF as NoisyLIF
from .plif import PLIF as PLIF
from .poisson import PoissonNeuron as PoissonNeuron
from .quadratic_lif import QIF as QIF
