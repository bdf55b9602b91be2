"""Do the tests notice? Change one thing in a scalar equation or a kernel, run the tests that reach it, count who fails.

    python -m tests.tools.mutate --count 60 --seed 1 [--only nbsnn/neurons] [--tests tests/test_neurons.py ...] [--list]

A mutant has one changed sign, constant, comparison, index or condition, two swapped arguments, or a statement less.
The default tests are collected once, interpreted, with CUDA in the simulator. A first pass notes which test runs which
lines (and is kept in ``--notes``, by test file, as long as nothing that it depends on changes). Then each mutant lives
in a forked child, which runs the tests that reach its lines, the quickest first, until one fails. A mutant that takes
too long counts as caught. Survivors are printed with file, line and change; those that compute the same are listed in
``equivalent.txt`` with a reason, and not counted.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from .mutants import FOLDERS, ROOT, Mutant, all_mutants

EQUIVALENT = Path(__file__).with_name("equivalent.txt")
LONGEST = 3.0
"""Seconds of processors that a test may take, traced, to be used at all."""
TOGETHER = 20.0
"""Seconds, traced, of the tests that a mutant meets at most."""
DEATHS = 12
"""In a row, after which the rest of a test file is left out."""
UNRELATED = {
    "benchmarks", "cli", "compile", "cuda_setup", "data", "examples", "fit", "handed_over",
    "mutate", "plot", "processes", "profile", "ptx", "readme", "report", "save", "structure", "variables_file",
    "whole_file",
}  # fmt: skip
"""Test files that have nothing to say about equations and kernels."""


class Lines:
    """A tracer: the lines of scalar code that run while it is on, as {file: lines}."""

    def __init__(self):
        self.files = {str(ROOT / "nbsnn" / folder) for folder in FOLDERS}
        self.left: dict[CodeType, set[int]] = {}
        self.known: dict[CodeType, bool] = {}

    def __enter__(self) -> Lines:
        self.left = {}
        threading.settrace(self.call)
        sys.settrace(self.call)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]

    def call(self, frame: Any, event: str, arg: Any) -> Callable | None:
        code = frame.f_code
        inside = self.known.get(code)
        if inside is None:
            inside = self.known[code] = any(code.co_filename.startswith(name + os.sep) for name in self.files)
        if not inside:
            return None
        left = self.left.get(code)
        if left is None:
            left = self.left[code] = {line for _, _, line in code.co_lines() if line and line > code.co_firstlineno}
        return self.line if left else None

    def line(self, frame: Any, event: str, arg: Any) -> Callable:
        left = self.left[frame.f_code]
        left.discard(frame.f_lineno)
        if not left:
            frame.f_trace_lines = False
        return self.line

    def seen(self) -> dict[str, list[int]]:
        found = defaultdict(set)
        for code, left in self.left.items():
            lines = {line for _, _, line in code.co_lines() if line and line > code.co_firstlineno}
            found[str(Path(code.co_filename).relative_to(ROOT))] |= lines - left
        return {file: sorted(lines) for file, lines in found.items()}


def passes(item: pytest.Item, following: pytest.Item | None, limit: float) -> bool:
    """Whether a test passes; this process dies if it takes ``limit`` seconds of processors, or sleeps for ever."""
    from _pytest.runner import runtestprotocol

    for timer, died_of, seconds in (
        (signal.ITIMER_PROF, signal.SIGPROF, limit),
        (signal.ITIMER_REAL, signal.SIGALRM, 600.0),  # a busy machine is slow
    ):
        signal.signal(died_of, signal.SIG_DFL)
        signal.setitimer(timer, seconds)
    reports = runtestprotocol(item, log=False, nextitem=following)
    for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
        signal.setitimer(timer, 0)
    return len(reports) == 3 and all(report.passed for report in reports)


def fork(work: Callable[[], None], folder: Path) -> int:
    """The number of a child that does ``work``, without a word."""
    sys.stdout.flush()
    if child := os.fork():
        return child
    code = 1
    try:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(dir=folder)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        work()
        code = 0
    finally:
        os._exit(code)


class Jobs:
    """At most so many children at a time; ``done`` is called with each one's status in the parent."""

    def __init__(self, count: int, folder: Path):
        self.count, self.folder, self.running = count, folder, {}

    def start(self, work: Callable[[], None], done: Callable[[int], None]) -> None:
        while len(self.running) >= self.count:
            self.wait()
        self.running[fork(work, self.folder)] = done

    def wait(self) -> None:
        child, status = os.wait()
        self.running.pop(child)(status)

    def finish(self) -> None:
        while self.running:
            self.wait()


