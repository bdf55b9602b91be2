"""The conventions of other systems under the names that their users know, one module per system.

A preset adds no mathematics: it calls what the rest of the package offers, with the other system's defaults.
"""

from . import spaic as spaic
from . import spikingjelly as spikingjelly
