"""Data sets as plain arrays, and batches of them; spikes and events of recordings are in ``nbsnn.events``."""

from .batches import batches as batches
from .braille import braille as braille
from .dataset import Dataset as Dataset
from .digits import digits as digits
from .idx import read_idx as read_idx
from .mnist import fashion_mnist as fashion_mnist
from .mnist import mnist as mnist
from .shift import shift as shift
