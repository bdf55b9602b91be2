"""Do the tests notice? Change one thing in a scalar equation or a kernel, run the tests of that file, count who fails.

    python -m tests.tools.mutate --count 100 --seed 1 --jobs 2 [--only nbsnn/neurons] [--list]

A mutant has one changed sign, constant, comparison, index or condition, two swapped arguments, or a statement less.
``TESTS`` says which tests belong to which file; they run interpreted, in a copy of the tree, and end at the first that
fails. A mutant that takes too long counts as caught. Survivors are printed with file, line and change; those that
compute the same are listed in ``equivalent.txt`` with a reason, and not counted.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
FOLDERS = ("neurons", "surrogates", "synapses", "plasticity", "kernels/cpu", "kernels/cuda")

TESTS = {
    "nbsnn/neurons/*": "neurons neuron_inputs biological_neurons firing_patterns target_rate bptt",
    "nbsnn/surrogates/*": "surrogates conformance/test_sj_surrogate",
    "nbsnn/synapses/*": "network cuda_network",
    "nbsnn/plasticity/*": "plasticity plastic_loop plasticity_plastic network_plasticity network_integer",
    "nbsnn/kernels/cpu/stack*": "stack bptt",
    "nbsnn/kernels/cpu/[bceruw]*": "events layers bptt bits conv2d encode eprop sparse vectors network",
    "nbsnn/kernels/cpu/adapt*": "network_plasticity",
    "nbsnn/kernels/cpu/balanced*": "sparse models",
    "nbsnn/kernels/cpu/checks*": "layers check",
    "nbsnn/kernels/cpu/connect*": "sparse network",
    "nbsnn/kernels/cpu/de*": "network",
    "nbsnn/kernels/cpu/di*": "sparse",
    "nbsnn/kernels/cpu/eligible*": "network_plasticity",
    "nbsnn/kernels/cpu/encode*": "encode",
    "nbsnn/kernels/cpu/homeostasis*": "network_normalize network_plasticity",
    "nbsnn/kernels/cpu/low_pass*": "online low_pass eprop",
    "nbsnn/kernels/cpu/ne[tu]*": "network neurons layers bptt",
    "nbsnn/kernels/cpu/optim*": "optim",
    "nbsnn/kernels/cpu/patches*": "conv2d",
    "nbsnn/kernels/cpu/plastic*": "plasticity plastic_loop plasticity_plastic",
    "nbsnn/kernels/cpu/pool*": "pool2d",
    "nbsnn/kernels/cpu/products*": "layers bptt",
    "nbsnn/kernels/cpu/s[eh]*": "network network_plasticity",
    "nbsnn/kernels/cpu/sparse_integer*": "network_integer",
    "nbsnn/kernels/cpu/sparse_plasticity*": "network_plasticity",
    "nbsnn/kernels/cpu/spike_times*": "spikes_file network events",
    "nbsnn/kernels/cpu/steered*": "plasticity plastic_loop",
    "nbsnn/kernels/cpu/tables*": "network",
    "nbsnn/kernels/cpu/tempotron*": "tempotron",
    "nbsnn/kernels/cpu/values*": "sparse_values",
    "nbsnn/kernels/cuda/encode*": "encode_cuda",
    "nbsnn/kernels/cuda/tempotron*": "cuda_tempotron",
    "nbsnn/kernels/cuda/[adens]*": "cuda_network cuda_network_plasticity cuda_neurons cuda_training cuda_layers",
    "nbsnn/kernels/cuda/p[lo]*": "cuda_plasticity cuda_layers cuda_training",
    "nbsnn/kernels/cuda/*": "cuda_contract cuda_layers cuda_training cuda_neurons",
}
"""File -> its test files; all patterns that match count."""

SWAPS = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.LShift: ">>",
    ast.RShift: "<<", ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "&", ast.Pow: "*",
}  # fmt: skip
COMPARISONS = {
    ast.Lt: ("<=", ">="), ast.LtE: ("<", ">"), ast.Gt: (">=", "<="), ast.GtE: (">", "<"), ast.Eq: ("!=",),
    ast.NotEq: ("==",),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: bytes [begin, end) of a file become ``text``."""

    file: str
    line: int
    begin: int
    end: int
    old: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.old} -> {self.text}"

    @property
    def key(self) -> str:
        """What names it in ``equivalent.txt``: no line, as lines move."""
        return f"{self.file}: {self.old} -> {self.text}"

    @property
    def folder(self) -> str:
        return next(folder for folder in FOLDERS if self.file.startswith(f"nbsnn/{folder}/"))


