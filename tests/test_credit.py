"""Credit compared: the gradients are the learners' own, and the measures what they say."""

import sys

import numpy as np
import pytest

from nbsnn import BPTT, OTTT, SLTT, Credit, Dense, Dropout, EProp, Recurrent, Sequential, compare_credit
from nbsnn.losses import RateCrossEntropy, StepCrossEntropy, StepMSE
from nbsnn.neurons import LI, LIF

T, B = 8, 3
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.5, 2.0, (T, B, 4))
LABELS = RNG.integers(0, 3, (T, B))
CE = StepCrossEntropy(reduction="sum")


def recurrent(hidden=None, **options):
    hidden = Recurrent(LIF(3.0, 0.5, None)) if hidden is None else hidden
    options = {"seed": 1, "device": "python", "dtype": np.float64, **options}
    return Sequential(Dense(4, 6), hidden, Dense(6, 3), LI(3.0), **options)


def cosine_and_ratio(g, reference):
    g, reference = (np.concatenate([np.ravel(a) for a in of]) for of in (g, reference))
    sizes = np.linalg.norm(g), np.linalg.norm(reference)
    return g @ reference / sizes[0] / sizes[1], sizes[0] / sizes[1]


def test_gradients_are_those_of_the_learners():
    net = recurrent()
    credit = compare_credit(net, X, LABELS, chunk=3, input_decay=0.5)
    learners = [BPTT(net, CE), BPTT(net, CE, chunk=3), SLTT(net, CE), OTTT(net, CE, input_decay=0.5), EProp(net, CE)]
    assert credit.rules == ["BPTT", "BPTT chunk=3", "SLTT", "OTTT", "e-prop"] == list(credit.gradients)
    for rule, learner in zip(credit.rules, learners, strict=True):
        value, grads = learner.gradients(X, LABELS)
        assert credit.value == pytest.approx(value)
        for name, g in grads.items():
            np.testing.assert_array_equal(credit.gradients[rule][name], g, err_msg=f"{rule}: {name}")


def test_cosines_and_ratios_by_numpy():
    credit = compare_credit(recurrent(), X, LABELS, chunk=3)
    reference = credit.gradients["BPTT"]
    assert credit.names == [*reference, "all"]
    for r, rule in enumerate(credit.rules):
        for k, name in enumerate(credit.names):
            of = [[a for key, a in gs.items() if name in (key, "all")] for gs in (credit.gradients[rule], reference)]
            expected = cosine_and_ratio(*of)
            assert (credit.cosine[r, k], credit.ratio[r, k]) == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose([credit.cosine[0], credit.ratio[0]], 1.0)
    assert np.all(credit.cosine[1:, -1] < 0.999)


def test_each_step_by_itself():
    """The loss of one step: BPTT of a shorter input with a loss that sees its last step only."""
    net = recurrent()
    credit = compare_credit(net, X, LABELS, chunk=3)
    assert credit.step_cosine.shape == credit.step_ratio.shape == (5, T, 6)
    online = {rule: list(copies(learner)) for rule, learner in (("SLTT", SLTT(net, CE)), ("OTTT", OTTT(net, CE)))}
    online["e-prop"] = list(copies(EProp(net, CE)))
    for t in range(T):
        exact, cut = (BPTT(net, last_of, chunk=chunk).gradients(X[: t + 1], LABELS[t])[1] for chunk in (None, 3))
        found = [exact, cut, *(online[rule][t] for rule in ("SLTT", "OTTT", "e-prop"))]
        for r, grads in enumerate(found):
            expected = cosine_and_ratio(grads.values(), exact.values())
            assert (credit.step_cosine[r, t, -1], credit.step_ratio[r, t, -1]) == pytest.approx(expected, rel=1e-8)
    # Before there is history, all rules agree; a chunk forgets at its border.
    np.testing.assert_allclose(credit.step_cosine[:, 0, -1], 1.0)
    assert np.all(credit.step_cosine[1, [1, 2], -1] > 0.999999)
    assert credit.step_cosine[1, 3, -1] < 0.9999


def last_of(y, labels):
    value, gy = CE(y[-1:], labels)
    whole = np.zeros_like(y)
    whole[-1] = gy[0]
    return value, whole


def copies(learner):
    for _, grads in learner.passes(X, LABELS, accumulate=False):
        yield {name: g.copy() for name, g in grads.items()}


