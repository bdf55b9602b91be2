"""Spike-timing-dependent plasticity: one family of local rules, changed weights in place, nothing hidden.

A ``Rule`` is a scalar function of one synapse with the traces it reads; its options say what other systems leave to
the reader: whether traces add up or are set, the order of decay, addition and use, what coincident spikes do, how
weights are bounded and normalised, and the sign. The other names here are rules of this family with their constants.
"""

from .bounds import BOUNDS as BOUNDS
from .clopath import Clopath as Clopath
from .diehl_cook import DiehlCook as DiehlCook
from .homeostasis import Scaling as Scaling
from .integer import PostPreInt as PostPreInt
from .mean_weight import MetaNearestSTDP as MetaNearestSTDP
from .membrane import LowPass as LowPass
from .membrane import MembraneRule as MembraneRule
from .normalize import Normalize as Normalize
from .pair import NearestSTDP as NearestSTDP
from .pair import PairSTDP as PairSTDP
from .plastic import Plastic as Plastic
from .result import RuleResult as RuleResult
from .reward import MSTDP as MSTDP
from .reward import MSTDPET as MSTDPET
from .rule import Rule as Rule
from .trace import ORDERS as ORDERS
from .trace import Trace as Trace
from .triplet import TripletSTDP as TripletSTDP
from .vogels import VogelsSTDP as VogelsSTDP
from .window import figure as figure
from .window import window as window
