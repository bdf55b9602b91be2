"""Some of the random trials of tests/trust, interpreted: against oracles in plain NumPy, on the CPU and in the
simulator of a GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from numba import config

from .trust.worker import Worker

NETWORKS, SIMULATIONS = "tests.trust.test_random_networks", "tests.trust.test_random_simulations"
FUSED, RULES = "tests.trust.test_random_fused", "tests.trust.test_random_rules"


@pytest.fixture(scope="module")
def trial() -> Iterator[Callable[..., None]]:
    """Runs a trial where kernels are Python code: here, if they are here."""
    with Worker("", interpreted=True) as worker:

        def run(module: str, seed: int, **how: Any) -> None:
            how["compiled"] = False
            if config.DISABLE_JIT:
                import_module(module).trial(seed, Counter(), **how)
            else:
                worker.module, worker.how = module, how
                worker(seed)

        yield run


@pytest.mark.parametrize("seed", range(24))
def test_networks(seed: int, trial: Callable[..., None]) -> None:
    trial(NETWORKS, seed)


@pytest.mark.parametrize("seed", [0, 8, 10, 12])
def test_networks_on_a_gpu(seed: int, trial: Callable[..., None]) -> None:
    trial(NETWORKS, seed, device="cuda")


@pytest.mark.parametrize("seed", sorted({*range(38)} - {4, 8, 16, 18}))  # without the slowest
def test_layers_as_one(seed: int, trial: Callable[..., None]) -> None:
    trial(FUSED, seed)


@pytest.mark.parametrize("seed", sorted({*range(19)} - {4, 9, 12, 13}))  # without the slowest
def test_simulations_on_threads(seed: int, trial: Callable[..., None]) -> None:
    trial(SIMULATIONS, seed, threads=(2,))


@pytest.mark.parametrize("seed", [3, 7, 11, 15, 18, 24, 29, 31])
def test_simulations_on_a_gpu(seed: int, trial: Callable[..., None]) -> None:
    trial(SIMULATIONS, seed, device="cuda")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("seed", [*range(31), 46, 68, 73])
def test_rules_and_plastic_layers(seed: int, device: str, trial: Callable[..., None]) -> None:
    trial(RULES, seed, device=device)
