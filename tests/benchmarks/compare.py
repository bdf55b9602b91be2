"""nbsnn beside its peers: every workload that both can do, in turn, as a table.

    python tests/benchmarks/compare.py --python ~/peers/torch/bin/python --python ~/peers/sim/bin/python

Peers are looked for in the interpreters given with --python, in those listed in the environment variable NBSNN_PEERS
(separated as in PATH) and in the one that runs this. A row without its peer says so, and so does one that fails.

Each command runs as a process of its own, ours, then each peer's, then ours again, --repeat times over. A run's value
is the fastest of its steps after some that do not count; a ratio is the peer's value over ours from the same round, and
the median over rounds is shown. Threads that wait for each other suffer from whoever else uses the machine, and torch's
do more than ours: where others had processors that were wanted the row says "disturbed", and its ratio is no result.
--wait waits for a quiet moment before each run; --threads 1 leaves the others a processor.

``pip install "nbsnn[peers]"`` brings all peers into one environment, and with them a torch for GPUs, several GB.
Smaller, each group in an environment of its own:

    torch: pip install --index-url https://download.pytorch.org/whl/cpu torch
           pip install numpy scipy h5py loguru matplotlib tqdm packaging nir
           pip install --no-deps spikingjelly snntorch norse nirtorch
    sim:   pip install brian2 "numpy<2.4" nest-simulator ANNarchy                  and a C++ compiler, make and cmake
    bind:  pip install --index-url https://download.pytorch.org/whl/cpu torch
           pip install numpy scipy h5py matplotlib tqdm pandas scikit-image scikit-learn pyyaml \\
               opencv-python-headless gymnasium tensorboardX ale-py
           pip install --no-deps bindsnet SPAIC

Without --no-deps SpikingJelly, Norse and BindsNET bring torchvision, which nothing here needs. Brian 2 2.9 does not run
with NumPy 2.4. Versions that were installed so on 2026-11-22, with Python 3.11: torch 2.13, SpikingJelly 2.0, snnTorch
1.0, Norse 1.1, NumPy 2.4; Brian 2 2.9, NEST 3.10, ANNarchy 5.0.4, NumPy 2.3; BindsNET 0.3.4, SPAIC 0.6.3.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from processes import HERE, Peers, argv_of, execute, find_peers, processors, wait_for_quiet
from rows import ROWS, Command, Row

Results = dict[Command, list[dict[str, Any]]]


def value_of(result: dict[str, Any], key: str) -> float | None:
    """A number of a script's output; of several the smallest. None if the script failed or does not print it."""
    value = result.get(key)
    return value.get("min") if isinstance(value, dict) else value


def median_of(results: list[dict[str, Any]], key: str) -> float | None:
    """Over the rounds; None if one of them failed or there were none."""
    values = [value_of(result, key) for result in results]
    return statistics.median(v for v in values if v is not None) if values and None not in values else None


def best(commands: tuple[Command, ...], results: Results, key: str) -> Command | None:
    """Of those that ran, the one with the smallest median."""
    medians = {c: median_of(results.get(c, []), key) for c in commands}
    ran = {c: m for c, m in medians.items() if m is not None}
    return min(ran, key=lambda c: ran[c]) if ran else None


def ratios(peer: list[dict[str, Any]], mine: list[dict[str, Any]], key: str) -> list[float]:
    """The peer's value over ours, round by round."""
    pairs = [(value_of(a, key), value_of(b, key)) for a, b in zip(peer, mine, strict=True)]
    return [a / b for a, b in pairs if a is not None and b is not None and b > 0.0]


def work_done(row: Row, peer: dict[str, Any], mine: dict[str, Any]) -> tuple[bool, str]:
    """Whether both sides did the same work, as far as both say, and the numbers where they differ."""
    equal, compared, text = True, False, []
    for key, tolerance in row.same.items():
        a, b = peer.get(key), mine.get(key)
        if a is None or b is None:
            continue
        compared, apart = True, abs(a - b) / max(abs(a), abs(b), 1e-30)
        equal &= apart <= tolerance
        if apart > 0.001:
            text.append(f"{key} {a:g} / {b:g}")
    return equal, ", ".join(text) or ("same" if compared else "not told" if row.same else "")


