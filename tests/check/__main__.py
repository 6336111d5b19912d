"""`make check`: style, types, import rules and the committed schema; says everything that is wrong at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.check import house_rules, schema_changes

BIN = Path(sys.executable).parent
PACKAGES = (
    "api",
    "schema",
    "domains",
    "payments",
    "notifications",
    "miniprogram_stub",
    "migrations",
    "tests",
)


def command(*arguments: str) -> Callable[[], str]:
    """A check that is a program: what it printed where it failed, else nothing."""

    def run() -> str:
        done = subprocess.run(
            [str(BIN / arguments[0]), *arguments[1:]], capture_output=True, text=True, check=False
        )
        return (
            "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or f"exit {done.returncode}"
        )

    return run


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("style", command("ruff", "check", *PACKAGES)),
    ("format", command("ruff", "format", "--check", *PACKAGES)),
    ("types", command("mypy")),
    ("imports", command("lint-imports", "--cache-dir", ".linli/cache/import_linter")),
    ("house rules", house_rules.problems),
    ("schema", schema_changes.problems),
)


def main() -> int:
    """Run every check; 1 if any found something."""
    failed = 0
    for name, check in CHECKS:
        started = time.monotonic()
        found = check()
        print(f"{'✗' if found else '✓'} {name}  {time.monotonic() - started:.1f} s", flush=True)
        if found:
            failed += 1
            print(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
