"""Networks to and from NIR files (Neuromorphic Intermediate Representation), which other libraries write and read.

Needs the extra ``nir``: ``pip install "nbsnn[nir]"``. A file holds equations and no time step, and its writers mean
different things by equal numbers: see ``nbsnn.nir.convention`` for what each of them computes.

Pedersen et al. 2024 (doi:10.1038/s41467-024-52259-9).
"""

from .convention import NirWarning as NirWarning
from .read import read as read
from .write import write as write
