"""Layers and how they are composed, one concept per file."""

from .container import Container as Container
from .conv1d import Conv1d as Conv1d
from .conv2d import Conv2d as Conv2d
from .conv_transpose1d import ConvTranspose1d as ConvTranspose1d
from .conv_transpose2d import ConvTranspose2d as ConvTranspose2d
from .delay import Delay as Delay
from .dense import Dense as Dense
from .dropout import Dropout as Dropout
from .flatten import Flatten as Flatten
from .identity import Identity as Identity
from .layer import Layer as Layer
from .layer import Setting as Setting
from .parallel import Parallel as Parallel
from .pool2d import AvgPool2d as AvgPool2d
from .pool2d import MaxPool2d as MaxPool2d
from .pool2d import SumPool2d as SumPool2d
from .population import Population as Population
from .recurrent import Recurrent as Recurrent
from .reshape import Reshape as Reshape
from .residual import Residual as Residual
from .run import Run as Run
from .scale import Scale as Scale
from .sequential import Sequential as Sequential
from .stateless import Stateless as Stateless
from .temporal_conv import TemporalConv as TemporalConv
