"""Every neuron and surrogate, found by listing the packages, passes; what is planted wrong is found and named."""

import importlib
import inspect
import itertools
import math
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from nbsnn import Delay, Dense, Dropout, Neuron, Population, Recurrent, Residual, Sequential, dspike, neurons, spike
from nbsnn import surrogates as shapes
from nbsnn.compile.fill import kernel
from nbsnn.gradcheck.check import GradientError, check
from nbsnn.neurons import ALIF, CLIF, IF, LI, LIF, PLIF, CubaLIF
from nbsnn.neurons.lif import vjp as lif_vjp
from nbsnn.neurons.reset import attached, detached
from nbsnn.surrogates import Surrogate

TYPES = {"Neuron": Neuron, "Surrogate": Surrogate}


def made_in(package: Any, result: str) -> dict[str, Callable[..., Any]]:
    """All functions of a package's modules that say they return ``result``."""
    modules = [importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    return {
        name: function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and inspect.get_annotations(function).get("return") in (result, TYPES[result])
        and name[0] != "_"
    }


MODELS = {name: make for name, make in made_in(neurons, "Neuron").items() if name[0].isupper()}
SURROGATES = {name: make for name, make in made_in(shapes, "Surrogate").items() if hasattr(shapes, name)}
CHOICES: dict[str, list[Any]] = {
    "reset": ["soft", "hard", "none"],
    "detach_reset": [False, True],
    "decay_input": [False, True],
    "refractory": [0.0, 2.0],
    "compare": [">=", ">"],
}


def variants() -> Iterator[Any]:
    """Every neuron with every combination of the options that it has; a PLIF has those of a LIF."""
    for name, make in MODELS.items():
        if make().vjp is None:
            continue  # simulates, and does not learn: there is nothing to check
        known = inspect.signature(make).parameters
        if any(p.kind is p.VAR_KEYWORD for p in known.values()):
            known = {**known, **inspect.signature(LIF).parameters}
        choices = {option: values for option, values in CHOICES.items() if option in known}
        for values in itertools.product(*choices.values()):
            options = dict(zip(choices, values, strict=True))
            if options.get("reset") == "hard":
                options["v_reset"] = 0.1
            yield pytest.param(name, options, id=f"{name}-{'-'.join(map(str, values))}")


def test_the_listing_finds_the_packages() -> None:
    assert set(MODELS) >= {"ALIF", "CLIF", "CubaLIF", "IF", "LI", "LIF", "PLIF"}
    assert len(SURROGATES) >= 22


@pytest.mark.parametrize(("name", "options"), list(variants()))
def test_every_neuron_passes(name: str, options: dict[str, Any]) -> None:
    neuron = MODELS[name](**options)
    result = check(neuron, trials=9)
    assert [row.what.split()[1] for row in result.rows] == ["x", *neuron.state, *neuron.params]
    assert all(row.error <= 1e-6 for row in result.rows)
    # Not for want of gradients: one that is zero everywhere would agree with anything that returns nothing.
    assert result.rows[0].numeric != 0.0


@pytest.mark.parametrize("name", SURROGATES)
def test_every_surrogate_passes_alone_and_in_a_neuron(name: str) -> None:
    surrogate = SURROGATES[name]()
    assert all(row.error <= 1e-6 for row in check(surrogate).rows)
    check(LIF(surrogate=surrogate, detach_reset=True), trials=9)
    check(ALIF(surrogate=surrogate), trials=9)


def test_a_wrong_slope_is_found() -> None:
    good = shapes.sigmoid()
    with pytest.raises(GradientError, match="u within"):
        check(Surrogate("steep", {}, good.smooth, lambda u: 1.01 * good.slope(u)))


def test_a_surrogate_that_is_never_smooth_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere smooth"):
        check(Surrogate("noise", {}, lambda u: float(hash(u) % 1000), lambda u: 0.0))


# Planted errors in copies of LIF's functions.

ARGUMENTS = ("x", "v", "tau", "v_threshold", "v_reset", "v_rest")


def with_sign_error(k: int) -> Callable[..., tuple]:
    def vjp(x, v, decay, v_threshold, v_reset, v_rest, gs, gv):
        g = lif_vjp(x, v, decay, v_threshold, v_reset, v_rest, gs, gv)
        return (*g[:k], -g[k], *g[k + 1 :])

    return vjp


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_sign_error_is_found_and_named(name: str, detach: bool) -> None:
    wrong = LIF(detach_reset=detach).replace(vjp=with_sign_error(ARGUMENTS.index(name)))
    with pytest.raises(GradientError, match=rf"^the gradient with respect to \w+ {name}\b"):
        check(wrong)


@pytest.mark.parametrize("v_reset", [1e-3, 1e-4, 1e-6, 1e-8])
def test_small_parameters_pass_and_their_errors_are_found(v_reset: float) -> None:
    neuron = LIF(v_reset=v_reset)
    check(neuron)
    with pytest.raises(GradientError, match=r"^the gradient with respect to parameter v_reset\b"):
        check(neuron.replace(vjp=with_sign_error(ARGUMENTS.index("v_reset"))))


@pytest.mark.parametrize("make", [LIF, ALIF, CLIF, CubaLIF, IF, PLIF])
@pytest.mark.parametrize("claimed", [False, True])
def test_a_wrong_detach_is_found(make: Callable[..., Neuron], claimed: bool) -> None:
    neuron = make(detach_reset=claimed)

    def filled(dthrough: Callable) -> Neuron:
        filling = {**neuron.filling(smooth=True), "dthrough": dthrough}
        return neuron.replace(vjp=kernel(neuron.vjp, device="python", dtype=np.float64, **filling))

    right, wrong = (detached, attached) if claimed else (attached, detached)
    check(filled(right))
    with pytest.raises(GradientError, match="the gradient with respect to"):
        check(filled(wrong))


def square_step(x, v, decay, v_threshold):
    u = decay * v + x * x
    s = spike(u - v_threshold)
    return s, u - s * v_threshold


def square_vjp(x, v, decay, v_threshold, gs, gv):
    u = decay * v + x * x
    s = spike(u - v_threshold)
    gd = (gs - gv * v_threshold) * dspike(u - v_threshold)
    gu = gv + gd
    return 2.0 * x * gu, gu * decay, gu * v, -gd - gv * s


def root_step(x, v, gain):
    u = v + gain * math.sqrt(x)
    return u, u


def root_vjp(x, v, gain, gy, gv):
    return (gy + gv) * 0.5 * gain / math.sqrt(x), gy + gv, (gy + gv) * math.sqrt(x)


def own(step: Any = square_step, vjp: Any = square_vjp, **changes: Any) -> Neuron:
    return Neuron(step, vjp, **{"state": {"v": 0.0}, "params": {"decay": 0.9, "v_threshold": 30.0}, **changes})


def test_a_neuron_of_ones_own_is_tried_near_its_threshold() -> None:
    def nearly(x, v, decay, v_threshold, gs, gv):
        u = decay * v + x * x
        gd = 1.01 * (gs - gv * v_threshold) * dspike(u - v_threshold)
        return 2.0 * x * (gv + gd), (gv + gd) * decay, (gv + gd) * v, -gd - gv * spike(u - v_threshold)

    for narrow in (shapes.rect(5.0), shapes.erf(10.0)):
        check(own(surrogate=narrow))
        check(own(surrogate=narrow), ranges={"v": (20.0, 30.0)})
        with pytest.raises(GradientError):
            check(own(vjp=nearly, surrogate=narrow))


def test_points_outside_a_functions_domain_are_skipped() -> None:
    neuron = own(root_step, root_vjp, params={"gain": np.array([1.0, 2.0])})
    check(neuron)
    check(neuron, ranges={"x": (0.5, 2.0)})
    with pytest.raises(ValueError, match="ranges"):
        check(neuron, ranges={"x": (-2.0, -1.0)})


def counting_step(x, v, steps, last, total):
    u = v + x
    s = spike(u - 1.0)
    return s, u, steps + 1.0, s, 0.5 * total + last


def counting_vjp(x, v, steps, last, total, gs, gv, g_steps, g_last, g_total):
    gu = gv + (gs + g_last) * dspike(v + x - 1.0)
    return gu, gu, 0.0, g_total, 0.5 * g_total


def counting_wrong(x, v, steps, last, total, gs, gv, g_steps, g_last, g_total):
    gu = gv + (gs + g_last) * dspike(v + x - 1.0)
    return gu, gu, 0.0, 0.0, 0.5 * g_total


def test_only_what_counts_may_have_no_derivative() -> None:
    state = {"v": 0.0, "steps": 0.0, "last": 0.0, "total": 0.0}
    check(own(counting_step, counting_vjp, state=state, params={}))
    with pytest.raises(GradientError, match="state last"):
        check(own(counting_step, counting_wrong, state=state, params={}))


def integer_step(x, v, decay, v_threshold):
    return (1 if x > v_threshold else 0), decay * v


def bool_step(x, v, decay, v_threshold):
    return x > v_threshold, decay * v


def short_step(x, v, decay, v_threshold):
    return decay * v


def short_vjp(x, v, decay, v_threshold, gs, gv):
    return tuple([gv, gv, gv])


def integer_vjp(x, v, decay, v_threshold, gs, gv):
    return 0, gv * decay, gv * v, 0.0


@pytest.mark.parametrize(
    ("step", "vjp", "message"),
    [
        (integer_step, square_vjp, r"step returns [01], of type int, for spikes.*write 1.0, not 1"),
        (bool_step, square_vjp, r"step returns (True|False), of type bool, for spikes"),
        (short_step, square_vjp, r"step must return a tuple of 2 \(spikes, v\), but it returns a single float"),
        (square_step, short_vjp, r"vjp must return a tuple of 4 .* returns 3 results"),
        (square_step, integer_vjp, r"vjp returns 0, of type int, for the derivative with respect to x"),
    ],
)
def test_results_must_be_floats_and_complete(step: Callable, vjp: Callable, message: str) -> None:
    with pytest.raises(GradientError, match=message):
        check(own(step, vjp))


def test_wrong_use_is_said_in_words() -> None:
    with pytest.raises(ValueError, match="has no vjp"):
        check(own(vjp=None))
    with pytest.raises(ValueError, match=r"lif1.*has no vjp"):
        check(Sequential(Dense(2, 2), lif1=LIF().replace(vjp=None)))
    with pytest.raises(ValueError, match="not built"):
        check(Population(LIF()))
    with pytest.raises(TypeError, match="not 3"):
        check(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="x is the input of a layer"):
        check(LIF(), np.ones((1, 1, 1)))
    with pytest.raises(ValueError, match="ranges names 'w'"):
        check(LIF(), ranges={"w": (0.0, 1.0)})


# Networks

TAUS = np.array([2.0, 3.0, 5.0])
NETWORKS: dict[str, Callable[[], Any]] = {
    "sequential": lambda: Sequential(Dense(2, 3), LIF(), Dense(3, 2, bias=False), LI()),
    "detached": lambda: Sequential(Dense(2, 3), LIF(detach_reset=True), CLIF(detach_reset=True)),
    "soft refractory": lambda: Sequential(Dense(2, 3), LIF(v_reset=None, refractory=2.0, learn="v_threshold")),
    "recurrent": lambda: Sequential(Dense(2, 3), Recurrent(LIF(learn="v_threshold"), Dense(3, 3)), Dense(3, 1)),
    "residual": lambda: Sequential(Dense(2, 3), LIF(), Residual(Dense(3, 3), LIF())),
    "shortcut": lambda: Sequential(Residual(Dense(2, 3), shortcut=Sequential(Dense(2, 3), ALIF())), input_shape=2),
    "and": lambda: Sequential(Dense(2, 3), LIF(), Residual(Dense(3, 3), LIF(), join="and")),
    "iand": lambda: Sequential(Residual(Dense(2, 3), LIF(), shortcut=Dense(2, 3), join="iand"), input_shape=2),
    "delay": lambda: Sequential(Dense(2, 2), LIF(), Delay(2), Dense(2, 2), LI(learn=("tau", "v_rest"))),
    "dropout": lambda: Sequential(Dense(2, 8), LIF(), Dropout(0.5), Dense(8, 2)),
    "learned per unit": lambda: Sequential(Dense(2, 3), LIF(TAUS, 0.1 * TAUS, learn=("tau", "v_threshold"))),
    "learned, shared": lambda: Sequential(Dense(2, 3), ALIF(learn=("tau", "tau_adapt", "beta", "v_threshold"))),
    "euler": lambda: Sequential(Dense(2, 3), LIF(TAUS, decay="euler", learn=("tau", "v_reset", "v_rest"))),
    "plif": lambda: Sequential(Dense(2, 3), PLIF(decay_input=True), Dense(3, 3), PLIF(TAUS)),
    "clif": lambda: Sequential(Dense(2, 3), CLIF(learn=("v0", "tau_p", "tau_q", "tau", "v_threshold"))),
    "cuba": lambda: Sequential(Dense(2, 3), CubaLIF(learn=("tau", "tau_syn")), IF(learn="drain")),
    "nested": lambda: Sequential(
        Sequential(Dense(2, 3), Sequential(a=LIF())), Residual(Sequential(Recurrent(ALIF()))), Residual(Delay(1))
    ),
    "no bounded smooth step": lambda: Sequential(Dense(2, 3), LIF(surrogate=shapes.leaky_k_relu(0.1))),
    "kinks": lambda: Sequential(Dense(2, 3), LIF(surrogate=shapes.rect(2.0)), Dense(3, 2), LIF()),
    "population": lambda: Population(ALIF(learn="tau"), (2, 2)),
    "other step": lambda: Sequential(Dense(2, 3), LIF(TAUS, refractory=0.2, learn="tau"), dt=0.1),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_pass(name: str) -> None:
    net = NETWORKS[name]()
    before = {key: array.copy() for key, array in net.parameters().items()}
    result = check(net)
    whats = [row.what for row in result.rows]
    assert {"input", *net.parameters()} <= set(whats)
    for row in result.rows:
        if row.what in net.parameters():
            assert row.numeric != 0.0, row
    for key, array in net.parameters().items():
        np.testing.assert_array_equal(array, before[key])


def test_a_given_and_a_static_input() -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, 2))
    still = np.broadcast_to(x[:1], (5, 2, 2))
    for net in (NETWORKS["sequential"](), NETWORKS["residual"](), NETWORKS["delay"](), NETWORKS["dropout"]()):
        check(net, x)
        check(net, still)