class Survey:
    """Which test runs which lines, and in how many seconds, from ``notes`` where the test file is noted there."""

    def __init__(self, notes: Path, jobs: Jobs):
        self.notes, self.jobs = notes, jobs
        notes.mkdir(parents=True, exist_ok=True)
        shared = [file for file in (ROOT / "nbsnn").rglob("*.py")]
        shared += [file for file in (ROOT / "tests").glob("*.py") if not file.name.startswith("test_")]
        self.shared = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(shared)))

    def note(self, file: Path) -> Path:
        digest = self.shared.copy()
        digest.update(file.read_bytes())
        return self.notes / f"{file.stem}-{digest.hexdigest()[:16]}.jsonl"

    def take(self, items: list[pytest.Item]) -> dict[str, dict]:
        """Name of each test -> its seconds and lines; without those that fail, skip, or take too long."""
        files = defaultdict(list)
        for item in items:
            files[item.path].append(item)
        for file, its in sorted(files.items(), key=lambda pair: -len(pair[1])):
            if not self.note(file).exists():
                part = self.note(file).with_suffix(".part")
                part.touch()
                self.go_on(its, part, self.note(file))
        self.jobs.finish()
        found = {}
        for file in files:
            for line in self.note(file).read_text().splitlines():
                entry = json.loads(line)
                if entry.get("passed"):
                    found[entry["test"]] = entry
        return found

    def go_on(self, items: list[pytest.Item], part: Path, note: Path) -> None:
        """Trace those of these tests that ``part`` does not name yet; where the child dies, go on after that test."""
        tried = {json.loads(line)["test"] for line in part.read_text().splitlines()}
        items = [item for item in items if item.nodeid not in tried]

        def work() -> None:
            lines = Lines()
            with part.open("a", buffering=1) as file:
                for item, following in zip(items, [*items[1:], None][: len(items)], strict=True):
                    began = time.process_time()
                    file.write(json.dumps({"test": item.nodeid}) + "\n")
                    with lines:
                        passed = passes(item, following, LONGEST)
                    entry = {"test": item.nodeid, "passed": passed, "seconds": time.process_time() - began}
                    file.write(json.dumps({**entry, "lines": lines.seen()}) + "\n")

        def done(status: int) -> None:
            last = [json.loads(line) for line in part.read_text().splitlines()][-DEATHS:]
            if status == 0 or (len(last) == DEATHS and not any("passed" in entry for entry in last)):
                part.rename(note)  # a slow fixture, say
            else:
                self.go_on(items, part, note)

        self.jobs.start(work, done)


