"""Every built-in neuron against an independent oracle, its own smooth twin, and its compiled self."""

import math
import zlib

import numpy as np
import pytest

import nbsnn
from nbsnn import Neuron, Population, neurons
from nbsnn.compile.fill import kernel
from nbsnn.layers.layer import Setting
from nbsnn.neurons import ALIF, CLIF, IF, LI, LIF, PLIF, CubaLIF
from nbsnn.plasticity import Rule, Trace
from nbsnn.random import Draws
from nbsnn.surrogates import atan
from nbsnn.synapses import CustomSynapse

from . import reference

T, B, N = 40, 2, 5
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.4, 1.2, (T, B, N))
TAUS = np.array([1.5, 2.0, 3.0, 5.0, 20.0])


def f(tau, decay="exp", dt=1.0):
    return reference.factor(tau, decay, dt)


def at(value, like):
    return np.full(like.shape[1:], value, like.dtype)


# Name -> the neuron, and what the oracle makes of the input [T, B, N].
CASES = {
    "lif": (LIF(2.0), lambda x: reference.lif(x, at(0, x), decay=f(2.0))),
    "lif soft euler gain": (
        LIF(3.0, 0.8, None, decay="euler", decay_input=True),
        lambda x: reference.lif(x, at(0, x), decay=f(3.0, "euler"), v_threshold=0.8, reset="soft", decay_input=True),
    ),
    "lif none": (LIF(2.0, reset="none"), lambda x: reference.lif(x, at(0, x), decay=f(2.0), reset="none")),
    "lif rest above reset": (
        LIF(4.0, 0.9, -0.25, v_rest=0.5, compare=">"),
        lambda x: reference.lif(x, at(0.5, x), decay=f(4.0), v_threshold=0.9, v_reset=-0.25, v_rest=0.5, compare=">"),
    ),
    "lif per unit": (
        LIF(TAUS, np.linspace(0.5, 1.5, N), np.linspace(-0.2, 0.2, N)),
        lambda x: reference.lif(
            x, at(0, x), decay=f(TAUS), v_threshold=np.linspace(0.5, 1.5, N), v_reset=np.linspace(-0.2, 0.2, N)
        ),
    ),
    "refractory": (LIF(2.0, refractory=3), lambda x: reference.lif(x, at(0, x), decay=f(2.0), refractory=3)),
    "refractory soft": (
        LIF(5.0, 0.5, None, refractory=1.6),
        lambda x: reference.lif(x, at(0, x), decay=f(5.0), v_threshold=0.5, reset="soft", refractory=2),
    ),
    "if": (IF(1.5, v_start=0.25), lambda x: reference.if_(x, at(0.25, x), v_threshold=1.5)),
    "if soft drain": (IF(1.0, None, drain=0.1), lambda x: reference.if_(x, at(0, x), reset="soft", drain=0.1)),
    "cuba": (
        CubaLIF(4.0, 3.0, decay_input=True),
        lambda x: reference.cuba_lif(x, at(0, x), at(0, x), decay_syn=f(3.0), decay=f(4.0), decay_input=True),
    ),
    "cuba soft": (
        CubaLIF(4.0, TAUS, 3.0, None, v_rest=0.25),
        lambda x: reference.cuba_lif(
            x, at(0, x), at(0.25, x), decay_syn=f(TAUS), decay=f(4.0), v_threshold=3.0, v_rest=0.25, reset="soft"
        ),
    ),
    "alif": (
        ALIF(5.0, 30.0, 0.3),
        lambda x: reference.alif(x, at(0, x), at(0, x), decay=f(5.0), decay_adapt=f(30.0), beta=0.3),
    ),
    "alif hard per unit": (
        ALIF(5.0, 30.0, np.linspace(0, 1, N), 0.7, 0.1, v_rest=-0.1),
        lambda x: reference.alif(
            x, at(-0.1, x), at(0, x), decay=f(5.0), decay_adapt=f(30.0), beta=np.linspace(0, 1, N),
            v_threshold=0.7, v_reset=0.1, v_rest=-0.1, reset="hard",
        ),
    ),
    "plif": (PLIF(3.0), lambda x: reference.lif(x, at(0, x), decay=f(-np.log(2.0), "logit"))),
    "plif per unit": (PLIF(TAUS), lambda x: reference.lif(x, at(0, x), decay=1 - 1 / TAUS)),
    "li": (LI(TAUS, v_rest=0.5), lambda x: reference.li(x, at(0.5, x), decay=f(TAUS), v_rest=0.5)),
    "li gain": (LI(3.0, decay_input=True), lambda x: reference.li(x, at(0, x), decay=f(3.0), decay_input=True)),
    "clif": (
        CLIF(20.0, 12.0, 8.0, 2.0),
        lambda x: reference.clif(x, v0=6.75, decay_m=f(12.0), decay_q=f(8.0), decay_e=f(20.0), v_threshold=2.0),
    ),
    "clif per unit": (
        CLIF(20.0, 2 * TAUS, TAUS, 0.5, v0=1.0, decay="euler"),
        lambda x: reference.clif(
            x, v0=1.0, decay_m=f(2 * TAUS, "euler"), decay_q=f(TAUS, "euler"), decay_e=f(20.0, "euler"), v_threshold=0.5
        ),
    ),
}  # fmt: skip

