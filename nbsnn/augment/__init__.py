"""Augmentation: samples of a training batch changed at random, ``nbsnn.fit(..., augment=[shift(2), flip()])``.

Each is called with samples and draws, ``shift(2)(x, draws)``, and answers with samples of the same kind: images
[B, ..., H, W], flat ones with ``side``, series of them, or ``nbsnn.events.Recordings``. What is drawn depends on the
draws alone, which ``fit`` makes of its seed, the epoch and the batch.
"""

from .drop import drop as drop
from .jitter import jitter as jitter
from .noise import noise as noise
from .places import crop as crop
from .places import flip as flip
from .places import shift as shift
