"""Sparse connections: rules for who is connected to whom, and the values that synapses have."""

from . import values as values
from .chance import Sparse as Sparse
from .delay import delay_steps as delay_steps
from .delay import delays as delays
from .distance import Distance as Distance
from .distance import grid as grid
from .explicit import Explicit as Explicit
from .explicit import from_scipy as from_scipy
from .profile import Decay as Decay
from .profile import Disc as Disc
from .profile import Gaussian as Gaussian
from .profile import Profile as Profile
from .regular import AllToAll as AllToAll
from .regular import OneToOne as OneToOne
from .rows import Rows as Rows
from .rule import Rule as Rule