COMPILED = [("lif", np.float32), ("lif", np.float64), ("refractory", np.float32), ("cuba", np.float32),
            ("alif", np.float32), ("clif per unit", np.float64)]  # fmt: skip


def compare_with_oracle(name, device, dtype):
    neuron, oracle = CASES[name]
    x = X.astype(dtype)
    run = Population(neuron, N, device=device, dtype=dtype).run(x)
    expected = oracle(x)
    assert run.output.dtype == dtype
    if neuron.output == "spikes":
        assert 0 < expected["spikes"].sum() < expected["spikes"].size  # both outcomes occur
        np.testing.assert_array_equal(run["spikes"], expected["spikes"])
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for variable in [neuron.output, *neuron.state]:
        np.testing.assert_allclose(run[variable], expected[variable], tolerance, tolerance, err_msg=variable)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_interpreted_equals_oracle(name, dtype):
    compare_with_oracle(name, "python", dtype)


@pytest.mark.parametrize(("name", "dtype"), COMPILED)
def test_compiled_equals_oracle(name, dtype):
    compare_with_oracle(name, "cpu", dtype)


@pytest.mark.parametrize("name", ["lif", "refractory", "cuba", "alif"])
def test_compiled_forward_equals_interpreted_bit_for_bit(name):
    neuron = CASES[name][0]
    compiled, interpreted = (Population(neuron, N, device=device).run(X) for device in ("cpu", "python"))
    for variable in [neuron.output, *neuron.state]:
        np.testing.assert_array_equal(compiled[variable], interpreted[variable], err_msg=variable)


def reverse(neuron, device, dtype=np.float32, *, steps=15, inject=True, static=False, smooth=False):
    """All gradients of a random linear loss on outputs and final states, and, with ``inject``, on all states."""
    rng = np.random.default_rng(1)
    population = Population(neuron, N)
    population.build((N,), Setting(1.0, dtype, device, smooth), Draws(0))
    x = np.broadcast_to(X[:1], (steps, B, N)) if static else X[:steps]
    x, tape, grads = population.check_input(x), {}, population.zeros()
    population.forward(x, population.initial(B), tape)
    gy = rng.normal(size=(steps, B, N)).astype(dtype)
    weights = {name: rng.normal(size=(steps, B, N)).astype(dtype) for name in neuron.state}
    after = {name: rng.normal(size=(B, N)).astype(dtype) for name in neuron.state}
    gx, before = population.backward(gy, tape, grads, after=after, inject=weights if inject else None)
    return {"x": gx, **{f"before {k}": g for k, g in before.items()}, **{f"param {k}": g for k, g in grads.items()}}


BACKWARD = {
    "lif": LIF(2.0, learn=("tau", "v_threshold", "v_rest")),
    "cuba": CubaLIF(np.array(TAUS), 3.0, 1.0, None, learn=("tau", "tau_syn")),
}


