"""What is printed (文书内容): exactly this and nothing else, so that it is kept and printed again as it was."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

Kind = Literal["receipt", "statement", "bill", "letter"]

TITLES: dict[Kind, str] = {"receipt": "收据", "statement": "对账单", "bill": "缴费通知单", "letter": "催缴函"}
PREFIXES: dict[Kind, str] = {"receipt": "SJ", "statement": "DZ", "bill": "ZD"}
"""Of numbers that are counted per compound, kind and year; a letter has its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table: its width in parts of the page, and whether it holds figures."""

    title: str
    width: int
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper but for what it gets when it is issued: its number, its day and its code."""

    kind: Kind
    compound: str
    company: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    amount_fen: int
    amount_label: str
    words: tuple[str, ...] = ()
    """Sentences above the table."""
    notes: tuple[str, ...] = ()
    """Lines below the sum."""

    def content(self) -> dict[str, Any]:  # Any: JSON
        """As it is kept."""
        return asdict(self)

    @property
    def sha256(self) -> str:
        """Equal for papers that say the same."""
        return digest(self.content())


@dataclass(frozen=True, slots=True)
class Seal:
    """What makes a paper this one: its number, the day on it as a person writes it, the address that vouches for it."""

    number: str
    issued_on: str
    address: str


def restored(content: dict[str, Any]) -> Paper:  # Any: JSON
    """A paper as it was kept."""
    return Paper(
        **{
            **content,
            "facts": tuple((label, value) for label, value in content["facts"]),
            "columns": tuple(Column(**column) for column in content["columns"]),
            "rows": tuple(tuple(row) for row in content["rows"]),
            "words": tuple(content["words"]),
            "notes": tuple(content["notes"]),
        }
    )


def digest(content: object) -> str:
    """SHA-256 in hex of JSON with sorted keys."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def numbered(kind: Kind, year: int, count: int) -> str:
    """The number of the year's count-th paper: SJ2026000001."""
    return f"{PREFIXES[kind]}{year}{count:06}"
