"""Networks from elsewhere: weights of PyTorch, and networks of numbers made into spiking ones."""

from .folding import fold_batch_norm as fold_batch_norm
from .spiking import to_spiking as to_spiking
from .torch import from_torch as from_torch
from .torch import load_torch as load_torch