def test_a_layer_alone() -> None:
    net = Sequential(Dense(3, 2))
    assert [row.what for row in check(net["dense1"]).rows] == ["input", "weight", "bias"]


def test_an_error_in_a_layer_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pull = Dense.pull
    monkeypatch.setattr(Dense, "pull", lambda self, gy, tape: 1.001 * pull(self, gy, tape))
    net = Sequential(Dense(2, 3), LIF(), Dense(3, 2), LI())
    with pytest.raises(GradientError, match=r"the gradient with respect to (input|initial lif1|dense1|.*)"):
        check(net)
    monkeypatch.undo()
    accumulate = Dense.accumulate

    def wrong(self, gy, tape, grads):
        accumulate(self, gy, tape, grads)
        if self.shape == (2,):
            grads["bias"] += 0.01

    monkeypatch.setattr(Dense, "accumulate", wrong)
    with pytest.raises(GradientError, match=r"^the gradient with respect to dense2/bias is"):
        check(net)


def test_lost_gradients_of_states_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    backward = Population.backward

    def forgets(name: str) -> Callable:
        return lambda self, gy, tape, grads, **more: backward(self, gy, tape, grads, **{**more, name: None})

    for name in ("inject", "after"):
        monkeypatch.setattr(Population, "backward", forgets(name))
        with pytest.raises(GradientError, match="the gradient with respect to"):
            check(Sequential(Dense(2, 3), LIF()))


def test_an_error_in_a_neuron_is_found_through_its_network() -> None:
    wrong = LIF(detach_reset=True)
    wrong = wrong.replace(vjp=with_sign_error(2))  # tau is not learned: the network alone would not tell
    with pytest.raises(GradientError, match=r"^the gradient with respect to hidden: neuron's parameter tau"):
        check(Sequential(Dense(2, 3), hidden=wrong))


def test_the_table() -> None:
    text = repr(check(LIF(), trials=3))
    assert "tolerance 1e-06" in text
    assert [line.split()[1] for line in text.splitlines()[2:]] == [*ARGUMENTS]