def judge(row: Row, results: Results, peers: Peers, threads: int) -> dict[str, Any]:
    """One row of the table."""
    notes = [f"{c.name} is not installed" for c in row.peers if c.module not in peers]
    errors = {c.name: r["error"] for c in (*row.ours, *row.peers) for r in results.get(c, []) if "error" in r}
    notes += [f"{name} failed: {error[:200]}" for name, error in errors.items()]
    notes += [f"ours has no {s} yet" for s in sorted({c.script for c in row.ours}) if not (HERE / s).exists()]
    verdict: dict[str, Any] = {
        "name": row.name, "work": row.work, "against": row.against, "target": row.target, "value": row.value,
        "ratio": None, "notes": notes,
    }  # fmt: skip
    mine, peer = best(row.ours, results, row.value), best(row.peers, results, row.value)
    if mine is not None:  # a network that fell silent, say, is no faster: first come those that did the same work
        alike = tuple(c for c in row.peers if results.get(c) and work_done(row, results[c][0], results[mine][0])[0])
        peer = best(alike, results, row.value) or peer
    if mine is not None:
        verdict.update(ours=median_of(results[mine], row.value), ours_by=mine.name)
    if peer is not None:
        verdict.update(peer=median_of(results[peer], row.value), peer_by=peer.name)
    if mine is not None and peer is not None:
        found = ratios(results[peer], results[mine], row.value)
        equal, text = work_done(row, results[peer][0], results[mine][0])
        verdict.update(done=text, equal=equal)
        if found:
            verdict.update(ratio=statistics.median(found), spread=[min(found), max(found)])
        loads = [r.get("other_cores", 0.0) for c in (mine, peer) for r in results[c]]
        verdict.update(others=statistics.median(loads))
        timed = not row.value.endswith("_mb")
        if timed and statistics.median(loads) > spare(max(mine.threads or threads, peer.threads or threads)):
            verdict.update(disturbed=True)
            notes.append(f"disturbed, others kept {statistics.median(loads):.1f} processors busy")
    return verdict


def spare(threads: int) -> float:
    """How many processors others may use without being in the way of ``threads`` threads."""
    return max(0, processors() - threads) + 0.3


def shown(value: float | None, key: str) -> str:
    """A number with its unit."""
    if value is None:
        return ""
    if key.endswith("_mb"):
        return f"{value:.1f} MB"
    if key.endswith("_error"):
        return f"{value:.1%}"
    return f"{value:.3g} s" if value >= 1.0 else f"{1e3 * value:.3g} ms"


def markdown(verdicts: list[dict[str, Any]]) -> str:
    """The table; a ratio that is as large as wanted, and was measured undisturbed, is bold."""
    lines = [
        "| row | workload | against | peer | nbsnn | ratio | wanted | work done, peer / nbsnn |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for v in verdicts:
        peer = f"{shown(v.get('peer'), v['value'])} ({v['peer_by']})" if "peer" in v else ""
        ratio = ""
        if v["ratio"] is not None:
            ratio = f"{v['ratio']:.3g}"
            met = v["target"] and v["ratio"] >= v["target"] and not v.get("disturbed")
            ratio = f"**{ratio}**" if met else ratio
            ratio += f" ({v['spread'][0]:.3g} to {v['spread'][1]:.3g})"
        done = v.get("done", "") + ("" if v.get("equal", True) else " **not the same**")
        done = "; ".join([done, *v["notes"]] if done else v["notes"]).replace("|", "/")
        wanted = f"{v['target']:g}" if v["target"] else ""
        mine = shown(v.get("ours"), v["value"])
        lines.append(f"| {v['name']} | {v['work']} | {v['against']} | {peer} | {mine} | {ratio} | {wanted} | {done} |")
    return "\n".join(lines)


def machine() -> str:
    """Processor, and how many of them we may use; clouds give several kinds one name, so the widest vectors, too."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")]
    wide = ", AVX-512" if " avx512f " in text else ""
    return f"{processors()} x {names[0] if names else platform.machine()}{wide}"


def versions(peers: Peers) -> dict[str, str]:
    """Of ours and of the peers."""
    code = "import sys, nbsnn, numpy, numba; print(nbsnn.__version__, sys.version.split()[0], numpy.__version__, "
    code += "numba.__version__)"
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    mine = dict(zip(("nbsnn", "Python", "NumPy", "Numba"), done.stdout.split(), strict=True))
    return {**mine, **{module: version for module, (_, version) in sorted(peers.items())}}


def write(path: Path, report: Any) -> None:
    """Whole or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(report, indent=1))
    beside.replace(path)