def changes(node: ast.AST) -> Iterator[str]:
    """What may stand in the place of this expression or statement."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in SWAPS:
            yield f"({ast.unparse(left)}) {SWAPS[type(op)]} ({ast.unparse(right)})"
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield ast.unparse(operand)
        case ast.UnaryOp(ast.Not(), operand):
            yield ast.unparse(operand)
        case ast.Compare(left, [op], [right]) if type(op) in COMPARISONS:
            for other in COMPARISONS[type(op)]:
                yield f"{ast.unparse(left)} {other} {ast.unparse(right)}"
        case ast.BoolOp(op, values):
            word = " or " if isinstance(op, ast.And) else " and "
            yield word.join(f"({ast.unparse(value)})" for value in values)
        case ast.Constant(bool() as value):
            yield str(not value)
        case ast.Constant(int() as value):
            yield str(value + 1)
        case ast.Constant(float() as value):
            yield str(2.0 * value if value else 1.0)
        case ast.Subscript(value, index) if not isinstance(index, ast.Slice | ast.Constant):
            *first, last = index.elts if isinstance(index, ast.Tuple) else [index]
            if not isinstance(last, ast.Slice | ast.Constant):
                for step in ("+ 1", "- 1"):
                    inner = ", ".join([*map(ast.unparse, first), f"{ast.unparse(last)} {step}"])
                    yield f"{ast.unparse(value)}[{inner}]"
        case ast.Call(func, [first, second, *rest], []) if ast.dump(first) != ast.dump(second):
            if not any(isinstance(argument, ast.Starred) for argument in (first, second)):
                yield f"{ast.unparse(func)}({', '.join(map(ast.unparse, (second, first, *rest)))})"
        case ast.IfExp(test, body, orelse):
            yield f"({ast.unparse(orelse)}) if {ast.unparse(test)} else ({ast.unparse(body)})"
        case ast.Assign([ast.Subscript()], _) | ast.AugAssign() | ast.Expr(ast.Call()) | ast.Continue() | ast.Break():
            yield "pass"


def kernels_in(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions of scalar code: neither methods, nor what makes objects, nor holes."""
    methods = {
        id(child) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in ast.walk(node)
    }  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or id(node) in methods or node.decorator_list:
            continue
        if node.returns is None or ast.unparse(node.returns) == "float":
            yield node


def mutants_of(file: Path) -> list[Mutant]:
    """All changes of one file."""
    source = file.read_bytes()
    tree = ast.parse(source)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    name, found = file.relative_to(ROOT).as_posix(), {}
    for function in kernels_in(tree):
        inner = [node for statement in function.body for node in ast.walk(statement)]
        called = {id(node.func) for node in inner if isinstance(node, ast.Call)}
        for node in inner:
            if id(node) in called or not hasattr(node, "lineno"):
                continue
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            for text in changes(node):
                old = " ".join(source[begin:end].decode().split())
                whole = text if isinstance(node, (ast.stmt, ast.Subscript)) else f"({text})"
                found[begin, end, text] = Mutant(name, node.lineno, begin, end, old, whole)
    return list(found.values())


