"""The conventions of other systems under the names that their users know, one module per system.

A preset adds no mathematics: it calls what the rest of the package offers, with the other system's defaults.
"""

from . import bindsnet as bindsnet
from . import norse as norse
from . import rnnbuilder as rnnbuilder
from . import snntorch as snntorch
from . import spaic as spaic
from . import spaic_stdp as spaic_stdp
from . import spaic_stdp_neurons as spaic_stdp_neurons
from . import spikingjelly as spikingjelly
