"""A surrogate with sliders: ``marimo run examples/play/surrogate.py`` (``pip install ".[play]"``)."""

import marimo

app = marimo.App(app_title="A surrogate")


@app.cell
def _():
    import marimo as mo
    import numpy as np
    from matplotlib.figure import Figure

    import nbsnn
    from nbsnn import surrogates
    from nbsnn.neurons import LIF

    return Figure, LIF, mo, nbsnn, np, surrogates


@app.cell
def _(mo):
    _look = {"show_value": True, "full_width": True}
    _kinds = ["atan", "sigmoid", "superspike", "erf", "piecewise_quadratic", "rect"]
    kind = mo.ui.dropdown(_kinds, value="atan", label="surrogate")
    sharpness = mo.ui.slider(0.2, 10.0, 0.1, value=2.0, label="its parameter (alpha; beta of superspike)", **_look)
    current = mo.ui.slider(0.0, 1.0, 0.01, value=0.30, label="input current (mV per step)", **_look)
    tau = mo.ui.slider(1.0, 20.0, 0.5, value=4.0, label="membrane time constant tau (steps)", **_look)
    detached = mo.ui.checkbox(value=False, label="no gradient through the reset")
    return current, detached, kind, sharpness, tau


@app.cell
def _(current, detached, kind, mo, sharpness, tau):
    mo.md(f"""
# What a surrogate lets through

A spike has no useful derivative. The backward pass takes the slope of a smooth stand-in, at the distance of the
membrane from its threshold. Below: one neuron, and how much each step's input is told to change.

{mo.hstack([mo.vstack([kind, sharpness, detached]), mo.vstack([current, tau])], widths="equal", gap=2)}
""")
    return


@app.cell
def _(LIF, current, detached, kind, nbsnn, np, sharpness, surrogates, tau):
    surrogate = getattr(surrogates, kind.value)(sharpness.value)
    u = np.linspace(-1.5, 1.5, 301)
    slope = np.array([surrogate.slope(float(each)) for each in u])
    smooth = np.array([surrogate.smooth(float(each)) for each in u])
    steps = 30
    # One neuron; each step's input has a weight of its own, whose gradient is that of the number of spikes.
    cell = LIF(tau=tau.value, v_reset=None, detach_reset=detached.value, surrogate=surrogate)
    net = nbsnn.Sequential(nbsnn.Dense(steps, 1, bias=False), cell, dtype=np.float64, device="python")
    net["dense1"].params["weight"][:] = current.value
    x = np.eye(steps)[:, None]
    run = net.run(x)
    learner = nbsnn.BPTT(net, loss=lambda y, target: (y.sum(), np.ones_like(y)))
    _, gradients = learner.gradients(x, None)
    gradient = gradients["dense1/weight"][:, 0]
    membrane, spikes = run["lif1"]["v"][:, 0, 0] + run["lif1"]["spikes"][:, 0, 0], run["lif1"]["spikes"][:, 0, 0]
    return gradient, membrane, slope, smooth, spikes, u


@app.cell
def _(Figure, gradient, membrane, np, slope, smooth, spikes, u):
    figure = Figure(figsize=(10.0, 5.0), layout="constrained")
    axes = figure.subplot_mosaic([["stand-in", "membrane"], ["slope", "gradient"]], width_ratios=[1, 2])
    axes["stand-in"].plot(u, smooth - smooth[150] + 0.5, label="smooth")
    axes["stand-in"].plot(u, u >= 0.0, color="0.6", linestyle=":", label="spike")
    axes["stand-in"].set(title="what stands in for the spike")
    axes["stand-in"].legend(fontsize="small")
    axes["slope"].fill_between(u, slope, alpha=0.3)
    axes["slope"].plot(u, slope)
    axes["slope"].set(title="its slope", xlabel="membrane - threshold", ylim=(0.0, None))
    t = np.arange(len(membrane))
    axes["membrane"].plot(t, membrane, marker=".")
    axes["membrane"].plot(t[spikes > 0], membrane[spikes > 0], "o", color="C3", label="spike")
    axes["membrane"].axhline(1.0, color="0.6", linestyle="--", linewidth=1.0)
    axes["membrane"].set(title=f"membrane before the reset, {int(spikes.sum())} spikes", ylim=(0.0, None))
    axes["gradient"].bar(t, gradient, color="C2")
    axes["gradient"].set(title="derivative of the number of spikes with respect to each step's input", xlabel="step")
    figure
    return


@app.cell
def _(mo):
    mo.md("""
- **Try** a current too small for a spike, with atan and then with rect: outside the window nothing
  passes, and the weights of a silent neuron stay as they are.
- **Try** a sharp surrogate: where the membrane meets the threshold the gradient is huge, elsewhere it is nothing.
""")
    return


if __name__ == "__main__":
    app.run()
