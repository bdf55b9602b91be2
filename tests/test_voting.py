"""Label assignment and votes, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbsnn.voting import VOTES, assign_labels


def naive_predict(counts, labels, response, vote):
    predicted = []
    for sample in counts:
        scores = []
        for c in range(response.shape[1]):
            members = [n for n in range(len(labels)) if labels[n] == c]
            share = {n: (1.0 if vote == "all" else response[n, c] / response[n].sum()) for n in members}
            total = sum(share.values())
            scores.append(sum(sample[n] * share[n] for n in members) / total if total > 0 else 0.0)
        predicted.append(int(np.argmax(scores)))
    return predicted


@settings(max_examples=40)
@given(
    st.integers(1, 12), st.integers(1, 8), st.integers(1, 4), st.integers(0, 999), st.sampled_from(VOTES)
)  # fmt: skip
def test_against_counting(samples, neurons, classes, seed, vote):
    rng = np.random.default_rng(seed)
    counts, labels = rng.integers(0, 6, (samples, neurons)), rng.integers(0, classes, samples)
    found = assign_labels(counts, labels, classes)
    for n in range(neurons):
        for c in range(classes):
            chosen = counts[labels == c, n]
            assert found.response[n, c] == pytest.approx(chosen.mean() if len(chosen) else 0.0)
        expected = int(np.argmax(found.response[n])) if counts[:, n].any() else -1
        assert found.labels[n] == expected
    assert found.predict(counts, vote).tolist() == naive_predict(counts, found.labels, found.response, vote)


def test_the_votes_differ():
    # Neuron 0 responds to class 0 only, neuron 1 also to class 1: its vote counts for less.
    found = assign_labels([[4, 4, 0], [0, 3, 8]], [0, 1])
    np.testing.assert_array_equal(found.labels, [0, 0, 1])
    np.testing.assert_array_equal(found.predict([[0, 5, 2.6]], "all"), [1])
    np.testing.assert_array_equal(found.predict([[1, 7, 3]], "all"), [0])
    np.testing.assert_array_equal(found.predict([[1, 7, 3.5]], "all"), [0])
    np.testing.assert_array_equal(found.predict([[1, 7, 3.5]], "proportional"), [1])


@pytest.mark.parametrize(
    ("counts", "labels", "error", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), ValueError, "samples, neurons"),
        (np.zeros((2, 3)), [0], ValueError, "one for each sample"),
        (np.zeros((2, 3)), [0.0, 1.0], TypeError, "integers"),
        (np.zeros((2, 3)), [0, -1], ValueError, "from 0"),
        (-np.ones((2, 3)), [0, 1], ValueError, "negative"),
        (np.full((2, 3), np.nan), [0, 1], ValueError, "NaN"),
        (np.zeros(3), [0, 1, 2], ValueError, "samples, neurons"),
    ],
)
def test_bad_input(counts, labels, error, message):
    with pytest.raises(error, match=message):
        assign_labels(counts, labels)


def test_bad_votes():
    found = assign_labels([[1, 0]], [0])
    with pytest.raises(ValueError, match="vote must be"):
        found.predict([[1, 0]], "some")
    with pytest.raises(ValueError, match="2 neurons"):
        found.predict([[1, 0, 0]])
