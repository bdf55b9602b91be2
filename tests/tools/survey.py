"""Which test runs which lines of scalar code: what tests.tools.mutate wants to know first, and how it runs tests."""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import hashlib
import inspect
import json
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from .mutants import ROOT, codes_of, scalar_files

LONGEST = 3.0
"""Seconds of processors that a test may take to be used at all."""
DEATHS = 12
"""In a row, after which the rest of a test file is left out."""
HITS = "_nbsnn_hits"


class Marks(ast.NodeTransformer):
    """Puts before each statement of a function an assignment that tells that it has run."""

    def __init__(self):
        self.file, self.depth = "", 0
        self.places: list[tuple[str, int, int]] = []
        """File, first line and the one after the last of each statement, without those of statements in it."""

    def codes(self, file: Path) -> dict[tuple[str, int], CodeType]:
        """Qualified name and first line of each function of the file -> its code with marks."""
        self.file = file.relative_to(ROOT).as_posix()
        return codes_of(file, file.read_bytes(), self.visit(ast.parse(file.read_bytes())))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        documented = ast.get_docstring(node) is not None
        node.body = [*node.body[:documented], *self.marked(node.body[documented:])]
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if self.depth and not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for part in ("body", "orelse", "finalbody"):
                if isinstance(statements := getattr(node, part, None), list):
                    setattr(node, part, self.marked(statements))
        return node

    def marked(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for statement in statements:
            inner = getattr(statement, "body", None)
            end = inner[0].lineno if inner else (statement.end_lineno or 0) + 1
            mark = ast.parse(f"{HITS}[{len(self.places)}] = 1").body[0]
            for node in ast.walk(mark):
                ast.copy_location(node, statement)
            self.places.append((self.file, statement.lineno, max(end, statement.lineno + 1)))
            found += [mark, statement]
        return found


def replace(functions: list[FunctionType], file: Path | str, codes: dict[tuple[str, int], CodeType]) -> None:
    """Give each function of this file its new code."""
    for function in functions:
        code = function.__code__
        if code.co_filename == str(file) and not code.co_name.startswith("<"):
            function.__code__ = codes[code.co_qualname, code.co_firstlineno]


def passes(item: pytest.Item, following: pytest.Item | None, limit: float, late: Any = signal.SIG_DFL) -> bool:
    """Whether a test passes; this process dies if it takes ``limit`` seconds of processors, or sleeps for ever."""
    from _pytest.runner import runtestprotocol

    for timer, died_of, dies, seconds in (
        (signal.ITIMER_PROF, signal.SIGPROF, late, limit),
        (signal.ITIMER_REAL, signal.SIGALRM, signal.SIG_DFL, 600.0),  # a busy machine is slow
    ):
        signal.signal(died_of, dies)
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


def scalar_functions() -> list[FunctionType]:
    """All functions of nbsnn that exist, those of all files of ``FOLDERS`` among them."""
    for file in scalar_files():
        import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))  # else a child finds no mutant
    gc.collect()
    inside = str(ROOT / "nbsnn") + os.sep
    found = [thing for thing in gc.get_objects() if isinstance(thing, FunctionType)]
    found = [function for function in found if function.__code__.co_filename.startswith(inside)]
    gc.freeze()
    return found


class Survey:
    """Which test runs which lines, and in how many seconds; kept in ``notes`` while neither test nor lines change."""

    def __init__(self, notes: Path, jobs: Jobs, functions: list[FunctionType]):
        self.notes, self.jobs, self.functions = notes, jobs, functions
        notes.mkdir(parents=True, exist_ok=True)
        self.digests = {file.relative_to(ROOT).as_posix(): digest(file) for file in scalar_files()}
        self.marks = Marks()
        self.codes = {file: self.marks.codes(file) for file in scalar_files()}
        self.hits = bytearray(len(self.marks.places))

    def note(self, file: Path) -> Path:
        return self.notes / f"{file.parent.name}-{file.stem}.jsonl"

    def entries(self, file: Path, items: list[pytest.Item]) -> dict[str, dict]:
        """Name of each test -> what is known of it: seconds, lines, whether it passed; nothing if it died silently."""
        sources, found = {item.nodeid: named(item)["source"] for item in items}, {}
        for line in self.note(file).read_text().splitlines() if self.note(file).exists() else ():
            entry = json.loads(line)
            test, source, digests = entry["test"], entry.get("source"), entry.get("digests", {})
            if sources.get(test) == source and all(self.digests.get(name) == old for name, old in digests.items()):
                found[test] = entry
            else:
                found.pop(test, None)
        return found

    def take(self, items: list[pytest.Item]) -> dict[str, dict]:
        """What is known of each test, tried here if nothing is."""
        files = defaultdict(list)
        for item in items:
            files[item.path].append(item)
        for file, its in sorted(files.items(), key=lambda pair: -len(pair[1])):
            self.go_on(file, its)
        self.jobs.finish()
        return {test: entry for file, its in files.items() for test, entry in self.entries(file, its).items()}

    def go_on(self, file: Path, items: list[pytest.Item]) -> None:
        """Run those of these tests of which nothing is known yet; where the child dies, go on after that test."""
        known = self.entries(file, items)
        items = [item for item in items if item.nodeid not in known]
        if len(known) >= DEATHS and not any("passed" in entry for entry in list(known.values())[-DEATHS:]):
            self.write(file, *(named(item) for item in items))  # a slow fixture, say
        elif items:
            self.jobs.start(lambda: self.run(file, items), lambda status: self.go_on(file, items) if status else None)

    def write(self, file: Path, *entries: dict) -> None:
        with self.note(file).open("a") as notes:
            notes.writelines(json.dumps(entry) + "\n" for entry in entries)

    def run(self, file: Path, items: list[pytest.Item]) -> None:
        """Run these tests and write down what they ran."""
        setattr(builtins, HITS, self.hits)
        for scalar, codes in self.codes.items():
            replace(self.functions, scalar, codes)
        for item, following in zip(items, [*items[1:], None], strict=True):
            began = time.process_time()
            self.write(file, named(item))
            self.hits[:] = bytes(len(self.hits))

            def late(*_: Any, item: pytest.Item = item) -> None:
                self.write(file, {**named(item), "late": True, **self.seen()})
                os._exit(1)

            passed = passes(item, following, LONGEST, late)
            seconds = time.process_time() - began
            self.write(file, {**named(item), "passed": passed, "seconds": seconds, **self.seen()})

    def seen(self) -> dict[str, dict]:
        lines = defaultdict(set)
        for hit, (file, first, end) in zip(self.hits, self.marks.places, strict=True):
            if hit:
                lines[file].update(range(first, end))
        return {
            "digests": {file: self.digests[file] for file in lines},
            "lines": {file: sorted(its) for file, its in lines.items()},
        }


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


@functools.cache
def source_of(function: FunctionType | None) -> str:
    """A digest of a test's own text."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16] if function else ""


def named(item: pytest.Item) -> dict[str, str]:
    return {"test": item.nodeid, "source": source_of(getattr(item, "function", None))}
