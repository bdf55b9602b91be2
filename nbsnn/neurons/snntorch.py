"""snnTorch's neurons as scalar code; ``nbsnn.presets.snntorch`` gives them its names, defaults and surrogates.

    r = [mem[t-1] > threshold], without gradient
    b = late(f, r),    s = spike(b - threshold),    mem[t] = immediate(b, s, r)

``f`` is the charged membrane: beta old(mem[t-1], r) + x for ``leaky``; with a current in between for ``synaptic``; by
Euler for ``lapicque``. A delayed reset is ``old`` or ``late``, one in the step of the spike ``immediate``.
"""

from ..scalar.hole import hole
from ..scalar.logarithm import log
from ..surrogates import dspike, spike


@hole
def old(mem, r):
    """What a delayed reset leaves of the membrane before the step."""
    return mem


@hole
def late(f, r, threshold):
    """What a delayed reset leaves of the charged membrane."""
    return f - r * threshold


@hole
def late_vjp(g, r):
    """Derivatives with respect to the charged membrane and the threshold."""
    return g, -g * r


@hole
def immediate(b, s, r, threshold):
    """The membrane after the step's own spike."""
    return b


@hole
def immediate_vjp(b, s, r, threshold, g):
    """Derivatives with respect to b, s and the threshold."""
    return g, 0.0, 0.0


def zeroed(mem, r):
    return mem * (1.0 - r)


def subtracted(f, r, threshold):
    return f - r * threshold


def subtracted_vjp(g, r):
    return g, -g * r


def cleared(f, r, threshold):
    return f * (1.0 - r)


def cleared_vjp(g, r):
    return g * (1.0 - r), 0.0


def kept(f, r, threshold):
    return f


def kept_vjp(g, r):
    return g, 0.0


def less(b, s, r, threshold):
    return b - (s - r) * threshold


def less_vjp(b, s, r, threshold, g):
    return g, -g * threshold, -g * (s - r)


def gone(b, s, r, threshold):
    return b - (s - r) * b


def gone_vjp(b, s, r, threshold, g):
    return g * (1.0 - s + r), -g * b, 0.0


def flag(mem, threshold):
    return 1.0 if mem > threshold else 0.0


def clipped(p):
    return min(max(p, 0.0), 1.0)


def within(p):
    """The derivative of ``clipped``."""
    return 1.0 if 0.0 <= p <= 1.0 else 0.0


def fired_vjp(b, r, threshold, graded, gs, gm):
    """From spike and membrane back to the charged membrane before the reset, the threshold and the spike's size."""
    s = spike(b - threshold)
    gb, g_spike, g_th = immediate_vjp(b, s, r, threshold, gm)
    gd = (g_spike + gs * graded) * dspike(b - threshold)
    gf, more = late_vjp(gb + gd, r)
    return gf, g_th - gd + more, gs * s


def leaky(x, mem, beta, threshold, graded_spikes_factor):
    r = flag(mem, threshold)
    b = late(clipped(beta) * old(mem, r) + x, r, threshold)
    s = spike(b - threshold)
    return s * graded_spikes_factor, immediate(b, s, r, threshold)


def leaky_vjp(x, mem, beta, threshold, graded_spikes_factor, gs, gm):
    r, factor = flag(mem, threshold), clipped(beta)
    b = late(factor * old(mem, r) + x, r, threshold)
    gf, g_th, g_graded = fired_vjp(b, r, threshold, graded_spikes_factor, gs, gm)
    return gf, gf * factor * old(1.0, r), gf * old(mem, r) * within(beta), g_th, g_graded


def synaptic(x, syn, mem, alpha, beta, threshold):
    r = flag(mem, threshold)
    syn = clipped(alpha) * syn + x
    b = late(clipped(beta) * mem + syn, r, threshold)
    s = spike(b - threshold)
    return s, syn, immediate(b, s, r, threshold)


def synaptic_vjp(x, syn, mem, alpha, beta, threshold, gs, g_syn, gm):
    r, slow, fast = flag(mem, threshold), clipped(beta), clipped(alpha)
    b = late(slow * mem + fast * syn + x, r, threshold)
    gf, g_th, _ = fired_vjp(b, r, threshold, 1.0, gs, gm)
    gx = gf + g_syn
    return gx, gx * fast, gf * slow, gx * syn * within(alpha), gf * mem * within(beta), g_th


def second_order(alpha, beta):
    """snnTorch's tau of ``Alpha``."""
    return log(alpha) / (log(beta) - log(alpha)) + 1.0


@hole
def alpha_reset(e, n, b, before, r, threshold):
    """Currents and membrane after a delayed reset; ``before`` is the inhibitory current before the step."""
    return e, n, b


