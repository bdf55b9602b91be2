"""Sparse synapses that wait for a reward, on a GPU: all of a connection brought up to date."""

from numba import cuda

from ..network import tables as at
from .rewarded import bring


def bring_all(lo, hi, now, numbers, weights, E, U):
    """Bring a connection's synapses [lo, hi) to the end of step ``now``; ``numbers`` as in ``tables``."""
    e = lo + cuda.grid(1)  # type: ignore[call-arg]
    if e < hi:
        gain = numbers[at.REWARD_VALUE] * numbers[at.REWARD_FACTOR]
        rest = gain, numbers[at.FALL], numbers[at.REWARD_LOW], numbers[at.REWARD_HIGH]
        bring(e, (E, U, 0, now, numbers[at.SHARE], rest), weights)
