"""Delta synapse: a spike of weight w lets the membrane jump by w.

A neuron whose membrane is not linear has no input that would be a jump: there w is a current that lasts one step.
"""

from .synapse import Synapse, make


def step(a, gain):
    """One step; ``gain`` makes a jump of 1 of an input."""
    return (gain * a,)


def Delta() -> Synapse:
    """A synapse without a course in time: the membrane jumps by the weight, unless the neuron is refractory.

    >>> Delta()
    Delta()
    """
    return make("Delta", step, (), (), (), (), None, {})
