"""Norse's neurons as scalar code; ``nbsnn.presets.norse`` gives them its names, defaults and surrogates.

With j the synaptic current after the step's input, k = dt tau_mem_inv and H the spike function:

    lif         h = v + k (v_leak - v + j),  i = j - dt tau_syn_inv j,  s = H(h - v_th),  v = (1 - s) h + s v_reset
    lif_box     j is the input itself; li, li_box: v = h, without spikes
    lif_refrac  m = H(rho): where it is 1, v and the spike are held back; rho counts down from rho_reset
    lsnn        h takes i before the input; b relaxes to v_th, is the threshold, and rises by beta at a spike
    iaf         h = v + x
    lif_ex      h takes delta_T exp((v - v_th) / delta_T) too; lif_adex: less an adaptation current a
"""

from ..scalar.exponential import exp
from ..surrogates import dspike, spike
from .reset import dthrough, fire, fire_vjp, through


def charged(v, j, tau_mem_inv, v_leak, dt):
    return v + dt * tau_mem_inv * (v_leak - v + j)


def charged_vjp(v, j, tau_mem_inv, v_leak, dt, g):
    """Derivatives with respect to v, j, tau_mem_inv, v_leak and dt."""
    k, d = dt * tau_mem_inv, v_leak - v + j
    return g * (1.0 - k), g * k, g * dt * d, g * k, g * tau_mem_inv * d


def decayed(i, tau_syn_inv, dt):
    return i - dt * tau_syn_inv * i


def decayed_vjp(i, tau_syn_inv, dt, g):
    return g * (1.0 - dt * tau_syn_inv), -g * dt * i, -g * tau_syn_inv * i


def lif(x, v, i, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt):
    j = i + x
    s, v = fire(charged(v, j, tau_mem_inv, v_leak, dt), v_th, v_reset)
    return s, v, decayed(j, tau_syn_inv, dt)


def lif_vjp(x, v, i, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt, gs, gv, gi):
    j = i + x
    gh, g_th, g_reset = fire_vjp(charged(v, j, tau_mem_inv, v_leak, dt), v_th, v_reset, gs, gv)
    gv, gj, g_mem, g_leak, g_dt = charged_vjp(v, j, tau_mem_inv, v_leak, dt, gh)
    more, g_syn, g_dt2 = decayed_vjp(j, tau_syn_inv, dt, gi)
    return gj + more, gv, gj + more, g_syn, g_mem, g_leak, g_th, g_reset, g_dt + g_dt2


def lif_box(x, v, tau_mem_inv, v_leak, v_th, v_reset, dt):
    return fire(charged(v, x, tau_mem_inv, v_leak, dt), v_th, v_reset)


def lif_box_vjp(x, v, tau_mem_inv, v_leak, v_th, v_reset, dt, gs, gv):
    gh, g_th, g_reset = fire_vjp(charged(v, x, tau_mem_inv, v_leak, dt), v_th, v_reset, gs, gv)
    gv, gx, g_mem, g_leak, g_dt = charged_vjp(v, x, tau_mem_inv, v_leak, dt, gh)
    return gx, gv, g_mem, g_leak, g_th, g_reset, g_dt


def li(x, v, i, tau_syn_inv, tau_mem_inv, v_leak, dt):
    h = charged(v, i + x, tau_mem_inv, v_leak, dt)
    return h, h, decayed(i + x, tau_syn_inv, dt)


def li_vjp(x, v, i, tau_syn_inv, tau_mem_inv, v_leak, dt, gy, gv, gi):
    gv, gj, g_mem, g_leak, g_dt = charged_vjp(v, i + x, tau_mem_inv, v_leak, dt, gy + gv)
    more, g_syn, g_dt2 = decayed_vjp(i + x, tau_syn_inv, dt, gi)
    return gj + more, gv, gj + more, g_syn, g_mem, g_leak, g_dt + g_dt2


def li_box(x, v, tau_mem_inv, v_leak, dt):
    h = charged(v, x, tau_mem_inv, v_leak, dt)
    return h, h


def li_box_vjp(x, v, tau_mem_inv, v_leak, dt, gy, gv):
    gv, gx, g_mem, g_leak, g_dt = charged_vjp(v, x, tau_mem_inv, v_leak, dt, gy + gv)
    return gx, gv, g_mem, g_leak, g_dt


def lif_refrac(x, v, i, rho, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, rho_reset, dt):
    s, free, i = lif(x, v, i, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt)
    m = spike(rho)
    s = (1.0 - m) * s
    return s, (1.0 - m) * free + m * v, i, (1.0 - s) * max(rho - m, 0.0) + s * rho_reset


def lif_refrac_vjp(
    x, v, i, rho, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, rho_reset, dt, gs, gv, gi, g_rho
):  # fmt: skip
    first, free, _ = lif(x, v, i, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt)
    m = spike(rho)
    s, left = (1.0 - m) * first, max(rho - m, 0.0)
    gs += g_rho * (rho_reset - left)
    g_left = g_rho * (1.0 - s) if rho - m > 0.0 else 0.0
    gm = gv * (v - free) - gs * first - g_left
    gx, gv_free, gi, g_syn, g_mem, g_leak, g_th, g_reset, g_dt = lif_vjp(
        x, v, i, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt, gs * (1.0 - m), gv * (1.0 - m), gi
    )
    g_before = g_left + gm * dspike(rho)
    return gx, gv_free + gv * m, gi, g_before, g_syn, g_mem, g_leak, g_th, g_reset, g_rho * s, g_dt


