"""Sparse connections: rules for who is connected to whom, and the values that synapses have."""

from . import values as values
from .delay import delay_steps as delay_steps
from .delay import delays as delays
from .distance import Distance as Distance
from .distance import grid as grid
from .distance_profile import Decay as Decay
from .distance_profile import Disc as Disc
from .distance_profile import Gaussian as Gaussian
from .distance_profile import Profile as Profile
from .explicit import Explicit as Explicit
from .explicit import from_scipy as from_scipy
from .multiple import Multiple as Multiple
from .random_pairs import Sparse as Sparse
from .regular import AllToAll as AllToAll
from .regular import OneToOne as OneToOne
from .rows import Rows as Rows
from .rule import Rule as Rule
