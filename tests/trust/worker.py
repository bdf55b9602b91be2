"""Trials in a process of their own, so that a crash or a hang ends one trial and not the tests.

python -m tests.trust.worker tests.trust.test_random_networks 17 compiled=False    runs trial 17 alone
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Mismatch(AssertionError):
    """The library says other than the oracle."""


class Worker:
    """A child that runs ``trial(seed, **how)`` of a module, and starts anew if it has died.

    Parameters
    ----------
    module : str
    interpreted : bool
        Whether kernels run as Python code there.
    **how
        Goes to ``trial``.
    """

    def __init__(self, module: str, *, interpreted: bool, **how: Any):
        self.module, self.how, self.interpreted = module, how, interpreted
        self.counts: Counter[str] = Counter()
        self.child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()
        print(f"{self.module}: {dict(self.counts)}")

    def stop(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-m", "tests.trust.worker"]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": str(int(self.interpreted))}
        environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)

    def __call__(self, seed: int, patience: float = 300.0) -> None:
        """Run a trial; raises ``Mismatch``, which says how to run it again, if anything is wrong with it."""
        again = f"NUMBA_DISABLE_JIT={int(self.interpreted)} python -m tests.trust.worker {self.module} {seed}"
        again += "".join(f" {name}={value!r}" for name, value in self.how.items())
        if self.child is None:
            self.child = self._start()
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(json.dumps([self.module, seed, self.how]) + "\n")
        self.child.stdin.flush()
        limit = threading.Timer(patience, self.child.kill)
        limit.start()
        answer = self.child.stdout.readline()
        limit.cancel()
        if not answer:
            code = self.child.wait()
            self.child = None
            raise Mismatch(f"trial {seed} ended its process ({code}) or took {patience:g} s; again: {again}")
        counts, wrong = json.loads(answer)
        self.counts.update(counts)
        if wrong:
            raise Mismatch(f"trial {seed}: {wrong}\nagain: {again}")


def attempt(module: str, seed: int, how: dict[str, Any]) -> tuple[dict[str, int], str]:
    """What was compared in a trial, and what was wrong."""
    counts: Counter[str] = Counter()
    try:
        importlib.import_module(module).trial(seed, counts, **how)
    except Mismatch as error:
        return counts, str(error)
    except Exception:
        return counts, traceback.format_exc()
    return counts, ""


def main() -> None:
    """Trials named on standard input, answers on standard output; or the one on the command line."""
    if len(sys.argv) > 2:
        how = {name: ast.literal_eval(value) for name, value in (word.split("=") for word in sys.argv[3:])}
        counts, wrong = attempt(sys.argv[1], int(sys.argv[2]), how)
        print(dict(counts), wrong or "right", sep="\n")
        sys.exit(bool(wrong))
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            answer = attempt(*json.loads(line))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
