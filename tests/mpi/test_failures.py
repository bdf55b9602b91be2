"""A job of which one rank fails ends on all ranks, and continues from its file, on any number of them."""

import os
import random
import re
import time

import pytest

from .failing import MOMENTS, TIMEOUT
from .launched import needs_mpi, printed, python

KINDS = "kill", "term", "raise", "exit", "hang"
SECONDS = 5.0  # in which ranks have ended; longer by as much as a machine is busy


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return printed(0, "failing", tmp_path_factory.mktemp("undisturbed") / "state.npz")


def gone(pid):
    """True if there is no such process, after some seconds at most."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@needs_mpi
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "seed", [pytest.param(k, marks=pytest.mark.trust if k else pytest.mark.long) for k in range(20)]
)
def test_a_job_that_failed_ends_as_one_that_did_not(kind, seed, undisturbed, tmp_path, record_property):
    rng = random.Random(f"{kind} {seed}")
    moment, ranks, again = rng.choice(list(MOMENTS)), rng.randint(2, 4), rng.randint(1, 4)
    rank, turn, path = rng.randrange(ranks), rng.randint(1, MOMENTS[moment]), tmp_path / "state.npz"
    done = python(
        ranks, "-m", "tests.mpi.failing", path, "--kind", kind, "--rank", rank, "--moment", moment, "--turn", turn
    )
    seconds = time.time() - (tmp_path / "state.npz.end").stat().st_mtime
    record_property("seconds", round(seconds, 2))
    busy = max(1.0, os.getloadavg()[0] / os.cpu_count())
    assert done.returncode != 0 and seconds < SECONDS * busy + TIMEOUT * (kind == "hang")
    says = {  # of a signal the launcher tells
        "raise": rf"(error|raised) on rank {rank}\b", "exit": f"rank {rank} has ended", "kill": r"signal:? 9|[Kk]illed",
        "hang": rf"has waited for \d+ s for ranks? [\d, ]*\b{rank}\b", "term": r"signal:? 15|[Tt]erminated",
    }  # fmt: skip
    assert re.search(says[kind], done.stdout + done.stderr), done.stderr
    assert all(gone(int(file.name.split(".")[-2])) for file in tmp_path.glob("*.pid"))
    assert printed(again, "failing", path) == undisturbed
