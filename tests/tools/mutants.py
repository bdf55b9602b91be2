"""Mutants of scalar equations and kernels: one changed sign, constant, comparison, index, condition or call each."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).parents[2]
KERNELS = sorted(f"kernels/{path.parent.name}" for path in ROOT.glob("nbsnn/kernels/*/__init__.py"))
FOLDERS = ("neurons", "surrogates", "synapses", "plasticity", "tempotron", *KERNELS)

SWAPS = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.LShift: ">>",
    ast.RShift: "<<", ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "&", ast.Pow: "*",
}  # fmt: skip
COMPARISONS = {
    ast.Lt: ("<=", ">="), ast.LtE: ("<", ">"), ast.Gt: (">=", "<="), ast.GtE: (">", "<"), ast.Eq: ("!=",),
    ast.NotEq: ("==",),
}  # fmt: skip
SYMMETRIC = ("min", "max", "np.minimum", "np.maximum")


@dataclass(frozen=True)
class Mutant:
    """One change: bytes [begin, end) of a file, in these lines and this function, become ``text``."""

    file: str
    function: str
    lines: range
    body: range
    begin: int
    end: int
    old: str
    text: str
    which: str = ""
    """Which of the function's changes that read the same, if there are several."""

    def __str__(self) -> str:
        return f"{self.file}:{self.lines.start}: {self.function}: {self.old} -> {self.text}{self.which}"

    @property
    def key(self) -> str:
        """What names it in ``equivalent.txt``: no line, as lines move."""
        return f"{self.file}: {self.function}: {self.old} -> {self.text}{self.which}"

    @property
    def folder(self) -> str:
        return next(folder for folder in FOLDERS if self.file.startswith(f"nbsnn/{folder}/"))

    def codes(self) -> dict[tuple[str, int], CodeType]:
        """Qualified name and first line of each function of the file -> its code with the change."""
        source = (ROOT / self.file).read_bytes()
        text = self.text
        if text == "pass":  # what is left out must not change which variables a function takes from around it
            text = f"if 0: {ast.unparse(ast.parse(source[self.begin : self.end]))}"
        return codes_of(ROOT / self.file, source, source[: self.begin] + text.encode() + source[self.end :])


def codes_of(file: Path, source: bytes, changed: Any) -> dict[tuple[str, int], CodeType]:
    """Qualified name and first line of each function of the source -> its code in what the source was changed into."""
    old, new = (list(_functions(compile(text, str(file), "exec", dont_inherit=True))) for text in (source, changed))
    return {(was.co_qualname, was.co_firstlineno): code for was, code in zip(old, new, strict=True)}


def _functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if not constant.co_name.startswith("<"):
                yield constant
            yield from _functions(constant)


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
            if ast.unparse(func) not in SYMMETRIC and not any(
                isinstance(argument, ast.Starred) for argument in (first, second)
            ):
                yield f"{ast.unparse(func)}({', '.join(map(ast.unparse, (second, first, *rest)))})"
        case ast.IfExp(test, body, orelse):
            yield f"({ast.unparse(orelse)}) if {ast.unparse(test)} else ({ast.unparse(body)})"
        case ast.Assign([ast.Subscript()], _) | ast.AugAssign() | ast.Expr(ast.Call()) | ast.Continue() | ast.Break():
            yield "pass"


def kernels_in(tree: ast.AST, all_functions: bool, inside: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions of scalar code: neither methods, nor holes, nor (but in kernels) what makes or checks objects."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            equation = all_functions or (_is_scalar(node) and not _makes(node))
            if equation and not node.decorator_list:
                yield f"{inside}{node.name}", node
            yield from kernels_in(node, all_functions, f"{inside}{node.name}.")
        elif not isinstance(node, ast.ClassDef):
            yield from kernels_in(node, all_functions, inside)


def _is_scalar(function: ast.FunctionDef) -> bool:
    """Whether a function returns numbers, as far as its annotations say; what takes ``Values`` does, or arrays."""
    returned = re.findall(r"\w+", ast.unparse(function.returns)) if function.returns else []
    given = {ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation}
    return {"float", "bool", "tuple"}.issuperset(returned) or (returned == ["Any"] and "Values" in given)


def _makes(function: ast.FunctionDef) -> bool:
    """Whether a function makes functions or dicts, or has words: no equation does."""
    body = function.body[ast.get_docstring(function) is not None :]
    words = (node for statement in body for node in ast.walk(statement))
    return any(
        isinstance(node, (ast.Lambda, ast.Dict)) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        for node in words
    )


def _prefetches(node: ast.stmt) -> bool:
    """Whether a statement only brings something into the cache beforehand, or tells the compiler how wide vectors are,
    which changes no result."""
    if isinstance(node, ast.For | ast.If):
        return all(map(_prefetches, [*node.body, *node.orelse]))
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(
        ("fetch(", "fetch_more(", "fetch_to_read(", "ask(", "widest(")
    )


def mutants_of(file: Path) -> list[Mutant]:
    """All changes of one file."""
    source = file.read_bytes()
    tree = ast.parse(source)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    name, found = file.relative_to(ROOT).as_posix(), {}
    for where, function in kernels_in(tree, "/kernels/" in file.as_posix()):
        inner = [node for statement in function.body for node in ast.walk(statement)]
        skipped = {id(node.func) for node in inner if isinstance(node, ast.Call)}
        for node in inner:
            if isinstance(node, ast.stmt) and _prefetches(node):
                skipped |= {id(child) for child in ast.walk(node)}
        # Annotations and defaults of nested functions are no scalar code.
        for node in (node for node in inner if isinstance(node, ast.FunctionDef)):
            skipped |= {id(child) for part in (node.args, node.returns) if part for child in ast.walk(part)}
        body = range(function.lineno, function.end_lineno + 1)
        for node in inner:
            if id(node) in skipped or not hasattr(node, "lineno"):
                continue
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            old, lines = " ".join(source[begin:end].decode().split()), range(node.lineno, node.end_lineno + 1)
            for text in changes(node):
                whole = text if isinstance(node, (ast.stmt, ast.Subscript)) else f"({text})"
                mutant = Mutant(name, where, lines, body, begin, end, old, whole)
                found[begin, end, text] = mutant  # of nested functions the innermost comes last
    alike = defaultdict(list)
    for mutant in sorted(found.values(), key=lambda mutant: mutant.begin):
        alike[mutant.key].append(mutant)
    numbered = (
        replace(mutant, which=f" [{k} of {len(its)}]" if len(its) > 1 else "")
        for its in alike.values()
        for k, mutant in enumerate(its, 1)
    )
    return list(numbered)


def scalar_files() -> list[Path]:
    return sorted(file for folder in FOLDERS for file in (ROOT / "nbsnn" / folder).rglob("*.py"))


def all_mutants(only: str = "") -> list[Mutant]:
    """Those whose key contains ``only``."""
    return [mutant for file in scalar_files() for mutant in mutants_of(file) if only in mutant.key]
