"""A neuron with sliders: ``marimo run examples/play/neuron.py`` (``pip install ".[play]"``)."""

import marimo

app = marimo.App(app_title="A neuron")


@app.cell
def _():
    import marimo as mo
    import numpy as np
    from matplotlib.figure import Figure

    import nbsnn
    from nbsnn.neurons import LIF

    return Figure, LIF, mo, nbsnn, np


@app.cell
def _(mo):
    _look = {"show_value": True, "full_width": True, "debounce": False}
    current = mo.ui.slider(0.0, 4.0, 0.05, value=1.5, label="current (mV)", **_look)
    noise = mo.ui.slider(0.0, 5.0, 0.1, value=0.0, label="noise of the current (mV)", **_look)
    tau = mo.ui.slider(2.0, 50.0, 1.0, value=20.0, label="membrane time constant tau (ms)", **_look)
    threshold = mo.ui.slider(0.5, 2.0, 0.05, value=1.0, label="threshold (mV)", **_look)
    refractory = mo.ui.slider(0.0, 20.0, 0.5, value=2.0, label="refractory period (ms)", **_look)
    reset = mo.ui.radio(["to zero", "by subtraction"], value="to zero", inline=True, label="reset")
    return current, noise, refractory, reset, tau, threshold


@app.cell
def _(current, mo, noise, refractory, reset, tau, threshold):
    mo.md(f"""
# A leaky integrate-and-fire neuron

The current fills the membrane, the leak empties it: without a threshold it would settle at the current.

{mo.hstack([mo.vstack([current, noise, tau]), mo.vstack([threshold, refractory, reset])], widths="equal", gap=2)}
""")
    return


@app.cell
def _(LIF, current, nbsnn, noise, np, refractory, reset, tau, threshold):
    dt, steps = 0.1, 20_000  # ms
    cell = LIF(
        tau=tau.value / dt, v_threshold=threshold.value, v_reset=0.0 if reset.value == "to zero" else None,
        refractory=refractory.value / dt, decay_input=True,
    )  # fmt: skip
    levels = np.linspace(0.0, 4.0, 41)  # of the curve on the right; the last unit is the one that is shown
    drive = np.broadcast_to(np.append(levels, current.value), (steps, 1, 42))
    drive = drive + noise.value * np.random.default_rng(0).normal(size=(steps, 1, 1))
    run = nbsnn.Population(cell, 42, dtype=np.float64).run(drive)
    times, v, spikes = dt * np.arange(2000), run["v"][:2000, 0, -1], run["spikes"][:2000, 0, -1]
    rates = run["spikes"][:, 0].sum(0) / (1e-3 * dt * steps)  # Hz
    return levels, rates, spikes, times, v


@app.cell
def _(Figure, current, levels, rates, spikes, threshold, times, v):
    figure = Figure(figsize=(10.0, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    left.plot(times, v)
    left.vlines(times[spikes > 0], threshold.value, 1.4 * threshold.value, color="C3", label="spikes")
    left.axhline(threshold.value, color="0.6", linestyle="--", linewidth=1.0, label="threshold")
    left.set(xlabel="time (ms)", ylabel="membrane (mV)", title=f"the membrane: {int(spikes.sum())} spikes")
    left.legend(loc="lower right", fontsize="small")
    right.plot(levels, rates[:-1])
    right.plot(current.value, rates[-1], "o", color="C3")
    right.set(xlabel="current (mV)", ylabel="rate (Hz)", title=f"rate in 2 s: {rates[-1]:.1f} Hz")
    figure
    return


@app.cell
def _(mo):
    mo.md("""
- **Try** a current just below the threshold: no spike, ever. Now add noise.
- **Try** a large current: the refractory period bounds the rate, whatever the current.
""")
    return


if __name__ == "__main__":
    app.run()
