"""Events: recordings of sensors as structured arrays, files that hold them, and what makes a network's input of them.

>>> import numpy as np, nbsnn
>>> events = np.array([(120, 3, 1, 0), (450, 0, 2, 1)], [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")])
>>> recordings = nbsnn.events.Recordings([events], shape=(2, 4, 4), unit="us")
>>> nbsnn.events.binned(T=5, dt=0.1)(recordings)
SpikeInput([5, 1, 2, 4, 4], 2 spikes, 0 merged, 0 dropped)
"""

from .aedat import read_aedat as read_aedat
from .binned import binned as binned
from .binned import to_spikes as to_spikes
from .filter_bank import filter_bank as filter_bank
from .nmnist import nmnist as nmnist
from .nmnist import read_nmnist as read_nmnist
from .npy import read_npy as read_npy
from .recordings import Recording as Recording
from .recordings import Recordings as Recordings
from .shd import read_shd as read_shd
from .speech import spoken_digits as spoken_digits
from .wav import read_wav as read_wav
