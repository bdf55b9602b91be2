"""An oracle for the neurons: NumPy loops over time, as plain as the equations, sharing no code with nbsnn.

Arrays are [T, B, N] (``x`` and every variable after each step), states before the first step [B, N]. Parameters are
numbers or arrays that broadcast to [N]. All of it computes in the precision of ``x``.
"""

from __future__ import annotations

import numpy as np


def factor(tau, decay="exp", dt=1.0, dtype=np.float64):
    """What is left of a leaking quantity after one step."""
    tau = np.asarray(tau, np.float64)
    value = {
        "exp": lambda: np.exp(-dt / tau),
        "euler": lambda: 1 - dt / tau,
        "logit": lambda: 1 - 1 / (1 + np.exp(-tau)),
    }
    return value[decay]().astype(dtype)


def heaviside(u, threshold, compare=">="):
    return (u >= threshold if compare == ">=" else u > threshold).astype(u.dtype)


def reset_to(u, s, threshold, v_reset, kind):
    if kind == "soft":
        return u - s * threshold
    if kind == "hard":
        return np.where(s > 0, v_reset, u).astype(u.dtype)
    return u


def lif(
    x,
    v,
    *,
    decay,
    v_threshold=1.0,
    v_reset=0.0,
    v_rest=0.0,
    reset="hard",
    decay_input=False,
    compare=">=",
    refractory=0,
):
    """Leaky integrate-and-fire; ``decay`` is the factor per step, ``refractory`` a number of steps."""
    dtype = x.dtype
    decay, v_threshold, v_reset, v_rest = (np.asarray(p, dtype) for p in (decay, v_threshold, v_reset, v_rest))
    gain = 1 - decay if decay_input else dtype.type(1)
    left = np.zeros_like(v)
    out = {"spikes": [], "v": [], "u": [], "left": []}
    for xt in x:
        u = v_rest + decay * (v - v_rest) + gain * xt
        held = left > 0
        s = np.where(held, 0, heaviside(u, v_threshold, compare)).astype(dtype)
        v = np.where(held, v, reset_to(u, s, v_threshold, v_reset, reset)).astype(dtype)
        left = np.where(held, left - 1, s * refractory).astype(dtype)
        for name, value in (("spikes", s), ("v", v), ("u", u), ("left", left)):
            out[name].append(value)
    return stacked(out)


def if_(x, v, *, v_threshold=1.0, v_reset=0.0, drain=0.0, reset="hard", compare=">="):
    """Integrate-and-fire."""
    out = {"spikes": [], "v": []}
    for xt in x:
        u = v + xt - x.dtype.type(drain)
        s = heaviside(u, v_threshold, compare)
        v = reset_to(u, s, x.dtype.type(v_threshold), x.dtype.type(v_reset), reset)
        out["spikes"].append(s)
        out["v"].append(v)
    return stacked(out)


def cuba_lif(x, i, v, *, decay_syn, **options):
    """LIF behind an exponential synapse."""
    current = []
    for xt in x:
        i = decay_syn.astype(x.dtype) * i + xt
        current.append(i)
    current = np.stack(current)
    return {"i": current, **lif(current, v, **options)}


def alif(x, v, a, *, decay, decay_adapt, beta, v_threshold=1.0, v_reset=0.0, v_rest=0.0, reset="soft", compare=">="):
    """LIF whose threshold is raised by ``beta`` times a trace of its spikes."""
    dtype = x.dtype
    decay, decay_adapt, beta = (np.asarray(p, dtype) for p in (decay, decay_adapt, beta))
    out = {"spikes": [], "v": [], "a": []}
    for xt in x:
        u = dtype.type(v_rest) + decay * (v - dtype.type(v_rest)) + xt
        threshold = dtype.type(v_threshold) + beta * a
        s = heaviside(u, threshold, compare)
        v = reset_to(u, s, threshold, dtype.type(v_reset), reset)
        a = decay_adapt * a + s
        for name, value in (("spikes", s), ("v", v), ("a", a)):
            out[name].append(value)
    return stacked(out)


