"""Learning rates: values at the corners, and no memory."""

from math import cos, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbsnn.optim import Constant, Cosine, StepDecay, Warmup

SCHEDULES = [Constant(0.1), StepDecay(0.5, 3, 0.2), Cosine(1.0, 10, 0.1), Warmup(Cosine(1.0, 10), 4), Warmup(0.3, 5)]


def test_step_decay_falls_by_its_factor():
    rates = [StepDecay(0.5, every=3, factor=0.2)(k) for k in range(9)]
    assert rates == pytest.approx([0.5] * 3 + [0.1] * 3 + [0.02] * 3, rel=1e-12)


def test_cosine_runs_from_top_to_bottom_and_stays():
    schedule = Cosine(1.0, iterations=10, lr_min=0.1)
    assert schedule(0) == 1.0
    assert schedule(5) == pytest.approx(0.55, rel=1e-12)
    assert schedule(3) == pytest.approx(0.1 + 0.9 * (1 + cos(0.3 * pi)) / 2, rel=1e-12)
    assert [schedule(k) for k in (10, 11, 1000)] == pytest.approx([0.1] * 3, rel=1e-12)


def test_warmup_climbs_to_the_schedule_and_then_is_the_schedule():
    after = Cosine(2.0, iterations=10)
    schedule = Warmup(after, iterations=4)
    assert [schedule(k) for k in range(4)] == [0.5, 1.0, 1.5, 2.0]
    assert [schedule(4 + k) for k in range(12)] == [after(k) for k in range(12)]


def test_warmup_takes_any_function_or_a_number():
    assert Warmup(lambda k: 1.0 / (1 + k), 2)(3) == 0.5
    assert [Warmup(0.4, 2)(k) for k in range(4)] == [0.2, 0.4, 0.4, 0.4]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@given(order=st.permutations(range(20)))
def test_a_schedule_depends_on_the_iteration_alone(schedule, order):
    in_turn = [schedule(k) for k in range(20)]
    assert [schedule(k) for k in order] == [in_turn[k] for k in order]
    assert all(type(rate) is float and rate >= 0.0 for rate in in_turn)
    assert eval(repr(schedule)) == schedule


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Constant(-1.0), ValueError),
        (lambda: Constant(float("nan")), ValueError),
        (lambda: StepDecay(0.1, every=0), ValueError),
        (lambda: StepDecay(0.1, every=2, factor=0.0), ValueError),
        (lambda: Cosine(0.1, iterations=1.5), TypeError),  # type: ignore[arg-type]
        (lambda: Cosine(0.1, iterations=5, lr_min=-0.1), ValueError),
        (lambda: Warmup(0.1, iterations=0), ValueError),
        (lambda: Warmup(-0.1, iterations=2), ValueError),
    ],
)
def test_wrong_options_are_refused(make, error):
    with pytest.raises(error, match="must be"):
        make()
