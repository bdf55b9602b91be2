"""Plasticity rules: against a naive NumPy loop, against tables computed by hand, and at the border."""

import inspect
import itertools
from math import exp

import numpy as np
import pytest

from nbsnn.compile.fill import kernel
from nbsnn.kernels.plasticity import bounds
from nbsnn.plasticity import (
    MSTDP,
    MSTDPET,
    ORDERS,
    DiehlCook,
    MetaNearestSTDP,
    NearestSTDP,
    Normalize,
    PairSTDP,
    PostPreInt,
    Rule,
    Trace,
    TripletSTDP,
    VogelsSTDP,
    figure,
    window,
)
from nbsnn.plasticity.bounds import clipped
from nbsnn.presets import bindsnet, spaic_stdp

T, B, N_PRE, N_POST = 25, 2, 5, 4
RNG = np.random.default_rng(3)
PRE = (RNG.random((T, B, N_PRE)) < 0.25).astype(np.float64)
POST = (RNG.random((T, B, N_POST)) < 0.25).astype(np.float64)
WEIGHTS = RNG.uniform(0.2, 0.8, (N_PRE, N_POST))
PAIR = {"a_post": 0.11, "a_pre": 0.07, "tau_pre": 6.0, "tau_post": 9.0}


def trace_oracle(spikes, tau, mode, order):
    """What a rule sees of a trace, by carrying out the words of ``order`` one by one."""
    a, seen = np.zeros_like(spikes[0]), []
    for s in spikes:
        for word in order.split():
            if word == "decay":
                a = a * exp(-1.0 / tau)
            elif word == "use":
                seen.append(a.copy())
            else:
                a = a + s if mode == "add" else np.where(s > 0, 1.0, a)
    return np.stack(seen)


def pair_oracle(pre, post, w, order="decay use add", mode="add", coincidence="count", bounds="hard", sign=1,
                batch="sum", w_min=0.0, w_max=1.0, mu=1.0, normalize=None):  # fmt: skip
    """Pair STDP as matrix products, all synapses at every step; returns the weights after each step."""
    x = trace_oracle(pre, PAIR["tau_pre"], mode, order)
    y = trace_oracle(post, PAIR["tau_post"], mode, order)
    w, history = w.copy(), []
    for t in range(len(pre)):
        up, down = np.zeros_like(w), np.zeros_like(w)
        for b in range(pre.shape[1]):
            open_ = 1.0 - np.outer(pre[t, b], post[t, b]) if coincidence == "ignore" else 1.0
            up += PAIR["a_post"] * np.outer(x[t, b], post[t, b]) * open_
            down += PAIR["a_pre"] * np.outer(pre[t, b], y[t, b]) * open_
        if batch == "mean":
            up, down = up / pre.shape[1], down / pre.shape[1]
        high, low = np.maximum(w_max - w, 0.0), np.maximum(w - w_min, 0.0)
        power = {"soft": 1.0, "power": mu}.get(bounds, 0.0)
        if sign > 0:
            d = up * high**power - down * low**power
        else:
            d = down * high**power - up * low**power
        w = w + d
        if bounds != "none":
            w = np.where(d != 0.0, np.clip(w, w_min, w_max), w)
        if normalize == "every" or (normalize == "end" and t == len(pre) - 1):
            w = 2.0 * w / np.abs(w).sum(0)
        history.append(w)
    return np.stack(history)


