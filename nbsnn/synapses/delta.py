"""Delta synapse: a spike of weight w lets the membrane jump by w when it arrives.

The jump comes after the integration of the step that ends with the arrival and before the threshold. A membrane that
answers to a current in proportion, as that of ``LIF``, gets the current that makes the jump; other neurons take it as
an input of their own, or name the variable that is their membrane (see ``Neuron``).
"""

from .synapse import Synapse, make


def step(a, gain):
    """One step; ``gain`` makes a jump of 1 of an input."""
    return (gain * a,)


def Delta() -> Synapse:
    """A synapse without a course in time: the membrane jumps by the weight, whatever the neuron and ``dt``.

    A membrane that is held, while refractory, does not jump. CubaLIF, CLIF, Cooldown, Discontinuous and PoissonNeuron,
    whose input is no current into a membrane, get the weight as their input of the step.

    Returns
    -------
    Synapse

    Examples
    --------
    >>> Delta()
    Delta()
    """
    return make("Delta", step, (), (), (), (), None, {})
