"""The budget of random trials is kept."""

import time

import pytest


@pytest.mark.trust(share=0.01)
def test_trials_end_with_their_share(trials, pytestconfig):
    start = time.perf_counter()
    seeds = list(trials("empty trials", least=3, most=1000))
    first = pytestconfig.getoption("--first")
    assert seeds == list(range(first, first + len(seeds))) and len(seeds) >= 3
    assert time.perf_counter() - start < trials.seconds + 1.0
