"""Optimisers against naive NumPy over several steps, resuming bit for bit, refusal before anything is changed."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nbsnn
from nbsnn import neurons, optim
from nbsnn.device import threads as device
from nbsnn.optim.optimizer import Optimizer


def naive_sgd(p, gs, lr, momentum=0.0, nesterov=False, decay=0.0):
    b = None
    for g in gs:
        g = g + decay * p
        b = g if b is None else momentum * b + g
        p = p - lr * ((g + momentum * b if nesterov else b) if momentum else g)
    return p


def naive_adam(p, gs, lr, betas=(0.9, 0.999), eps=1e-8, decay=0.0, decoupled=False):
    (a, b), m, u = betas, 0.0, 0.0
    for k, g in enumerate(gs, 1):
        if decoupled:
            p = p * (1.0 - lr * decay)
        else:
            g = g + decay * p
        m, u = a * m + (1 - a) * g, b * u + (1 - b) * g**2
        p = p - lr * (m / (1 - a**k)) / (np.sqrt(u / (1 - b**k)) + eps)
    return p


def naive_adamax(p, gs, lr, betas=(0.9, 0.999), eps=1e-8, decay=0.0):
    (a, b), m, u = betas, 0.0, np.zeros_like(p)
    for k, g in enumerate(gs, 1):
        g = g + decay * p
        m, u = a * m + (1 - a) * g, np.maximum(b * u, np.abs(g) + eps)
        p = p - lr / (1 - a**k) * m / u
    return p


CASES = {
    "sgd": (lambda: optim.SGD(0.1), lambda p, gs: naive_sgd(p, gs, 0.1)),
    "sgd_decay": (lambda: optim.SGD(0.1, weight_decay=0.3), lambda p, gs: naive_sgd(p, gs, 0.1, decay=0.3)),
    "momentum": (
        lambda: optim.SGD(0.1, momentum=0.9, weight_decay=0.3),
        lambda p, gs: naive_sgd(p, gs, 0.1, 0.9, decay=0.3),
    ),
    "nesterov": (
        lambda: optim.SGD(0.1, momentum=0.8, nesterov=True, weight_decay=0.3),
        lambda p, gs: naive_sgd(p, gs, 0.1, 0.8, True, 0.3),
    ),
    "adam": (lambda: optim.Adam(0.1), lambda p, gs: naive_adam(p, gs, 0.1)),
    "adam_options": (
        lambda: optim.Adam(0.1, (0.7, 0.9), 1e-3, 0.3),
        lambda p, gs: naive_adam(p, gs, 0.1, (0.7, 0.9), 1e-3, 0.3),
    ),
    "adamw": (
        lambda: optim.AdamW(0.1, weight_decay=0.3),
        lambda p, gs: naive_adam(p, gs, 0.1, decay=0.3, decoupled=True),
    ),
    "adamax": (
        lambda: optim.Adamax(0.1, weight_decay=0.3),
        lambda p, gs: naive_adamax(p, gs, 0.1, decay=0.3),
    ),
}
optimisers = pytest.mark.parametrize(("make", "naive"), CASES.values(), ids=CASES)


def problem(dtype: type = np.float64, steps=6):
    """Parameters of several shapes, and gradients for some steps."""
    rng = np.random.default_rng(1)
    shapes = {"dense1/weight": (5, 7), "dense1/bias": (7,), "tau": (), "none": (0, 3)}
    params = {name: rng.standard_normal(shape).astype(dtype).reshape(shape) for name, shape in shapes.items()}
    grads = [
        {name: np.asarray(rng.standard_normal(shape), dtype) for name, shape in shapes.items()} for _ in range(steps)
    ]
    return params, grads


@optimisers
def test_several_steps_equal_naive_numpy(make, naive):
    params, grads = problem()
    wanted = {name: naive(p.copy(), [g[name] for g in grads]) for name, p in params.items()}
    held, optimizer = dict(params), make()
    for g in grads:
        optimizer.step(params, g)
    for name, p in params.items():
        assert p is held[name]  # in place
        np.testing.assert_allclose(p, wanted[name], rtol=1e-12, atol=1e-12)
    assert optimizer.iteration == len(grads)


@optimisers
def test_float32_stays_float32(make, naive):
    params, grads = problem(np.float32)
    wanted = {name: naive(p.astype(np.float64), [g[name] for g in grads]) for name, p in params.items()}
    optimizer = make()
    for g in grads:
        optimizer.step(params, g)
    for name, p in params.items():
        assert p.dtype == np.float32
        np.testing.assert_allclose(p, wanted[name], rtol=2e-5, atol=2e-6)
    assert all(slot.dtype == np.float32 for slot in optimizer.state.values())


@optimisers
def test_saved_and_restored_is_bit_for_bit_the_same(make, naive):
    params, grads = problem(np.float32)
    whole = {name: p.copy() for name, p in params.items()}
    straight, before, after = make(), make(), make()
    for g in grads:
        straight.step(whole, g)
    for g in grads[:3]:
        before.step(params, g)
    file = io.BytesIO()
    np.savez(file, **before.state)
    file.seek(0)
    after.load(np.load(file), before.iteration)
    for g in grads[3:]:
        after.step(params, g)
    for name, p in params.items():
        assert np.array_equal(p, whole[name])
    assert after.iteration == straight.iteration
    assert after.state.keys() == straight.state.keys()
    for name, slot in after.state.items():
        assert np.array_equal(slot, straight.state[name])


def test_state_is_the_memory_itself_and_load_copies():
    params, grads = problem()
    optimizer = optim.SGD(0.1, momentum=0.5)
    optimizer.step(params, grads[0])
    assert optimizer.state["b/dense1/weight"].shape == (5, 7)
    optimizer.state["b/dense1/weight"][:] = 0.0
    before = params["dense1/weight"].copy()
    optimizer.step(params, {name: np.zeros_like(g) for name, g in grads[0].items()})
    assert np.array_equal(params["dense1/weight"], before)
    saved = {name: slot.copy() for name, slot in optimizer.state.items()}
    other = optim.SGD(0.1, momentum=0.5)
    other.load(saved, 2)
    other.step(params, grads[1])
    assert all(np.array_equal(saved[name], optimizer.state[name]) for name in saved)


def test_the_number_of_threads_changes_nothing():
    p = np.random.default_rng(0).standard_normal(device.SERIAL + 12_345).astype(np.float32)
    results = []
    try:
        for threads in (1, 3):
            device.set_threads(threads)
            params, optimizer = {"w": p.copy()}, optim.Adam(0.01)
            for _ in range(2):
                optimizer.step(params, {"w": p})
            results.append(params["w"])
    finally:
        device.set_threads(None)
    assert np.array_equal(*results)
    assert not np.any(results[0] == p)  # every element was reached


def test_gradients_may_be_read_only_or_strided():
    params, grads = problem()
    twin = {name: p.copy() for name, p in params.items()}
    awkward = {name: np.asfortranarray(g) if g.ndim == 2 else g.copy() for name, g in grads[0].items()}
    for g in awkward.values():
        g.flags.writeable = False
    optim.SGD(0.1).step(params, grads[0])
    optim.SGD(0.1).step(twin, awkward)
    assert all(np.array_equal(params[name], twin[name]) for name in params)


def spoil(what, name, value):
    """The problem with one array replaced (or dropped, if the value is None)."""
    params, (grads, *_) = problem()
    target = params if what == "params" else grads
    target[name] = value(target[name])
    if target[name] is None:
        del target[name]
    return params, grads


def with_nan(a):
    return np.full(a.shape, np.nan, a.dtype)


def read_only(a):
    a.flags.writeable = False
    return a


REFUSED = {
    "grad_missing": ("grads", "tau", lambda a: None, ValueError, "missing 'tau'"),
    "grad_unknown": ("grads", "other", lambda a: np.zeros(2), ValueError, "unknown 'other'"),
    "grad_shape": ("grads", "tau", lambda a: np.zeros(3), ValueError, r"grads\['tau'\] has shape \[3\]"),
    "grad_nan": ("grads", "tau", with_nan, ValueError, r"grads\['tau'\] contains 1 NaN"),
    "grad_dtype": ("grads", "tau", lambda a: a.astype(np.float32), TypeError, r"grads\['tau'\].* not float32"),
    "grad_list": ("grads", "tau", lambda a: [0.0], TypeError, r"grads\['tau'\] must be a NumPy array, not a list"),
    "param_integer": ("params", "tau", lambda a: a.astype(int), TypeError, r"params\['tau'\] must be float32"),
    "param_order": ("params", "dense1/weight", np.asfortranarray, ValueError, "must be a C-contiguous"),
    "param_read_only": ("params", "tau", read_only, ValueError, "must be a C-contiguous, writable"),
}


@pytest.mark.parametrize(("what", "name", "value", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_a_refused_step_changes_nothing(what, name, value, error, words):
    if name == "other":
        params, (grads, *_) = problem()
        grads[name] = value(None)
    else:
        params, grads = spoil(what, name, value)
    before = {key: p.copy() for key, p in params.items()}
    optimizer = optim.Adam()
    with pytest.raises(error, match=words):
        optimizer.step(params, grads)
    assert all(np.array_equal(params[key], before[key]) for key in before)
    assert optimizer.iteration == 0
    assert not optimizer.state


@pytest.mark.parametrize("make", [lambda: optim.SGD(0.1), lambda: optim.Adam()])
def test_names_stay_those_of_the_first_step(make):
    params, (grads, *_) = problem()
    optimizer = make()
    optimizer.step(params, grads)
    del params["tau"], grads["tau"]
    with pytest.raises(ValueError, match="missing 'tau'"):
        optimizer.step(params, grads)


def test_shapes_and_dtypes_stay_those_of_the_state():
    optimizer = optim.Adam()
    optimizer.step({"w": np.zeros(3)}, {"w": np.ones(3)})
    with pytest.raises(ValueError, match=r"params\['w'\] is float64 \[2\], but the state belongs to float64 \[3\]"):
        optimizer.step({"w": np.zeros(2)}, {"w": np.ones(2)})
    with pytest.raises(ValueError, match="is float32"):
        optimizer.step({"w": np.zeros(3, np.float32)}, {"w": np.ones(3, np.float32)})
    assert optimizer.iteration == 1


@pytest.mark.parametrize(
    ("state", "iteration", "error", "words"),
    [
        ({"m/w": np.zeros(2)}, 1, ValueError, "missing 'v/w'"),
        ({"m/w": np.zeros(2), "v/w": np.zeros(2), "b/w": np.zeros(2)}, 1, ValueError, "unknown 'b/w'"),
        ({"m/w": np.zeros(2), "v/w": np.zeros(3)}, 1, ValueError, r"has shape \[3\]"),
        ({"m/w": np.zeros(2), "v/w": np.zeros(2, np.float32)}, 1, TypeError, "not float32"),
        ({"m/w": np.zeros(2), "v/w": np.full(2, np.inf)}, 1, ValueError, "contains 2 NaN or inf"),
        ({}, 3, ValueError, "is empty"),
        ({"m/w": np.zeros(2), "v/w": np.zeros(2)}, -1, ValueError, "iteration must be at least 0"),
        ({"m/w": np.zeros(2), "v/w": np.zeros(2)}, 1.0, TypeError, "iteration must be an integer"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(state, iteration, error, words):
    optimizer = optim.Adam()
    optimizer.step({"w": np.zeros(2)}, {"w": np.ones(2)})
    before = {name: slot.copy() for name, slot in optimizer.state.items()}
    with pytest.raises(error, match=words):
        optimizer.load(state, iteration)
    assert optimizer.iteration == 1
    assert all(np.array_equal(optimizer.state[name], before[name]) for name in before)


def test_learning_rate_follows_a_schedule_by_iteration():
    optimizer = optim.SGD(optim.StepDecay(1.0, every=2, factor=0.5))
    params, grads, seen = {"w": np.zeros(1)}, {"w": np.ones(1)}, []
    for _ in range(5):
        seen.append(optimizer.lr)
        before = params["w"].item()
        optimizer.step(params, grads)
        assert before - params["w"].item() == seen[-1]
    assert seen == [1.0, 1.0, 0.5, 0.5, 0.25]
    optimizer.load({}, 2)
    assert optimizer.lr == 0.5
    optimizer.lr = 0.125
    assert optimizer.lr == 0.125


def test_a_schedule_that_fails_changes_nothing():
    params, optimizer = {"w": np.zeros(1)}, optim.SGD(lambda k: float("nan"))
    with pytest.raises(ValueError, match="learning rate in iteration 0 must be finite"):
        optimizer.step(params, {"w": np.ones(1)})
    assert params["w"].item() == 0.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: optim.SGD(-0.1),
        lambda: optim.SGD(0.1, momentum=1.0),
        lambda: optim.SGD(0.1, nesterov=True),
        lambda: optim.SGD(0.1, weight_decay=-1.0),
        lambda: optim.Adam(betas=(0.9, 1.0)),
        lambda: optim.Adam(betas=(0.9,)),  # type: ignore[arg-type]
        lambda: optim.Adam(eps=0.0),
        lambda: optim.AdamW(weight_decay=-0.1),
    ],
)
def test_options_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match=r"must be|needs"):
        make()


BEYOND = {
    "adam": (lambda: optim.Adam(), 1e30, "v"),
    "adamw": (lambda: optim.AdamW(), 1e30, "v"),
    "adam, decay": (lambda: optim.Adam(weight_decay=1e30), 1.0, "v"),
    "adam, eps": (lambda: optim.Adam(eps=1e-60), 0.0, "the parameter"),
    "adamax": (lambda: optim.Adamax(1e30), 1e30, "the parameter"),
    "momentum": (lambda: optim.SGD(1e-30, momentum=0.9), 3e38, "the parameter"),
    "nesterov": (lambda: optim.SGD(0.5, momentum=0.9, nesterov=True), 3e38, "the parameter"),
    "sgd": (lambda: optim.SGD(1e10), 1e30, "the parameter"),
    "schedule": (lambda: optim.SGD(lambda k: 1e10), 1e30, "the parameter"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_step_beyond_float32_is_refused_and_changes_nothing(name):
    make, large, what = BEYOND[name]
    params = {"first": np.float32([1.0, 2.0]), "w": np.float32([[1.0, -1.0], [0.5, 0.0]])}
    grads = {"first": np.float32([0.1, -0.1]), "w": np.float32([[0.1, 0.2], [large, large]])}
    optimizer = make()
    for _ in range(3):
        before = {key: p.copy() for key, p in params.items()}
        slots = {key: slot.copy() for key, slot in optimizer.state.items()}
        iteration = optimizer.iteration
        said = ""
        try:
            optimizer.step(params, grads)
        except ValueError as error:
            said = str(error)
            break
    assert f"of {what} of 'w'" in said or f"of {what} of 'first'" in said
    assert optimizer.iteration == iteration
    assert all(np.array_equal(params[key], before[key]) for key in before)
    assert optimizer.state.keys() == slots.keys()
    assert all(np.array_equal(optimizer.state[key], slots[key]) for key in slots)
    if "decay" in name or "eps" in name:
        return
    optimizer.step(params, {"first": grads["first"], "w": np.full((2, 2), 1e-3, np.float32)})  # it goes on
    assert all(np.isfinite(p).all() for p in params.values())


@pytest.mark.parametrize("make", [lambda: optim.SGD(0.1), lambda: optim.Adam(0.1), lambda: optim.AdamW(0.1)])
def test_large_steps_that_fit_are_made_as_small_ones_are(make):
    small, large = ({"w": np.zeros(3, np.float64)} for _ in range(2))
    few, many = make(), make()
    many.load({f"{slot}/w": np.zeros(3) for slot in many.slots}, 0)
    for k in range(5):
        many._largest = 1e300  # so that all steps are tried on copies
        grads = {"w": np.float64([1.0, -2.0, 0.1 * k])}
        few.step(small, grads)
        many.step(large, grads)
    np.testing.assert_array_equal(small["w"], large["w"])
    for name, slot in few.state.items():
        np.testing.assert_array_equal(many.state[name], slot)


@pytest.mark.parametrize(
    ("make", "huge", "steps"),
    [
        (lambda: optim.SGD(0.1), 1e30, 1),
        (lambda: optim.SGD(0.1, momentum=0.5), 1e30, 4),  # 2 (1 + 0.1) / (1 - 0.5) of b, then 1e30, 5e29, 2.5e29
        (lambda: optim.Adamax(1e-3, betas=(0.5, 0.5)), 1e16, 5),  # u^2 / (1 - 0.5), then u is 1e16, ..., 1.25e15
        (lambda: optim.Adam(1e-3, betas=(0.5, 0.5)), 9e14, 1),  # v / (1 - 0.5), then v is 4e29
        (lambda: optim.Adam(1e-3, betas=(0.5, 0.5)), 1e16, 8),  # v is 5e31, ..., 7.8e29
    ],
)
def test_after_a_huge_gradient_steps_are_tried_on_copies_only_as_long_as_slots_remember_it(
    make, huge, steps, monkeypatch
):
    optimizer, params, tried = make(), {"w": np.zeros(3, np.float32)}, []
    attempt = type(optimizer)._check_moved
    monkeypatch.setattr(type(optimizer), "_check_moved", lambda self, *given: tried.append(1) or attempt(self, *given))
    optimizer.step(params, {"w": np.full(3, huge, np.float32)})
    for _ in range(20):
        optimizer.step(params, {"w": np.zeros(3, np.float32)})
    assert len(tried) == steps


def test_a_learning_rate_beyond_the_precision_is_refused():
    params = {"w": np.zeros(2, np.float32)}
    with pytest.raises(ValueError, match=r"a learning rate of 1e\+39 is beyond float32"):
        optim.SGD(1e39).step(params, {"w": np.zeros(2, np.float32)})
    assert not params["w"].any()


def test_an_optimiser_shows_its_options():
    assert repr(optim.Adam()) == "Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, amsgrad=False)"
    assert repr(optim.SGD(optim.Cosine(0.1, 5))).startswith(
        "SGD(lr=Cosine(lr=0.1, iterations=5, lr_min=0.0, stays=True), mom"
    )


def test_an_own_rule_takes_two_short_definitions():
    def sign_descent(p, g, lr):
        return (p - lr if g > 0.0 else p + lr,)

    class SignDescent(Optimizer):
        rule = staticmethod(sign_descent)

        def hyper(self, lr, k):
            return (lr,)

    params = {"w": np.zeros(2, np.float32)}
    SignDescent(0.5).step(params, {"w": np.array([3.0, -0.1], np.float32)})
    assert params["w"].tolist() == [-0.5, 0.5]


def test_an_own_rule_may_keep_any_number_of_slots():
    def delayed(p, g, a, b, c, lr):
        return p - lr * a, b, c, g  # steps along the gradient of three steps ago

    class Delayed(Optimizer):
        rule = staticmethod(delayed)
        slots = ("a", "b", "c")

        def hyper(self, lr, k):
            return (lr,)

    params, optimizer = {"w": np.zeros(2)}, Delayed(1.0)
    for k in range(5):
        optimizer.step(params, {"w": np.full(2, 10.0**k)})
    assert params["w"].tolist() == [-11.0, -11.0]
    assert [optimizer.state[f"{slot}/w"][0] for slot in "abc"] == [100.0, 1000.0, 10000.0]


@given(st.integers(0, 10_000), st.floats(1e-3, 100.0), st.sampled_from([np.float32, np.float64]))
def test_clip_by_norm_keeps_direction_and_bounds_length(seed, limit, dtype):
    rng = np.random.default_rng(seed)
    grads = {"a": rng.standard_normal((3, 4)).astype(dtype), "b": rng.standard_normal(5).astype(dtype)}
    before = {name: g.copy() for name, g in grads.items()}
    flat = np.concatenate([g.ravel() for g in before.values()]).astype(np.float64)
    norm = optim.clip_by_norm(grads, limit)
    assert norm == pytest.approx(np.linalg.norm(flat), rel=1e-12)
    for name, g in grads.items():
        assert g.dtype == dtype
        np.testing.assert_allclose(g, before[name] * min(1.0, limit / norm), rtol=1e-6)


def test_clip_by_norm_of_extreme_gradients():
    assert optim.clip_by_norm({"a": np.full(4, 1e200)}, 1.0) == pytest.approx(2e200, rel=1e-12)
    assert optim.clip_by_norm({"a": np.zeros(3), "b": np.zeros((0, 2))}, 1.0) == 0.0
    assert optim.clip_by_norm({}, 1.0) == 0.0


def test_clip_by_value_cuts_in_place():
    g = np.array([-5.0, -0.5, 0.5, 5.0], np.float32)
    optim.clip_by_value({"a": g}, 2.0)
    assert g.tolist() == [-2.0, -0.5, 0.5, 2.0]


@pytest.mark.parametrize("clip", [optim.clip_by_norm, optim.clip_by_value])
def test_clipping_refuses_before_it_changes(clip):
    good = np.array([5.0, 5.0])
    with pytest.raises(ValueError, match=r"grads\['b'\] contains 1 NaN"):
        clip({"a": good, "b": np.array([np.nan])}, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        clip({"a": good, "b": read_only(np.ones(2))}, 1.0)
    with pytest.raises(TypeError, match="must be a float array, not int64"):
        clip({"a": good, "b": np.array([7])}, 1.0)
    with pytest.raises(ValueError, match="limit must be greater than 0"):
        clip({"a": good}, 0.0)
    assert good.tolist() == [5.0, 5.0]


def net_of_two():
    return nbsnn.Sequential(nbsnn.Dense(3, 4), neurons.LI(), nbsnn.Dense(4, 2), neurons.LI(), seed=0, device="python")


def test_groups_have_options_of_their_own_and_frozen_parameters_stay():
    groups = {"dense1/bias": {"lr": 1.0, "weight_decay": 0.0}, "dense2": None}
    optimizer = optim.Groups(optim.SGD(0.1, weight_decay=0.5), groups)
    net = net_of_two()
    params, start = net.parameters(), {name: p.copy() for name, p in net.parameters().items()}
    grads = {name: np.ones_like(p) for name, p in params.items()}
    optimizer.step(params, grads)
    weight = start["dense1/weight"]
    np.testing.assert_allclose(params["dense1/weight"], weight - 0.1 * (1.0 + 0.5 * weight), rtol=1e-6)
    np.testing.assert_allclose(params["dense1/bias"], start["dense1/bias"] - 1.0, rtol=1e-6)
    assert all(np.array_equal(params[name], start[name]) for name in params if name.startswith("dense2"))


def test_frozen_gradients_do_not_count_in_the_norm_that_is_clipped():
    x, target = np.ones((4, 2, 3), np.float32), np.full((2, 2), 9.0)
    moved = []
    for groups in ({}, {"dense2": None}):
        net = net_of_two()
        before = {name: p.copy() for name, p in net.parameters().items()}
        learner = nbsnn.BPTT(net, nbsnn.losses.step_mse, optim.Groups(optim.SGD(1.0), groups), clip=0.1)
        learner.step(x, target)
        change = {name: p - before[name] for name, p in net.parameters().items()}
        moved.append({name: np.square(c).sum() for name, c in change.items()})
    assert sum(moved[0].values()) == pytest.approx(0.01, rel=1e-4)
    assert sum(moved[1].values()) == pytest.approx(0.01, rel=1e-4)
    assert moved[1]["dense2/weight"] == moved[1]["dense2/bias"] == 0.0


def test_a_group_that_fits_nothing_shows_when_the_learner_is_made():
    with pytest.raises(ValueError, match=r"the group 'dense3' fits no parameter; there are dense1/weight"):
        nbsnn.BPTT(net_of_two(), nbsnn.losses.step_mse, optim.Groups(optim.SGD(1.0), {"dense3": None}))
    with pytest.raises(TypeError, match="no option 'decay'"):
        optim.Groups(optim.SGD(1.0), {"dense1": {"decay": 0.1}})
    with pytest.raises(ValueError, match="of its own"):
        optim.Groups(one := optim.SGD(1.0), {"dense1": one})


def test_no_group_moves_if_one_cannot():
    optimizer = optim.Groups(optim.SGD(0.1), {"b": {"lr": 1e30}})
    params = {"a": np.ones(2, np.float32), "b": np.ones(2, np.float32)}
    with pytest.raises(ValueError, match="infinite"):
        optimizer.step(params, {"a": np.ones(2, np.float32), "b": np.full(2, 1e30, np.float32)})
    assert params["a"].tolist() == params["b"].tolist() == [1.0, 1.0]
    assert optimizer.iteration == 0
    assert not optimizer.state


@pytest.mark.parametrize(
    "make",
    [
        lambda: optim.Adam(0.1, amsgrad=True),
        lambda: optim.SGD(0.1, momentum=0.9, dampening=0.5),
        lambda: optim.SGD(optim.OneCycle(0.1, 9), momentum=optim.OneCycleMomentum(9)),
        lambda: optim.Groups(optim.Adam(0.1), {"w": {"lr": 0.5, "betas": (optim.OneCycleMomentum(9), 0.9)}}),
        lambda: optim.Groups(optim.AdamW(0.1), {"v": None}),
    ],
)
def test_left_out_parameters_and_groups_resume_bit_for_bit(make):
    rng = np.random.default_rng(0)
    grads = [{"v": rng.normal(size=3), "w": rng.normal(size=2) if k % 3 else None} for k in range(8)]
    whole, params = make(), {"v": np.ones(3), "w": np.ones(2)}
    for g in grads[:4]:
        whole.step(params, g)
    copied = {name: p.copy() for name, p in params.items()}
    other = make()
    other.load({name: array.copy() for name, array in whole.state.items()}, whole.iteration)
    for g in grads[4:]:
        whole.step(params, g)
        other.step(copied, g)
    assert all(np.array_equal(params[name], copied[name]) for name in params)
    assert whole.state.keys() == other.state.keys()


def test_a_plateau_is_watched_once_by_several_groups():
    plateau = optim.Plateau(0.1, patience=0)
    optimizer = optim.Groups(optim.SGD(plateau), {"b": {"weight_decay": 0.1}, "c": {"lr": optim.Plateau(1.0)}})
    assert len(optimizer.watching) == 2
    with pytest.raises(ValueError, match="Plateau watches 'loss', but an epoch has only 'epoch'"):
        plateau.observe({"epoch": 1})


@pytest.mark.parametrize("schedule", [optim.StepDecay(1.0, 1, 1e300), optim.MultiStep(1.0, (1, 2), 1e300)])
def test_a_rate_beyond_the_range_of_numbers_is_refused_by_name(schedule):
    params, optimizer = {"w": np.ones(2)}, optim.SGD(schedule)
    optimizer.past.iteration = 2
    with pytest.raises(ValueError, match="the learning rate in iteration 2 must be"):
        optimizer.step(params, {"w": np.ones(2)})
    assert (params["w"] == 1.0).all()


def test_a_momentum_that_is_no_schedule_is_refused():
    with pytest.raises(TypeError, match="momentum must be a number or a schedule"):
        optim.SGD(0.1, momentum=lambda: 0.5)
