"""Spiking neural networks on plain NumPy arrays, simulated and trained by Numba kernels."""

from . import data as data
from . import encode as encode
from . import init as init
from . import losses as losses
from . import neurons as neurons
from . import optim as optim
from . import presets as presets
from . import random as random
from . import surrogates as surrogates
from .check import GradientError as GradientError
from .check import check as check
from .device import set_threads as set_threads
from .layers import AvgPool2d as AvgPool2d
from .layers import Container as Container
from .layers import Conv2d as Conv2d
from .layers import Delay as Delay
from .layers import Dense as Dense
from .layers import Dropout as Dropout
from .layers import Flatten as Flatten
from .layers import Layer as Layer
from .layers import MaxPool2d as MaxPool2d
from .layers import Population as Population
from .layers import Recurrent as Recurrent
from .layers import Residual as Residual
from .layers import Run as Run
from .layers import Sequential as Sequential
from .layers import SumPool2d as SumPool2d
from .learning import BPTT as BPTT
from .learning import STBP as STBP
from .neuron import Neuron as Neuron
from .surrogates.surrogate import dspike as dspike
from .surrogates.surrogate import spike as spike

from .save import load as load
from .save import save as save
from .version import __version__ as __version__
