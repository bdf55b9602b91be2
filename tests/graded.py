"""A neuron whose output is a number that follows its membrane, where others put out spikes."""

import nbsnn


def step(x, v, decay):
    v = decay * v + x
    return 0.5 * v, v


def vjp(x, v, decay, gs, gv):
    g = 0.5 * gs + gv
    return g, g * decay, g * v


GRADED = nbsnn.Neuron(step, vjp, state={"v": 0.0}, params={"decay": 0.9})
