"""Scripts as processes of their own: who can run a peer, and what a script printed."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rows import Command

HERE = Path(__file__).resolve().parent
DISTRIBUTIONS = {
    "torch": "torch", "spikingjelly": "spikingjelly", "snntorch": "snntorch", "norse": "norse",
    "bindsnet": "bindsnet", "spaic": "SPAIC", "brian2": "Brian2", "nest": "nest-simulator", "ANNarchy": "ANNarchy",
}  # fmt: skip
PROBE = """
import importlib.metadata, importlib.util, json, sys
found = {}
for module, name in json.loads(sys.argv[1]).items():
    if importlib.util.find_spec(module):
        try:
            found[module] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[module] = "?"
print(json.dumps(found))
"""
Peers = dict[str, tuple[str, str]]
"""Module -> interpreter that has it, and version."""


def find_peers(interpreters: list[str]) -> Peers:
    """Which interpreter has each peer, and its version there; the first in the list wins."""
    found: Peers = {}
    for python in interpreters:
        try:
            argv = [python, "-c", PROBE, json.dumps(DISTRIBUTIONS)]
            text = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{python} does not run: {error}", file=sys.stderr)
            continue
        for module, version in json.loads(text).items():
            found.setdefault(module, (python, version))
    return found


def argv_of(command: Command, python: str, threads: int, folder: Path) -> list[str]:
    """What to start, for the interpreter that has the peer."""
    own = folder / hashlib.sha256(repr(command).encode()).hexdigest()[:12]
    options = [o.format(python=python, folder=own) for o in shlex.split(command.options)]
    runner = sys.executable if "{python}" in command.options else python
    return [runner, str(HERE / command.script), *options, "--threads", str(command.threads or threads)]


def parse(text: str) -> dict[str, Any]:
    """The last line that is JSON, among whatever else a peer says."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except json.JSONDecodeError:
                continue
    return {"error": "printed no result"}


def execute(argv: list[str], timeout: float) -> dict[str, Any]:
    """Run a script to its end; what it printed, or why it failed, and how busy others kept the processors."""
    environment = dict(os.environ)
    # What a peer compiles finds the tools of its own environment, and our scripts the nbsnn they belong to.
    environment["PATH"] = f"{Path(argv[0]).parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["PYTHONPATH"] = str(HERE.parents[1])
    start, before, busy = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN), machine_seconds()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            process = subprocess.Popen(argv, stdout=out, stderr=err, env=environment, start_new_session=True)
        except OSError as error:
            return {"error": str(error)}
        try:
            process.wait(timeout)
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            if process.poll() is None:  # too slow, or interrupted: nothing it started may go on
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        out.seek(0)
        err.seek(0)
        said, complaint = out.read(), err.read().strip().splitlines()
    if timed_out:
        return {"error": f"took longer than {timeout:g} s"}
    if process.returncode:
        return {"error": complaint[-1] if complaint else f"ended with {process.returncode}"}
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**parse(said), "other_cores": round(max(0.0, machine_seconds() - busy - own) / wall, 2)}


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_seconds() -> float:
    """Seconds that all processors have worked so far; 0 where the system does not tell."""
    try:
        fields = [int(x) for x in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    except (OSError, ValueError):
        return 0.0
    return (sum(fields[:3]) + sum(fields[5:7])) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(limit: float) -> None:
    """Until others use less than a fifth of a processor, ``limit`` seconds at most."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = machine_seconds()
        time.sleep(1.0)
        if machine_seconds() - before < 0.2:
            return
