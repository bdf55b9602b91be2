"""Write the speed tables of README and documentation from what ``compare.py`` has measured.

    python tests/benchmarks/compare.py --python PATH --json compare.json
    python tests/benchmarks/growth.py --out growth
    python tests/benchmarks/tables.py compare.json --growth growth/growth.json

Figures are kept in ``tests/speed.json``, one of each row for each machine, and ``tests/growth.json``; without a report
the tables are written anew from them. A row that was disturbed, failed, had no peer or did other work than its peer
leaves what there was.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from compare import shown, write

ROOT = Path(__file__).parents[2]
STORE, GROWTH = ROOT / "tests" / "speed.json", ROOT / "tests" / "growth.json"
README = ("W1 5% libraries", "W1 memory", "W8 28 5%", "W6 coba", "W6 pd", "W7 NEST")

Store = list[dict[str, Any]]


def add(store: Store, report: dict[str, Any]) -> Store:
    """The stored rows, and in place of what the same machine had those of a report that are results."""
    setting = {key: report[key] for key in ("date", "machine", "versions", "threads", "repeat")}
    new = {
        row["name"]: {key: row[key] for key in ("name", "work", "value", "peer_by", "peer", "ours", "ratio")}
        for row in report["rows"]
        if row["ratio"] is not None and row.get("equal", True) and not row.get("disturbed")
    }
    kept = [r for r in store if r["name"] not in new or r["setting"]["machine"] != setting["machine"]]
    return kept + [{**row, "setting": setting} for row in new.values()]


def line(row: dict[str, Any], *more: str) -> str:
    """A row of a table."""
    peer, mine = (shown(row[side], row["value"]) for side in ("peer", "ours"))
    cells = row["work"], f"{peer} ({row['peer_by']})", mine, f"{row['ratio']:.3g}", *more
    return f"| {' | '.join(cells)} |"


def summary(store: Store) -> str:
    """The rows of README, the latest of each."""
    latest = {row["name"]: row for row in sorted(store, key=lambda row: row["setting"]["date"])}
    lines = ["| workload | peer | nbsnn | ratio | machine |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(line(latest[n], latest[n]["setting"]["machine"]) for n in README if n in latest)])


def everything(store: Store) -> str:
    """A table for each machine, the latest first, and with what it was measured."""
    parts = list[str]()
    machines = {row["setting"]["machine"]: row["setting"]["date"] for row in store}
    for machine in sorted(machines, key=lambda name: machines[name], reverse=True):
        rows = [row for row in store if row["setting"]["machine"] == machine]
        dates = sorted({row["setting"]["date"] for row in rows})
        versions = {pair: None for row in rows for pair in row["setting"]["versions"].items()}
        parts += ["", f"{machine}, {' and '.join(dates)}:", ""]
        parts += ["| workload | peer | nbsnn | ratio |", "| --- | --- | --- | --- |", *map(line, rows), ""]
        parts.append(f"{', '.join(f'{name} {version}' for name, version in versions)}.")
    return "\n".join(parts[1:])


WORK = {
    "train": "BPTT, 784-400-10, T 50, batch 64, 2 % input",
    "online": "OTTT, the same",
    "simulate": "4000 neurons, 80 synapses each, a second",
    "plastic": "the same, with pair STDP",
}


def brief(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.3g}" if value < 1000.0 else f"{value:.0f}"


def growth(report: dict[str, Any]) -> str:
    """Times and memory against one quantity after the other, and the slopes in logarithms."""
    lines = [
        "| work, on one thread | against | ms at | slope | MB at | slope |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in report["lines"]:
        times, sizes = (
            ", ".join(f"{x:g}: {brief(factor * y)}" for x, y in zip(row["points"], row[key], strict=True))
            for key, factor in (("seconds", 1e3), ("bytes", 1e-6))
        )
        cells = WORK[row["what"]], row["against"], times, f"{row['slope']:.2f}", sizes, f"{row['memory_slope']:.2f}"
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{report['machine']}, {report['date']}."])


def filled(page: str, text: str, mark: str = "speed") -> str:
    """A page with ``text`` between its marks."""
    begin, end = f"<!-- {mark} -->\n", f"\n<!-- end of {mark} -->"
    if begin not in page or end not in page:
        raise ValueError(f"the page has no marks {begin.strip()} and {end.strip()}")
    return re.sub(f"{begin}.*?{end}", lambda _: begin + text + end, page, flags=re.DOTALL)


def main(arguments: list[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("reports", nargs="*", type=Path, help="what compare.py --json has written")
    p.add_argument("--growth", type=Path, default=GROWTH, help="what growth.py --out has written")
    a = p.parse_args(arguments)
    store: Store = json.loads(STORE.read_text()) if STORE.exists() else []
    for report in a.reports:
        store = add(store, json.loads(report.read_text()))
    grown = json.loads(a.growth.read_text())
    texts = {"README.md": {"speed": summary(store)}}
    texts["examples/docs/speed.md"] = {"speed": everything(store), "growth": growth(grown)}
    for name, parts in texts.items():
        page = (ROOT / name).read_text()
        for mark, text in parts.items():
            page = filled(page, text, mark)
        (ROOT / name).write_text(page)
    write(STORE, store)
    write(GROWTH, grown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
