"""Every error code with its two texts (错误代码表), read from the table beside this module."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from domains.kernel.errors import DomainError

TABLE = Path(__file__).with_name("catalogue.toml")
_KINDS: tuple[type[DomainError], ...] = (DomainError, *DomainError.__subclasses__())
FAMILIES = frozenset(kind.__name__ for kind in _KINDS)


@cache
def sections() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Section → code → (Chinese, English)."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {name: {code: (zh, en) for code, (zh, en) in rows.items()} for name, rows in table.items()}


@cache
def texts() -> Mapping[str, tuple[str, str]]:
    """Code → (Chinese, English), over all sections."""
    return {code: pair for rows in sections().values() for code, pair in rows.items()}


def chinese(code: str) -> str:
    """The general Chinese text of a code; KeyError for a code that is not in the table."""
    return texts()[code][0]


def english(code: str) -> str | None:
    """The English text, or None for a code that is not in the table."""
    pair = texts().get(code)
    return pair[1] if pair else None


def as_markdown() -> str:
    """The reference page of all codes."""
    lines = ["# 错误代码 | Error codes", ""]
    for name, rows in sections().items():
        lines += [f"## {name}", "", "| code | 中文 | English |", "|---|---|---|"]
        lines += [f"| `{code}` | {zh} | {en} |" for code, (zh, en) in rows.items()]
        lines.append("")
    return "\n".join(lines)


def missing(root: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Codes raised under `root` that the table lacks, each with the file that raises it."""
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    classes = [n for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    kinds = _error_kinds(classes)
    return {
        code: str(path.relative_to(root))
        for path, tree in trees.items()
        for code in _codes_raised(tree, kinds)
        if code not in texts()
    }


def _error_kinds(classes: list[ast.ClassDef]) -> set[str]:
    """The families and every class derived from them, at any distance."""
    kinds = set(FAMILIES)
    while more := {c.name for c in classes if kinds & {ast.unparse(b) for b in c.bases}} - kinds:
        kinds |= more
    return kinds


def _codes_raised(tree: ast.AST, kinds: set[str]) -> Iterator[str]:
    yield from _first_texts(tree, kinds)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in kinds:
            yield from _first_texts(node, {"super().__init__"})


def _first_texts(tree: ast.AST, callables: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in callables:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value