def tests_of(file: str) -> list[str]:
    """The test files that belong to a file, those of its own name first."""
    names = [name for pattern, names in TESTS.items() if fnmatch.fnmatch(file, pattern) for name in names.split()]
    paths = [name if "/" in name else f"test_{name}" for name in dict.fromkeys(names)]
    paths.sort(key=lambda path: Path(file).stem.rstrip("s") not in path)
    return [path for path in (f"tests/{path}.py" for path in paths) if (ROOT / path).exists()]


def run(tree: Path, tests: list[str], limit: float) -> tuple[bool, float]:
    """Whether all of these tests pass within ``limit`` seconds, and how long that took."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    began = time.monotonic()
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=limit)
        return done.returncode in (0, 5), time.monotonic() - began
    except subprocess.TimeoutExpired:
        return False, limit


class Trees:
    """Copies of the tree, one for each job; a mutant lives in one of them for as long as its tests run."""

    def __init__(self, folder: Path, jobs: int):
        self.free: SimpleQueue[Path] = SimpleQueue()
        for k in range(jobs):
            for part in ("nbsnn", "tests", "examples", "README.md", "pyproject.toml"):
                source, target = ROOT / part, folder / str(k) / part
                if source.is_dir():
                    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "trust"))
                else:
                    target.parent.mkdir(exist_ok=True)
                    shutil.copy(source, target)
            self.free.put(folder / str(k))

    def survives(self, mutant: Mutant | None, tests: list[str], limit: float) -> tuple[bool, float]:
        """Whether the tests pass nevertheless (None: nothing is changed)."""
        tree = self.free.get()
        try:
            if mutant is None:
                return run(tree, tests, limit)
            file = tree / mutant.file
            before = file.read_bytes()
            file.write_bytes(before[: mutant.begin] + mutant.text.encode() + before[mutant.end :])
            try:
                return run(tree, tests, limit)
            finally:
                file.write_bytes(before)
        finally:
            self.free.put(tree)


def equivalent() -> set[str]:
    """Keys of mutants that compute the same, from ``equivalent.txt``."""
    lines = EQUIVALENT.read_text().splitlines()
    return {line for line in lines if line and not line.startswith(("#", "    "))}


def main() -> int:
    """Sample mutants, run their tests, print the score of each folder and who survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="how many mutants are drawn (default: 100)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="files whose path contains this")
    parser.add_argument("--list", action="store_true", help="print the mutants, and run nothing")
    a = parser.parse_args()
    same = equivalent()
    files = sorted(file for folder in FOLDERS for file in (ROOT / "nbsnn" / folder).rglob("*.py"))
    every = [mutant for file in files if a.only in file.as_posix() for mutant in mutants_of(file)]
    drawn = random.Random(a.seed).sample(every, min(a.count, len(every)))
    drawn = [mutant for mutant in drawn if mutant.key not in same]
    print(f"{len(every)} mutants, {len(drawn)} of them tried", flush=True)
    if a.list:
        print(*drawn, sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(a.jobs) as pool:
        trees = Trees(Path(folder), a.jobs)
        needed = {tuple(tests_of(mutant.file)) for mutant in drawn}
        limits = {}
        for tests, (passed, seconds) in zip(
            needed, pool.map(lambda t: trees.survives(None, list(t), 1800), needed), strict=True
        ):
            if not passed:
                print(f"without a change, these tests fail: {' '.join(tests)}")
                return 1
            limits[tests] = 60 + 4 * seconds

        def outcome(mutant: Mutant) -> bool:
            tests = tests_of(mutant.file)
            return trees.survives(mutant, tests, limits[tuple(tests)])[0]

        tried, caught = Counter(), Counter()
        for mutant, survived in zip(drawn, pool.map(outcome, drawn), strict=True):
            tried[mutant.folder] += 1
            caught[mutant.folder] += not survived
            if survived:
                print(f"survives: {mutant}", flush=True)
    for name in tried:
        print(f"{name:14}{caught[name]} of {tried[name]} caught, {caught[name] / tried[name]:.1%}")
    print(f"all           {caught.total()} of {tried.total()} caught, {caught.total() / max(1, tried.total()):.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