def test_without_memory_all_rules_agree_at_every_step():
    forgetful = LIF(1.0, 0.5, decay="euler")
    net = Sequential(
        Dense(4, 6), forgetful, Dense(6, 3), LI(1.0, decay="euler"), seed=1, device="python", dtype=np.float64
    )
    credit = compare_credit(net, X, LABELS)
    assert credit.rules[1:] == ["BPTT chunk=2", "SLTT", "OTTT", "e-prop"]
    np.testing.assert_allclose([credit.step_cosine, credit.step_ratio], 1.0)
    np.testing.assert_allclose([credit.cosine, credit.ratio], 1.0)


def test_steps_are_optional_and_eprop_only_where_it_fits():
    deep = Sequential(Dense(4, 6), LIF(), Dropout(0.5), Dense(6, 6), LIF(), Dense(6, 3), seed=1, device="python")
    before = {name: a.copy() for name, a in deep.parameters().items()}
    credit = compare_credit(deep, X, RNG.normal(size=(T, B, 3)), StepMSE("sum"), steps=False)
    assert credit.rules == ["BPTT", "BPTT chunk=2", "SLTT", "OTTT"]
    assert credit.step_cosine.shape == (4, 0, 7)
    assert "each step" not in str(credit)
    for name, array in deep.parameters().items():
        np.testing.assert_array_equal(array, before[name])


def test_dropout_is_the_same_for_all_rules():
    net = Sequential(Dense(4, 40), Dropout(0.5), Dense(40, 3), seed=1, device="python", dtype=np.float64)
    credit = compare_credit(net, X, LABELS)
    np.testing.assert_allclose([credit.cosine, credit.ratio], 1.0)
    assert compare_credit(net, X, LABELS, seed=1).value != credit.value


def test_a_gradient_of_zero_has_no_direction():
    net = recurrent(LIF(3.0, 1e6))  # never spikes
    credit = compare_credit(net, X, LABELS)
    silent = credit.names.index("dense2/weight")
    assert np.isnan(credit.cosine[:, silent]).all()
    assert np.isnan(credit.ratio[:, silent]).all()
    assert "nan" in str(credit)


def test_the_table():
    credit = compare_credit(recurrent(), X, LABELS)
    lines = str(credit).splitlines()
    assert lines[0] == "cosine and norm ratio to BPTT"
    assert len(lines) == 1 + 2 * (1 + len(credit.rules))
    assert lines[1].split()[-1] == lines[7].split()[-1] == "all"
    assert lines[5].split() == ["OTTT", *" ".join(f"{c:.3f} {r:.3f}" for c, r in zip(credit.cosine[3], credit.ratio[3], strict=True)).split()]  # fmt: skip # noqa: E501
    assert len({len(line) for line in lines[1:]}) == 1  # columns are aligned
    assert lines[11].split()[-2] == f"{np.median(credit.step_cosine[3, :, -1]):.3f}"


def test_the_figure(tmp_path):
    pytest.importorskip("matplotlib")
    compare_credit(recurrent(), X, LABELS).plot(tmp_path / "credit.png")
    assert (tmp_path / "credit.png").stat().st_size > 10_000


def test_a_missing_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    credit = Credit(["BPTT"], ["all"], 0.0, {}, *np.ones((2, 1, 1)), *np.ones((2, 1, 3, 1)))
    with pytest.raises(ImportError, match=r"nbsnn\[plot\]"):
        credit.plot("credit.png")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"loss": RateCrossEntropy(), "target": LABELS[0]}, ValueError, "is not the sum of the steps' losses"),
        ({"loss": StepCrossEntropy()}, ValueError, "is not the sum of the steps' losses"),
        ({"loss": "mse"}, ValueError, "did you mean 'step_mse'"),
        ({"chunk": 0}, ValueError, "chunk must be at least 1"),
        ({"x": X[..., :2]}, ValueError, "input must have shape"),
        ({"x": X[:0]}, ValueError, "not be empty"),
        ({"x": X * np.nan}, ValueError, "NaN"),
        ({"target": LABELS[:4]}, ValueError, "labels"),
        ({"net": LIF()}, TypeError, "net must be a network"),
        ({"input_decay": 2.0}, ValueError, "input_decay must be less than 1"),
    ],
)
def test_wrong_arguments_raise(change, error, message):
    with pytest.raises(error, match=message), np.errstate(invalid="ignore"):
        compare_credit(**{"net": recurrent(), "x": X, "target": LABELS, **change})
