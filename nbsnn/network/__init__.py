"""The event simulator: populations, sparse, delayed and plastic synapses, in one compiled loop."""

from .connection import Connection as Connection
from .group import Group as Group
from .network import Network as Network
from .recording import Recording as Recording
from .state import State as State