OPTIONS = [
    *({"order": order, "mode": mode} for order, mode in itertools.product(ORDERS, ("add", "set"))),
    {"coincidence": "ignore", "order": "decay add use"},
    {"sign": -1},
    {"sign": -1, "bounds": "soft"},
    {"batch": "mean"},
    {"bounds": "none"},
    {"bounds": "hard", "w_min": 0.4, "w_max": 0.6},
    {"bounds": "soft", "w_min": -0.2, "w_max": 1.3},
    {"bounds": "power", "mu": 0.5},
    {"bounds": "power", "mu": 1.5, "w_min": -0.2, "w_max": 1.3},
    {"normalize": "every"},
    {"normalize": "end"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_pair_rule_is_the_matrix_formula(options):
    expected = pair_oracle(PRE, POST, WEIGHTS, **options)
    if "normalize" in options:
        options = {**options, "normalize": Normalize(2.0, options["normalize"])}
    rule = PairSTDP(**PAIR, **options)
    run = rule.run(WEIGHTS, PRE, POST, in_place=False, device="python", record=("weights", "dw", "x", "y"))
    last = -1 if rule.normalize and rule.normalize.when == "end" else None  # recorded before the end of the run
    np.testing.assert_allclose(run["weights"][:last], expected[:last], rtol=0, atol=1e-13)
    np.testing.assert_allclose(run.weights, expected[-1], rtol=0, atol=1e-13)
    # Without a record, only the synapses of units that spike are visited.
    events = rule.run(WEIGHTS, PRE, POST, in_place=False, device="python").weights
    np.testing.assert_allclose(events, expected[-1], rtol=0, atol=1e-13)
    mode, order = options.get("mode", "add"), options.get("order", "decay use add")
    np.testing.assert_allclose(run["x"], trace_oracle(PRE, 6.0, mode, order), rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_is_interpreted(dtype):
    rule = PairSTDP(**PAIR, bounds="soft", coincidence="ignore")
    w = WEIGHTS.astype(dtype)
    results = [rule.run(w, PRE, POST, in_place=False, device=device).weights for device in ("cpu", "python")]
    assert results[0].dtype == dtype
    np.testing.assert_array_equal(*results)


def test_a_run_is_the_sum_of_its_parts():
    for rule in (PairSTDP(**PAIR), TripletSTDP(rate=9.0), MSTDPET(0.05), MetaNearestSTDP(0.05, 0.03)):
        signals = {"reward": np.linspace(-1.0, 1.0, T)} if "zeta" in rule.initial(1, WEIGHTS) else {}
        whole = rule.run(WEIGHTS, PRE, POST, in_place=False, device="python", **signals)
        w, state = WEIGHTS.copy(), None
        for part in (slice(0, 7), slice(7, 8), slice(8, T)):
            some = {name: value[part] for name, value in signals.items()}
            state = rule.run(w, PRE[part], POST[part], state, device="python", **some).state
        np.testing.assert_array_equal(w, whole.weights)
        assert int(state["step"]) == T
        np.testing.assert_array_equal(state["pre"][next(iter(rule.pre))], whole.state["pre"][next(iter(rule.pre))])


def test_only_synapses_with_a_spike_are_touched():
    pre, post = np.zeros((3, 1, N_PRE)), np.zeros((3, 1, N_POST))
    pre[0, 0, 1] = pre[2, 0, 3] = post[1, 0, 2] = 1.0
    # Would add 1 wherever it is called.
    rule = Rule(lambda w, s, q: (1.0, 0.0), bounds="none")
    run = rule.run(WEIGHTS, pre, post, in_place=False, device="python")
    expected = np.zeros_like(WEIGHTS)
    expected[[1, 3]] += 1.0
    expected[:, 2] += 1.0
    np.testing.assert_allclose(run.weights - WEIGHTS, expected, atol=1e-14)


# What one pair of spikes does, by hand: t_post - t_pre = 4, 1, 0, -1, -4. Weights start at 0.5.

DELTA_T = (4, 1, 0, -1, -4)
E20 = {k: exp(-k / 20.0) for k in (1, 4)}
W = 0.5

TABLES = {
    "pair": (PairSTDP(0.1, 0.2), (0.1 * E20[4], 0.1 * E20[1], 0.0, -0.2 * E20[1], -0.2 * E20[4])),
    "pair, coincident spikes see each other": (
        PairSTDP(0.1, 0.2, order="decay add use"),
        (0.1 * E20[4], 0.1 * E20[1], 0.1 - 0.2, -0.2 * E20[1], -0.2 * E20[4]),
    ),
    "pair, use before decay": (
        PairSTDP(0.1, 0.2, order="use decay add"),
        (0.1 * exp(-3 / 20), 0.1, 0.0, -0.2, -0.2 * exp(-3 / 20)),
    ),
    "nearest": (
        NearestSTDP(0.1, 0.2, 10.0, 5.0),
        (0.1 * exp(-0.4), 0.1 * exp(-0.1), 0.0, -0.2 * exp(-0.2), -0.2 * exp(-0.8)),
    ),
    "pair, soft": (
        PairSTDP(0.1, 0.2, bounds="soft", w_max=2.0),
        (0.1 * E20[4] * 1.5, 0.1 * E20[1] * 1.5, 0.0, -0.2 * E20[1] * 0.5, -0.2 * E20[4] * 0.5),
    ),
    "pair, anti-Hebbian": (
        PairSTDP(0.1, 0.2, sign=-1),
        (-0.1 * E20[4], -0.1 * E20[1], 0.0, 0.2 * E20[1], 0.2 * E20[4]),
    ),
    "triplet visual: pairs depress or (almost) do nothing": (
        TripletSTDP("visual"),
        (5e-10 * exp(-4 / 16.8), 5e-10 * exp(-1 / 16.8), 0.0, -7e-3 * exp(-1 / 33.7), -7e-3 * exp(-4 / 33.7)),
    ),
    "triplet hippocampal": (
        TripletSTDP("hippocampal"),
        (6.1e-3 * exp(-4 / 16.8), 6.1e-3 * exp(-1 / 16.8), 0.0, -1.6e-3 * exp(-1 / 33.7), -1.6e-3 * exp(-4 / 33.7)),
    ),
    "Diehl-Cook: one postsynaptic spike does not potentiate": (
        DiehlCook(a_post=0.1, a_pre=0.2),
        (0.0, 0.0, 0.0, -0.2 * E20[1], -0.2 * E20[4]),
    ),
    "MSTDP": (MSTDP(0.1), (0.1 * E20[4], 0.1 * E20[1], 0.0, -0.1 * E20[1], -0.1 * E20[4])),
    "meta": (
        MetaNearestSTDP(0.1, 0.2, 20.0, 20.0),
        tuple(d * exp(-0.2 / 0.5) for d in (0.1 * E20[4], 0.1 * E20[1], -0.1, -0.2 * E20[1], -0.2 * E20[4])),
    ),
    "SPAIC nearest": (
        spaic_stdp.nearest_online_stdp(0.1, 0.2),
        (0.1 * E20[4], 0.1 * E20[1], -0.1, -0.2 * E20[1], -0.2 * E20[4]),
    ),
    "SPAIC full": (
        spaic_stdp.full_online_stdp(0.1, 0.2, exp(-0.5)),
        (0.1 * exp(-2.0), 0.1 * exp(-0.5), -0.1, -0.2 * exp(-0.5), -0.2 * exp(-2.0)),
    ),
    "SPAIC meta": (
        spaic_stdp.meta_nearest_online_stdp(0.1, 0.2, exp(-1 / 20), exp(-1 / 20)),
        tuple(d * exp(-0.4) for d in (0.1 * E20[4], 0.1 * E20[1], -0.1, -0.2 * E20[1], -0.2 * E20[4])),
    ),
    "BindsNET PostPre": (
        bindsnet.PostPre((0.2, 0.1)),
        (0.1 * E20[4], 0.1 * E20[1], -0.1, -0.2 * E20[1], -0.2 * E20[4]),
    ),
    "BindsNET weight-dependent": (
        bindsnet.WeightDependentPostPre((0.2, 0.1), wmax=0.6),
        (0.01 * E20[4], 0.01 * E20[1], 0.1 * 0.1 - 0.2 * 0.5, -0.1 * E20[1], -0.1 * E20[4]),
    ),
    "BindsNET MSTDP": (bindsnet.MSTDP(0.1), (0.1 * E20[4], 0.1 * E20[1], 0.0, -0.1 * E20[1], -0.1 * E20[4])),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_two_spikes(name):
    rule, expected = TABLES[name]
    delta_t, dw = window(rule, DELTA_T, w=W)
    np.testing.assert_array_equal(delta_t, DELTA_T)
    np.testing.assert_allclose(dw, expected, rtol=0, atol=1e-14)


def spikes_at(steps, length=12):
    train = np.zeros((length, 1, 1))
    train[list(steps)] = 1.0
    return train


def change_by(rule, pre, post, **signals):
    return float(
        rule.run(np.full((1, 1), W), spikes_at(pre), spikes_at(post), device="python", **signals).weights[0, 0] - W
    )


def test_three_spikes():
    # post at 1, pre at 4, post at 6
    assert change_by(DiehlCook(0.1, 0.2), [4], [1, 6]) == pytest.approx(
        -0.2 * exp(-3 / 20) + 0.1 * exp(-2 / 20) * exp(-5 / 40), abs=1e-14
    )
    assert change_by(TripletSTDP("visual"), [4], [1, 6]) == pytest.approx(
        -7e-3 * exp(-3 / 33.7) + exp(-2 / 16.8) * (5e-10 + 6.2e-3 * exp(-5 / 125)), abs=1e-14
    )
    assert change_by(VogelsSTDP(0.1, rate=5.0), [4], [1, 6]) == pytest.approx(
        0.1 * (exp(-3 / 20) - 0.2) + 0.1 * exp(-2 / 20), abs=1e-14
    )
    # pre at 1, post at 4, pre at 6
    assert change_by(TripletSTDP("hippocampal"), [1, 6], [4]) == pytest.approx(
        6.1e-3 * exp(-3 / 16.8) - exp(-2 / 33.7) * (1.6e-3 + 1.4e-3 * exp(-5 / 946)), abs=1e-14
    )
    # pre at 1 and 3, post at 6: all pairs, or the nearest alone
    assert change_by(PairSTDP(0.1, 0.2), [1, 3], [6]) == pytest.approx(0.1 * (exp(-5 / 20) + exp(-3 / 20)), abs=1e-14)
    for rule in (NearestSTDP(0.1, 0.2), bindsnet.PostPre((0.2, 0.1))):
        assert change_by(rule, [1, 3], [6]) == pytest.approx(0.1 * exp(-3 / 20), abs=1e-14)


def test_eligibility_by_hand():
    # pre at 1, post at 3: zeta[3] = exp(-2/20), seen by the reward of step 4 and, with a trace, of later ones
    zeta = exp(-2 / 20)
    reward = np.zeros(12)
    reward[4], reward[6] = 2.0, 1.0
    assert change_by(MSTDP(0.1), [1], [3], reward=reward) == pytest.approx(0.2 * zeta, abs=1e-14)
    for rule in (MSTDPET(0.1, tau_e=25.0), bindsnet.MSTDPET(0.1)):
        expected = 0.1 * (2.0 * zeta / 25 + zeta / 25 * exp(-2 / 25))
        assert change_by(rule, [1], [3], reward=reward) == pytest.approx(expected, abs=1e-14)
    reward[:] = 0.0
    reward[3] = 1.0  # the reward comes with the pair, not after it
    assert change_by(MSTDPET(0.1), [1], [3], reward=reward) == 0.0


def test_rewards_of_a_batch_add_up():
    reward = RNG.normal(size=(T, B))
    for make in (MSTDP, MSTDPET):
        rule = make(0.02, bounds="none")
        together = rule.run(WEIGHTS, PRE, POST, in_place=False, device="python", reward=reward).weights - WEIGHTS
        alone = sum(
            rule.run(
                WEIGHTS, PRE[:, b : b + 1], POST[:, b : b + 1], in_place=False, device="python", reward=reward[:, b]
            ).weights
            - WEIGHTS
            for b in range(B)
        )
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-13)


def test_published_triplet_constants():
    """All eight rows are there, and the two sets of data differ."""
    seen = {
        tuple(TripletSTDP(*names).params.values())
        for names in itertools.product(("visual", "hippocampal"), ("all", "nearest"), ("full", "minimal"))
    }
    assert len(seen) == 8
    # Minimal visual model: pre-post pairs alone do nothing, at high rates it potentiates (the paper's figure 1).
    rule = TripletSTDP("visual", model="minimal")

    def at_rate(period, delta):
        times = np.arange(100, 1500, period)
        trains = []
        for shift in (0, delta):
            train = np.zeros((1600, 1, 1))
            train[times + shift] = 1.0
            trains.append(train)
        return rule.run(np.full((1, 1), W), *trains, device="python").weights[0, 0] - W

    assert at_rate(500, 10) < 1e-4 < at_rate(20, 10)


def own_rule():
    """Symmetric STDP with an offset: a rule of one's own, complete."""

    def change(w, pre, post, x, y, rate, offset):
        return rate * (x - offset) * post, rate * (y - offset) * pre

    traces = {"x": Trace(15.0, "set")}, {"y": Trace(15.0, "set")}
    return Rule(change, *traces, params={"rate": 0.1, "offset": 0.4})


def test_own_rule_in_few_lines():
    assert len(inspect.getsource(own_rule).splitlines()) < 30
    _, dw = window(own_rule(), [-3, 3])
    np.testing.assert_allclose(dw, 0.1 * (exp(-3 / 15) - 0.4) + 0.1 * (-0.4), atol=1e-14)
    w = WEIGHTS.astype(np.float32)
    compiled, interpreted = (own_rule().run(w, PRE, POST, in_place=False, device=d).weights for d in ("cpu", "python"))
    np.testing.assert_array_equal(compiled, interpreted)


def test_normalisation():
    w = np.array([[1.0, 0.0], [-3.0, 0.0]])
    Normalize(2.0).apply(w)
    np.testing.assert_array_equal(w, [[0.5, 0.0], [-1.5, 0.0]])
    quirk = np.array([[1.0, 0.0]])
    Normalize(2.0, guard=False).apply(quirk)
    assert quirk[0, 0] == 2.0 and np.isnan(quirk[0, 1])
    rule = PairSTDP(**PAIR, normalize=Normalize(1.5, 3))
    run = rule.run(WEIGHTS, PRE[:6], POST[:6], in_place=False, device="python", record=("weights",))
    assert [bool(np.allclose(w.sum(0), 1.5)) for w in run["weights"]] == [False] * 3 + [True] * 3
    run = PairSTDP(**PAIR, normalize=Normalize(3.0), w_max=0.9).run(WEIGHTS, PRE, POST, in_place=False, device="python")
    np.testing.assert_allclose(run.weights.sum(0), 3.0)


def test_in_place_or_not():
    w = WEIGHTS.copy()
    assert PairSTDP(**PAIR).run(w, PRE, POST, in_place=False, device="python").weights is not w
    np.testing.assert_array_equal(w, WEIGHTS)
    run = PairSTDP(**PAIR, bounds="none").run(w, PRE, POST, device="python", record=("dw",))
    assert run.weights is w
    np.testing.assert_allclose(w - WEIGHTS, run["dw"].sum(0), atol=1e-13)
    with pytest.raises(KeyError, match="was not recorded"):
        run["x"]


def test_window_figure():
    pytest.importorskip("matplotlib")
    ax = figure(PairSTDP(0.1, 0.2), delta_t=range(-3, 4), title="pair")
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [0.1 * exp(-k / 20) for k in (1, 2, 3)])
    assert ax.get_title() == "pair"
    ax.figure.clear()


# Bad input


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (ValueError, "tau of a trace", lambda: Trace(-1.0)),
        (ValueError, "tau of a trace", lambda: Trace(float("nan"))),
        (ValueError, "factor of a trace", lambda: Trace(-0.1, decay="factor")),
        (ValueError, "mode of a trace", lambda: Trace(mode="replace")),
        (ValueError, "order of a trace", lambda: Trace(order="add use")),
        (ValueError, "decay of a trace", lambda: Trace(decay="linear")),
        (ValueError, "bounds", lambda: PairSTDP(bounds="firm")),
        (ValueError, "w_min must be below w_max", lambda: PairSTDP(w_min=1.0)),
        (ValueError, "parameter a_post must be finite", lambda: PairSTDP(float("inf"))),
        (ValueError, "sign", lambda: PairSTDP(sign=0)),
        (ValueError, "coincidence", lambda: PairSTDP(coincidence="maybe")),
        (ValueError, "batch", lambda: PairSTDP(batch="max")),
        (ValueError, "clip", lambda: PairSTDP(clip="never")),
        (TypeError, "normalize must be", lambda: PairSTDP(normalize=78.4)),
        (ValueError, "total of a normalisation", lambda: Normalize(-1.0)),
        (ValueError, "when must be", lambda: Normalize(1.0, "sometimes")),
        (ValueError, "change must take 4 arguments", lambda: Rule(lambda w, x: (0.0, 0.0), {"x": Trace()})),
        (ValueError, r"change must return \(on_post, on_pre\), 2 in number", lambda: Rule(lambda w, s, q: (w, s, q))),
        (ValueError, "both sides", lambda: Rule(lambda w, s, q, x, y: (0.0, 0.0), {"x": Trace()}, {"x": Trace()})),
        (TypeError, "must be a Trace", lambda: Rule(lambda w, s, q, x: (0.0, 0.0), {"x": 20.0})),
        (ValueError, "data must be", lambda: TripletSTDP("retinal")),
        (ValueError, "rate must be at least 0", lambda: VogelsSTDP(rate=-1.0)),
        (ValueError, "tau", lambda: VogelsSTDP(tau=0.0)),
        (ValueError, "tau_e", lambda: MSTDPET(tau_e=0.0)),
        (ValueError, "bounds of a rewarded rule", lambda: MSTDP(bounds="soft")),
        (ValueError, "shift must be from", lambda: PostPreInt(shift=40)),
        (TypeError, "nu_pre must be an integer", lambda: PostPreInt(nu_pre=0.5)),
        (ValueError, "w_min must not be above", lambda: PostPreInt(w_min=200)),
        (ValueError, "delta_t", lambda: window(PairSTDP(), [0.5])),
    ],
)  # fmt: skip
def test_bad_options(error, message, make):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (TypeError, "weights must be an array", {"weights": [[0.5]]}),
        (TypeError, "weights must be an array of float32 or float64", {"weights": WEIGHTS.astype(int)}),
        (ValueError, "weights must have shape", {"weights": WEIGHTS[0].copy()}),
        (
            ValueError,
            "weights contains 1 NaN",
            {"weights": np.where(WEIGHTS.max() > WEIGHTS, WEIGHTS, np.nan)},
        ),
        (ValueError, "writable and in C order", {"weights": WEIGHTS.T.copy().T}),
        (ValueError, "weights must not be empty", {"weights": np.empty((0, 4))}),
        (ValueError, "pre spikes must have shape", {"pre": PRE[..., 1:]}),
        (ValueError, "pre spikes must not be empty", {"pre": PRE[:0]}),
        (ValueError, "post spikes must have shape", {"post": POST[0]}),
        (ValueError, "pre spikes must be 0 or 1", {"pre": 0.5 * PRE}),
        (ValueError, "pre spikes must be 0 or 1, not nan", {"pre": np.where(PRE == 1.0, np.nan, PRE)}),
        (TypeError, "post must be numbers", {"post": POST.astype(complex)}),
        (ValueError, "agree in steps", {"post": POST[1:]}),
        (ValueError, "device", {"device": "tpu"}),
        (ValueError, "a recorded variable", {"record": ("v",)}),
        (TypeError, "state must be a dict", {"state": 3}),
        (ValueError, "state has the entries", {"state": {}}),
        (ValueError, "shape", {"state": PairSTDP().initial(B + 1, WEIGHTS)}),
    ],
    ids=itertools.count(),
)
def test_bad_runs(error, message, change):
    arguments = {"weights": WEIGHTS.copy(), "pre": PRE, "post": POST, "device": "python", **change}
    with pytest.raises(error, match=message):
        PairSTDP().run(**arguments)