@pytest.mark.parametrize(("name", "inject", "static"), [("lif", False, False), ("cuba", True, True)])
def test_compiled_backward_equals_interpreted_bit_for_bit(name, inject, static):
    compiled, interpreted = (
        reverse(BACKWARD[name], device, inject=inject, static=static) for device in ("cpu", "python")
    )
    assert compiled["x"].shape == (1 if static else 15, B, N)
    for key, value in compiled.items():
        np.testing.assert_array_equal(value, interpreted[key], err_msg=key)
        assert key == "before spikes" or np.any(value), key


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("kind", ["soft", "hard", "none"])
@pytest.mark.parametrize("gain", [False, True])
def test_backward_of_lif_equals_the_chain_rule(kind, gain, detach):
    learn = ("tau", "v_threshold", "v_reset", "v_rest")
    p = {"v_threshold": 0.8, "v_reset": -0.1, "v_rest": 0.2}
    neuron = LIF(TAUS, **p, reset=kind, decay_input=gain, detach_reset=detach, learn=learn)
    result = reverse(neuron, "python", np.float64)
    rng = np.random.default_rng(1)
    gs, gv, last = rng.normal(size=(15, B, N)), rng.normal(size=(15, B, N)), rng.normal(size=(B, N))
    gv[-1] += last
    expected = reference.lif_gradients(
        X[:15], np.full((B, N), 0.2), gs, gv, decay=f(TAUS), **p, reset=kind, decay_input=gain, detach=detach
    )
    np.testing.assert_allclose(result["x"], expected["x"], 1e-10, 1e-12)
    np.testing.assert_allclose(result["before v"], expected["v"], 1e-10, 1e-12)
    by_tau = expected["decay"].sum(0) * np.exp(-1 / TAUS) / TAUS**2
    np.testing.assert_allclose(result["param tau"], by_tau, 1e-10, 1e-12)
    expected["v_rest"] = expected["v_rest"].sum() + expected["v"].sum()  # a run starts at v_rest
    for name in learn[1:]:
        np.testing.assert_allclose(result[f"param {name}"], expected[name].sum(), 1e-10, 1e-12, err_msg=name)


@pytest.mark.parametrize(("kind", "detach"), [("soft", False), ("hard", True)])
def test_backward_of_cuba_lif_equals_the_chain_rule(kind, detach):
    neuron = CubaLIF(
        4.0, 3.0, reset=kind, detach_reset=detach, decay_input=True, learn=("tau_syn", "tau", "v_threshold")
    )
    result = reverse(neuron, "python", np.float64)
    rng = np.random.default_rng(1)
    gs, gi, gv = (rng.normal(size=(15, B, N)) for _ in range(3))
    gi[-1] += rng.normal(size=(B, N))
    gv[-1] += rng.normal(size=(B, N))
    zero = np.zeros((B, N))
    expected = reference.cuba_lif_gradients(
        X[:15], zero, zero, gs, gi, gv, decay_syn=f(3.0), decay=f(4.0), reset=kind, detach=detach, decay_input=True
    )
    for key, name in (("x", "x"), ("before i", "i"), ("before v", "v")):
        np.testing.assert_allclose(result[key], expected[name], 1e-10, 1e-12, err_msg=key)
    for key, name, tau in (("param tau", "decay", 4.0), ("param tau_syn", "decay_syn", 3.0)):
        by_tau = expected[name].sum() * math.exp(-1 / tau) / tau**2
        np.testing.assert_allclose(result[key], by_tau, 1e-10, err_msg=key)
    np.testing.assert_allclose(result["param v_threshold"], expected["v_threshold"].sum(), 1e-10)


