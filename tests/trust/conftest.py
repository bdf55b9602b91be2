"""``trials``: numbers of trials for a test until its share of ``--budget`` is used up; what was tried is summed up."""

import time
from collections.abc import Iterator

import pytest

CAUTION = 0.9  # of its share, after which a test begins no further trial
HOUR = 60.0  # minutes of a budget with which each kind of trial reaches its number, however busy the machine is


def share_of(item: pytest.Item) -> float:
    """How large a part of the budget this test asks for: ``@pytest.mark.trust(share=2)``."""
    marker = item.get_closest_marker("trust")
    return float(marker.kwargs.get("share", 1.0)) if marker else 0.0


class Trials:
    """Numbers ``first``, ``first`` + 1, ... of trials, which serve as seeds.

    Iterating stops when the test's share of the budget is used up, though not before ``least`` trials, nor before
    ``hour`` of them if the budget is an hour or more, and as many fewer if it is less; ``what`` says in the summary
    what was tried.
    """

    def __init__(self, item: pytest.Item, seconds: float, budget: float, first: int):
        self.item, self.seconds, self.part, self.first, self.done = item, seconds, min(1.0, budget / HOUR), first, 0

    def __call__(self, what: str, *, least: int = 1, hour: int = 0, most: int | None = None) -> Iterator[int]:
        start, least = time.perf_counter(), max(least, round(hour * self.part))
        try:
            while (most is None or self.done < most) and (
                self.done < least or time.perf_counter() - start < CAUTION * self.seconds
            ):
                yield self.first + self.done
                self.done += 1
        finally:
            self.tell(what, self.done, time.perf_counter() - start)

    def tell(self, what: str, count: int, seconds: float) -> None:
        """A line of the summary."""
        self.item.user_properties.append(("trials", (what, count, seconds)))


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Trials:
    """The trials of one test: ``for seed in trials("random networks"): ...``."""
    selected = [item for item in request.session.items if share_of(item)]
    part = share_of(request.node) / max(1e-9, sum(map(share_of, selected)))
    budget = request.config.getoption("--budget")
    return Trials(request.node, 60.0 * budget * part, budget, request.config.getoption("--first"))