def test_bad_rewards():
    for error, message, reward in (
        (TypeError, "needs reward", None),
        (ValueError, "reward must have shape", np.zeros(T + 1)),
        (ValueError, "reward contains", np.full(T, np.nan)),
        (TypeError, "reward must be numbers", "good"),
    ):
        with pytest.raises(error, match=message):
            MSTDP().run(WEIGHTS.copy(), PRE, POST, device="python", reward=reward)


def test_mean_of_integer_rounding():
    """The window of the integer rule, on average, is rate times trace over 2^shift."""
    rule = PostPreInt(nu_pre=-3000, nu_post=5000, shift=14)
    _, dw = window(rule, [2, -2, 30], w=50, samples=4000)
    a = {0: 127}
    for k in range(30):
        a[k + 1] = (a[k] * 31169) >> 15  # the trace rounds down at every step
    np.testing.assert_allclose(dw, np.array([5000 * a[2], -3000 * a[2], 5000 * a[30]]) / 2**14, atol=0.04)


@pytest.mark.parametrize("flags", list(itertools.product((0, 1), repeat=5)), ids=str)
def test_increments_bounds_and_totals_of_all_weights(flags):
    """Marked are row 3 and columns 1 and 4 of 5 x 6 weights, some beyond the bounds, and a column of zeros."""
    first, every, bounded, due, cut = flags
    rng, low, high, total = np.random.default_rng(0), -0.6, 0.7, 2.5
    w, dw, rows, columns = rng.uniform(-1, 1, (5, 6)), np.zeros((5, 6)), np.zeros(5, int), np.zeros(6, int)
    w[:, 2], rows[3], columns[[1, 4]] = 0.0, 1, 1
    dw[3, [0, 1, 3, 5]], dw[:, [1, 4]] = rng.uniform(-1, 1, 4), rng.uniform(-1, 1, (5, 2))
    dw[[1, 3], 4] = 0.0  # visited, without a change
    changed, wanted = dw != 0.0, w + dw

    def normalized():
        sums = np.abs(wanted).sum(axis=0)
        return total * wanted / np.where(sums == 0.0, total, sums)

    wanted = normalized() if due and first else wanted
    if bounded:
        wanted = np.where(changed | bool(every and (cut or due)), np.clip(wanted, low, high), wanted)
    wanted = normalized() if due and not first else wanted
    numbers = {"BEFORE_CLIP": first, "CLIP_ALL": every, "BOUNDED": bounded, "GUARD": 1}
    settle = kernel(bounds.settle, device="python", dtype=float, clip=clipped, **numbers)
    settle(w, dw, rows, columns, np.array([low, high]), np.full(6, 7.0), total, due, cut)
    np.testing.assert_allclose(w, wanted, 1e-13)
    assert not dw.any()