# Every equation's reverse, one step at a time: with the smooth spike it must equal finite differences.
STEPS = {
    **{f"lif {kind} {gain}": LIF(reset=kind, decay_input=gain)
       for kind in ("soft", "hard", "none") for gain in (False, True)},
    "refractory": LIF(refractory=2), "if": IF(), "if soft": IF(v_reset=None),
    "li": LI(), "li gain": LI(decay_input=True), "cuba": CubaLIF(decay_input=True), "cuba soft": CubaLIF(v_reset=None),
    "cuba li": neurons.CubaLI(), "cuba li gain": neurons.CubaLI(decay_input=True), "integrator": neurons.Integrator(),
    "counts": neurons.MultiSpike(most=4), "counts of sums": neurons.MultiSpike(None, most=3),
    "late": neurons.LateReset(), "late current": neurons.LateReset(tau_syn=3.0),
    "late gain": neurons.LateReset(decay_input=True),
    "alif": ALIF(), "alif hard": ALIF(v_reset=0.1), "clif": CLIF(), "plif": PLIF(),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_vjp_equals_finite_differences(name):
    neuron = STEPS[name]
    filling = neuron.filling(smooth=True)
    step, vjp = (kernel(g, device="python", dtype=np.float64, **filling) for g in (neuron.step, neuron.vjp))
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for _ in range(10):
        arguments = rng.uniform(0.1, 0.9, 1 + len(neuron.state) + len(neuron.params))
        if "left" in neuron.state:
            arguments[2] = rng.integers(0, 2)
        g = rng.normal(size=1 + len(neuron.state))
        if "left" in neuron.state:
            g[2] = 0.0  # a whole number: nothing is differentiated through it
        differences = []
        for k in range(len(arguments)):
            d = np.zeros(len(arguments))
            d[k] = 1e-6
            if "left" in neuron.state and k == 2:
                d[k] = 0.0
            up, down = (np.array(step(*(arguments + sign * d)), np.float64) for sign in (1, -1))
            differences.append(g @ (up - down) / 2e-6)
        np.testing.assert_allclose(vjp(*arguments, *g), differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda **o: IF(**o), [0.5, 0.5]),
        (lambda **o: LIF(2.0, decay="euler", **o), [0.5, 0.75]),
        (lambda **o: LIF(2.0, decay="euler", refractory=1, **o), [0.5, 0.75]),
        (lambda **o: PLIF(2.0, **o), [0.5, 0.75]),
        (lambda **o: CubaLIF(2.0, 2.0, decay="euler", **o), [0.5, 0.5]),
        (lambda **o: ALIF(2.0, 2.0, decay="euler", **o), [0.5, 0.75]),
        (lambda **o: CLIF(4.0, 4.0, 2.0, 0.25, v0=1.0, decay="euler", **o), [1.0, 0.0]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("compare", "spikes"), [(">=", 1.0), (">", 0.0)])
def test_equality_with_the_threshold(make, x, compare, spikes):
    run = Population(make(compare=compare), 1, device="python").run(np.reshape(x, (2, 1, 1)))
    np.testing.assert_array_equal(run.output.ravel(), [0.0, spikes])


def test_dt_is_the_unit_of_time_constants():
    fine = Population(LIF(2.0, refractory=0.3), N, dt=0.1, device="python", dtype=np.float64).run(X)
    steps = Population(LIF(20.0, refractory=3), N, device="python", dtype=np.float64).run(X)
    np.testing.assert_array_equal(fine["spikes"], steps["spikes"])
    np.testing.assert_allclose(fine["v"], steps["v"], 1e-12, 1e-14)


def test_constant_current_spikes_when_the_differential_equation_says():
    # tau v' = I - v reaches 1 at t = tau ln(I / (I - 1)), and again as often as it is reset to 0.
    tau, current, dt = 20.0, 1.5, 0.05
    population = Population(LIF(tau, decay_input=True), 1, dt=dt)
    spikes = population.run(np.broadcast_to(np.float32(current), (3000, 1, 1)))["spikes"]
    times = dt * (1 + np.flatnonzero(spikes))
    period = tau * math.log(current / (current - 1))
    np.testing.assert_allclose(np.diff(times), period, atol=1.5 * dt)


def test_clif_potential_of_one_input_peaks_at_one():
    x = np.zeros((4000, 1, 1))
    x[0] = 1.0
    run = Population(CLIF(20.0, 12.0, 8.0, 10.0), 1, dt=0.02, dtype=np.float64, device="python").run(x)
    assert (run["m"] - run["q"]).max() == pytest.approx(1.0, abs=1e-4)


def test_refractory_period_spaces_spikes():
    x = np.full((20, 1, 1), 5.0, np.float32)
    spikes = Population(LIF(refractory=3), 1, device="python").run(x)["spikes"]
    np.testing.assert_array_equal(np.flatnonzero(spikes), [0, 4, 8, 12, 16])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LIF(0.0), "tau must be a time constant greater than 0, not 0"),
        (lambda: LIF(np.array([1.0, 2.0, -3.0, 1.0, 1.0])), "not -3"),
        (lambda: LIF(float("nan")), "tau must be finite"),
        (lambda: LIF(v_threshold=float("inf")), "v_threshold must be finite"),
        (lambda: LIF(0.5, decay="euler"), "at least one step"),
        (lambda: LIF(decay="linear"), "'exp', 'euler'"),
        (lambda: LIF(compare="="), "compare must be"),
        (lambda: LIF(reset="half"), "reset must be"),
        (lambda: LIF(v_reset=None, reset="hard"), "needs a value"),
        (lambda: LIF(learn="speed"), "learn names 'speed'"),
        (lambda: LIF(learn=("tau", "tau")), "'tau' twice"),
        (lambda: LIF(refractory=-1.0), "refractory must be a period of at least 0"),
        (lambda: LIF(refractory=2.0, learn="refractory"), "refractory"),
        (lambda: LIF(np.ones(3)), r"parameter tau of shape \[3\] does not fit"),
        (lambda: CubaLIF(tau_syn=-1.0), "tau_syn must be"),
        (lambda: ALIF(tau_adapt=0.0), "tau_adapt must be"),
        (lambda: CLIF(tau_p=8.0, tau_q=8.0), "tau_p must be longer"),
        (lambda: CLIF(tau_p=TAUS, tau_q=TAUS[::-1]), "tau_p must be longer"),
        (lambda: PLIF(1.0), "greater than 1 step"),
        (lambda: LI(decay="half"), "'exp', 'euler'"),
    ],
)  # fmt: skip
def test_wrong_parameters_raise(make, message):
    with pytest.raises(ValueError, match=message):
        Population(make(), N)