def possible(row: Row, peers: Peers) -> bool:
    """Whether both sides can run."""
    return all((HERE / c.script).exists() for c in row.ours) and any(c.module in peers for c in row.peers)


def main(arguments: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", action="append", default=[], help="an interpreter that has peers; may be repeated")
    p.add_argument("--rows", nargs="+", default=[""], metavar="ROW", help="beginnings of rows' names, such as W1")
    p.add_argument("--repeat", type=int, default=5, help="rounds")
    p.add_argument(
        "--steps", type=int, help="timed steps or images in each run; as many as each script likes by default"
    )
    p.add_argument("--threads", type=int, default=2, help="of each side, where the row does not say")
    p.add_argument("--timeout", type=float, default=1200.0, help="seconds for one run")
    p.add_argument("--wait", type=float, default=0.0, help="seconds to wait before a run for others to be quiet")
    p.add_argument("--json", type=Path, default=Path("compare.json"), help="file for all that was measured")
    p.add_argument("--list", action="store_true", help="only say what the rows are and which peers were found")
    a = p.parse_args(arguments)
    chosen = [row for row in ROWS if row.name.lower().startswith(tuple(name.lower() for name in a.rows))]
    if not chosen:
        p.error("no such rows; --list names them all")
    if min(a.repeat, a.threads, a.steps or 1) < 1:
        p.error("--repeat, --steps and --threads must be at least 1")
    listed = [path for path in os.environ.get("NBSNN_PEERS", "").split(os.pathsep) if path]
    peers = find_peers([*a.python, *listed, sys.executable])
    if a.list:
        for row in chosen:
            print(f"{row.name:18} {row.work}; {row.against}: {', '.join(c.name for c in row.peers)}")
        print("found: " + (", ".join(f"{m} {v} in {python}" for m, (python, v) in peers.items()) or "no peers"))
        return 0
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(), "machine": machine(), "versions": versions(peers),
        "threads": a.threads, "repeat": a.repeat,
        "command": shlex.join(["python", "tests/benchmarks/compare.py", *(arguments or sys.argv[1:])]),
    }  # fmt: skip
    everything: dict[str, Results] = {}  # by group: a command in two groups has runs of its own in each
    with tempfile.TemporaryDirectory() as folder:
        for group in dict.fromkeys(row.group for row in chosen):
            rows = [row for row in chosen if row.group == group and possible(row, peers)]
            commands = dict.fromkeys(
                c for row in rows for c in (*row.ours, *row.peers) if not c.module or c.module in peers
            )
            everything[group] = measure(group, list(commands), peers, a, Path(folder))
            report["rows"] = [judge(row, everything.get(row.group, {}), peers, a.threads) for row in chosen]
            report["runs"] = [
                {"group": name, "name": c.name, "script": c.script, "options": c.options, "results": runs}
                for name, results in everything.items()
                for c, runs in results.items()
            ]
            write(a.json, report)
    loads = [r["other_cores"] for run in report["runs"] for r in run["results"] if "other_cores" in r]
    busy = f"{statistics.median(loads):.1f} (at most {max(loads):.1f})" if loads else "no"
    print(markdown(report["rows"]))
    print(f"\n{report['date']}, {report['machine']}, --threads {a.threads} where the row does not say,")
    print(f"median of {a.repeat} rounds. {', '.join(f'{name} {v}' for name, v in report['versions'].items())}.")
    print(f"Others kept {busy} processors busy meanwhile. `{report['command']}`")
    return 0


def measure(group: str, commands: list[Command], peers: Peers, a: Any, folder: Path) -> Results:
    """Run the commands of a group in turn, ``repeat`` times; one that fails is not tried again."""
    results: Results = {command: [] for command in commands}
    for k in range(-1, a.repeat):  # before the first round, ours fills its kernel cache
        for command in commands:
            runs = results[command]
            if any("error" in run for run in runs) or (k < 0 and command.module):
                continue
            wait_for_quiet(a.wait)
            python = peers[command.module][0] if command.module else sys.executable
            steps = ["--repeat", str(a.steps)] if a.steps else []
            result = execute([*argv_of(command, python, a.threads, folder), *steps], a.timeout)
            if k >= 0 or "error" in result:
                runs.append(result)
            print(f"{group} round {k + 1} {command.name}: {result.get('error', 'done')}", file=sys.stderr, flush=True)
    return results


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs at the time ends as well
    sys.exit(main())
