"""Arrays on a GPU, and kernels over them: all that the rest of nbsnn knows of CUDA."""

from .arrays import BLOCK as BLOCK
from .arrays import SIMULATED as SIMULATED
from .arrays import Count as Count
from .arrays import add as add
from .arrays import assign as assign
from .arrays import blocks as blocks
from .arrays import bound as bound
from .arrays import buffer as buffer
from .arrays import compiled as compiled
from .arrays import copy as copy
from .arrays import driver as driver
from .arrays import empty as empty
from .arrays import fill as fill
from .arrays import fits as fits
from .arrays import flat as flat
from .arrays import get as get
from .arrays import get_all as get_all
from .arrays import launch as launch
from .arrays import on_gpu as on_gpu
from .arrays import put as put
from .arrays import run as run
from .arrays import simulated as simulated
from .arrays import start as start
from .arrays import threads_together as threads_together
from .arrays import together as together
from .arrays import zeros as zeros
