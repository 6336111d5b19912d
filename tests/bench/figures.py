"""What was measured: printed as a table, kept as docs/figures.md."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import east_asian_width

INTRODUCTION = """# Figures

Written by `make bench`; measured together in one run on a machine with {cores} cores, {system},
{python}, with PostgreSQL, Valkey and the client on the same cores. A ratio compares two things that took
turns (A B A B …) and is the median of the pairs. CPU is that of the process that answers, without
PostgreSQL's. Absolute times are this machine's alone.

*Hand-written* is a bare Starlette route that checks the same token, runs the same statements over the same
pool and writes the same JSON; it knows no middleware, no cost budget and no field it does not send.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line: what, how much, and what it should be; `holds` is None where nothing was promised."""

    name: str
    value: str
    goal: str = ""
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        """The goal, marked where it is missed."""
        return self.goal if self.holds is not False else f"{self.goal}  MISSED"


@dataclass(slots=True)
class Figures:
    """The figures by section, in the order in which they were measured."""

    sections: dict[str, list[Figure]] = field(default_factory=dict)

    def section(self, title: str) -> None:
        """What is added from now on belongs there."""
        self.sections[title] = []
        print(f"\n{title}", flush=True)

    def add(self, name: str, value: str, goal: str = "", holds: bool | None = None) -> None:
        """Keep a figure and print it."""
        figure = Figure(name, value, goal, holds)
        list(self.sections.values())[-1].append(figure)
        print(f"  {_padded(name, 62)} {_padded(value, 40)} {figure.verdict}".rstrip(), flush=True)

    def write(self, path: Path) -> None:
        """As a Markdown document."""
        path.write_text(self._document(), encoding="utf-8")

    def _document(self) -> str:
        parts = [INTRODUCTION.format(**machine())]
        for title, figures in self.sections.items():
            rows = [f"| {each.name} | {each.value} | {each.verdict} |" for each in figures]
            parts.append(
                "\n".join([f"## {title}", "", "| figure | measured | goal |", "|---|---|---|", *rows])
            )
        return "\n\n".join(part.strip() for part in parts) + "\n"


def machine() -> dict[str, str]:
    """The machine in words that name nobody's machine."""
    return {
        "cores": str(os.cpu_count()),
        "system": platform.system(),
        "python": f"Python {'.'.join(map(str, sys.version_info[:3]))}",
    }


def _padded(text: str, width: int) -> str:
    wide = sum(east_asian_width(each) in "WF" for each in text)
    return text.ljust(width - wide)
