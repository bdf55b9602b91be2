"""A rank builds the synapses onto its own units alone: it holds, needs and draws its share of one process's."""

import json

import pytest

from .launched import needs_mpi, printed

RULES = "probability", "indegree", "distinct", "total", "distance"


def built(rule, units, *options, on=(0, 4)):
    """What one process builds, and what each of four ranks does."""
    return [json.loads(printed(ranks, "build", rule, "--units", units, *options)) for ranks in on]


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
def test_memory_is_that_of_a_share(rule):
    one, four = built(rule, 10_000)
    assert sum(four["synapses"]) == one["synapses"][0]
    assert one["all"] == pytest.approx(one["estimated"], rel=0.15)
    assert four["all"] == pytest.approx(four["estimated"], rel=0.15)
    assert max(four["bytes"]) <= 1.15 * one["bytes"][0] / 4 and max(four["peak"]) <= 0.4 * one["peak"][0]


@needs_mpi
@pytest.mark.long
def test_memory_of_thirty_million_synapses_is_that_of_shares():
    one, *shares = built("probability", 30_000, "--degree", 1000, on=range(1, 5))
    assert one["synapses"][0] == pytest.approx(30e6, rel=0.01)
    for found in shares:
        assert sum(found["synapses"]) == one["synapses"][0]
        assert max(found["bytes"]) <= 1.15 * one["bytes"][0] / len(found["bytes"])
    assert max(shares[-1]["peak"]) <= 0.4 * one["peak"][0] and max(shares[-1]["rss"]) <= 0.4 * one["rss"][0]


@needs_mpi
def test_no_rank_ever_has_the_synapses_of_all(tmp_path):
    """While a state is saved or read, or a digest made, a rank needs less than an array of all, of 3.2 MB, would be."""
    options = "--units", 2000, "--degree", 400, "--state", tmp_path / "state.npz"
    four = json.loads(printed(4, "build", "indegree", *options))
    assert sum(four["synapses"]) == 800_000
    assert max(map(max, four["kept"])) < 4 * 800_000


@needs_mpi
def test_rows_are_those_of_sources_with_synapses():
    one, four = built("few", 10_000)
    assert one["rows"][0] == 16 * 10_001  # start and bounds of all
    assert max(four["rows"]) == pytest.approx(28 * 10_000 * (1 - (1 - 1 / 10_000) ** 2500), rel=0.05)
    assert four["all"] == pytest.approx(four["estimated"], rel=0.15)


@needs_mpi
@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
def test_ranks_draw_as_many_numbers_as_one_process(rule, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # interpreted loops can be counted
    one, four = built(rule, 400)
    assert one["drawn"][0] >= 5 * one["synapses"][0] and sum(four["drawn"]) <= 1.05 * one["drawn"][0]
