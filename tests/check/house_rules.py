"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "schema", "domains", "payments", "notifications", "miniprogram_stub", "tests")
MOST_LINES = 400
BANNED_NAMES = re.compile(r"(^|_)(utils?|common|helpers?|base|misc)$|_2$")
REGISTRY_ADDRESS = re.compile(r"--(extra-)?index-url|--find-links|\"resolved\": *\"http")


def sources() -> Iterator[Path]:
    """Every Python file of ours."""
    for package in PACKAGES:
        found = (ROOT / package).rglob("*.py")
        yield from sorted(path for path in found if "node_modules" not in path.parts)


def problems() -> str:
    """What is wrong, a line each."""
    found = [problem for path in sources() for problem in _problems_of(path)]
    for lock in [*(ROOT / "locks").glob("*.txt"), *ROOT.glob("**/package-lock.json")]:
        if (
            "node_modules" not in lock.parts
            and ".linli" not in lock.parts
            and REGISTRY_ADDRESS.search(lock.read_text())
        ):
            found.append(f"{lock.relative_to(ROOT)}: names the address of a package registry")
    return "\n".join(found)


def _problems_of(path: Path) -> Iterator[str]:
    name, text = path.relative_to(ROOT), path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > MOST_LINES:
        yield f"{name}: {lines} lines, split it by noun"
    if BANNED_NAMES.search(path.stem):
        yield f"{name}: a name that says nothing"
    if path.parts[-2:] != ("api", "settings.py") and name.parts[0] not in ("tests",):
        for line in _environment_reads(ast.parse(text)):
            yield f"{name}:{line}: the environment is read in api/settings.py alone"


def _environment_reads(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv"):
            yield node.lineno
