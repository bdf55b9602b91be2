"""Do the tests notice? Change one thing in a scalar equation or a kernel, run the tests that reach it, count who fails.

    python -m tests.tools.mutate --count 60 --seed 1 [--only nbsnn/neurons] [--tests tests/test_neurons.py ...] [--list]

A mutant has one changed sign, constant, comparison, index or condition, two swapped arguments, or a statement less.
The default tests are collected once, interpreted (on threads, where tests ask for them), CUDA in the simulator. A first
pass notes which test runs which lines (and is kept in ``--notes``, test by test, as long as neither the test nor those
lines' files change). Then each mutant lives in a forked child, which runs the tests that reach its lines, of each test
function the quickest first, until one fails. A mutant that takes too long counts as caught. Others are printed with
file, line and change: ``survives`` although tests reach it, ``out of reach`` if the only tests that reach it take too
long interpreted, or fail, ``not reached`` by any test; ``--again`` tries those anew. Those that compute the same are
listed in ``equivalent.txt`` with a reason, and not counted.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

import pytest

from .mutants import FOLDERS, ROOT, Mutant, all_mutants
from .survey import Jobs, Survey, passes, replace, scalar_functions

EQUIVALENT = Path(__file__).with_name("equivalent.txt")
TOGETHER = 12.0
"""Seconds of the tests that a mutant meets at most."""
UNRELATED = {
    "agreement", "augment", "benchmarks", "cli", "compile", "cuda_setup", "data", "docs", "docstrings", "event_files",
    "examples", "files_spikes", "files_variables", "files_whole", "fit", "handed_over", "manners", "mutate",
    "nir_files", "page", "peer_examples", "play", "plot", "processes", "profile", "ptx", "readme", "sklearn",
    "structure", "sweep",
}  # fmt: skip
"""Test files that have nothing to say about equations and kernels."""
SURVIVORS = "survives", "out of reach", "not reached"


class Trial:
    """All mutants against the tests that reach them."""

    def __init__(self, items: list[pytest.Item], survey: dict[str, dict], jobs: Jobs, functions: list[FunctionType]):
        self.items = {item.nodeid: item for item in items}
        self.survey, self.jobs, self.functions = survey, jobs, functions
        self.sound: dict[str, bool] = {}
        self.by_line, self.useless = defaultdict(set), defaultdict(set)
        for test, entry in survey.items():
            for file, lines in entry.get("lines", {}).items():
                for line in lines:
                    (self.by_line if entry.get("passed") else self.useless)[file, line].add(test)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that run the changed lines (or at least their function): of each test function the quickest case, then
        of each the next."""
        for lines in (mutant.lines, mutant.body):
            found = {test for line in lines for test in self.by_line[mutant.file, line]}
            if found:
                break
        chosen, together, turns, seen = [], 0.0, {}, Counter()
        for test in sorted(found, key=lambda test: (self.survey[test]["seconds"], test)):
            function = test.partition("[")[0]
            turns[test], seen[function] = seen[function], seen[function] + 1
        for test in sorted(turns, key=turns.__getitem__):
            together += self.survey[test]["seconds"]
            if self.sound.get(test, True) and (together < TOGETHER or not chosen):
                chosen.append(test)
        return chosen

    def reach(self, mutant: Mutant) -> str:
        """Which tests run a mutant that survives."""
        used, useless = (
            {test for line in mutant.lines for test in by_line[mutant.file, line]}
            for by_line in (self.by_line, self.useless)
        )
        if used:
            return "survives"
        return "out of reach" if useless else "not reached"

    def attempt(self, mutant: Mutant | None, tests: list[str], done: Callable[[str | None], None]) -> None:
        """Run these tests on a mutant (None: without a change); ``done`` is given the one that fails, or None."""
        note = Path(tempfile.mkstemp(dir=self.jobs.folder)[1])

        def work() -> None:
            if mutant:
                replace(self.functions, ROOT / mutant.file, mutant.codes())
            items = [self.items[test] for test in tests]
            for item, following in zip(items, [*items[1:], None], strict=True):
                note.write_text(item.nodeid)
                if not passes(item, following, 2.0 + 5.0 * self.survey[item.nodeid]["seconds"]):
                    os._exit(1)

        def finished(status: int) -> None:
            if status and not note.read_text():
                raise RuntimeError(f"cannot be tried: {mutant}")
            done(note.read_text() if status else None)

        self.jobs.start(work, finished)

    def catch(self, mutant: Mutant, done: Callable[[str | None], None]) -> None:
        """``done`` is given the test that catches a mutant, and passes without it; or None."""
        tests = self.tests_of(mutant)

        def judged(test: str | None) -> None:
            if test is None or self.sound.get(test):
                done(test)
            else:
                self.attempt(None, [test], lambda failed: proved(test, failed is None))

        def proved(test: str, sound: bool) -> None:
            self.sound[test] = sound
            if sound:
                done(test)
            else:
                self.catch(mutant, done)

        if tests:
            self.attempt(mutant, tests, judged)
        else:
            done(None)


