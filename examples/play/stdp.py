"""The window of STDP with sliders: ``marimo run examples/play/stdp.py`` (``pip install ".[play]"``)."""

import marimo

app = marimo.App(app_title="A window of STDP")


@app.cell
def _():
    import marimo as mo
    import numpy as np
    from matplotlib.figure import Figure

    from nbsnn.plasticity import NearestSTDP, PairSTDP, window

    return Figure, NearestSTDP, PairSTDP, mo, np, window


@app.cell
def _(mo):
    _look = {"show_value": True, "full_width": True}
    a_post = mo.ui.slider(0.0, 0.03, 0.001, value=0.010, label="a_post, what a post spike adds", **_look)
    a_pre = mo.ui.slider(0.0, 0.03, 0.001, value=0.011, label="a_pre, what a pre spike takes", **_look)
    tau_pre = mo.ui.slider(5, 60, 1, value=20, label="tau_pre, trace of pre spikes (ms)", **_look)
    tau_post = mo.ui.slider(5, 60, 1, value=20, label="tau_post, trace of post spikes (ms)", **_look)
    pairing = mo.ui.radio(["all pairs", "nearest"], value="all pairs", inline=True, label="which spikes pair")
    lag = mo.ui.slider(-30, 30, 1, value=8, label="post - pre (ms)", **_look)
    rate = mo.ui.slider(1, 50, 1, value=10, label="pairs per second", **_look)
    return a_post, a_pre, lag, pairing, rate, tau_post, tau_pre


@app.cell
def _(a_post, a_pre, lag, mo, pairing, rate, tau_post, tau_pre):
    mo.md(f"""
# Spike-timing-dependent plasticity

A post spike adds what is left of the trace of pre spikes; a pre spike takes what is left of the trace of post spikes.

{mo.hstack([mo.vstack([a_post, tau_pre, lag, pairing]), mo.vstack([a_pre, tau_post, rate])], widths="equal", gap=2)}
""")
    return


@app.cell
def _(NearestSTDP, PairSTDP, a_post, a_pre, lag, np, pairing, rate, tau_post, tau_pre, window):
    make = PairSTDP if pairing.value == "all pairs" else NearestSTDP
    rule = make(a_post=a_post.value, a_pre=a_pre.value, tau_pre=tau_pre.value, tau_post=tau_post.value)
    lags, change = window(rule, np.arange(-60, 61))
    steps, every = 2000, round(1000 / rate.value)  # ms
    pre, post = np.zeros((steps, 1, 1), np.float32), np.zeros((steps, 1, 1), np.float32)
    at = np.arange(50, steps - 50, every)
    pre[at], post[at + lag.value] = 1.0, 1.0
    result = rule.run(np.full((1, 1), 0.5, np.float32), pre, post, record=("weights",), device="python")
    weight = np.asarray(result["weights"]).reshape(-1)
    return at, change, lags, weight


@app.cell
def _(Figure, at, change, lag, lags, weight):
    figure = Figure(figsize=(10.0, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(lags, change)
    left.plot(lag.value, change[lag.value + 60], "o", color="C3")
    left.axhline(0.0, color="0.7", linewidth=0.8)
    left.set(xlabel="post - pre (ms)", ylabel="change of the weight", title="one pair of spikes")
    right.plot(weight)
    right.set(xlabel="time (ms)", ylabel="weight", title=f"{len(at)} pairs: 0.5 to {weight[-1]:.3f}", ylim=(0, 1))
    figure
    return


@app.cell
def _(mo):
    mo.md("""
- **Try** a lag of 8 ms at 10, then at 50 pairs per second. Now each post spike also
  stands 12 ms before the next pre spike.
- **Try** the same with the nearest spikes only.
""")
    return


if __name__ == "__main__":
    app.run()