def li(x, v, *, decay, v_rest=0.0, decay_input=False):
    """Leaky integrator."""
    out = []
    for xt in x:
        v = x.dtype.type(v_rest) + decay * (v - x.dtype.type(v_rest)) + (1 - decay if decay_input else 1) * xt
        out.append(v.astype(x.dtype))
    return {"output": np.stack(out), "v": np.stack(out)}


def clif(x, *, v0, decay_m, decay_q, decay_e, v_threshold=1.0, compare=">="):
    """Spike response model with two synaptic traces and a reset trace, all starting at 0."""
    dtype = x.dtype
    v0, decay_m, decay_q, decay_e, th = (np.asarray(p, dtype) for p in (v0, decay_m, decay_q, decay_e, v_threshold))
    m = q = e = np.zeros_like(x[0])
    out = {"spikes": [], "m": [], "q": [], "e": []}
    for xt in x:
        m = decay_m * m + v0 * xt
        q = decay_q * q + v0 * xt
        s = heaviside(m - q - e - th, dtype.type(0), compare)
        e = decay_e * e + th * s
        for name, value in (("spikes", s), ("m", m), ("q", q), ("e", e)):
            out[name].append(value)
    return stacked(out)


def stacked(out):
    return {name: np.stack(values) for name, values in out.items()}


def atan_slope(u, alpha=2.0):
    return alpha / 2 / (1 + (np.pi / 2 * alpha * u) ** 2)


def lif_gradients(
    x, v, gs, gv, *, decay, v_threshold=1.0, v_reset=0.0, v_rest=0.0, reset="hard", decay_input=False, detach=False,
    slope=atan_slope, **options,
):  # fmt: skip
    """The chain rule through ``lif`` from the last step to the first.

    ``gs`` and ``gv`` [T, B, N] are the loss's derivatives by spikes and membranes. Returns the derivatives by ``x``
    and the initial ``v``, and by each parameter for each sample and unit, [B, N]; "decay" means the factor per step.
    """
    p = {"decay": decay, "v_threshold": v_threshold, "v_reset": v_reset, "v_rest": v_rest}
    run = lif(x, v, reset=reset, decay_input=decay_input, **p, **options)
    before = np.concatenate([v[None], run["v"][:-1]])
    gain = 1 - decay if decay_input else 1.0
    grads = {name: np.zeros_like(v) for name in p}
    gx, carry = np.zeros_like(x), np.zeros_like(v)
    for t in reversed(range(len(x))):
        u, s = run["u"][t], run["spikes"][t]
        carry = carry + gv[t]
        by_u, by_s = {"soft": (1.0, -v_threshold), "hard": (1 - s, v_reset - u), "none": (1.0, 0.0)}[reset]
        g_s = gs[t] if detach else gs[t] + carry * by_s
        g_threshold = -g_s * slope(u - v_threshold)
        g_u = carry * by_u - g_threshold
        grads["v_threshold"] += g_threshold - (carry * s if reset == "soft" else 0.0)
        grads["v_reset"] += carry * s if reset == "hard" else 0.0
        grads["v_rest"] += g_u * (1 - decay)
        grads["decay"] += g_u * (before[t] - v_rest - (x[t] if decay_input else 0.0))
        gx[t] = g_u * gain
        carry = g_u * decay
    return {"x": gx, "v": carry, **grads}


def cuba_lif_gradients(x, i, v, gs, gi, gv, *, decay_syn, **options):
    """The chain rule through ``cuba_lif``; ``options`` as in ``lif_gradients``."""
    current = cuba_lif(
        x, i, v, decay_syn=decay_syn, **{k: o for k, o in options.items() if k not in ("detach", "slope")}
    )["i"]
    inner = lif_gradients(current, v, gs, gv, **options)
    before = np.concatenate([i[None], current[:-1]])
    gx, carry, g_decay_syn = np.zeros_like(x), np.zeros_like(i), np.zeros_like(i)
    for t in reversed(range(len(x))):
        g_current = inner["x"][t] + gi[t] + carry
        gx[t] = g_current
        g_decay_syn += g_current * before[t]
        carry = g_current * decay_syn
    return {**inner, "x": gx, "i": carry, "decay_syn": g_decay_syn}