@hole
def alpha_reset_vjp(r, ge, gn, gb):
    """Derivatives with respect to e, n, b, before and the threshold."""
    return ge, gn, gb, 0.0, 0.0


def alpha_subtracted(e, n, b, before, r, threshold):
    return e - threshold * r, n * (1.0 - r), b + r * before


def alpha_subtracted_vjp(r, ge, gn, gb):
    return ge, gn * (1.0 - r), gb, gb * r, -ge * r


def alpha_cleared(e, n, b, before, r, threshold):
    return e * (1.0 - r), n * (1.0 - r), b * (1.0 - r)


def alpha_cleared_vjp(r, ge, gn, gb):
    return ge * (1.0 - r), gn * (1.0 - r), gb * (1.0 - r), 0.0, 0.0


def alpha_kept(e, n, b, before, r, threshold):
    return e, n, b


def alpha_kept_vjp(r, ge, gn, gb):
    return ge, gn, gb, 0.0, 0.0


def alpha_step(x, syn_exc, syn_inh, mem, alpha, beta, threshold):
    r, fast, slow = flag(mem, threshold), clipped(alpha), clipped(beta)
    e, n = fast * syn_exc + x, slow * syn_inh - x
    e, n, b = alpha_reset(e, n, second_order(fast, slow) * (e + n), syn_inh, r, threshold)
    return spike(b - threshold), e, n, b


def alpha_vjp(x, syn_exc, syn_inh, mem, alpha, beta, threshold, gs, ge, gn, gm):
    r, fast, slow = flag(mem, threshold), clipped(alpha), clipped(beta)
    e, n, tau = fast * syn_exc + x, slow * syn_inh - x, second_order(fast, slow)
    _, _, b = alpha_reset(e, n, tau * (e + n), syn_inh, r, threshold)
    gd = gs * dspike(b - threshold)
    ge, gn, gq, before, g_th = alpha_reset_vjp(r, ge, gn, gm + gd)
    span = log(slow) - log(fast)
    g_tau = gq * (e + n)
    ge, gn = ge + gq * tau, gn + gq * tau
    g_alpha = ge * syn_exc + g_tau * log(slow) / (span * span * fast)
    g_beta = gn * syn_inh - g_tau * log(fast) / (span * span * slow)
    return ge - gn, ge * fast, gn * slow + before, 0.0, g_alpha * within(alpha), g_beta * within(beta), g_th - gd


def lapicque(x, mem, R, C, threshold, time_step):
    r = flag(mem, threshold)
    b = late(x * time_step / C + (1.0 - time_step / (R * C)) * mem, r, threshold)
    return spike(b - threshold), b


def lapicque_vjp(x, mem, R, C, threshold, time_step, gs, gm):
    r, k = flag(mem, threshold), time_step / (R * C)
    gf, g_th, _ = fired_vjp(late(x * time_step / C + (1.0 - k) * mem, r, threshold), r, threshold, 1.0, gs, gm)
    gk, g_gain = -gf * mem, gf * x
    return (
        gf * time_step / C, gf * (1.0 - k), -gk * k / R, -gk * k / C - g_gain * time_step / (C * C), g_th,
        gk / (R * C) + g_gain / C,
    )  # fmt: skip


def lapicque_beta(x, mem, beta, R, threshold):
    r, k = flag(mem, threshold), -log(beta)
    b = late(x * R * k + (1.0 - k) * mem, r, threshold)
    return spike(b - threshold), b


def lapicque_beta_vjp(x, mem, beta, R, threshold, gs, gm):
    r, k = flag(mem, threshold), -log(beta)
    gf, g_th, _ = fired_vjp(late(x * R * k + (1.0 - k) * mem, r, threshold), r, threshold, 1.0, gs, gm)
    return gf * R * k, gf * (1.0 - k), -gf * (x * R - mem) / beta, gf * x * k, g_th


RESETS = {
    "subtract": {"late": subtracted, "late_vjp": subtracted_vjp},
    "zero": {"late": cleared, "late_vjp": cleared_vjp},
    "none": {"late": kept, "late_vjp": kept_vjp},
}
OWN = {
    "subtract": {"immediate": less, "immediate_vjp": less_vjp},
    "zero": {"immediate": gone, "immediate_vjp": gone_vjp},
    "none": {},
}
OF_ALPHA = {
    "subtract": {"alpha_reset": alpha_subtracted, "alpha_reset_vjp": alpha_subtracted_vjp},
    "zero": {"alpha_reset": alpha_cleared, "alpha_reset_vjp": alpha_cleared_vjp},
    "none": {"alpha_reset": alpha_kept, "alpha_reset_vjp": alpha_kept_vjp},
}
