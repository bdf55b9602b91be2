"""The leaky charge of a membrane, shared by the leaky neurons.

    u = v_rest + decay (v - v_rest) + gain x

``gain`` is 1, or 1 - decay with ``decay_input`` (a constant input then drives the membrane to its own value).
"""

from ..neuron import check_takes_shape
from ..scalar.hole import hole
from ..validate import filled, switch


@hole
def gain(decay):
    return 1.0


@hole
def dgain(decay):
    return 0.0


def charge(x, v, decay, v_rest):
    return v_rest + decay * (v - v_rest) + gain(decay) * x


def charge_vjp(x, v, decay, v_rest, gu):
    return gu * gain(decay), gu * decay, gu * (v - v_rest + dgain(decay) * x), gu * (1.0 - decay)


def full(decay):
    return 1.0


def dfull(decay):
    return 0.0


def complement(decay):
    return 1.0 - decay


def dcomplement(decay):
    return -1.0


def gain_holes(decay_input):
    """The filling of this file's holes."""
    if switch("decay_input", decay_input):
        return {"gain": complement, "dgain": dcomplement}
    return {"gain": full, "dgain": dfull}


def start(v_rest, v_start):
    """Where a membrane starts, and the parameter that it follows there: ``v_rest``, unless told otherwise."""
    if v_start is None:
        return {"v": v_rest}, {"v": "v_rest"}
    if callable(v_start):
        check_takes_shape("v_start", v_start)
    else:
        filled("v_start", v_start)
    return {"v": v_start}, {}