def lsnn(x, v, i, b, tau_syn_inv, tau_mem_inv, tau_adapt_inv, v_leak, v_th, v_reset, beta, dt):
    h = charged(v, i, tau_mem_inv, v_leak, dt)
    level = b + dt * tau_adapt_inv * (v_th - b)
    s, v = fire(h, level, v_reset)
    return s, v, decayed(i, tau_syn_inv, dt) + x, level + beta * through(s)


def lsnn_vjp(
    x, v, i, b, tau_syn_inv, tau_mem_inv, tau_adapt_inv, v_leak, v_th, v_reset, beta, dt, gs, gv, gi, gb
):  # fmt: skip
    h = charged(v, i, tau_mem_inv, v_leak, dt)
    k = dt * tau_adapt_inv
    level = b + k * (v_th - b)
    gh, g_level, g_reset = fire_vjp(h, level, v_reset, gs + dthrough(gb * beta), gv)
    g_level += gb
    gv, gi_h, g_mem, g_leak, g_dt = charged_vjp(v, i, tau_mem_inv, v_leak, dt, gh)
    gi_i, g_syn, g_dt2 = decayed_vjp(i, tau_syn_inv, dt, gi)
    g_dt += g_dt2 + g_level * tau_adapt_inv * (v_th - b)
    s = spike(h - level)
    return (
        gi, gv, gi_h + gi_i, g_level * (1.0 - k), g_syn, g_mem, g_level * dt * (v_th - b), g_leak, g_level * k,
        g_reset, gb * s, g_dt,
    )  # fmt: skip


def iaf(x, v, v_th, v_reset):
    return fire(v + x, v_th, v_reset)


def iaf_vjp(x, v, v_th, v_reset, gs, gv):
    gh, g_th, g_reset = fire_vjp(v + x, v_th, v_reset, gs, gv)
    return gh, gh, g_th, g_reset


def upswing(v, delta_T, v_th):
    return delta_T * exp((v - v_th) / delta_T)


def upswing_vjp(v, delta_T, v_th, g):
    """Derivatives with respect to v, delta_T and v_th."""
    d = (v - v_th) / delta_T
    e = exp(d)
    return g * e, g * e * (1.0 - d), -g * e


def lif_ex(x, v, i, delta_T, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt):
    j = i + x
    s, v = fire(charged(v, j + upswing(v, delta_T, v_th), tau_mem_inv, v_leak, dt), v_th, v_reset)
    return s, v, decayed(j, tau_syn_inv, dt)


def lif_ex_vjp(x, v, i, delta_T, tau_syn_inv, tau_mem_inv, v_leak, v_th, v_reset, dt, gs, gv, gi):
    j = i + x
    total = j + upswing(v, delta_T, v_th)
    gh, g_th, g_reset = fire_vjp(charged(v, total, tau_mem_inv, v_leak, dt), v_th, v_reset, gs, gv)
    gv, gj, g_mem, g_leak, g_dt = charged_vjp(v, total, tau_mem_inv, v_leak, dt, gh)
    gv_up, g_delta, g_th_up = upswing_vjp(v, delta_T, v_th, gj)
    more, g_syn, g_dt2 = decayed_vjp(j, tau_syn_inv, dt, gi)
    return gj + more, gv + gv_up, gj + more, g_delta, g_syn, g_mem, g_leak, g_th + g_th_up, g_reset, g_dt + g_dt2


def lif_adex(
    x, v, i, a, adaptation_current, adaptation_spike, delta_T, tau_ada_inv, tau_syn_inv, tau_mem_inv, v_leak, v_th,
    v_reset, dt,
):  # fmt: skip
    drive = adaptation_current * (v - v_leak) - a
    total = i + x + upswing(v, delta_T, v_th) - a
    s, v = fire(charged(v, total, tau_mem_inv, v_leak, dt), v_th, v_reset)
    return s, v, decayed(i + x, tau_syn_inv, dt), a + dt * tau_ada_inv * drive + through(s) * adaptation_spike


def lif_adex_vjp(
    x, v, i, a, adaptation_current, adaptation_spike, delta_T, tau_ada_inv, tau_syn_inv, tau_mem_inv, v_leak, v_th,
    v_reset, dt, gs, gv, gi, ga,
):  # fmt: skip
    drive = adaptation_current * (v - v_leak) - a
    total = i + x + upswing(v, delta_T, v_th) - a
    h = charged(v, total, tau_mem_inv, v_leak, dt)
    gh, g_th, g_reset = fire_vjp(h, v_th, v_reset, gs + dthrough(ga * adaptation_spike), gv)
    gv, gj, g_mem, g_leak, g_dt = charged_vjp(v, total, tau_mem_inv, v_leak, dt, gh)
    gv_up, g_delta, g_th_up = upswing_vjp(v, delta_T, v_th, gj)
    more, g_syn, g_dt2 = decayed_vjp(i + x, tau_syn_inv, dt, gi)
    g_drive = ga * dt * tau_ada_inv
    return (
        gj + more, gv + gv_up + g_drive * adaptation_current, gj + more, ga - g_drive - gj,
        g_drive * (v - v_leak), ga * spike(h - v_th), g_delta, ga * dt * drive, g_syn, g_mem,
        g_leak - g_drive * adaptation_current, g_th + g_th_up, g_reset, g_dt + g_dt2 + ga * tau_ada_inv * drive,
    )  # fmt: skip
