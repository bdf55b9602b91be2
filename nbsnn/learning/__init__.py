"""Learners: one call, ``learner.step(x, target)``, for every way of assigning credit."""

from .accumulate import Accumulator as Accumulator
from .bptt import BPTT as BPTT
from .bptt import STBP as STBP
from .credit import Credit as Credit
from .credit import compare_credit as compare_credit
from .eprop import EProp as EProp
from .learner import Learner as Learner
from .online import Online as Online
from .ottt import OTTT as OTTT
from .sltt import SLTT as SLTT