def equivalent() -> set[str]:
    """Keys of mutants that compute the same, from ``equivalent.txt``."""
    lines = EQUIVALENT.read_text().splitlines()
    return {line for line in lines if line and not line.startswith(("#", "    "))}


class Session:
    """A plugin of pytest: instead of running what it has collected, it tries mutants on it."""

    def __init__(self, options: argparse.Namespace, drawn: list[Mutant]):
        self.options, self.drawn = options, drawn
        self.counts: dict[str, Counter] = defaultdict(Counter)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        import nbsnn

        if not nbsnn.__file__.startswith(str(ROOT)):
            raise RuntimeError(f"nbsnn comes from {nbsnn.__file__}, not from {ROOT}")
        from .meeting import let_threads_meet  # which imports Numba

        let_threads_meet()
        folder = Path(tempfile.mkdtemp(prefix="mutants"))
        try:
            jobs = Jobs(self.options.jobs, folder)
            began = time.monotonic()
            functions = scalar_functions()
            survey = Survey(self.options.notes, jobs, functions).take(session.items)
            used = sum(entry.get("passed", False) for entry in survey.values())
            print(f"\n{used} of {len(session.items)} tests are used; {time.monotonic() - began:.0f} s", flush=True)
            trial, began = Trial(session.items, survey, jobs, functions), time.monotonic()
            same = equivalent()
            for mutant in self.drawn:
                if mutant.key in same:
                    self.counts[mutant.folder]["same"] += 1
                else:
                    trial.catch(mutant, self.judge(mutant, trial))
            jobs.finish()
            print(f"{len(self.drawn)} mutants in {time.monotonic() - began:.0f} s", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return True

    def judge(self, mutant: Mutant, trial: Trial) -> Callable[[str | None], None]:
        def done(test: str | None) -> None:
            word = trial.reach(mutant) if test is None else "caught"
            self.counts[mutant.folder][word] += 1
            if test is None:
                print(f"{word}: {mutant}", flush=True)
            elif self.options.verbose:
                print(f"caught: {mutant}\n    by {test}", flush=True)

        return done

    def report(self) -> None:
        """The score of each folder, and the mean weighted by how many mutants each has."""
        sizes = Counter(mutant.folder for mutant in all_mutants(self.options.only))
        total = weight = 0.0
        for folder, counts in self.counts.items():
            tried = counts.total() - counts["same"]
            score = counts["caught"] / max(1, tried)
            total, weight = total + sizes[folder] * score, weight + sizes[folder]
            rest = "".join(f"; {counts[word]} {word}" for word in (*SURVIVORS, "same") if counts[word])
            print(f"{folder:20}{counts['caught']} of {tried} caught, {score:.1%}{rest}")
        print(f"{'all, weighted':20}{total / max(1.0, weight):.1%}")


def draw(count: int, seed: int, only: str) -> Iterator[Mutant]:
    """So many mutants of each folder."""
    every = all_mutants(only)
    for folder in FOLDERS:
        its = [mutant for mutant in every if mutant.folder == folder]
        yield from random.Random(seed).sample(its, min(count, len(its)))


def again(log: Path) -> Iterator[Mutant]:
    """Those of which an earlier run has printed that nobody caught them."""
    lines = (line.split(": ", 2) for line in log.read_text().splitlines() if line.startswith(SURVIVORS))
    keys = {f"{place.rpartition(':')[0]}: {change}" for _, place, change in lines}
    return (mutant for mutant in all_mutants() if mutant.key in keys)


def main(arguments: list[str] | None = None) -> int:
    """Sample mutants, run their tests, print who survived and the score of each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="how many mutants of each folder (default: 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="those whose 'file: function: old -> new' contains this")
    parser.add_argument("--again", type=Path, metavar="LOG", help="those that survived where this was printed")
    parser.add_argument("--tests", nargs="*", help="test files (default: all that bear on equations and kernels)")
    parser.add_argument("--notes", type=Path, default=Path(tempfile.gettempdir()) / "nbsnn-mutation")
    parser.add_argument("--list", action="store_true", help="print the mutants, and run nothing")
    parser.add_argument("--verbose", action="store_true", help="also print who was caught, by which test")
    options = parser.parse_args(arguments)
    drawn = list(again(options.again) if options.again else draw(options.count, options.seed, options.only))
    if options.list:
        print(*drawn, sep="\n")
        return 0
    if "numba" in sys.modules:
        raise RuntimeError("Numba is imported already; the tests must run interpreted")
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "NUMBA_ENABLE_CUDASIM": "1"}
    tests = options.tests or sorted(
        str(file)
        for file in [*ROOT.glob("tests/test_*.py"), *ROOT.glob("tests/conformance/test_*.py")]
        if file.stem.removeprefix("test_") not in UNRELATED
    )
    flags = ["-q", "-s", "--no-header", "--no-summary", f"--rootdir={ROOT}", f"--config-file={ROOT}/pyproject.toml"]
    flags += ["-p", "no:cacheprovider", "-o", "addopts=", "-m", "not long and not trust"]
    session = Session(options, drawn)
    if code := pytest.main([*flags, *tests], plugins=[session]):
        return int(code)
    session.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