class Trial:
    """All mutants against the tests that reach them."""

    def __init__(self, items: list[pytest.Item], survey: dict[str, dict], jobs: Jobs):
        self.items = {item.nodeid: item for item in items}
        self.survey, self.jobs = survey, jobs
        self.sound: dict[str, bool] = {}
        self.by_line = defaultdict(set)
        for test, entry in survey.items():
            for file, lines in entry["lines"].items():
                for line in lines:
                    self.by_line[file, line].add(test)
        for file in {file for folder in FOLDERS for file in (ROOT / "nbsnn" / folder).rglob("*.py")}:
            import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))  # else a child finds no mutant
        gc.collect()
        inside = str(ROOT / "nbsnn") + os.sep
        self.functions = [
            thing
            for thing in gc.get_objects()
            if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(inside)
        ]
        gc.freeze()

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that run the changed lines (or at least their function), the quickest first."""
        for lines in (mutant.lines, mutant.body):
            found = {test for line in lines for test in self.by_line[mutant.file, line]}
            if found:
                break
        chosen, together = [], 0.0
        for test in sorted(found, key=lambda test: (self.survey[test]["seconds"], test)):
            together += self.survey[test]["seconds"]
            if self.sound.get(test, True) and together < TOGETHER:
                chosen.append(test)
        return chosen

    def attempt(self, mutant: Mutant | None, tests: list[str], done: Callable[[str | None], None]) -> None:
        """Run these tests on a mutant (None: without a change); ``done`` is given the one that fails, or None."""
        note = Path(tempfile.mkstemp(dir=self.jobs.folder)[1])

        def work() -> None:
            if mutant:
                codes = mutant.codes()
                for function in self.functions:
                    code = function.__code__
                    if code.co_filename == str(ROOT / mutant.file) and not code.co_name.startswith("<"):
                        function.__code__ = codes[code.co_qualname, code.co_firstlineno]
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
        self.tried, self.caught, self.same = Counter(), Counter(), Counter()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        import nbsnn

        if not nbsnn.__file__.startswith(str(ROOT)):
            raise RuntimeError(f"nbsnn comes from {nbsnn.__file__}, not from {ROOT}")
        folder = Path(tempfile.mkdtemp(prefix="mutants"))
        try:
            jobs = Jobs(self.options.jobs, folder)
            began = time.monotonic()
            survey = Survey(self.options.notes, jobs).take(session.items)
            print(
                f"\n{len(survey)} of {len(session.items)} tests are used; {time.monotonic() - began:.0f} s", flush=True
            )
            trial, began = Trial(session.items, survey, jobs), time.monotonic()
            same = equivalent()
            for mutant in self.drawn:
                self.same[mutant.folder] += mutant.key in same
                if mutant.key not in same:
                    trial.catch(mutant, self.judge(mutant))
            jobs.finish()
            print(f"{len(self.drawn)} mutants in {time.monotonic() - began:.0f} s", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return True

    def judge(self, mutant: Mutant) -> Callable[[str | None], None]:
        def done(test: str | None) -> None:
            self.tried[mutant.folder] += 1
            self.caught[mutant.folder] += test is not None
            if test is None:
                print(f"survives: {mutant}", flush=True)
            elif self.options.verbose:
                print(f"caught: {mutant}\n    by {test}", flush=True)

        return done


def draw(count: int, seed: int, only: str) -> Iterator[Mutant]:
    """So many mutants of each folder."""
    every = all_mutants(only)
    for folder in FOLDERS:
        its = [mutant for mutant in every if mutant.folder == folder]
        yield from random.Random(seed).sample(its, min(count, len(its)))


def main(arguments: list[str] | None = None) -> int:
    """Sample mutants, run their tests, print who survived and the score of each folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="how many mutants of each folder (default: 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="those whose 'file: function: old -> new' contains this")
    parser.add_argument("--tests", nargs="*", help="test files (default: all that bear on equations and kernels)")
    parser.add_argument("--notes", type=Path, default=Path(tempfile.gettempdir()) / "nbsnn-mutation")
    parser.add_argument("--list", action="store_true", help="print the mutants, and run nothing")
    parser.add_argument("--verbose", action="store_true", help="also print who was caught, by which test")
    options = parser.parse_args(arguments)
    drawn = list(draw(options.count, options.seed, options.only))
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
    for folder in session.tried:
        tried, caught, same = (counter[folder] for counter in (session.tried, session.caught, session.same))
        print(f"{folder:14}{caught} of {tried} caught, {caught / tried:.1%}; {same} more compute the same")
    tried, caught = session.tried.total(), session.caught.total()
    print(f"{'all':14}{caught} of {tried} caught, {caught / max(1, tried):.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