def test_plif_takes_no_decay():
    with pytest.raises(TypeError, match="no decay option"):
        PLIF(decay="exp")


def own_step(x, v, decay):
    return v, decay * v + x


def own_vjp(x, v, decay, gs, gv):
    return gv, gs + decay * gv, gv * v


def step_of_three(x, v, decay):
    return (x, v) if v < 0.0 else (x, v, decay)


def step_of_nothing(x, v, decay):
    v = decay * v + x


def step_that_calls(x, v, decay):
    return own_step(x, v, decay)


def test_functions_with_a_wrong_number_of_results_raise():
    """What is returned beside the state would be dropped without a word."""
    parts = {"state": {"v": 0.0}, "params": {"decay": 0.5}}
    with pytest.raises(
        ValueError, match=r"step must return \(output, \*state\), 2 in number, .*step_of_three.* returns 3"
    ):
        Neuron(step_of_three, **parts)
    with pytest.raises(ValueError, match=r"step must return .* 2 in number, .*step_of_nothing.* returns None"):
        Neuron(step_of_nothing, **parts)
    with pytest.raises(ValueError, match=r"vjp must return .* 3 in number, .* returns 2"):
        Neuron(own_step, lambda x, v, decay, gs, gv: (gv, gs), **parts)
    Neuron(step_that_calls, **parts)  # what a call returns is not known here


@pytest.mark.parametrize(
    ("step", "vjp", "message"),
    [
        (own_vjp, None, r"step must take 3 arguments \(x, \*state, \*params\), but own_vjp takes 5"),
        (own_step, own_step, r"vjp must take 5 arguments .* but own_step takes 3"),
    ],
)
def test_functions_with_a_wrong_number_of_arguments_raise(step, vjp, message):
    with pytest.raises(ValueError, match=message):
        Neuron(step, vjp, state={"v": 0.0}, params={"decay": 0.5})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Neuron(own_step, state={"decay": 0.0}, params={"v": 0.5}),
            r"step .*\(current, decay, v\): its argument 'v'",
        ),
        (
            lambda: Neuron(own_step, lambda x, decay, v, gs, gv: (gs, gs, gs), state={"v": 0.0}, params={"decay": 0.5}),
            "vjp",
        ),
        (lambda: Rule(lambda w, pre, post, y, x: (0.0, 0.0), {"x": Trace()}, {"y": Trace()}), "change is called by"),
        (lambda: CustomSynapse(lambda a, k, s: (s, s), state={"s": 0.0}, params={"k": 1.0}), "step is called by"),
    ],
)
def test_functions_whose_arguments_have_each_others_names_raise(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "name",
    [
        "neurons.LIF", "synapses.Exponential", "optim.Adam", "plasticity.PairSTDP", "files.SpikeFile", "events.nmnist",
        "unsupervised.diehl_cook", "presets.snntorch.Leaky", "events.Recording or nbsnn.network.Recording",
    ],
)  # fmt: skip
def test_a_name_that_is_elsewhere_is_found(name):
    with pytest.raises(AttributeError, match=f"it is nbsnn.{name}$"):
        getattr(nbsnn, name.split(".")[-1])
    with pytest.raises(AttributeError, match=r"'nothing'$"):
        nbsnn.nothing  # noqa: B018


def test_an_own_neuron_without_vjp_simulates_but_does_not_learn():
    population = Population(Neuron(own_step, state={"v": 0.0}, params={"decay": 0.5}), N, device="python")
    tape = {}
    population.forward(population.check_input(X), population.initial(B), tape)
    with pytest.raises(ValueError, match="no vjp"):
        population.backward(np.ones((T, B, N), np.float32), tape, population.zeros())


@pytest.mark.parametrize("name", [n for n in dir(neurons) if n[0].isupper()])
def test_repr_shows_what_made_it_and_options_make_it_again(name):
    make = getattr(neurons, name)
    neuron = make()
    assert repr(neuron).startswith(f"{name}(")
    again = make(**neuron.options)
    assert (again.params, again.state, again.per_step) == (neuron.params, neuron.state, neuron.per_step)


def test_the_default_surrogate_is_atan():
    assert repr(LIF().surrogate) == repr(atan())
