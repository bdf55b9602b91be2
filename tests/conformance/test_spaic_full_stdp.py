"""SPAIC's full-online STDP: the learner on given spikes, and in networks of its neurons."""

import pytest

from nbsnn.plasticity import Rule
from nbsnn.presets.spaic import full_online_stdp

from .golden import Case, golden
from .test_spaic_nearest_stdp import check_direct, check_network, check_whole, is_direct, is_network

FILE = "spaic_full_stdp.npz"


def total_step(case: Case) -> float:
    """The step from which a network normalises, as the original computes it in floating point."""
    if not is_network(case):
        return case.params["total_step"]
    announced, dt = case.params["runtime_before_build"], case.params["dt"]
    return (10 * dt if announced is None else announced) / dt - 1


def rule_of(case: Case) -> Rule:
    names = ("Apost", "Apre", "trace_decay", "w_norm")
    return full_online_stdp(total_step=total_step(case), **{name: case.params[name] for name in names})


@golden(FILE, where=is_direct)
def test_direct(case: Case) -> None:
    check_direct(case, rule_of(case), "python")
    check_direct(case, rule_of(case), "cpu")


@golden(FILE, where=is_network)
def test_network(case: Case) -> None:
    check_network(case, rule_of(case), "python")


@pytest.mark.long
@golden(FILE, where=is_network)
def test_network_compiled(case: Case) -> None:
    check_whole(case, rule_of(case))
